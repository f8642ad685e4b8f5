// SPDX-License-Identifier: MIT
#include "http/h1_writer.h"

#include <charconv>
#include <cstring>

namespace suoke::http {
namespace {

template <std::size_t kStep>
void copy_ends(char* to, std::string_view text) {
    std::memcpy(to, text.data(), kStep);
    std::memcpy(to + text.size() - kStep, text.data() + text.size() - kStep, kStep);
}

// Names and values are short: two moves that overlap instead of a call (600 instructions a request).
char* put_short(char* to, std::string_view text) {
    std::size_t n = text.size();
    if (n > 32) {
        std::memcpy(to, text.data(), n);
    } else if (n >= 16) {
        copy_ends<16>(to, text);
    } else if (n >= 8) {
        copy_ends<8>(to, text);
    } else if (n >= 4) {
        copy_ends<4>(to, text);
    } else {
        for (std::size_t i = 0; i < n; ++i) to[i] = text[i];
    }
    return to + n;
}

}  // namespace

// One look at the room for all four pieces: a head is a dozen fields.
H1Writer& H1Writer::field(std::string_view name, std::string_view value) {
    std::size_t size = name.size() + value.size() + 4;
    std::span<char> room = out_.room();
    if (size > room.size()) [[unlikely]]
        return put(name).put(": ").put(value).put("\r\n");
    char* at = put_short(room.data(), name);
    *at++ = ':';
    *at++ = ' ';
    at = put_short(at, value);
    *at++ = '\r';
    *at = '\n';
    out_.filled(size);
    return *this;
}

H1Writer& H1Writer::put(std::uint64_t decimal) {
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof digits, decimal).ptr;
    return put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

H1Writer& H1Writer::status_line(int status, std::string_view reason) {
    if (reason.empty()) reason = reason_phrase(status);
    return put("HTTP/1.1 ").put(static_cast<std::uint64_t>(status)).put(" ").put(reason).put("\r\n");
}

std::size_t write_chunk_head(char* text, std::size_t size) {
    char* end = std::to_chars(text, text + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return static_cast<std::size_t>(end - text);
}

H1Writer& H1Writer::chunk_head(std::size_t size) {
    char text[18];
    return put(std::string_view(text, write_chunk_head(text, size)));
}

H1Writer& H1Writer::last_chunk(const Headers* trailers) {
    put("0\r\n");
    if (trailers) fields(*trailers);
    return put("\r\n");
}

void H1Writer::grow(std::string_view bytes) {
    // A block of the largest size holds any head that passed the limits, with what we add to it.
    rt::Buffer larger = buffers_.lease_for(out_.size() + bytes.size() + out_.capacity());
    larger.append(out_.bytes());
    CHECK(larger.append(bytes));
    out_ = std::move(larger);
}

}  // namespace suoke::http
