// SPDX-License-Identifier: MIT
#pragma once
// Heads and chunk framing as bytes (RFC 9112), gathered in a leased buffer that grows when it must.

#include "base/error.h"
#include "http/message.h"
#include "rt/buffer.h"

namespace suoke::http {

class H1Writer {
 public:
    explicit H1Writer(rt::BufferPool& buffers) : buffers_(buffers), out_(buffers.lease(rt::BufferPool::small)) {}

    H1Writer& put(std::string_view bytes) {
        if (!out_.append(bytes)) [[unlikely]]
            grow(bytes);
        return *this;
    }
    H1Writer& put(std::uint64_t decimal);
    H1Writer& field(std::string_view name, std::string_view value);
    H1Writer& fields(const Headers& headers) {
        for (const Field& f : headers) field(f.name, f.value);
        return *this;
    }
    H1Writer& status_line(int status, std::string_view reason);
    H1Writer& chunk_head(std::size_t size);
    // "0\r\n" trailers "\r\n"
    H1Writer& last_chunk(const Headers* trailers);

    // What was written is gone; the next byte takes a buffer again.
    void release() { out_.release(); }
    std::size_t room() { return out_.room().size(); }
    rt::Buffer& buffer() { return out_; }

 private:
    void grow(std::string_view bytes);
    rt::BufferPool& buffers_;
    rt::Buffer out_;
};

// "1a2f\r\n" into `text`; returns its length. At most 18 bytes.
std::size_t write_chunk_head(char* text, std::size_t size);

}  // namespace suoke::http
