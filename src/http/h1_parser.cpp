// SPDX-License-Identifier: MIT
// A head is read in two passes. The first (find_head_end) is resumable at any byte and refuses what
// could make two readers disagree on where lines end. The second (parse_request, parse_response)
// reads the whole. Most heads arrive whole and without fault: the second pass alone is tried on
// them first, which saves a third of the instructions. Whatever it does not like takes the slow
// way, so the answer to a fault does not depend on how the bytes were cut.
#include "http/h1_parser.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"
#include "http/h1_fields.h"
#include "http/uri.h"

namespace suoke::http::h1 {
namespace {

// ---- first pass ----

struct HeadRules {
    bool skips_empty_line;  // one, before the first line
    Code malformed;
    Code line_too_long;
    Code too_large;
};
constexpr HeadRules kRequest{true, Code::malformed_request, Code::uri_too_long,
                             Code::header_too_large};
constexpr HeadRules kResponse{false, Code::upstream_invalid, Code::upstream_invalid,
                              Code::upstream_invalid};

// `at` is where the first control character stands, or the bytes end. The limits are told apart by
// which one the byte stream crosses first, so that the answer does not depend on how it was cut.
Refusal check_limits(std::size_t at, const Limits& limits, const HeadRules& rules,
                     const Progress& progress) {
    const std::size_t line_limit = progress.line_start + limits.line;
    if (progress.lines == 0 && at > line_limit && line_limit + 2 <= limits.head)
        return {"the first line is too long", rules.line_too_long};
    if (at + 2 > limits.head) return {"the head is too large", rules.too_large};
    return {};
}

struct Ending {
    std::size_t length = 0;  // of the whole head; 0 while its end is not there
    Refusal refusal;
};

// The line that ends at `at` is complete.
Ending close_line(std::size_t at, const Limits& limits, const HeadRules& rules,
                  Progress& progress) {
    const bool empty = at == progress.line_start;
    if (empty && progress.lines > 0) return {at + 2, {}};
    if (empty && (!rules.skips_empty_line || at > 0))
        return {0, {"an empty line where the first line should be", rules.malformed}};
    if (!empty && ++progress.lines > limits.fields + 1)
        return {0, {"too many fields", rules.too_large}};
    progress.line_start = at + 2;
    return {};
}

Ending find_head_end(std::string_view bytes, const Limits& limits, const HeadRules& rules,
                     Progress& progress) {
    const char* begin = bytes.data();
    const char* end = begin + bytes.size();
    for (const char* p = begin + progress.scanned;;) {
        p = grammar::find_control(p, end, begin);
        const auto at = static_cast<std::size_t>(p - begin);
        if (Refusal refusal = check_limits(at, limits, rules, progress)) return {0, refusal};
        if (end - p < 2 && (p == end || *p == '\r')) {
            progress.scanned = at;
            return {};
        }
        if (*p == '\n') return {0, {"a bare LF", rules.malformed}};
        if (*p != '\r') return {0, {"a control character in the head", rules.malformed}};
        if (p[1] != '\n') return {0, {"a bare CR", rules.malformed}};
        Ending ending = close_line(at, limits, rules, progress);
        if (ending.length || ending.refusal) return ending;
        p += 2;
    }
}

// ---- second pass ----

// What is behind the first line, whose CRLF is at `stop`.
struct FirstLine {
    std::string_view text;
    const char* next = nullptr;  // null: the line is not complete
};
FirstLine read_first_line(const char* p, const char* end) {
    const char* stop = grammar::find_byte(p, end, '\r');
    if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') return {};
    return {{p, static_cast<std::size_t>(stop - p)}, stop + 2};
}

bool within(const Limits& limits, std::string_view line, std::size_t length,
            const Headers& headers) {
    return line.size() <= limits.line && length <= limits.head && headers.size() <= limits.fields;
}

// ---- the request line ----

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

// [ path ] [ "?" query ], from `p` to the end of the target.
Refusal parse_path_and_query(const char* p, const char* end, RequestHead& head) {
    const char* path_end = grammar::skip_escaped(p, end, grammar::path);
    head.path = between(p, path_end);
    if (path_end == end) return {};
    if (*path_end != '?') return {"the path contains a byte that RFC 3986 forbids"};
    head.has_query = true;
    head.query = between(path_end + 1, end);
    if (grammar::skip_escaped(path_end + 1, end, grammar::query) != end)
        return {"the query contains a byte that RFC 3986 forbids"};
    return {};
}

// RFC 9112 §3.2.2: http://host/path, which a server must accept even when it is no proxy.
Refusal parse_absolute_form(RequestHead& head) {
    const std::string_view target = head.target;
    const std::size_t colon = target.find("://");
    if (colon == target.npos) return {"the target is neither a path nor a URI"};
    const std::string_view scheme = target.substr(0, colon);
    if (!iequals(scheme, "http") && !iequals(scheme, "https"))
        return {"the target's scheme is neither http nor https"};
    const std::size_t begin = colon + 3;
    const std::size_t stop = std::min(target.find_first_of("/?", begin), target.size());
    head.authority = target.substr(begin, stop - begin);
    if (!split_authority(head.authority)) return {"the target's authority is malformed"};
    const char* p = target.data() + stop;
    const char* end = target.data() + target.size();
    if (Refusal refusal = parse_path_and_query(p, end, head)) return refusal;
    // RFC 9112 §3.2.4: this is how a proxy is asked for "*".
    const bool asterisk = head.method == Method::OPTIONS && p == end;
    if (head.path.empty()) head.path = asterisk ? "*" : "/";
    return {};
}

Refusal parse_authority_form(RequestHead& head) {
    head.authority = head.target;
    auto authority = split_authority(head.target);
    if (!authority || !authority->port) return {"CONNECT wants host:port"};
    return {};
}

Refusal parse_target(RequestHead& head) {
    if (head.method == Method::CONNECT) return parse_authority_form(head);
    const char* p = head.target.data();
    if (*p == '/') return parse_path_and_query(p, p + head.target.size(), head);
    if (head.target != "*") return parse_absolute_form(head);
    if (head.method != Method::OPTIONS) return {"\"*\" is for OPTIONS only"};
    head.path = head.target;
    return {};
}

Refusal parse_request_line(std::string_view line, RequestHead& head) {
    constexpr std::ptrdiff_t kVersion = std::string_view(" HTTP/1.1").size();
    const char* begin = line.data();
    const char* end = begin + line.size();
    const char* blank = grammar::find_byte(begin, end, ' ');
    if (end - blank <= kVersion + 1 || end[-kVersion] != ' ')
        return {"the request line is not three words"};
    head.method_name = between(begin, blank);
    head.method = method_of(head.method_name);
    if (head.method == Method::other && !grammar::is_token(head.method_name))
        return {"the method is not a token"};
    if (Refusal refusal = parse_version({end - kVersion + 1, kVersion - 1}, head.version))
        return refusal;
    head.target = between(blank + 1, end - kVersion);
    head.authority = head.path = head.query = {};
    head.has_query = false;
    return parse_target(head);  // which refuses further blanks
}

// ---- what the fields of a request mean ----

Refusal bad_host(const char* what) {
    return {what, Code::invalid_host};
}

std::uint16_t port_of(const Authority& authority, std::string_view target) {
    const bool secure = target.size() > 5 && lower(target[4]) == 's';  // "https:"
    return authority.port.value_or(secure ? 443 : 80);
}

// RFC 9112 §3.2. The absolute-form wins over Host there; here they must agree, so that it does not
// matter which of the two someone else looks at.
Refusal check_host(const Facts& facts, RequestHead& head) {
    if (facts.hosts == 0 && head.version == Version::http10) return {};
    if (facts.hosts == 0) return bad_host("Host is missing");
    if (facts.hosts > 1) return bad_host("more than one Host");
    const auto host = split_authority(facts.host);
    if (!host) return bad_host("Host is not a valid host and port");
    if (head.authority.empty()) {
        head.authority = facts.host;
        return {};
    }
    if (head.method == Method::CONNECT) return {};
    const auto target = split_authority(head.authority);
    const bool same = iequals(target->host, host->host) &&
                      port_of(*target, head.target) == port_of(*host, head.target);
    return same ? Refusal{} : bad_host("Host differs from the target's authority");
}

// RFC 9112 §6.1, §6.3, without the leniency.
Refusal frame_request(const Facts& facts, RequestHead& head) {
    head.framing = {};
    if (facts.has_coding) {
        if (facts.has_length) return {"Content-Length together with Transfer-Encoding"};
        if (head.version == Version::http10) return {"Transfer-Encoding in HTTP/1.0"};
        if (facts.unknown_coding || !facts.chunked)
            return {"only the chunked coding is implemented", Code::unsupported_coding};
        head.framing.kind = Framing::chunked;
    } else if (facts.has_length) {
        head.framing = {Framing::length, facts.length};
    }
    return {};
}

bool wants_keep_alive(const Facts& facts, Version version) {
    return !facts.close && (version == Version::http11 || facts.keep_alive);
}

// RFC 9110 §7.8. Whoever asks to upgrade to something else is answered as if it had not asked.
std::string_view upgraded_to(const Facts& facts) {
    return facts.upgrade && facts.websocket ? "websocket" : "";
}

std::string_view asks_for(const Facts& facts, const RequestHead& head) {
    bool can = head.method == Method::GET && head.version == Version::http11 &&
               head.framing.kind == Framing::none;
    return can ? upgraded_to(facts) : "";
}

// The head at the beginning of `bytes`, which may not be complete. `length` stays 0 when it is not
// the whole truth: then find_head_end knows more.
Refusal parse_request(std::string_view bytes, const Limits& limits, RequestHead& head,
                      std::size_t& length) {
    const char* p = bytes.data();
    const char* end = p + bytes.size();
    if (bytes.size() >= 2 && p[0] == '\r' && p[1] == '\n') p += 2;
    const FirstLine line = read_first_line(p, end);
    if (!line.next) return {"the request line is malformed"};
    if (Refusal refusal = parse_request_line(line.text, head)) return refusal;
    head.headers.clear();
    p = line.next;
    if (Refusal refusal = parse_fields(p, end, head.headers)) return refusal;
    Facts facts;
    if (Refusal refusal = gather_facts(head.headers, facts)) return refusal;
    if (Refusal refusal = frame_request(facts, head)) return refusal;
    if (Refusal refusal = check_host(facts, head)) return refusal;
    head.keep_alive = wants_keep_alive(facts, head.version);
    head.expects_continue = facts.expects_continue && head.version == Version::http11;
    head.protocol = asks_for(facts, head);
    const auto size = static_cast<std::size_t>(p - bytes.data());
    if (within(limits, line.text, size, head.headers)) length = size;
    return {};
}

// ---- responses ----

// "HTTP/1.1 200 OK"; a missing reason, with or without its blank, is tolerated.
Refusal parse_status_line(std::string_view line, ResponseHead& head) {
    if (line.size() < 12 || line[8] != ' ') return {"the status line is malformed"};
    if (Refusal refusal = parse_version(line.substr(0, 8), head.version)) return refusal;
    if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]))
        return {"the status is not three digits"};
    head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (head.status < 100 || head.status > 599) return {"the status is not between 100 and 599"};
    if (line.size() > 12 && line[12] != ' ') return {"the status is not three digits"};
    head.reason = line.substr(std::min<std::size_t>(13, line.size()));
    const char* end = line.data() + line.size();
    if (grammar::find_control(head.reason.data(), end, line.data()) != end)
        return {"a control character in the reason"};
    return {};
}

