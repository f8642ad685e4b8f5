// SPDX-License-Identifier: MIT
#include "http/grammar.h"
#include "http/h1_fields.h"
#include "http/h1_parser.h"

namespace suoke::http::h1 {
namespace {

using grammar::is;
using grammar::is_blank;

// Not merged into the head later and not acted upon, yet a reader further on might (RFC 9110
// §6.5.1).
constexpr std::string_view kRefusedTrailers[] = {
    "authorization",  "cache-control",
    "connection",     "content-encoding",
    "content-length", "content-range",
    "content-type",   "cookie",
    "expect",         "forwarded",
    "host",           "keep-alive",
    "max-forwards",   "range",
    "set-cookie",     "te",
    "trailer",        "transfer-encoding",
    "upgrade",        "www-authenticate",
    "x-real-ip",
};
constexpr std::string_view kRefusedPrefixes[] = {"if-", "proxy-", "x-forwarded-"};

}  // namespace

bool is_refused_trailer(std::string_view name) {
    for (std::string_view refused : kRefusedTrailers)
        if (iequals(name, refused)) return true;
    for (std::string_view prefix : kRefusedPrefixes)
        if (iequals(name.substr(0, prefix.size()), prefix)) return true;
    return false;
}

Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ != State::done) {
        if (state_ == State::data) {
            const std::uint64_t take = std::min<std::uint64_t>(left_, bytes.size() - at);
            left_ -= take;
            if (left_ == 0) state_ = State::data_cr;
            return Step{at + take, bytes.substr(at, take), false};
        }
        if (const char* wrong = take(bytes[at++])) {
            state_ = State::failed;
            return Error(fault_, wrong);
        }
    }
    return Step{at, {}, state_ == State::done};
}

const Headers& ChunkedDecoder::trailers() const {
    static const Headers kNone;
    return trailers_ ? trailers_->fields : kNone;
}

const char* ChunkedDecoder::take(char c) {
    switch (state_) {
        case State::size_first:
        case State::size:
            return take_digit(c);
        case State::size_lf:
            if (c != '\n') return "a bare CR after the chunk size";
            begin_chunk_data();
            return nullptr;
        case State::data_cr:
            if (c != '\r') return "no CRLF after the chunk's data";
            state_ = State::data_lf;
            return nullptr;
        case State::data_lf:
            if (c != '\n') return "a bare CR after the chunk's data";
            state_ = State::size_first;
            return nullptr;
        case State::trailer_line:
        case State::in_trailer:
        case State::trailer_lf:
        case State::last_lf:
            return take_in_trailers(c);
        case State::failed:
            return "the chunked body was refused before";
        case State::data:
        case State::done:
            CHECK(false);
        default:
            return take_in_extension(c);
    }
}

const char* ChunkedDecoder::take_digit(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > 16 || left_ >> 59 != 0) return "the chunk size is too large";
        left_ = left_ * 16 + static_cast<unsigned>(digit);
        state_ = State::size;
        return nullptr;
    }
    if (state_ == State::size_first) return "the chunk size is no hexadecimal number";
    if (c == '\r') {
        state_ = State::size_lf;
        return nullptr;
    }
    if (c != ';' && !is_blank(c)) return "the chunk size is no hexadecimal number";
    state_ = State::extension;
    return take_in_extension(c);
}

void ChunkedDecoder::begin_chunk_data() {
    state_ = left_ > 0 ? State::data : State::trailer_line;
    digits_ = 0;
    extension_bytes_ = 0;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 §7.1.1.
const char* ChunkedDecoder::take_in_extension(char c) {
    static constexpr const char* kMalformed = "the chunk extension is malformed";
    const bool may_end =
        state_ == State::in_name || state_ == State::in_value || state_ == State::after_quotes;
    if (c == '\r' && may_end) {
        state_ = State::size_lf;
        return nullptr;
    }
    if (const char* flood = count_extension_byte()) return flood;
    switch (state_) {
        case State::extension:
            if (is_blank(c)) return nullptr;
            if (c != ';') return "a blank after the chunk size";
            state_ = State::extension_name;
            return nullptr;
        case State::extension_name:
            if (is_blank(c)) return nullptr;
            if (!is(grammar::token, c)) return kMalformed;
            state_ = State::in_name;
            return nullptr;
        case State::in_name:
            if (is(grammar::token, c)) return nullptr;
            [[fallthrough]];
        case State::after_name:
            if (is_blank(c)) {
                state_ = State::after_name;
            } else if (c == '=') {
                state_ = State::extension_value;
            } else if (c == ';') {
                state_ = State::extension_name;
            } else {
                return kMalformed;
            }
            return nullptr;
        case State::extension_value:
            if (is_blank(c)) return nullptr;
            if (c != '"' && !is(grammar::token, c)) return kMalformed;
            state_ = c == '"' ? State::in_quotes : State::in_value;
            return nullptr;
        case State::in_quotes:
            if (c == '"') {
                state_ = State::after_quotes;
            } else if (c == '\\') {
                state_ = State::in_quoted_pair;
            } else if (!is(grammar::quotable, c)) {
                return kMalformed;
            }
            return nullptr;
        case State::in_quoted_pair:
            if (is(grammar::control, c)) return kMalformed;
            state_ = State::in_quotes;
            return nullptr;
        case State::in_value:
            if (is(grammar::token, c)) return nullptr;
            [[fallthrough]];
        case State::after_quotes:
        case State::after_value:
            if (c != ';' && !is_blank(c)) return kMalformed;
            state_ = c == ';' ? State::extension_name : State::after_value;
            return nullptr;
        default:
            CHECK(false);
    }
    return nullptr;
}

const char* ChunkedDecoder::count_extension_byte() {
    if (++extension_bytes_ > kMaxExtensionPerChunk) return "the chunk extension is too long";
    if (++total_extension_bytes_ > kMaxExtensionPerBody) return "too many chunk extensions";
    return nullptr;
}

const char* ChunkedDecoder::take_in_trailers(char c) {
    switch (state_) {
        case State::trailer_line:
            if (c == '\r') {
                state_ = State::last_lf;
                return nullptr;
            }
            if (++trailer_lines_ > trailer_fields_limit_) return "too many trailers";
            state_ = State::in_trailer;
            return keep_trailer_byte(c);
        case State::in_trailer:
            if (c == '\r') state_ = State::trailer_lf;
            return keep_trailer_byte(c);
        case State::trailer_lf:
            if (c != '\n') return "a bare CR in the trailers";
            state_ = State::trailer_line;
            return keep_trailer_byte(c);
        default:
            if (c != '\n') return "a bare CR after the trailers";
            state_ = State::done;
            return finish_trailers();
    }
}

const char* ChunkedDecoder::keep_trailer_byte(char c) {
    const bool line_end = c == '\r' || (c == '\n' && state_ == State::trailer_line);
    if (is(grammar::control, c) && !line_end) return "a control character in the trailers";
    if (!trailers_) trailers_ = std::make_unique<Trailers>();
    if (trailers_->bytes.size() >= trailer_bytes_limit_) return "the trailers are too large";
    trailers_->bytes += c;
    return nullptr;
}

const char* ChunkedDecoder::finish_trailers() {
    if (!trailers_) return nullptr;
    trailers_->bytes += "\r\n";
    const char* p = trailers_->bytes.data();
    const char* end = p + trailers_->bytes.size();
    if (Refusal refusal = parse_fields(p, end, trailers_->fields)) return refusal.what;
    for (const Field& field : trailers_->fields)
        if (is_refused_trailer(field.name)) return "a field that may not be a trailer";
    return nullptr;
}

}  // namespace suoke::http::h1
