// SPDX-License-Identifier: MIT
#include "http/ws.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "http/ws_inflate.h"

namespace suoke::http::ws {
namespace {

constexpr unsigned kFin = 0x80, kRsv1 = 0x40, kRsv23 = 0x30, kOpcode = 0x0F, kMask = 0x80, kLength = 0x7F;

unsigned byte(char c) { return static_cast<unsigned char>(c); }

std::size_t length_bytes(unsigned second) {
    unsigned length = second & kLength;
    return length == 126 ? 2 : length == 127 ? 8 : 0;
}
std::size_t head_size(unsigned second) { return 2 + length_bytes(second) + ((second & kMask) ? 4 : 0); }

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

std::uint64_t read_big_endian(std::string_view bytes) {
    std::uint64_t n = 0;
    for (char c : bytes) n = n << 8 | byte(c);
    return n;
}

constexpr Violation kTooBigMessage{kTooBig, "message too big"};
constexpr Violation kInflatesTooBig{kTooBig, "message too big when inflated"};
constexpr Violation kNoText{kPolicy, "text messages are not allowed here"};
constexpr Violation kNoBinary{kPolicy, "binary messages are not allowed here"};
constexpr Violation kNotUtf8{kBadText, "text that is not UTF-8"};
constexpr Violation kNotDeflate{kBadText, "data that cannot be inflated"};
constexpr Violation kHalfACode{kProtocolError, "a Close with half a code"};
constexpr Violation kNoSuchCode{kProtocolError, "a close code that may not be sent"};
constexpr Violation kReasonNotUtf8{kBadText, "a close reason that is not UTF-8"};

}  // namespace

// §7.4: what is registered, and what is left to frameworks and applications.
bool may_be_sent(std::uint16_t code) {
    if (code >= 3000) return code < 5000;
    return code >= 1000 && code <= 1014 && code != 1004 && code != kNoCode && code != kNoClose;
}

// ---- writing

void mask_bytes(std::string_view from, char* to, const std::array<std::uint8_t, 4>& mask, std::uint64_t at) {
    // Eight bytes at a time; memcpy, because nothing is aligned.
    std::array<std::uint8_t, 8> turned;
    for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(at + i) & 3];
    std::uint64_t wide = 0;
    std::memcpy(&wide, turned.data(), 8);
    std::size_t i = 0;
    for (; i + 8 <= from.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, from.data() + i, 8);
        word ^= wide;
        std::memcpy(to + i, &word, 8);
    }
    for (; i < from.size(); ++i) to[i] = static_cast<char>(byte(from[i]) ^ turned[i & 7]);
}

std::size_t write_head(std::span<char, kMaxHead> out, const FrameHead& head) {
    unsigned first = (head.fin ? kFin : 0) | (head.rsv1 ? kRsv1 : 0) | static_cast<unsigned>(head.opcode);
    std::size_t wide = head.length < 126 ? 0 : head.length < 65536 ? 2 : 8;
    unsigned second = (head.masked ? kMask : 0) | (wide == 0 ? static_cast<unsigned>(head.length) : wide == 2 ? 126 : 127);
    out[0] = static_cast<char>(first);
    out[1] = static_cast<char>(second);
    std::size_t at = 2;
    for (std::size_t i = wide; i-- > 0;) out[at++] = static_cast<char>(head.length >> (8 * i));
    if (!head.masked) return at;
    std::memcpy(out.data() + at, head.mask.data(), 4);
    return at + 4;
}

std::size_t write_close(std::span<char, kMaxControlFrame> out, std::uint16_t code, std::string_view reason,
                        const std::optional<std::array<std::uint8_t, 4>>& mask) {
    std::size_t most = kMaxControlPayload - 2;
    if (reason.size() > most) {
        while (most > 0 && (byte(reason[most]) & 0xC0) == 0x80) --most;
        reason = reason.substr(0, most);
    }
    FrameHead head{.fin = true, .masked = mask.has_value(), .opcode = Opcode::close, .length = 2 + reason.size()};
    if (mask) head.mask = *mask;
    std::size_t at = write_head(out.first<kMaxHead>(), head);
    char* payload = out.data() + at;
    payload[0] = static_cast<char>(code >> 8);
    payload[1] = static_cast<char>(code);
    if (!reason.empty()) std::memcpy(payload + 2, reason.data(), reason.size());
    std::string_view whole(payload, 2 + reason.size());
    if (mask) mask_bytes(whole, payload, *mask, 0);
    return at + whole.size();
}

// ---- UTF-8