// RFC 9112 §6.3.
Refusal frame_response(const Facts& facts, Method request, ResponseHead& head) {
    head.framing = {};
    const bool tunnel = request == Method::CONNECT && head.status / 100 == 2;
    if (facts.has_coding && !tunnel) {
        if (facts.has_length) return {"Content-Length together with Transfer-Encoding"};
        if (head.version == Version::http10) return {"Transfer-Encoding in HTTP/1.0"};
        if (facts.unknown_coding || !facts.chunked) return {"a transfer coding other than chunked"};
    }
    if (tunnel || request == Method::HEAD || has_no_body(head.status)) return {};
    if (facts.has_coding) {
        head.framing.kind = Framing::chunked;
    } else if (facts.has_length) {
        head.framing = {Framing::length, facts.length};
    } else {
        head.framing.kind = Framing::until_close;
    }
    return {};
}

// A 204 or 1xx must not announce a body (RFC 9110 §8.6). One that does may send it, too: then the
// connection's next bytes are not the next response.
bool announces_forbidden_body(const Facts& facts, int status) {
    return (is_interim(status) || status == 204) && (facts.has_coding || facts.length > 0);
}

Refusal parse_response(std::string_view bytes, const Limits& limits, Method request,
                       ResponseHead& head, std::size_t& length) {
    const char* p = bytes.data();
    const char* end = p + bytes.size();
    const FirstLine line = read_first_line(p, end);
    if (!line.next) return {"the status line is malformed"};
    if (Refusal refusal = parse_status_line(line.text, head)) return refusal;
    head.headers.clear();
    p = line.next;
    if (Refusal refusal = parse_fields(p, end, head.headers)) return refusal;
    Facts facts;
    if (Refusal refusal = gather_facts(head.headers, facts)) return refusal;
    if (Refusal refusal = frame_response(facts, request, head)) return refusal;
    head.keep_alive = wants_keep_alive(facts, head.version) &&
                      head.framing.kind != Framing::until_close &&
                      !announces_forbidden_body(facts, head.status);
    head.protocol = head.status == 101 ? upgraded_to(facts) : "";
    const auto size = static_cast<std::size_t>(p - bytes.data());
    if (within(limits, line.text, size, head.headers)) length = size;
    return {};
}

