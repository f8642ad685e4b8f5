// SPDX-License-Identifier: MIT
#include "http/grpc.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace suoke::http {

// ---- content types

static bool is_suffix(std::string_view s) {
    if (s.empty()) return true;
    if (s.size() < 2 || s.size() > 32 || s.front() != '+') return false;
    return std::all_of(s.begin() + 1, s.end(), [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

GrpcType parse_grpc_type(std::string_view content_type) {
    std::string_view type = trim(content_type.substr(0, content_type.find(';')), " \t");
    for (GrpcKind kind : {GrpcKind::web_text, GrpcKind::web, GrpcKind::grpc}) {
        std::string_view name = media_type(kind);
        if (type.size() < name.size() || !iequals(type.substr(0, name.size()), name)) continue;
        std::string_view suffix = type.substr(name.size());
        return is_suffix(suffix) ? GrpcType{kind, suffix} : GrpcType{};
    }
    return {};
}

GrpcType grpc_type(const Headers& headers) {
    const std::string_view* type = headers.find(HeaderId::content_type);
    if (!type || headers.count(HeaderId::content_type) != 1) return {};
    return parse_grpc_type(*type);
}

std::string_view media_type(GrpcKind kind) {
    switch (kind) {
        case GrpcKind::grpc: return "application/grpc";
        case GrpcKind::web: return "application/grpc-web";
        case GrpcKind::web_text: return "application/grpc-web-text";
        default: return "";
    }
}

// ---- statuses

GrpcStatus grpc_status_of_http(int status) {
    switch (status) {
        case 400: return GrpcStatus::internal;
        case 401: return GrpcStatus::unauthenticated;
        case 403: return GrpcStatus::permission_denied;
        case 404: return GrpcStatus::unimplemented;
        case 429:
        case 502:
        case 503:
        case 504: return GrpcStatus::unavailable;
        default: return GrpcStatus::unknown;
    }
}

std::optional<int> grpc_status(const Headers& headers) {
    const std::string_view* text = headers.find("grpc-status");
    if (!text || text->size() > 2) return std::nullopt;
    auto status = parse_u64(*text);
    if (!status || *status >= kGrpcStatuses) return std::nullopt;
    return static_cast<int>(*status);
}

// ---- grpc-timeout

namespace {

struct Unit {
    char name;
    std::int64_t nanoseconds;
};
// The finest first.
constexpr Unit kUnits[] = {{'n', 1},
                           {'u', 1'000},
                           {'m', 1'000'000},
                           {'S', 1'000'000'000},
                           {'M', 60'000'000'000},
                           {'H', 3'600'000'000'000}};
constexpr std::int64_t kMostDigits = 100'000'000;

}  // namespace

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
    if (text.size() < 2 || text.size() > 9) return std::nullopt;
    std::string_view digits = text.substr(0, text.size() - 1);
    if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
    auto value = static_cast<std::int64_t>(*parse_u64(digits));
    for (const Unit& unit : kUnits) {
        if (unit.name != text.back()) continue;
        if (value > kLongestGrpcTimeout.count() / unit.nanoseconds) return kLongestGrpcTimeout;
        return Duration(value * unit.nanoseconds);
    }
    return std::nullopt;
}

std::string format_grpc_timeout(Duration left) {
    std::int64_t nanoseconds = std::max<std::int64_t>(left.count(), 1);
    for (const Unit& unit : kUnits) {
        std::int64_t value = nanoseconds / unit.nanoseconds;
        if (value < kMostDigits) return std::to_string(value) + unit.name;
    }
    return "99999999H";
}

// ---- grpc-message

std::string encode_grpc_message(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte <= 0x7E && c != '%') {
            out += c;
            continue;
        }
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    return out;
}

std::string decode_grpc_message(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                      hex_value(text[i + 2]) >= 0;
        if (!escape) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return out;
}

// ---- messages

Result<GrpcFrames::Step> GrpcFrames::next(std::string_view& bytes) {
    if (state_ == State::payload) {
        if (left_ == 0) {
            state_ = State::head;
            return Step{Step::end, {}};
        }
        if (bytes.empty()) return Step{};
        std::string_view piece = bytes.substr(0, left_);
        bytes.remove_prefix(piece.size());
        left_ -= static_cast<std::uint32_t>(piece.size());
        return Step{Step::payload, piece};
    }
    while (have_ < 5 && !bytes.empty()) {
        auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        if (have_ == 0) {
            flags_ = byte;
            size_ = 0;
        } else {
            size_ = size_ << 8 | byte;
        }
        ++have_;
    }
    if (have_ < 5) return Step{};
    have_ = 0;
    if ((flags_ & ~0x81) != 0) return Error(Code::malformed_request, "a gRPC message with unknown flags");
    if (size_ > most_) return Error(Code::body_too_large, "a gRPC message of " + std::to_string(size_) + " bytes");
    left_ = size_;
    state_ = State::payload;
    return Step{Step::head, {}};
}

std::string grpc_frame_head(std::uint8_t flags, std::uint32_t size) {
    std::string head(5, static_cast<char>(flags));
    for (int i = 0; i < 4; ++i) head[static_cast<std::size_t>(1 + i)] = static_cast<char>(size >> (24 - 8 * i));
    return head;
}

std::string grpc_web_trailers(const Headers& trailers) {
    std::string block;
    for (const Field& field : trailers) {
        for (char c : field.name) block += lower(c);
        block.append(": ").append(field.value).append("\r\n");
    }
    return grpc_frame_head(0x80, static_cast<std::uint32_t>(block.size())) + block;
}

// ---- base64 (RFC 4648 §4)

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::array<std::int8_t, 256> kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}();

}  // namespace

Result<void> Base64Decoder::decode(std::string_view text, std::string& out) {
    for (char c : text) {
        int value = kValues[static_cast<unsigned char>(c)];
        bool padding = c == '=' && have_ >= 2;
        if ((value < 0 && !padding) || (padding_ > 0 && !padding))
            return Error(Code::malformed_request, "the body is not base64");
        padding_ = static_cast<std::uint8_t>(padding_ + padding);
        bits_ = bits_ << 6 | static_cast<std::uint32_t>(padding ? 0 : value);
        if (++have_ < 4) continue;
        // What padding leaves over must be zero, or one text had several spellings.
        if ((padding_ == 1 && (bits_ & 0xFF)) || (padding_ == 2 && (bits_ & 0xFFFF)))
            return Error(Code::malformed_request, "the body is not base64: bits behind its end");
        for (int i = 0; i < 3 - padding_; ++i) out += static_cast<char>(bits_ >> (16 - 8 * i));
        bits_ = have_ = padding_ = 0;
    }
    return {};
}

void append_base64(std::string& out, std::string_view bytes) {
    out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
    while (!bytes.empty()) {
        std::size_t n = std::min<std::size_t>(bytes.size(), 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8 | (i < n ? static_cast<unsigned char>(bytes[i]) : 0u);
        for (std::size_t i = 0; i < 4; ++i)
            out += i > n ? '=' : kAlphabet[bits >> (18 - 6 * i) & 63];
        bytes.remove_prefix(n);
    }
}

}  // namespace suoke::http