bool Utf8::feed(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (left_ == 0) {
            // Most text is ASCII most of the time.
            for (std::uint64_t word = 0; i + 8 <= bytes.size(); i += 8) {
                std::memcpy(&word, bytes.data() + i, 8);
                if (word & 0x8080808080808080ULL) break;
            }
            if (i == bytes.size()) break;
        }
        const auto c = static_cast<std::uint8_t>(bytes[i]);
        if (left_ > 0) {
            if (c < low_ || c > high_) return false;
            --left_;
            low_ = 0x80;
            high_ = 0xBF;
            continue;
        }
        if (c < 0x80) continue;
        if (c < 0xC2 || c > 0xF4) return false;
        left_ = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
        low_ = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        high_ = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    }
    return true;
}

// ---- frames

Step FrameParser::next(std::string_view bytes) {
    if (violation_.code) return {.kind = Step::broken};
    return in_payload_ ? read_payload(bytes) : read_head(bytes);
}

Step FrameParser::refuse(const char* reason) {
    violation_ = {kProtocolError, reason};
    return {.kind = Step::broken};
}

// What the first two bytes may not say (§5.2, §5.4, §5.5); null when all is well.
const char* FrameParser::wrong_start(unsigned first, unsigned second) const {
    const auto opcode = static_cast<Opcode>(first & kOpcode);
    if (!is_known(first & kOpcode)) return "an opcode that is reserved";
    if (first & kRsv23) return "a reserved bit is set";
    const bool begins = opcode == Opcode::text || opcode == Opcode::binary;
    if ((first & kRsv1) && !(may_compress_ && begins)) return "a reserved bit is set";
    if (((second & kMask) != 0) != (sender_ == Side::client))
        return sender_ == Side::client ? "a frame that is not masked" : "a frame that is masked";
    if (is_control(opcode)) {
        if (!(first & kFin)) return "a control frame in fragments";
        if ((second & kLength) > kMaxControlPayload) return "a control frame that is too long";
    } else if (begins == message_open_) {
        return begins ? "a new message inside of another" : "a continuation of nothing";
    }
    return nullptr;
}

Step FrameParser::read_head(std::string_view bytes) {
    if (head_done_) {
        head_done_ = false;
        held_size_ = 0;
    }
    // The usual case: it is all here.
    if (held_size_ == 0 && bytes.size() >= 2) {
        if (const char* wrong = wrong_start(byte(bytes[0]), byte(bytes[1]))) return refuse(wrong);
        std::size_t size = head_size(byte(bytes[1]));
        if (bytes.size() >= size) return accept(bytes.substr(0, size), size);
    }
    std::size_t taken = 0;
    for (;;) {
        std::size_t want = held_size_ < 2 ? 2 : head_size(byte(held_[1]));
        if (held_size_ == want) return accept(held(), taken);
        std::size_t n = std::min(want - held_size_, bytes.size() - taken);
        if (n == 0) return {.consumed = taken};
        std::memcpy(held_.data() + held_size_, bytes.data() + taken, n);
        taken += n;
        held_size_ = static_cast<std::uint8_t>(held_size_ + n);
        if (held_size_ < 2) continue;
        if (const char* wrong = wrong_start(byte(held_[0]), byte(held_[1]))) return refuse(wrong);
    }
}

Step FrameParser::accept(std::string_view raw, std::size_t consumed) {
    const unsigned first = byte(raw[0]), second = byte(raw[1]);
    const std::size_t wide = length_bytes(second);
    head_.fin = first & kFin;
    head_.rsv1 = first & kRsv1;
    head_.masked = second & kMask;
    head_.opcode = static_cast<Opcode>(first & kOpcode);
    head_.length = wide ? read_big_endian(raw.substr(2, wide)) : second & kLength;
    if (head_.masked) std::memcpy(head_.mask.data(), raw.data() + 2 + wide, 4);
    if (head_.length >> 63) return refuse("a length with its highest bit set");
    if ((wide == 2 && head_.length < 126) || (wide == 8 && head_.length < 65536)) return refuse("a length that is not the shortest");
    if (!is_control(head_.opcode)) message_open_ = !head_.fin;
    head_done_ = true;
    offset_ = 0;
    in_payload_ = head_.length > 0;
    return {.kind = Step::head, .ends_frame = !in_payload_, .consumed = consumed};
}

Step FrameParser::read_payload(std::string_view bytes) {
    if (bytes.empty()) return {};
    std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(head_.length - offset_, bytes.size()));
    offset_ += n;
    in_payload_ = offset_ < head_.length;
    return {.kind = Step::payload, .ends_frame = !in_payload_, .consumed = n, .bytes = bytes.substr(0, n)};
}

// ---- messages

