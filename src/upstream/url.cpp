// SPDX-License-Identifier: MIT
#include "upstream/url.h"

#include "base/text.h"
#include "http/uri.h"

namespace suoke::upstream {
namespace {

constexpr std::size_t kMostUrl = 2048;

Error no_url(std::string_view text, std::string_view why) {
    std::string shown(text.substr(0, 200));
    return Error(Code::invalid_config, "\"" + shown + "\" " + std::string(why) + "; write it as https://host:port/base");
}

std::string authority(const std::string& host, std::uint16_t port, bool secure) {
    bool v6 = host.find(':') != std::string::npos;
    std::string all = v6 ? "[" + host + "]" : host;
    if (port != (secure ? 443 : 80)) all += ":" + std::to_string(port);
    return all;
}

}  // namespace

std::string Url::authority() const { return upstream::authority(host, port, secure); }

EndpointAddress Url::endpoint(std::shared_ptr<const rt::TlsClient> tls) const {
    EndpointAddress endpoint;
    endpoint.host = host;
    endpoint.port = port;
    if (secure) endpoint.tls = std::move(tls);
    return endpoint;
}

Result<Url> parse_url(std::string_view text) {
    if (text.size() > kMostUrl) return no_url(text, "is too long");
    Url url;
    std::size_t scheme_end = text.find("://");
    std::string_view scheme = text.substr(0, std::min(scheme_end, text.size()));
    url.secure = iequals(scheme, "https");
    if (scheme_end == std::string_view::npos || (!url.secure && !iequals(scheme, "http")))
        return no_url(text, "begins neither with http:// nor with https://");
    std::string_view rest = text.substr(scheme_end + 3);
    if (rest.find_first_of("?#") != std::string_view::npos) return no_url(text, "has a query or a fragment");
    std::string_view base = rest.substr(std::min(rest.find('/'), rest.size()));
    std::string_view authority = rest.substr(0, rest.size() - base.size());
    if (authority.find('@') != std::string_view::npos)  // what stands there may be a password
        return Error(Code::invalid_config, "a URL has a user or a password in it; write it as https://host:port/base");
    auto parts = http::split_authority(authority);
    if (!parts || parts->port == 0) return no_url(text, "has no valid host and port");
    url.host = parts->host;
    if (url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
    url.port = parts->port.value_or(url.secure ? 443 : 80);
    while (base.ends_with('/')) base.remove_suffix(1);
    if (!base.empty() && !http::valid_path(base)) return no_url(text, "has a byte in its path that must be escaped");
    url.base = base;
    return url;
}

std::string authority_of(const EndpointAddress& endpoint) {
    if (endpoint.host.starts_with("unix:")) return "localhost";
    std::string host = endpoint.host;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return authority(host, endpoint.port, endpoint.tls != nullptr);
}

void append_parameter(std::string& target, std::string_view name, std::string_view value) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    http::append_percent_encoded(target, name);
    target += '=';
    http::append_percent_encoded(target, value);
}

}  // namespace suoke::upstream
