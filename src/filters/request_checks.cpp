// SPDX-License-Identifier: MIT
// What the operator may ask of every request: that a body says what it is, that somebody says what he is, and that
// a browser's credentials are not used by a page they were not given to (CSRF).
#include "base/text.h"
#include "filters/ambient_credentials.h"
#include "filters/cross_origin.h"
#include "filters/filters.h"
#include "filters/probe.h"
#include "http/grammar.h"

namespace suoke::filters {
namespace {

using http::HeaderId;
using http::Method;

bool is_token(std::string_view text) {
    for (char c : text)
        if (!http::grammar::is(http::grammar::token, c)) return false;
    return !text.empty();
}

// type/subtype, whatever parameters follow (RFC 9110 §8.3.1).
bool is_media_type(std::string_view text) {
    text = trim(text.substr(0, std::min(text.find(';'), text.size())));
    std::size_t slash = std::min(text.find('/'), text.size());
    return slash < text.size() && is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

bool sends_something(const http::Request& request) {
    Method method = request.head.method;
    if (method != Method::POST && method != Method::PUT && method != Method::PATCH) return false;
    return request.body && request.body->remaining() != std::optional<std::uint64_t>(0);
}

// A WebSocket begins with GET, and is as good as anything that changes something.
bool changes_something(const http::RequestHead& head) {
    bool safe = head.method == Method::GET || head.method == Method::HEAD || head.method == Method::OPTIONS;
    return !safe || !head.protocol.empty();
}

// Without the scheme, which only an old browser leaves us to guess, and without the port that it implies.
bool is_same_origin(std::string_view origin, std::string_view authority) {
    std::size_t border = origin.find("://");
    if (border == origin.npos || authority.empty()) return false;
    std::string_view usual_port = origin.starts_with("https:") ? ":443" : ":80";
    if (authority.ends_with(usual_port)) authority.remove_suffix(usual_port.size());
    return iequals(origin.substr(border + 3), authority);
}

class RequestChecks final : public Check {
 public:
    RequestChecks(config::RequestChecks wanted, const std::optional<config::Cors>& cors)
        : wanted_(wanted), trusted_(cors ? cors->allow_origins : std::vector<std::string>()) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (wanted_.user_agent && !says_what_it_is(ex.request.head.headers))
            return Error(Code::malformed_request, "a User-Agent is needed here");
        if (wanted_.content_type && sends_something(ex.request) && !says_what_it_sends(ex.request.head.headers))
            return Error(Code::unsupported_media, "a body needs one Content-Type, like application/json");
        if (wanted_.csrf && !comes_from_our_pages(ex.request))
            return Error(Code::forbidden, "a page of another origin may not do this with the browser's credentials");
        return gateway::go_on();
    }

    static bool says_what_it_is(const http::Headers& headers) {
        const std::string_view* agent = headers.find(HeaderId::user_agent);
        return agent && !agent->empty();
    }
    static bool says_what_it_sends(const http::Headers& headers) {
        const std::string_view* type = headers.find(HeaderId::content_type);
        return type && headers.count(HeaderId::content_type) == 1 && is_media_type(*type);
    }

    // Browsers say where a request comes from (Sec-Fetch-Site, only over TLS and to localhost; Origin). Who says
    // neither is none, and nobody's page.
    bool comes_from_our_pages(const http::Request& request) const {
        const http::Headers& headers = request.head.headers;
        if (!changes_something(request.head) || !has_ambient_credentials(request)) return true;
        const std::string_view* origin = headers.find(HeaderId::origin);
        bool one_origin = headers.count(HeaderId::origin) == 1;
        if (one_origin && trusted_.lists(*origin)) return true;  // "*" trusts nobody with credentials
        if (const std::string_view* site = headers.find("sec-fetch-site")) return *site == "same-origin" || *site == "none";
        return !origin || (one_origin && is_same_origin(*origin, request.head.authority));
    }

    config::RequestChecks wanted_;
    Origins trusted_;
};

}  // namespace

CheckPtr request_checks(const config::Config& config, const config::Route& route) {
    config::RequestChecks wanted = config.security.checks;
    if (answers_probes(route)) wanted.user_agent = false;
    if (!wanted.content_type && !wanted.user_agent && !wanted.csrf) return nullptr;
    return std::make_shared<RequestChecks>(wanted, cors_of(config, route));
}

}  // namespace suoke::filters
