// SPDX-License-Identifier: MIT
#pragma once
// WebSocket (RFC 6455, RFC 7692) without I/O, for somebody in the middle: bytes are looked at and
// passed on as they are. Nothing is allocated for a frame and no message is put together.
//
//   ws::Inspector in(ws::Side::client, deflate, rules);
//   for (std::size_t at = 0;;) {
//       ws::Step step = in.next(bytes.substr(at));
//       if (step.kind == ws::Step::need_more) break;           // all of `bytes` was looked at
//       if (step.kind == ws::Step::broken) return in.violation();
//       at += step.consumed;                                   // a head, or a part of a payload
//   }
//
// FrameParser knows frames (§5); Inspector, on top of it, also messages: sizes, UTF-8, Close, deflate.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/ws_handshake.h"

namespace suoke::http::ws {

// Who sent the bytes. Clients mask, servers do not (§5.1).
enum class Side : std::uint8_t { client, upstream };

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
constexpr bool is_control(Opcode op) { return (static_cast<unsigned>(op) & 8) != 0; }

// Close codes, §7.4.1 and IANA's registry.
enum CloseCode : std::uint16_t {
    kNormal = 1000,
    kGoingAway = 1001,
    kProtocolError = 1002,
    kNoCode = 1005,     // a Close without a payload; never sent
    kNoClose = 1006,    // the connection ended without a Close; never sent
    kBadText = 1007,
    kPolicy = 1008,
    kTooBig = 1009,
    kInternal = 1011,
    kRestart = 1012,
};
bool may_be_sent(std::uint16_t close_code);

struct FrameHead {
    bool fin = false;
    bool rsv1 = false;  // compressed (RFC 7692 §6)
    bool masked = false;
    Opcode opcode = Opcode::continuation;
    std::array<std::uint8_t, 4> mask{};
    std::uint64_t length = 0;  // of the payload
};

constexpr std::size_t kMaxHead = 14;
constexpr std::size_t kMaxControlPayload = 125;
constexpr std::size_t kMaxControlFrame = kMaxHead + kMaxControlPayload;

// Masks, or unmasks: `from` and `to` may be the same place. `at`: bytes of the frame before these.
void mask_bytes(std::string_view from, char* to, const std::array<std::uint8_t, 4>& mask, std::uint64_t at);
// Writes the shortest head there is; returns its size.
std::size_t write_head(std::span<char, kMaxHead> out, const FrameHead& head);
// A whole Close frame; a reason too long is cut between two characters. Returns its size.
std::size_t write_close(std::span<char, kMaxControlFrame> out, std::uint16_t code, std::string_view reason,
                        const std::optional<std::array<std::uint8_t, 4>>& mask);

// UTF-8 that comes in pieces (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
class Utf8 {
 public:
    bool feed(std::string_view bytes);  // false at the first byte that cannot be right
    bool complete() const { return left_ == 0; }
    void reset() { left_ = 0; }

 private:
    std::uint8_t left_ = 0;              // continuation bytes to come
    std::uint8_t low_ = 0, high_ = 0;    // what the next one may be
};

struct Violation {
    std::uint16_t code = 0;   // what the offender's Close says
    std::string_view reason;  // a literal
};

struct Step {
    enum Kind : std::uint8_t {
        need_more,  // everything was consumed
        head,       // a frame's head is complete: head()
        payload,    // a part of its payload
        broken,     // violation(); so it stays
    };
    Kind kind = need_more;
    bool ends_frame = false;
    std::size_t consumed = 0;
    std::string_view bytes;  // the part of the payload, of the given bytes, still masked
};

class FrameParser {
 public:
    FrameParser(Side sender, bool may_compress) : sender_(sender), may_compress_(may_compress) {}

    Step next(std::string_view bytes);
    const FrameHead& head() const { return head_; }
    const Violation& violation() const { return violation_; }
    // Nothing of a frame has been taken without the rest of it.
    bool between_frames() const { return !in_payload_ && (head_done_ || held_size_ == 0); }
    bool inside_head() const { return !head_done_ && held_size_ > 0; }
    // A head that came in several pieces: its bytes so far. Whoever wants to send no half frame holds
    // them back until `head`. Valid until the next call; empty when the head came at once.
    std::string_view held() const { return {held_.data(), held_size_}; }
    bool message_open() const { return message_open_; }  // between the fragments of a message
    std::uint64_t offset() const { return offset_; }      // in the frame's payload, behind the last step

 private:
    Step read_head(std::string_view bytes);
    Step read_payload(std::string_view bytes);
    const char* wrong_start(unsigned first, unsigned second) const;
    Step accept(std::string_view raw, std::size_t consumed);
    Step refuse(const char* reason);

    Side sender_;
    bool may_compress_;
    bool in_payload_ = false;
    bool head_done_ = true;
    bool message_open_ = false;
    std::uint8_t held_size_ = 0;
    std::array<char, kMaxHead> held_{};
    FrameHead head_;
    std::uint64_t offset_ = 0;
    Violation violation_;
};

struct MessageRules {
    std::uint64_t max_size = 0;      // as sent, frame heads not counted; 0: none
    std::uint64_t max_inflated = 0;  // after inflation; 0: none
    bool text = true, binary = true; // which may be sent
};

class Inflater;

class Inspector {
 public:
    Inspector(Side sender, const Deflate& deflate, const MessageRules& rules);
    ~Inspector();
    Inspector(const Inspector&) = delete;
    Inspector& operator=(const Inspector&) = delete;

    Step next(std::string_view bytes);
    const FrameHead& head() const { return frames_.head(); }
    const Violation& violation() const { return violation_.code ? violation_ : frames_.violation(); }
    bool between_frames() const { return frames_.between_frames(); }
    bool inside_head() const { return frames_.inside_head(); }
    std::string_view held() const { return frames_.held(); }
    // Set once a whole Close frame came: its code, or kNoCode.
    std::uint16_t close_code() const { return close_code_; }
    // The last step was the head of a data frame that begins a message.
    bool began_message() const { return began_message_; }

 private:
    const Violation* on_head(const FrameHead& head);
    const Violation* on_payload(std::string_view payload, std::uint64_t at);
    const Violation* on_clear(std::string_view bytes);
    const Violation* on_content(std::string_view bytes);
    const Violation* on_frame_end();
    const Violation* on_message_end();
    const Violation* on_close();

    FrameParser frames_;
    MessageRules rules_;
    std::uint8_t window_bits_;
    bool forgets_context_;
    Violation violation_;
    std::unique_ptr<Inflater> inflater_;  // made for the first compressed message
    Utf8 utf8_;
    bool text_ = false;                   // the open message is
    bool compressed_ = false;
    bool began_message_ = false;
    std::uint64_t size_ = 0;              // of the open message
    std::uint16_t close_code_ = 0;
    std::uint8_t close_size_ = 0;
    std::array<char, kMaxControlPayload> close_{};
};

}  // namespace suoke::http::ws
