// SPDX-License-Identifier: MIT
#pragma once
// A client's connection before it is known what is spoken on it, and after.

#include "http/handler.h"
#include "http/session.h"
#include "rt/buffer.h"
#include "rt/stream.h"

namespace suoke::http {

class Connection final : public Session {
 public:
    Connection(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler)
        : stream_(stream), peer_(peer), buffers_(buffers), handler_(handler) {}

    // Until the connection ends. HTTP/2 when TLS has agreed on it (ALPN "h2", RFC 9113 §3.2), or by
    // prior knowledge when its first bytes are HTTP/2's preface (§3.3); otherwise HTTP/1.1.
    rt::Task<void> run();
    void drain() override;

 private:
    enum class Kind : std::uint8_t { h1, h2, none };
    rt::Task<Kind> listen_in();
    rt::Task<void> speak_h1();
    rt::Task<void> speak_h2();

    rt::Stream& stream_;
    const rt::Address& peer_;
    rt::BufferPool& buffers_;
    Handler& handler_;
    rt::Buffer first_;            // what was read to find out
    Session* session_ = nullptr;  // once it is known
    bool waiting_ = false;
    bool draining_ = false;
    TimePoint drain_began_{};
};

}  // namespace suoke::http
