// SPDX-License-Identifier: MIT
#include "http/uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace suoke::http {
namespace {

using grammar::escaped_byte;

bool consists_of(std::string_view text, grammar::Class allowed) {
    const char* end = text.data() + text.size();
    return grammar::skip_escaped(text.data(), end, allowed) == end;
}

// What stands at `p`, an escape taken for the byte it means, and how long it is. Callers have
// refused malformed escapes before.
struct Unit {
    char byte;
    std::size_t size;
};
Unit unit_at(const char* p, const char* end) {
    if (*p != '%') return {*p, 1};
    return {static_cast<char>(escaped_byte(p, end)), 3};
}

enum class Segment { plain, empty, dot, dot_dot, hostile };

// Leading dots, raw or escaped, and where they end; more than two are no dot segment.
std::size_t leading_dots(const char*& p, const char* end) {
    std::size_t dots = 0;
    while (p != end && dots < 3) {
        Unit unit = unit_at(p, end);
        if (unit.byte != '.') break;
        p += unit.size;
        ++dots;
    }
    return dots;
}

bool is_separator(char decoded) {
    return decoded == '/' || decoded == '\\';
}
bool ends_dots(char decoded) {
    return is_separator(decoded) || decoded == ';';
}

// Is there a ".." between separators that are only separators once decoded?
bool hides_dot_dot(std::string_view segment) {
    const char* p = segment.data();
    const char* end = p + segment.size();
    bool separated = false;  // an escaped separator was seen
    bool dot_dot = false;
    while (p != end) {
        std::size_t dots = leading_dots(p, end);
        dot_dot |= dots == 2 && (p == end || ends_dots(unit_at(p, end).byte));
        while (p != end) {
            Unit unit = unit_at(p, end);
            p += unit.size;
            if (!is_separator(unit.byte)) continue;
            separated = true;
            break;
        }
    }
    return separated && dot_dot;
}

Segment classify(std::string_view segment, bool has_escapes) {
    if (segment.empty()) return Segment::empty;
    if (segment[0] != '.' && !has_escapes) return Segment::plain;
    const char* p = segment.data();
    const char* end = p + segment.size();
    std::size_t dots = leading_dots(p, end);
    if (dots == 1 || dots == 2) {
        if (p == end) return dots == 1 ? Segment::dot : Segment::dot_dot;
        if (unit_at(p, end).byte == ';') return Segment::hostile;
    }
    return has_escapes && hides_dot_dot(segment) ? Segment::hostile : Segment::plain;
}

// "/a/b/" -> "/a/"; the root stays.
void drop_last_segment(std::string& path) {
    if (path.size() > 1) path.resize(path.rfind('/', path.size() - 2) + 1);
}

bool well_formed_escapes(std::string_view text) {
    const char* end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
        if (*p == '%' && escaped_byte(p, end) <= 0) return false;
        p += *p == '%' ? 3 : 1;
    }
    return true;
}

void append_escape(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
}

bool valid_ipv6(std::string_view text) {
    char copy[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof copy || text.find('\0') != text.npos) return false;
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    in6_addr address;
    return ::inet_pton(AF_INET6, copy, &address) == 1;
}

// Where the host that starts at `p` ends; nullptr when there is no valid one.
const char* skip_host(const char* p, const char* end) {
    if (p == end) return nullptr;
    if (*p == '[') {
        const char* close = grammar::find_byte(p, end, ']');
        if (close == end) return nullptr;
        std::string_view address(p + 1, static_cast<std::size_t>(close - p - 1));
        return valid_ipv6(address) ? close + 1 : nullptr;
    }
    const char* begin = p;
    p = grammar::skip_common(p, end);
    for (;;) {
        while (p != end && grammar::is(grammar::reg_name, *p)) ++p;
        if (p == end || *p == ':') break;
        if (*p != '%' || escaped_byte(p, end) < 0x80) return nullptr;
        p += 3;
    }
    return p == begin ? nullptr : p;
}

}  // namespace

