// SPDX-License-Identifier: MIT
#include "config/rules.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

#include "base/text.h"

namespace suoke::config {
namespace {

bool is_token(std::string_view s) {  // RFC 9110 §5.6.2
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    for (char c : s)
        if (!is_digit(c) && !(lower(c) >= 'a' && lower(c) <= 'z') && kMarks.find(c) == kMarks.npos)
            return false;
    return !s.empty();
}

// RFC 9110 §5.5: neither line breaks nor other controls, so that a value stays one value.
bool has_control(std::string_view s) {
    for (char c : s)
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return true;
    return false;
}

}  // namespace

bool is_framing_header(std::string_view name) {
    for (std::string_view header : {"content-length", "transfer-encoding", "connection", "host",
                                    "keep-alive", "proxy-connection", "te", "trailer", "upgrade"})
        if (iequals(name, header)) return true;
    return false;
}

namespace rules {

std::string_view method(std::string_view s) {
    bool upper = true;
    for (char c : s) upper &= lower(c) == c ? c < 'a' || c > 'z' : true;
    return is_token(s) && upper ? "" : "must be a method in upper case, like GET";
}

std::string_view header_value(std::string_view s) {
    return has_control(s) || trim(s).size() != s.size()
               ? "must be a header value without line breaks, control characters or outer blanks"
               : "";
}

std::string_view edited_header(std::string_view s) {
    if (!is_token(s)) return "must be a header name, like X-Client-Version";
    if (iequals(s, "host")) return "must not be host: set host_header instead";
    return is_framing_header(s) ? "must not be a header that frames the message or its connection"
                                : "";
}

std::string_view token(std::string_view s) {
    return is_token(s) ? "" : "must be a name of letters, digits and -_.~";
}

std::string_view path_or_nothing(std::string_view s) {
    return s.empty() || (s.front() == '/' && !has_control(s)) ? "" : "must begin with '/'";
}

std::string_view path(std::string_view s) {
    return s.empty() ? "must begin with '/'" : path_or_nothing(s);
}

std::string_view host_name(std::string_view s) {
    return s.empty() || s.find_first_of("/ \t@?#") != s.npos || has_control(s)
               ? "must be an address or a host name, without scheme, path or port"
               : "";
}

std::string_view listen_address(std::string_view s) {
    if (s.starts_with("unix:"))
        return s.size() > 6 && s[5] == '/'
                   ? ""
                   : "must be unix: and an absolute path, like unix:/run/suoke.sock";
    return host_name(s);
}

std::string_view endpoint_host(std::string_view s) { return listen_address(s); }

std::string_view site_name(std::string_view s) {
    std::string_view rest = s.starts_with("*.") ? s.substr(2) : s;
    return host_name(rest).empty() && rest.find('*') == rest.npos
               ? ""
               : "must be a host name, or *. and a domain for every host below it";
}

std::string_view host_header(std::string_view s) {
    return s.find_first_of("/ \t@?#") != s.npos || has_control(s)
               ? "must be a host with an optional port, or the word preserve"
               : "";
}

std::string_view redis_url(std::string_view s) {
    if (s.empty()) return "";
    std::size_t end = s.find("://");
    for (std::string_view scheme : {"redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"})
        if (end != s.npos && iequals(s.substr(0, end), scheme)) return "";
    return "must begin with redis://, redis+unix://, redis+sentinel:// or redis+cluster://, and all but the second also with rediss";
}

std::string_view endpoint_host_or_nothing(std::string_view s) { return s.empty() ? "" : endpoint_host(s); }

std::string_view token_to_show(std::string_view s) {
    if (s.empty()) return "";
    for (char c : s)
        if (c <= ' ' || c > '~') return "must be printable characters without blanks";
    return s.size() < 16 ? "must have at least 16 characters, drawn at random (openssl rand -hex 24)" : "";
}

std::string_view status_range(std::string_view s) {
    constexpr std::string_view kWanted = "must be a status or a range of them, like 204 or 200-299";
    std::size_t dash = s.find('-');
    auto low = parse_u64(s.substr(0, dash)), high = dash == s.npos ? low : parse_u64(s.substr(dash + 1));
    return low && high && 100 <= *low && *low <= *high && *high <= 599 ? "" : kWanted;
}

std::string_view network(std::string_view s) {
    constexpr std::string_view kWanted = "must be an address or a network, like 10.0.0.0/8 or ::1";
    if (has_control(s)) return kWanted;  // inet_pton would stop at a NUL
    std::size_t slash = s.find('/');
    std::string address(s.substr(0, slash));
    std::array<unsigned char, 16> bits{};
    std::uint64_t longest = 32;
    if (inet_pton(AF_INET, address.c_str(), bits.data()) != 1) {
        if (inet_pton(AF_INET6, address.c_str(), bits.data()) != 1) return kWanted;
        longest = 128;
    }
    if (slash == s.npos) return "";
    auto length = parse_u64(s.substr(slash + 1));
    return length && *length <= longest ? "" : kWanted;
}

std::string_view rewrite(std::string_view s) {
    return s.empty() || (s.find(" => ") != s.npos && !trim(s.substr(0, s.find(" => "))).empty())
               ? ""
               : "must have the form 'regex => template', like '^/old/(.*)$ => /new/$1'";
}

std::string_view file_mode(std::string_view s) {
    constexpr std::string_view kWanted = "must be octal permissions, like 0660";
    if (s.size() < 3 || s.size() > 4 || (s.size() == 4 && s.front() != '0')) return kWanted;
    return s.find_first_not_of("01234567") == s.npos ? "" : kWanted;
}

std::string_view grpc_name(std::string_view s) {
    for (char c : s)
        if (!is_digit(c) && !(lower(c) >= 'a' && lower(c) <= 'z') && c != '_' && c != '.')
            return "must be a name as in the .proto file, of letters, digits, '_' and '.'";
    return "";
}

// RFC 6454 §6.2: scheme://host[:port], as browsers send it; "*." stands for labels, ":*" for any port or none.
std::string_view origin(std::string_view s) {
    constexpr std::string_view kWanted = "must be an origin in lower case, like https://app.suoke.life, https://*.suoke.life or http://localhost:*, or *";
    if (s == "*" || s == "null") return "";
    std::size_t border = s.find("://");
    if (border == s.npos || border == 0) return kWanted;
    std::string_view scheme = s.substr(0, border), host = s.substr(border + 3);
    if ((scheme == "https" && host.ends_with(":443")) || (scheme == "http" && host.ends_with(":80")))
        return "must not name the port that browsers leave out";
    if (host.ends_with(":*")) host.remove_suffix(2);
    if (host.starts_with("*.")) host.remove_prefix(2);
    for (char c : s)
        if (c != lower(c)) return kWanted;
    bool fine = is_token(scheme) && !host.empty() && host.front() != '.' && host.find_first_of("/ \t@?#*,\\") == host.npos && !has_control(host);
    return fine ? "" : kWanted;
}

std::string_view allowed_host(std::string_view s) {
    if (s == "*") return "";
    bool has_port = s.rfind(':') != s.npos && !(s.starts_with('[') && s.ends_with(']'));
    return has_port ? "must be a host without a port" : site_name(s);
}

}  // namespace rules
}  // namespace suoke::config
