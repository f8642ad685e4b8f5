// SPDX-License-Identifier: MIT
#include "upstream/dialer.h"

namespace suoke::upstream {

std::string EndpointAddress::to_string() const { return authority() + (protocol == Protocol::h2 ? "/h2" : ""); }

std::string EndpointAddress::authority() const {
    if (host.starts_with("unix:")) return host;
    bool v6 = host.find(':') != std::string::npos && host.front() != '[';
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

rt::Task<Result<rt::StreamPtr>> SocketDialer::dial(EndpointAddress endpoint, TimePoint deadline) {
    auto literal = rt::Address::parse(endpoint.host, endpoint.port);
    if (literal) co_return co_await rt::connect(loop_, *literal, deadline);
    auto addresses = co_await resolver_.resolve(endpoint.host, endpoint.port, deadline);
    if (!addresses) co_return addresses.error();
    Error last(Code::connect_failed);
    for (const rt::Address& address : *addresses) {
        auto stream = co_await rt::connect(loop_, address, deadline);
        if (stream) co_return std::move(*stream);
        last = stream.error();
    }
    co_return last;
}

}  // namespace suoke::upstream