bool valid_path(std::string_view path) {
    return !path.empty() && path[0] == '/' && consists_of(path, grammar::path);
}

bool valid_query(std::string_view query) {
    return consists_of(query, grammar::query);
}

Result<std::string_view> normalize_path(std::string_view raw, std::string& scratch) {
    if (raw == "*") return raw;
    if (raw.empty() || raw[0] != '/')
        return Error(Code::malformed_request, "the path has no leading '/'");
    if (raw.find('\\') != raw.npos || raw.find('\0') != raw.npos)
        return Error(Code::malformed_request, "the path contains a backslash or a NUL");
    const bool has_escapes = raw.find('%') != raw.npos;
    if (has_escapes && !well_formed_escapes(raw))
        return Error(Code::malformed_request, "the path contains a malformed escape or %00");

    // Until the first change the result is raw[0, at) and nothing is copied; from then on
    // `scratch`. Either always ends with '/' when a segment begins.
    bool copied = false;
    for (std::size_t at = 1; at <= raw.size();) {
        const std::size_t end = std::min(raw.find('/', at), raw.size());
        const bool last = end == raw.size();
        const std::string_view segment = raw.substr(at, end - at);
        const Segment kind = classify(segment, has_escapes);
        if (kind == Segment::hostile)
            return Error(Code::malformed_request, "the path contains a disguised dot segment");
        const bool keeps = kind == Segment::plain || (kind == Segment::empty && last);
        if (!keeps && !copied) {
            scratch.assign(raw.substr(0, at));
            copied = true;
        }
        if (copied && kind == Segment::plain) scratch.append(raw.substr(at, end - at + !last));
        if (kind == Segment::dot_dot) drop_last_segment(scratch);
        at = end + 1;
    }
    return copied ? std::string_view(scratch) : raw;
}

Result<std::string_view> percent_decode(std::string_view text, std::string& out) {
    if (text.find('%') == text.npos) return text;
    if (!well_formed_escapes(text))
        return Error(Code::malformed_request, "a malformed escape or %00");
    out.clear();
    const char* end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
        Unit unit = unit_at(p, end);
        out += unit.byte;
        p += unit.size;
    }
    return std::string_view(out);
}

void append_percent_encoded(std::string& out, std::string_view text) {
    for (char c : text) {
        if (grammar::is(grammar::unreserved, c)) {
            out += c;
        } else {
            append_escape(out, c);
        }
    }
}

void append_query_encoded(std::string& out, std::string_view query) {
    for (char c : query) {
        if (grammar::is(grammar::tolerated, c)) {
            append_escape(out, c);
        } else {
            out += c;
        }
    }
}

std::size_t count_params(std::string_view query) {
    std::size_t n = 0;
    for_each_param(query, [&](std::string_view, std::string_view) { ++n; });
    return n;
}

bool valid_host(std::string_view host) {
    const char* end = host.data() + host.size();
    return skip_host(host.data(), end) == end && !host.empty();
}

std::optional<Authority> split_authority(std::string_view authority) {
    const char* begin = authority.data();
    const char* end = begin + authority.size();
    const char* p = skip_host(begin, end);
    if (!p) return std::nullopt;
    Authority parts{.host = authority.substr(0, static_cast<std::size_t>(p - begin)),
                    .port = std::nullopt};
    if (p == end) return parts;
    if (*p != ':' || end - p > 6) return std::nullopt;
    unsigned port = 0;
    for (const char* digit = p + 1; digit != end; ++digit) {
        if (!is_digit(*digit)) return std::nullopt;
        port = port * 10 + static_cast<unsigned>(*digit - '0');
    }
    if (port > 65535) return std::nullopt;
    if (p + 1 != end) parts.port = static_cast<std::uint16_t>(port);
    return parts;
}

}  // namespace suoke::http
