// SPDX-License-Identifier: MIT
#pragma once
// HTTP/1.1 heads and chunked bodies (RFC 9112), strict, without I/O: bytes in, facts out.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace suoke::http::h1 {

struct Limits {
    std::size_t line = 8 * 1024;   // request line / status line, without CRLF
    std::size_t head = 16 * 1024;  // everything up to and including the empty line
    std::size_t fields = 100;
};

// How far a head that has not fully arrived was already looked at. Start a new head with a new one.
struct Progress {
    std::size_t scanned = 0;  // bytes known to be free of the end and of framing faults
    std::size_t line_start = 0;
    std::size_t lines = 0;  // complete lines seen
};

// `bytes` is everything that has arrived since the head began (the same bytes plus more on each
// call; they may have moved). Returns the length of the head once it is complete and valid, 0 while
// more is needed. Faults that make the end of the head doubtful (a bare CR or LF, another control
// character, a limit) are reported at once, the others when the head is complete; which one is
// reported does not depend on how the bytes were cut. `head` is meaningful only when complete.
// One empty line before a request line is skipped and counted (RFC 9112 §2.2).
// Codes: malformed_request, invalid_host, uri_too_long, header_too_large, unsupported_version,
// unsupported_coding.
Result<std::size_t> parse_request_head(std::string_view bytes, const Limits& limits,
                                       Progress& progress, RequestHead& head);

// `request` decides the framing (HEAD, CONNECT; RFC 9112 §6.3). Faults are Code::upstream_invalid.
Result<std::size_t> parse_response_head(std::string_view bytes, const Limits& limits,
                                        Progress& progress, Method request, ResponseHead& head);

// Decodes chunked framing in place, without copying (RFC 9112 §7.1).
//
//   while (!step.end) {
//       step = *decoder.next(buffered);              // a Result: `fault` when it is not chunked
//       use(step.data);                              // a sub-span of `buffered`
//       drop(step.consumed);
//   }
//
// The decoder keeps its own place inside size lines, extensions and trailers: everything it is
// given is consumed, up to the end of one piece of data or of the body, and nothing need be shown
// twice. Stricter than the RFC where leniency has been used for smuggling: no blanks before CRLF,
// CRLF only, sizes below 2^63 in at most 16 digits, few bytes of extensions (which are checked and
// ignored).
class ChunkedDecoder {
 public:
    // `fault`: malformed_request or upstream_invalid, what any error is called on this side.
    // Of the limits `head` and `fields` hold for the trailers.
    explicit ChunkedDecoder(Code fault, const Limits& trailer_limits = {})
        : trailer_bytes_limit_(bounded(trailer_limits.head)),
          trailer_fields_limit_(bounded(trailer_limits.fields)),
          fault_(fault) {}

    struct Step {
        std::size_t consumed = 0;  // of `bytes`, framing included; drop them before the next call
        std::string_view data;     // inside `bytes`; may be empty
        bool end = false;          // the last chunk and the trailers have been read
    };
    // Goes as far as one piece of data (at most to the end of its chunk). consumed == 0 && !end
    // only when `bytes` is empty: more are needed. After the end it says so again and consumes
    // nothing; after a fault it repeats the fault.
    Result<Step> next(std::string_view bytes);
    // Valid after `end`; owns its bytes. Framing, routing, authentication and similar fields are
    // refused (RFC 9110 §6.5.1).
    const Headers& trailers() const;

    static constexpr std::size_t kMaxExtensionPerChunk = 256;
    static constexpr std::size_t kMaxExtensionPerBody = 16 * 1024;

 private:
    enum class State : std::uint8_t {
        size_first,      // the first digit of a size
        size,            // further digits
        extension,       // a blank was read: only ';' may follow (BWS)
        extension_name,  // after ';'
        in_name,
        after_name,       // a blank after the name
        extension_value,  // after '='
        in_value,
        in_quotes,
        in_quoted_pair,
        after_quotes,
        after_value,  // a blank after the value
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_line,  // the first byte of a trailer line or of the last CRLF
        in_trailer,
        trailer_lf,
        last_lf,
        done,
        failed,
    };
    struct Trailers {
        std::string bytes;  // the lines as they came, each with its CRLF, and the empty line
        Headers fields;     // views of `bytes`
    };

    static std::uint32_t bounded(std::size_t limit) {
        return static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX));
    }

    // One byte of framing; null, or what is wrong with it.
    const char* take(char c);
    const char* take_digit(char c);
    const char* take_in_extension(char c);
    const char* take_in_trailers(char c);
    const char* count_extension_byte();
    const char* keep_trailer_byte(char c);
    const char* finish_trailers();
    void begin_chunk_data();

    std::uint64_t left_ = 0;  // the size being read; then bytes of data still to come
    std::unique_ptr<Trailers> trailers_;
    std::uint32_t trailer_bytes_limit_;
    std::uint32_t trailer_fields_limit_;
    std::uint32_t trailer_lines_ = 0;
    std::uint16_t extension_bytes_ = 0;        // of this chunk
    std::uint16_t total_extension_bytes_ = 0;  // of the body
    std::uint8_t digits_ = 0;
    State state_ = State::size_first;
    Code fault_;
};
static_assert(sizeof(ChunkedDecoder) <= 48, "every upload and every download carries one");

}  // namespace suoke::http::h1