// Both passes in their order; `parse(bytes, length)` is the second.
template <class Parse>
Result<std::size_t> read_head(std::string_view bytes, const Limits& limits, const HeadRules& rules,
                              Progress& progress, Parse parse) {
    std::size_t length = 0;
    if (progress.scanned == 0 && !parse(bytes, length) && length > 0) return length;
    const Ending ending = find_head_end(bytes, limits, rules, progress);
    if (ending.refusal) return ending.refusal.error();
    if (ending.length == 0) return std::size_t{0};
    if (Refusal refusal = parse(bytes.substr(0, ending.length), length)) {
        if (rules.malformed == Code::upstream_invalid) refusal.code = Code::upstream_invalid;
        return refusal.error();
    }
    CHECK(length == ending.length);
    return length;
}

}  // namespace

Result<std::size_t> parse_request_head(std::string_view bytes, const Limits& limits,
                                       Progress& progress, RequestHead& head) {
    return read_head(bytes, limits, kRequest, progress,
                     [&](std::string_view all, std::size_t& length) {
                         return parse_request(all, limits, head, length);
                     });
}

Result<std::size_t> parse_response_head(std::string_view bytes, const Limits& limits,
                                        Progress& progress, Method request, ResponseHead& head) {
    return read_head(bytes, limits, kResponse, progress,
                     [&](std::string_view all, std::size_t& length) {
                         return parse_response(all, limits, request, head, length);
                     });
}

}  // namespace suoke::http::h1
