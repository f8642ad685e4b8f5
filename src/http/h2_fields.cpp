// SPDX-License-Identifier: MIT
#include "http/h2_fields.h"

#include <algorithm>
#include <cstring>

#include "http/grammar.h"
#include "http/uri.h"

namespace suoke::http::h2 {
namespace {

using h1::Refusal;

constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 §6.5.2

// RFC 9113 §8.2.1, and no other control character but HTAB: HTTP/1.1 has none.
bool valid_value(std::string_view value) {
    if (value.empty()) return true;
    if (grammar::is_blank(value.front()) || grammar::is_blank(value.back())) return false;
    const char* end = value.data() + value.size();
    return grammar::find_control(value.data(), end, value.data()) == end;
}

// Eight bytes at a time: names are looked at several times a request.
bool has_upper(std::string_view name) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint64_t found = 0;
    while (!name.empty()) {
        std::uint64_t word = 0;
        std::size_t n = std::min(name.size(), sizeof word);
        std::memcpy(&word, name.data(), n);
        std::uint64_t low = word & kOnes * 0x7F;
        std::uint64_t from_a = low + kOnes * (0x80 - 'A'), beyond_z = low + kOnes * (0x7F - 'Z');
        found |= (from_a ^ beyond_z) & ~word & kOnes * 0x80;
        name.remove_prefix(n);
    }
    return found != 0;
}

bool valid_name(std::string_view name) { return grammar::is_token(name) && !has_upper(name); }

// absolute-path [ "?" query ] or "*" for OPTIONS (RFC 9113 §8.3.1).
Refusal read_path(std::string_view target, RequestHead& head) {
    head.target = target;
    if (target == "*" && head.method == Method::OPTIONS) {
        head.path = target;
        return {};
    }
    if (target.empty() || target.front() != '/') return {":path does not begin with a slash"};
    const char* end = target.data() + target.size();
    const char* stop = grammar::skip_escaped(target.data(), end, grammar::path);
    head.path = target.substr(0, static_cast<std::size_t>(stop - target.data()));
    if (stop == end) return {};
    if (*stop != '?') return {":path contains a byte that RFC 3986 forbids"};
    head.has_query = true;
    head.query = target.substr(head.path.size() + 1);
    if (grammar::skip_escaped(stop + 1, end, grammar::query) != end)
        return {":path contains a byte that RFC 3986 forbids"};
    return {};
}

std::uint16_t port_of(const Authority& authority, std::string_view scheme) {
    return authority.port.value_or(scheme == "https" ? 443 : 80);
}

}  // namespace

// ---- the arena

char* HeadArena::allocate(std::size_t size) {
    CHECK(size <= kMost);
    if (blocks_.empty() || blocks_.back().room().size() < size) {
        std::uint64_t wanted = blocks_.empty() ? size : std::max<std::uint64_t>(size, blocks_.back().capacity() + 1);
        blocks_.push_back(buffers_.lease_for(wanted));
    }
    rt::Buffer& block = blocks_.back();
    char* begin = block.room().data();
    block.filled(size);
    return begin;
}

std::string_view HeadArena::keep(std::string_view a, std::string_view b) {
    if (a.empty() && b.empty()) return {};
    char* begin = allocate(a.size() + b.size());
    a.copy(begin, a.size());
    b.copy(begin + a.size(), b.size());
    return {begin, a.size() + b.size()};
}

// ---- field by field

void FieldBlock::add(std::string_view name, std::string_view value) {
    size_ += name.size() + value.size() + kFieldOverhead;
    bool fits = name.size() + value.size() <= HeadArena::kMost;
    if (!fits || size_ > limits_.head || fields_.size() >= limits_.fields) too_large_ = true;
    if (refusal_) return;
    if (!valid_value(value)) return refuse("a field value has a control character or a blank at its end");
    if (name.starts_with(':')) return add_pseudo(name, value);
    HeaderId id = header_id(name);
    bool known = id != HeaderId::other && name == lower_name(id);
    if (!known && !valid_name(name)) return refuse("a field name is not a lower-case token");
    regular_ = true;
    add_field(id, name, value);
}

void FieldBlock::add_pseudo(std::string_view name, std::string_view value) {
    if (kind_ == trailers) return refuse("a pseudo-header field in the trailers");
    if (regular_) return refuse("a pseudo-header field after a regular one");
    Pseudo which = kPseudos;
    if (kind_ == response) {
        if (name == ":status") which = status;
    } else if (name == ":method") {
        which = method;
    } else if (name == ":scheme") {
        which = scheme;
    } else if (name == ":path") {
        which = path;
    } else if (name == ":authority") {
        which = authority;
    } else if (name == ":protocol") {
        which = protocol;
    }
    if (which == kPseudos) return refuse("an unknown pseudo-header field");
    if (has(which)) return refuse("a pseudo-header field twice");
    seen_ |= static_cast<std::uint8_t>(1 << which);
    if (!too_large_) pseudo_[which] = arena_.keep(value);
}

