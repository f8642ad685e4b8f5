// SPDX-License-Identifier: MIT
// Identity is ours to tell: what a client sends as X-User-*, X-Gateway-* ... never reaches a service, neither in front
// of a body nor behind it: some servers make one of both.
#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "filters/filters.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

constexpr std::string_view kPrefixes[] = {"x-user-", "x-gateway-", "x-auth-", "x-proxy-", "x-consumer-", "x-client-cert-"};
constexpr std::string_view kLongest = "x-client-cert-";

// '_' counts as '-': WSGI and CGI services cannot tell X_User_ID from X-User-ID.
bool is_identity(std::string_view name) {
    if (name.size() < 3 || lower(name[0]) != 'x' || (name[1] != '-' && name[1] != '_')) return false;
    if (iequals(name, "x-user-agent")) return false;  // gRPC-Web's, which says nothing about who asks
    char folded[kLongest.size()];
    std::size_t n = std::min(name.size(), sizeof folded);
    for (std::size_t i = 0; i < n; ++i) folded[i] = name[i] == '_' ? '-' : lower(name[i]);
    for (std::string_view prefix : kPrefixes)
        if (std::string_view(folded, n).starts_with(prefix)) return true;
    return false;
}

using http::HeaderId;

// Those of the prefixes that have an id of their own.
constexpr http::HeaderSet kKnown =
    http::header_set(HeaderId::x_gateway_service, HeaderId::x_gateway_instance,
                     HeaderId::x_gateway_duration, HeaderId::x_proxy_service,
                     HeaderId::x_proxy_instance, HeaderId::x_proxy_by);

bool tells_identity(const http::Field& field) { return is_identity(field.name); }

// A body whose trailers say nothing of who sends it.
class AnonymousBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    explicit AnonymousBody(http::BodySource& source) : source_(source) {}
    Result<http::Piece> next() override { return source_.next(); }
    rt::Task<void> wait() override { return source_.wait(); }
    std::optional<std::uint64_t> remaining() const override { return source_.remaining(); }
    std::uint64_t received() const override { return source_.received(); }
    void forget_head() override { source_.forget_head(); }
    const http::Headers* trailers() const override {
        const http::Headers* all = source_.trailers();
        if (!all || std::none_of(all->begin(), all->end(), tells_identity)) return all;
        if (!kept_) kept_.emplace(*all).remove_if(tells_identity);
        return &*kept_;
    }

 private:
    http::BodySource& source_;
    mutable std::optional<http::Headers> kept_;   // made when it is asked for, and rarely needed
};

bool may_have_trailers(const http::Request& request) {
    if (!request.body || !request.head.protocol.empty()) return false;
    return request.head.framing.kind == http::Framing::chunked || request.head.version == http::Version::http2;
}

class StripIdentity final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (may_have_trailers(ex.request)) ex.wrap_request_body(std::make_unique<AnonymousBody>(*ex.request.body));
        http::Headers& headers = ex.request.head.headers;
        headers.remove_all(kKnown);
        if (!headers.has(HeaderId::other)) return gateway::go_on();
        headers.remove_if([](const http::Field& f) { return f.id == HeaderId::other && is_identity(f.name); });
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr strip_identity(const config::Config&, const config::Route&) { return std::make_shared<StripIdentity>(); }

}  // namespace suoke::filters
