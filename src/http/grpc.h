// SPDX-License-Identifier: MIT
#pragma once
// What gRPC adds to HTTP (PROTOCOL-HTTP2.md and PROTOCOL-WEB.md of grpc/grpc), without I/O.
//
//   GrpcType type = grpc_type(headers);                    // what the content type says
//   auto timeout = parse_grpc_timeout("250m");             // 250 ms
//   GrpcFrames frames(4 << 20);                            // messages of at most 4 MiB
//   while (auto step = frames.next(bytes)) ...             // views into what was given

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/headers.h"

namespace suoke::http {

enum class GrpcKind : std::uint8_t { none, grpc, web, web_text };

struct GrpcType {
    GrpcKind kind = GrpcKind::none;
    std::string_view suffix;  // "+proto", "+json"; may be empty
    explicit operator bool() const { return kind != GrpcKind::none; }
};

// "application/grpc-web-text+proto; x=y" -> {web_text, "+proto"}. "application/grpcx" is none.
GrpcType parse_grpc_type(std::string_view content_type);
GrpcType grpc_type(const Headers& headers);  // of a single Content-Type field
// "application/grpc-web-text", without the suffix.
std::string_view media_type(GrpcKind kind);

// google.rpc.Code, as far as the gateway says one itself.
enum class GrpcStatus : std::uint8_t {
    ok = 0,
    cancelled = 1,
    unknown = 2,
    deadline_exceeded = 4,
    permission_denied = 7,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    unauthenticated = 16,
};
constexpr int kGrpcStatuses = 17;

// What an HTTP status without a grpc-status means (http-grpc-status-mapping.md).
GrpcStatus grpc_status_of_http(int status);
// The grpc-status field: 0 to 16; anything else, or none, is nothing.
std::optional<int> grpc_status(const Headers& headers);

// TimeoutValue (1 to 8 digits) and TimeoutUnit (H M S m u n); nothing when it is something else.
// Longer than kLongestGrpcTimeout becomes that.
std::optional<Duration> parse_grpc_timeout(std::string_view text);
constexpr Duration kLongestGrpcTimeout = std::chrono::hours(24 * 365 * 10);
// The finest unit that takes at most 8 digits, rounded down, but at least "1n".
std::string format_grpc_timeout(Duration left);

// Status-Message: percent-encoded outside of 0x20-0x7E, and '%' itself.
std::string encode_grpc_message(std::string_view text);
// What is not an escape stays as it is, as the protocol asks for.
std::string decode_grpc_message(std::string_view text);

// Length-prefixed messages: a flag byte, a length of four bytes, big-endian, and so many bytes.
// Incremental and without a buffer: a message may come in any pieces.
class GrpcFrames {
 public:
    struct Step {
        enum Kind : std::uint8_t {
            more,     // all was taken; the next bytes are needed
            head,     // a message begins: see flags() and size()
            payload,  // `bytes` are of the present message
            end,      // the message is complete
        } kind = more;
        std::string_view bytes;
    };
    explicit GrpcFrames(std::uint32_t most) : most_(most) {}

    // Takes from the front of `bytes` what the step tells of. Code::malformed_request: unknown flags;
    // Code::body_too_large: a message longer than allowed. After an error it is not to be used.
    Result<Step> next(std::string_view& bytes);
    std::uint8_t flags() const { return flags_; }  // 1: compressed; 0x80: trailers of gRPC-Web
    std::uint32_t size() const { return size_; }
    // Between two messages: the only place where a body may end.
    bool between() const { return state_ == State::head && have_ == 0; }

 private:
    enum class State : std::uint8_t { head, payload };
    std::uint32_t most_;
    State state_ = State::head;
    std::uint8_t have_ = 0;  // of the five bytes in front
    std::uint8_t flags_ = 0;
    std::uint32_t size_ = 0, left_ = 0;
};

// The five bytes before a message.
std::string grpc_frame_head(std::uint8_t flags, std::uint32_t size);
// Trailers as gRPC-Web's last frame (flag 0x80), names in lower case, "name: value\r\n" each.
std::string grpc_web_trailers(const Headers& trailers);

// Base64 of gRPC-Web's text form: any pieces, padding allowed after any group of four, no blanks.
class Base64Decoder {
 public:
    // Appends what can be decoded by now. Code::malformed_request when it is no base64.
    Result<void> decode(std::string_view text, std::string& out);
    bool complete() const { return have_ == 0; }  // only here may it end

 private:
    std::uint32_t bits_ = 0;
    std::uint8_t have_ = 0, padding_ = 0;
};
void append_base64(std::string& out, std::string_view bytes);  // padded

}  // namespace suoke::http
