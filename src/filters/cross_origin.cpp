// SPDX-License-Identifier: MIT
#include "filters/cross_origin.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

constexpr std::string_view kAskedMethod = "access-control-request-method";
constexpr std::string_view kAskedHeaders = "access-control-request-headers";

// What the clients of the platform send and read, whatever else is configured.
constexpr std::string_view kUsualHeaders =
    "Authorization, Content-Type, Accept, X-Request-ID, X-Client-Version, X-Platform, X-Device-ID, Last-Event-ID, Idempotency-Key";
constexpr std::string_view kUsualExposed =
    "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit, RateLimit-Policy, Retry-After, X-Trace-ID, X-Response-Time, X-Cache";
constexpr std::string_view kUsualMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
// What gRPC-Web's pages do.
constexpr std::string_view kWebHeaders = "content-type, x-grpc-web, x-user-agent, grpc-timeout, authorization, x-request-id";
constexpr std::string_view kWebExposed = "grpc-status, grpc-message, grpc-status-details-bin";

bool is_listed(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        std::size_t end = std::min(list.find(','), list.size());
        if (iequals(trim(list.substr(0, end)), name)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

std::string joined(std::string_view first, const std::vector<std::string>& more) {
    std::string all(first);
    for (const std::string& name : more)
        if (!is_listed(all, name)) all.append(all.empty() ? "" : ", ").append(name);
    return all;
}

bool lists_any(const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), "*") != list.end(); }

bool speaks_web(const config::Route& route) { return route.grpc_web && route.grpc_web->enabled; }

std::string methods_of(const config::Cors& cors, const config::Route& route) {
    if (!cors.allow_methods.empty()) return joined("", cors.allow_methods);
    if (route.methods.empty()) return std::string(kUsualMethods);
    std::string own = joined("", route.methods);
    return is_listed(own, "GET") ? joined(own, {"HEAD"}) : own;  // as the router has it
}

// Letters, digits and hyphens between single dots.
bool is_labels(std::string_view text) {
    char before = '.';
    for (char c : text) {
        bool fine = c == '.' ? before != '.' : is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (!fine) return false;
        before = c;
    }
    return before != '.';
}

std::string_view without_port(std::string_view host) {
    std::size_t digits = host.size();
    while (digits > 0 && is_digit(host[digits - 1])) --digits;
    bool has_port = digits > 1 && digits < host.size() && host[digits - 1] == ':';
    return has_port ? host.substr(0, digits - 1) : host;
}

// A list of names, or one: what may be said back to whoever said it.
bool is_names(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return http::grammar::is(http::grammar::token, c) || c == ',' || http::grammar::is_blank(c);
    });
}

}  // namespace

// ---- which origins

Origins::Origins(const std::vector<std::string>& listed) {
    for (const std::string& text : listed) {
        std::size_t host = text.find("://");
        host = host == text.npos ? text.size() : host + 3;
        Pattern pattern{text.substr(0, host), text.substr(host), false, false};
        if (pattern.tail.ends_with(":*")) {
            pattern.any_port = true;
            pattern.tail.resize(pattern.tail.size() - 2);
        }
        if (pattern.tail.starts_with("*.")) {
            pattern.labels = true;
            pattern.tail.erase(0, 1);
        }
        if (text == "*") any_ = true;
        else if (pattern.labels || pattern.any_port) patterns_.push_back(std::move(pattern));
        else names_.push_back(text);
    }
    std::sort(names_.begin(), names_.end());
}

bool Origins::Pattern::matches(std::string_view origin) const {
    if (!origin.starts_with(scheme)) return false;
    std::string_view host = origin.substr(scheme.size());
    if (any_port) host = without_port(host);
    if (!labels) return host == tail;
    return host.size() > tail.size() && host.ends_with(tail) && is_labels(host.substr(0, host.size() - tail.size()));
}

