// SPDX-License-Identifier: MIT
#include "http/proxy_reader.h"

#include <arpa/inet.h>

#include <array>

#include "http/proxy_protocol.h"

namespace suoke::http {
namespace {

std::optional<rt::Address> address_of(const ProxyHeader& header) {
    if (header.kind == ProxyHeader::none) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    int family = header.kind == ProxyHeader::inet6 ? AF_INET6 : AF_INET;
    ::inet_ntop(family, header.source.ip.data(), text.data(), text.size());
    auto address = rt::Address::parse(text.data(), header.source.port);
    if (!address) return std::nullopt;
    return *address;
}

}  // namespace

rt::Task<Result<std::optional<rt::Address>>> read_proxy_header(rt::Stream& stream, ProxyUse use, TimePoint deadline) {
    std::array<char, kMaxProxyV2> space;
    for (std::size_t seen = 0;;) {
        rt::Io got = stream.peek(space);
        if (got.failed()) co_return Error(Code::client_gone);
        std::string_view bytes(space.data(), got.bytes);
        if (!bytes.empty()) {
            if (use == ProxyUse::optional && guess_proxy_header(bytes) == ProxyGuess::no) co_return std::nullopt;
            auto header = parse_proxy_header(bytes);
            if (!header) co_return header.error();
            if (header->length > 0) {
                stream.read(std::span(space).first(header->length));  // it is here: seen just now
                co_return address_of(*header);
            }
        }
        // The peer will send no more, so it will never be whole.
        if (stream.hung_up() && got.bytes == seen) co_return Error(Code::client_gone);
        seen = got.bytes;
        rt::Wake woken = co_await stream.more_readable(deadline);
        if (woken == rt::Wake::ready) continue;
        if (use == ProxyUse::optional && seen == 0) co_return std::nullopt;
        co_return Error(Code::request_timeout, "PROXY protocol: the header did not arrive in time");
    }
}

}  // namespace suoke::http
