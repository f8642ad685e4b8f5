// SPDX-License-Identifier: MIT
#include "http/connection.h"

#include <algorithm>

#include "http/session_h1.h"
#include "http/session_h2.h"
#include "rt/tls.h"

namespace suoke::http {
namespace {

constexpr Duration kDrainGrace = std::chrono::seconds(1);

bool wants_h2(const rt::Stream& stream) {
    const rt::TlsFacts* tls = stream.tls();
    return tls && tls->alpn == "h2";
}

bool begins_like_h2(std::string_view bytes) {
    return kH2Preface.starts_with(bytes.substr(0, kH2Preface.size()));
}

}  // namespace

rt::Task<void> Connection::run() {
    Kind kind = Kind::h2;
    if (!wants_h2(stream_)) kind = co_await listen_in();
    if (kind == Kind::h1) co_await speak_h1();
    if (kind == Kind::h2) co_await speak_h2();
}

// Waits for as many bytes as it takes to tell. Whatever ends early is HTTP/1.1's to complain about;
// a connection on which nothing ever came just ends.
rt::Task<Connection::Kind> Connection::listen_in() {
    rt::Loop& loop = stream_.loop();
    TimePoint until = deadline_after(loop.now(), handler_.limits().header_timeout);
    for (;;) {
        // While draining, a request that is already on its way still finds somebody home.
        if (draining_) until = std::min(until, drain_began_ + kDrainGrace);
        waiting_ = true;
        rt::Wake woken = co_await stream_.readable(until);
        waiting_ = false;
        bool nudged = woken == rt::Wake::timeout && loop.now() < until;
        if (nudged) continue;
        if (woken == rt::Wake::timeout) co_return first_.empty() ? Kind::none : Kind::h1;
        if (!first_) first_ = buffers_.lease(rt::BufferPool::tiny);
        rt::Io got = stream_.read(first_.room());
        if (got.blocked()) {
            if (first_.empty()) first_.release();
            continue;
        }
        if (got.failed()) co_return first_.empty() ? Kind::none : Kind::h1;
        first_.filled(got.bytes);
        if (!begins_like_h2(first_.bytes())) co_return Kind::h1;
        if (first_.size() >= kH2Preface.size()) co_return Kind::h2;
    }
}

rt::Task<void> Connection::speak_h1() {
    H1Session session(stream_, peer_, buffers_, handler_, std::move(first_));
    session_ = &session;
    if (draining_) session.drain();
    co_await session.run();
    session_ = nullptr;
}

rt::Task<void> Connection::speak_h2() {
    H2Session session(stream_, peer_, buffers_, handler_, std::move(first_));
    session_ = &session;
    if (draining_) session.drain();
    co_await session.run();
    session_ = nullptr;
}

void Connection::drain() {
    draining_ = true;
    drain_began_ = stream_.loop().now();
    if (session_) return session_->drain();
    if (waiting_) stream_.give_up_reading();
}

}  // namespace suoke::http