bool Origins::lists(std::string_view origin) const {
    if (std::binary_search(names_.begin(), names_.end(), origin)) return true;
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& p) { return p.matches(origin); });
}

// ---- which section

std::optional<config::Cors> cors_of(const config::Config& config, const config::Route& route) {
    const config::Cors& section = route.cors ? *route.cors : config.cors;
    if (!speaks_web(route)) return section.on() ? std::optional(section) : std::nullopt;
    // Whoever speaks gRPC-Web is a page: without any origins none may read an answer.
    const config::GrpcWeb& web = *route.grpc_web;
    config::Cors cors;
    cors.enabled = true;
    bool own = !web.allow_origins.empty();
    cors.allow_origins = own ? web.allow_origins : section.on() ? section.allow_origins : std::vector<std::string>();
    cors.allow_credentials = own ? web.allow_credentials : section.allow_credentials;
    cors.allow_methods = {"POST"};
    cors.allow_headers = web.allow_headers;
    cors.expose_headers = web.expose_headers;
    cors.max_age = 2h;
    return cors;
}

// ---- what is told

CrossOrigin::CrossOrigin(const config::Cors& cors, const config::Route& route)
    : origins_(cors.allow_origins),
      methods_(methods_of(cors, route)),
      headers_(joined(speaks_web(route) ? kWebHeaders : kUsualHeaders, cors.allow_headers)),
      exposed_(lists_any(cors.expose_headers) ? "*" : joined(speaks_web(route) ? kWebExposed : kUsualExposed, cors.expose_headers)),
      max_age_(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(cors.max_age).count())),
      any_method_(lists_any(cors.allow_methods)),
      any_header_(lists_any(cors.allow_headers)),
      credentials_(cors.allow_credentials) {}

bool CrossOrigin::is_preflight(const http::RequestHead& head) {
    return head.method == http::Method::OPTIONS && head.headers.has(HeaderId::origin) && head.headers.find(kAskedMethod);
}

void CrossOrigin::allow(std::string_view origin, http::Headers& answer) const {
    answer.add("Access-Control-Allow-Origin", origins_.any() ? "*" : origin);
    if (credentials_ && !origins_.any()) answer.add("Access-Control-Allow-Credentials", "true");
}

// What is told lives in the exchange: this may be gone before the answer is sent.
gateway::Answer CrossOrigin::preflight(gateway::Exchange& ex) const {
    const http::Headers& asked = ex.request.head.headers;
    if (!allows(ex)) return Error(Code::forbidden, "pages of this origin may not call this (cors.allow_origins)");
    auto told = [&](bool any, std::string_view name, const std::string& listed) {
        const std::string_view* wish = any ? asked.find(name) : nullptr;
        return wish && is_names(*wish) ? *wish : ex.arena.copy(listed);
    };
    http::Response response;
    response.status = 204;
    allow(ex.page_origin, response.headers);
    response.headers.add("Access-Control-Allow-Methods", told(any_method_, kAskedMethod, methods_));
    response.headers.add("Access-Control-Allow-Headers", told(any_header_, kAskedHeaders, headers_));
    response.headers.add("Access-Control-Max-Age", ex.arena.copy(max_age_));
    return gateway::Answer(std::move(response));
}

void CrossOrigin::share(const gateway::Exchange& ex, http::Headers& answer) const {
    constexpr std::string_view kOurs = "access-control-";
    bool varies = false;
    answer.remove_if([&](const http::Field& field) {
        if (field.id == HeaderId::vary) varies = varies || is_listed(field.value, "origin");
        if (field.id != HeaderId::other) return false;
        return field.name.size() > kOurs.size() && iequals(field.name.substr(0, kOurs.size()), kOurs);
    });
    if (!origins_.any() && !varies) answer.add("Vary", "Origin");
    if (!allows(ex)) return;
    allow(ex.page_origin, answer);
    answer.add("Access-Control-Expose-Headers", exposed_);
}

}  // namespace suoke::filters