void FieldBlock::add_field(HeaderId id, std::string_view name, std::string_view value) {
    if (is_in(kConnectionSpecific, id)) return refuse("a field of the connection");
    if (id == HeaderId::te && value != "trailers") return refuse("TE is not \"trailers\"");
    if (kind_ == trailers && h1::is_refused_trailer(name)) return refuse("a field that must not be a trailer");
    if (too_large_) return;
    std::string_view kept = arena_.keep(name, value);
    fields_.add(Field{kept.substr(0, name.size()), kept.substr(name.size()), id});
}

// RFC 9113 §8.2.3: crumbs become one field again before anything else sees them.
bool FieldBlock::join_cookies() {
    if (fields_.count(HeaderId::cookie) < 2) return true;
    std::size_t size = 0;
    for (const Field& field : fields_)
        if (field.id == HeaderId::cookie && !field.value.empty()) size += field.value.size() + 2;
    if (size == 0) return true;
    if (size > HeadArena::kMost) return false;
    char* begin = arena_.allocate(size);
    char* at = begin;
    for (const Field& field : fields_) {
        if (field.id != HeaderId::cookie || field.value.empty()) continue;
        at += field.value.copy(at, field.value.size());
        at += std::string_view("; ").copy(at, 2);
    }
    fields_.set(HeaderId::cookie, {begin, size - 2});
    return true;
}

// ---- the whole

Refusal FieldBlock::finish(RequestHead& head, bool end_stream) {
    head.version = Version::http2;
    too_large_ |= !join_cookies();
    head.headers = std::move(fields_);
    head.method_name = pseudo_[method];
    head.method = method_of(head.method_name);
    if (refusal_) return refusal_;
    if (pseudo_[path].size() > limits_.line) return {":path is too long", Code::uri_too_long};
    if (too_large_) return {"the head is too large", Code::header_too_large};
    if (!grammar::is_token(head.method_name)) return {":method is missing or no token"};
    if (has(protocol) && head.method != Method::CONNECT) return {":protocol without CONNECT"};

    h1::Facts facts;
    if (Refusal refusal = h1::gather_facts(head.headers, facts)) return {refusal.what};
    head.expects_continue = facts.expects_continue;
    bool tunnel = head.method == Method::CONNECT;
    Refusal refusal = tunnel && !has(protocol) ? read_connect(head) : read_target(head);
    if (!refusal) refusal = read_authority(facts, head);
    if (refusal) return refusal;
    if (tunnel && facts.has_length) return {"Content-Length of a tunnel"};
    if (end_stream && facts.length > 0) return {"a Content-Length, and no content"};

    using F = Framing;
    if (tunnel) {
        head.framing = {F::until_close, 0};
    } else if (facts.has_length) {
        head.framing = {F::length, facts.length};
    } else {
        head.framing = {end_stream ? F::none : F::chunked, 0};
    }
    if (has(protocol)) {
        head.protocol = pseudo_[protocol];
        if (head.protocol == "websocket") {  // RFC 8441 §5: what RFC 6455 §4.1 asks for with GET
            head.method = Method::GET;
            head.method_name = "GET";
        }
    }
    return {};
}

// RFC 9113 §8.5.
Refusal FieldBlock::read_connect(RequestHead& head) {
    if (has(scheme) || has(path)) return {"CONNECT has neither :scheme nor :path"};
    auto target = split_authority(pseudo_[authority]);
    if (!target || !target->port) return {"CONNECT wants host:port"};
    head.target = pseudo_[authority];
    return {};
}

Refusal FieldBlock::read_target(RequestHead& head) {
    if (!has(scheme) || !has(path)) return {":scheme or :path is missing"};
    if (!iequals(pseudo_[scheme], "http") && !iequals(pseudo_[scheme], "https"))
        return {":scheme is neither http nor https"};
    if (has(protocol) && !has(authority)) return {"extended CONNECT without :authority"};
    return read_path(pseudo_[path], head);
}

