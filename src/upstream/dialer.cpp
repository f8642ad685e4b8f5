// SPDX-License-Identifier: MIT
#include "upstream/dialer.h"

namespace suoke::upstream {

std::string EndpointAddress::to_string() const {
    if (host.starts_with("unix:")) return host;
    bool v6 = host.find(':') != std::string::npos && host.front() != '[';
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string EndpointAddress::identity() const {
    std::string all = to_string();
    if (protocol == Protocol::h2) all += " (h2)";
    if (for_one_client) all += " (PROXY)";
    if (!tls_identity.empty()) all += " " + tls_identity;
    return all;
}

namespace {

// A new connection's buffer has room for the few bytes of a preamble; one that has not is broken.
rt::Task<Result<rt::StreamPtr>> connect(rt::Loop& loop, rt::Address address, std::string preamble, TimePoint deadline) {
    auto stream = co_await rt::connect(loop, address, deadline);
    if (!stream || preamble.empty()) co_return stream;
    rt::Io put = (*stream)->write(preamble);
    if (put.bytes < preamble.size()) co_return Error(Code::connect_failed, "cannot write to " + address.to_string());
    co_return stream;
}

}  // namespace

rt::Task<Result<rt::StreamPtr>> reach(Dialer& dialer, EndpointAddress endpoint, TimePoint deadline) {
    Result<rt::StreamPtr> stream = co_await dialer.dial(endpoint, deadline);
    if (!stream || !endpoint.tls) co_return stream;
    const bool h2 = endpoint.protocol == Protocol::h2;
    std::vector<std::string> alpn;
    alpn.emplace_back(h2 ? "h2" : "http/1.1");
    stream = co_await rt::tls_connect(std::move(*stream), endpoint.tls, endpoint.host, endpoint.to_string(), deadline, std::move(alpn));
    if (!stream) co_return stream;
    // Who names no protocol at all speaks HTTP/1.1.
    bool agreed_h2 = (*stream)->tls()->alpn == "h2";
    if (agreed_h2 != h2) co_return Error(Code::tls_failed, endpoint.to_string() + (h2 ? " does not offer h2" : " insists on h2") + " (ALPN)");
    co_return stream;
}

rt::Task<Result<rt::StreamPtr>> SocketDialer::dial(EndpointAddress endpoint, TimePoint deadline) {
    auto literal = rt::Address::parse(endpoint.host, endpoint.port);
    if (literal) co_return co_await connect(loop_, *literal, std::move(endpoint.preamble), deadline);
    auto addresses = co_await resolver_.resolve(endpoint.host, endpoint.port, deadline);
    if (!addresses) co_return addresses.error();
    Error last(Code::connect_failed);
    for (const rt::Address& address : *addresses) {
        auto stream = co_await connect(loop_, address, endpoint.preamble, deadline);
        if (stream) co_return std::move(*stream);
        last = stream.error();
    }
    co_return last;
}

}  // namespace suoke::upstream
