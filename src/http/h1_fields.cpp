// SPDX-License-Identifier: MIT
#include "http/h1_fields.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http/grammar.h"

namespace suoke::http::h1 {
namespace {

constexpr HeaderSet kDecisive =
    header_set(HeaderId::connection, HeaderId::content_length, HeaderId::expect, HeaderId::host,
               HeaderId::transfer_encoding, HeaderId::upgrade);

// 1*DIGIT. Two fields or a list are refused even when they agree: no honest sender does that, and
// whoever reads only one of them must not be told about the other.
Refusal read_length(std::string_view value, Facts& facts) {
    if (facts.has_length) return {"more than one Content-Length"};
    facts.has_length = true;
    if (value.empty()) return {"Content-Length is empty"};
    if (value.size() > 19) return {"Content-Length is too large"};
    std::uint64_t length = 0;
    for (char c : value) {
        if (!is_digit(c)) return {"Content-Length is not a number"};
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return {"Content-Length is too large"};
    facts.length = length;
    return {};
}

// Several fields count as one list. "chunked" comes last and once; who else is in the list only
// matters when that is so.
Refusal read_codings(std::string_view value, Facts& facts) {
    facts.has_coding = true;
    Refusal refusal;
    grammar::each_in_list(value, [&](std::string_view coding) {
        if (facts.chunked) {
            refusal = {"Transfer-Encoding goes on after chunked"};
        } else if (!grammar::is_token(coding)) {
            refusal = {"Transfer-Encoding is not a list of codings"};
        } else if (iequals(coding, "chunked")) {
            facts.chunked = true;
        } else {
            facts.unknown_coding = true;
        }
        return !refusal;
    });
    return refusal;
}

Refusal read_connection(std::string_view value, Facts& facts) {
    if (value == "keep-alive") {  // most of them: 80 instructions less
        facts.keep_alive = true;
        return {};
    }
    bool valid = grammar::each_in_list(value, [&](std::string_view option) {
        if (iequals(option, "keep-alive")) {
            facts.keep_alive = true;
        } else if (iequals(option, "close")) {
            facts.close = true;
        } else if (iequals(option, "upgrade")) {
            facts.upgrade = true;
        } else {
            return option.empty() || grammar::is_token(option);
        }
        return true;
    });
    return valid ? Refusal{} : Refusal{"Connection is not a list of tokens"};
}

Refusal read_host(std::string_view value, Facts& facts) {
    facts.host = value;
    facts.hosts = facts.hosts == 0 ? 1 : 2;
    return {};
}

Refusal read_decisive(const Field& field, Facts& facts) {
    switch (field.id) {
        case HeaderId::content_length:
            return read_length(field.value, facts);
        case HeaderId::transfer_encoding:
            return read_codings(field.value, facts);
        case HeaderId::connection:
            return read_connection(field.value, facts);
        case HeaderId::host:
            return read_host(field.value, facts);
        case HeaderId::upgrade:
            facts.websocket = iequals(field.value, "websocket");
            return {};
        case HeaderId::expect:
            facts.expects_continue |= iequals(field.value, "100-continue");
            return {};
        default:
            return {};
    }
}

bool is_crlf(const char* p, const char* end) {
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

// What stands between a colon and a CRLF: both are sentinels for the blanks around the value.
std::string_view value_between(const char* colon, const char* stop) {
    const char* begin = colon + 1;
    while (grammar::is_blank(*begin)) ++begin;
    while (stop > begin && grammar::is_blank(stop[-1])) --stop;
    return {begin, static_cast<std::size_t>(stop - begin)};
}

}  // namespace

Refusal parse_fields(const char*& p, const char* end, Headers& headers) {
    const char* floor = p;
    while (p != end && *p != '\r') {
        // A line without a colon takes the next line's, and its "name" then contains the CRLF: what
        // is no token was no name, whether it is a fold, a blank before the colon or that.
        const char* colon = grammar::find_byte(p, end, ':', floor);
        if (colon == end) return {"a field line without a colon"};
        const std::string_view name(p, static_cast<std::size_t>(colon - p));
        const HeaderId id = header_id(name);
        if (id == HeaderId::other && !grammar::is_token(name, end))
            return {"a field name is not a token"};
        const char* stop = grammar::find_control(colon + 1, end, floor);
        if (!is_crlf(stop, end)) return {"a control character in a field value"};
        headers.add(Field{name, value_between(colon, stop), id});
        p = stop + 2;
    }
    if (!is_crlf(p, end)) return {"the fields do not end with an empty line"};
    p += 2;
    return {};
}

Refusal gather_facts(const Headers& headers, Facts& facts) {
    for (const Field& field : headers) {
        if (!is_in(kDecisive, field.id)) continue;
        if (Refusal refusal = read_decisive(field, facts)) return refusal;
    }
    return {};
}

Refusal parse_version(std::string_view text, Version& version) {
    if (text == "HTTP/1.1") {
        version = Version::http11;
        return {};
    }
    bool well_formed = text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) &&
                       text[6] == '.' && is_digit(text[7]);
    if (!well_formed) return {"the HTTP version is malformed"};
    if (text[5] != '1')
        return {"only HTTP/1.0 and HTTP/1.1 are spoken here", Code::unsupported_version};
    version = text[7] == '0' ? Version::http10 : Version::http11;  // RFC 9110 §2.5: 1.2 is a 1.1
    return {};
}

}  // namespace suoke::http::h1