Inspector::Inspector(Side sender, const Deflate& deflate, const MessageRules& rules)
    : frames_(sender, deflate.on),
      rules_(rules),
      window_bits_(sender == Side::client ? deflate.client_max_window_bits : deflate.server_max_window_bits),
      forgets_context_(sender == Side::client ? deflate.client_no_context_takeover : deflate.server_no_context_takeover) {}
Inspector::~Inspector() = default;

Step Inspector::next(std::string_view bytes) {
    began_message_ = false;
    if (violation_.code) return {.kind = Step::broken};
    const std::uint64_t before = frames_.offset();
    Step step = frames_.next(bytes);
    const Violation* wrong = nullptr;
    if (step.kind == Step::head) wrong = on_head(frames_.head());
    if (step.kind == Step::payload) wrong = on_payload(step.bytes, before);
    if (!wrong && step.ends_frame) wrong = on_frame_end();
    if (!wrong) return step;
    violation_ = *wrong;
    return {.kind = Step::broken};
}

const Violation* Inspector::on_head(const FrameHead& head) {
    if (head.opcode == Opcode::close) close_size_ = 0;
    if (is_control(head.opcode)) return nullptr;
    if (head.opcode != Opcode::continuation) {
        began_message_ = true;
        text_ = head.opcode == Opcode::text;
        if (text_ && !rules_.text) return &kNoText;
        if (!text_ && !rules_.binary) return &kNoBinary;
        compressed_ = head.rsv1;
        size_ = 0;
        utf8_.reset();
        if (compressed_ && !inflater_) inflater_ = std::make_unique<Inflater>(window_bits_);
        if (compressed_) inflater_->begin_message(forgets_context_);
    }
    // The head says how much will come, so what is too big is refused before any of it.
    if (rules_.max_size && head.length > rules_.max_size - size_) return &kTooBigMessage;
    size_ += head.length;
    return nullptr;
}

const Violation* Inspector::on_payload(std::string_view payload, std::uint64_t at) {
    const FrameHead& head = frames_.head();
    const bool read = head.opcode == Opcode::close || (!is_control(head.opcode) && (text_ || compressed_));
    if (!read) return nullptr;
    if (!head.masked) return on_clear(payload);
    char clear[2048];
    while (!payload.empty()) {
        std::string_view some = payload.substr(0, sizeof clear);
        mask_bytes(some, clear, head.mask, at);
        if (const Violation* wrong = on_clear({clear, some.size()})) return wrong;
        at += some.size();
        payload.remove_prefix(some.size());
    }
    return nullptr;
}

const Violation* Inspector::on_clear(std::string_view bytes) {
    if (frames_.head().opcode == Opcode::close) {
        std::memcpy(close_.data() + close_size_, bytes.data(), bytes.size());
        close_size_ = static_cast<std::uint8_t>(close_size_ + bytes.size());
        return nullptr;
    }
    return compressed_ ? on_content(bytes) : utf8_.feed(bytes) ? nullptr : &kNotUtf8;
}

// Compressed bytes of a message: inflated piece by piece, looked at, forgotten.
const Violation* Inspector::on_content(std::string_view bytes) {
    inflater_->give(bytes);
    for (;;) {
        auto clear = inflater_->take();
        if (!clear) return &kNotDeflate;
        if (clear->empty()) return nullptr;
        if (rules_.max_inflated && inflater_->total() > rules_.max_inflated) return &kInflatesTooBig;
        if (text_ && !utf8_.feed(*clear)) return &kNotUtf8;
    }
}

const Violation* Inspector::on_frame_end() {
    const FrameHead& head = frames_.head();
    if (head.opcode == Opcode::close) return on_close();
    return !is_control(head.opcode) && head.fin ? on_message_end() : nullptr;
}

const Violation* Inspector::on_message_end() {
    if (compressed_) {  // RFC 7692 §7.2.2: the sender took these four bytes off
        using namespace std::string_view_literals;
        if (const Violation* wrong = on_content("\x00\x00\xff\xff"sv)) return wrong;
        if (!inflater_->complete()) return &kNotDeflate;
    }
    return text_ && !utf8_.complete() ? &kNotUtf8 : nullptr;
}

const Violation* Inspector::on_close() {
    if (close_size_ == 1) return &kHalfACode;
    std::uint16_t code = kNoCode;
    if (close_size_ >= 2) {
        code = static_cast<std::uint16_t>(read_big_endian({close_.data(), 2}));
        if (!may_be_sent(code)) return &kNoSuchCode;
        Utf8 reason;
        bool good = reason.feed({close_.data() + 2, close_size_ - std::size_t{2}}) && reason.complete();
        if (!good) return &kReasonNotUtf8;
    }
    close_code_ = code;
    return nullptr;
}

}  // namespace suoke::http::ws
