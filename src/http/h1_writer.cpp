// SPDX-License-Identifier: MIT
#include "http/h1_writer.h"

#include <charconv>
#include <cstring>

namespace suoke::http {

// One look at the room for all four pieces: a head is a dozen fields.
H1Writer& H1Writer::field(std::string_view name, std::string_view value) {
    std::size_t size = name.size() + value.size() + 4;
    std::span<char> room = out_.room();
    if (size > room.size()) [[unlikely]]
        return put(name).put(": ").put(value).put("\r\n");
    char* at = room.data();
    std::memcpy(at, name.data(), name.size());
    at += name.size();
    *at++ = ':';
    *at++ = ' ';
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    at += value.size();
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