// RFC 9113 §8.3.1. Host and :authority must agree, so that it does not matter which of the two
// someone else looks at.
Refusal FieldBlock::read_authority(const h1::Facts& facts, RequestHead& head) {
    if (facts.hosts > 1) return {"more than one Host"};
    head.authority = has(authority) ? pseudo_[authority] : facts.host;
    auto authority = split_authority(head.authority);
    if (!authority) return {"the authority is missing or malformed"};
    if (facts.hosts == 0 || head.method == Method::CONNECT) return {};
    auto host = split_authority(facts.host);
    bool same = host && iequals(host->host, authority->host) &&
                port_of(*host, pseudo_[scheme]) == port_of(*authority, pseudo_[scheme]);
    return same ? Refusal{} : Refusal{"Host differs from :authority"};
}

Refusal FieldBlock::finish(ResponseHead& head, Method method, bool end_stream) {
    head.version = Version::http2;
    head.headers = std::move(fields_);
    auto refused = [](const char* what) { return Refusal{what, Code::upstream_invalid}; };
    if (refusal_) return refused(refusal_.what);
    if (too_large_) return refused("the head is too large");
    std::string_view text = pseudo_[status];
    bool three_digits = text.size() == 3 && std::all_of(text.begin(), text.end(), is_digit);
    if (!three_digits) return refused(":status is not three digits");
    head.status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    // RFC 9113 §8.6: there is no 101 in HTTP/2.
    if (head.status < 100 || head.status > 599 || head.status == 101) return refused(":status is not possible");
    if (is_interim(head.status) && end_stream) return refused("an interim response ends the stream");
    h1::Facts facts;
    if (Refusal refusal = h1::gather_facts(head.headers, facts)) return refused(refusal.what);
    bool bodiless = method == Method::HEAD || has_no_body(head.status);
    using F = Framing;
    if (end_stream || bodiless) {
        if (!bodiless && facts.length > 0) return refused("a Content-Length, and no content");
        head.framing = {};
    } else if (facts.has_length) {
        head.framing = {F::length, facts.length};
    } else {
        head.framing = {F::chunked, 0};
    }
    return {};
}

Refusal FieldBlock::finish_trailers() {
    if (refusal_) return refusal_;
    if (too_large_) return {"the trailers are too large"};
    return {};
}

// ---- what does not cross over

ErrorCode error_code_for(Code code) {
    switch (code) {
        case Code::client_gone:
        case Code::cancelled:
        case Code::body_timeout:
        case Code::deadline_exceeded: return ErrorCode::cancel;
        case Code::malformed_request:
        case Code::body_truncated: return ErrorCode::protocol_error;
        case Code::overloaded:
        case Code::draining: return ErrorCode::refused_stream;
        default: return ErrorCode::internal_error;
    }
}

Code code_for_upstream(ErrorCode code) {
    switch (code) {
        case ErrorCode::refused_stream:
        case ErrorCode::no_error:
        case ErrorCode::cancel:
        case ErrorCode::internal_error:
        case ErrorCode::enhance_your_calm: return Code::upstream_reset;
        default: return Code::upstream_invalid;
    }
}

// ---- pairs

void Pairs::put(std::string_view name, std::string_view value, std::uint8_t flags) {
    auto bytes = [](std::string_view text) {
        return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    pairs_.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
}

// Values that differ each time would only push better ones out of the HPACK table, and have nghttp2
// compare each with all that were there before; credentials must not be in it (RFC 7541 §7.1.3).
constexpr HeaderSet kNotWorthIndexing =
    header_set(HeaderId::authorization, HeaderId::proxy_authorization, HeaderId::cookie, HeaderId::set_cookie,
               HeaderId::x_request_id, HeaderId::x_response_time, HeaderId::x_gateway_duration,
               HeaderId::x_forwarded_for, HeaderId::x_real_ip);

// "x-correlation-id", "traceparent", "grpc-timeout" ...
bool differs_each_time(const Field& field) {
    if (field.id != HeaderId::other) return is_in(kNotWorthIndexing, field.id);
    std::string_view name = field.name;
    switch (name.size()) {
        case 10: return iequals(name, "tracestate");
        case 11: return iequals(name, "traceparent");
        case 12: return iequals(name, "grpc-timeout");
        default: return name.size() > 3 && name[name.size() - 3] == '-' && iequals(name.substr(name.size() - 2), "id");
    }
}

void Pairs::add_field(const Field& field) {
    std::uint8_t index = differs_each_time(field) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    if (field.id != HeaderId::other) return put(lower_name(field.id), field.value, index | lasting_);
    // nghttp2 makes the copy of a name lower-case.
    std::uint8_t name_too = has_upper(field.name) ? NGHTTP2_NV_FLAG_NO_COPY_NAME : 0;
    put(field.name, field.value, index | (lasting_ & ~name_too));
}

}  // namespace suoke::http::h2
