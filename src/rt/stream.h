// SPDX-License-Identifier: MIT
#pragma once
// A byte stream: TCP, a Unix socket, or a pair in memory, all alike. Reading and writing never block;
// what cannot be done now is awaited. One reader and one writer at a time.
//
//   for (;;) {
//       rt::Io got = stream.read(space);
//       if (got.blocked()) { if (co_await stream.readable(deadline) == rt::Wake::timeout) ...; continue; }
//       if (got.failed()) ...  // ended() tells a clean end from a reset
//   }

#include <sys/uio.h>

#include <coroutine>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::rt {

enum class Wake : std::uint8_t { ready, timeout };

struct Io {
    enum State : std::uint8_t { done, would_block, end, reset };
    State state = done;
    std::size_t bytes = 0;
    bool blocked() const { return state == would_block; }
    bool ended() const { return state == end; }
    bool failed() const { return state >= end; }
};

class Stream;

// One wait for one direction, with a deadline. Destroying it is giving up.
class [[nodiscard]] StreamWait final : public Timer {
 public:
    StreamWait(Stream& stream, StreamWait*& slot, const bool& ready, TimePoint deadline)
        : stream_(stream), slot_(slot), ready_(ready), deadline_(deadline) {}
    ~StreamWait() { leave(); }

    bool await_ready() const noexcept { return ready_; }
    void await_suspend(std::coroutine_handle<> waiter);
    Wake await_resume() {
        leave();
        return outcome_;
    }
    void wake(Wake outcome) {
        leave();
        outcome_ = outcome;
        waiter_.resume();
    }

 private:
    void expired() override { wake(Wake::timeout); }
    void leave() {
        disarm();
        if (slot_ == this) slot_ = nullptr;
    }

    Stream& stream_;
    StreamWait*& slot_;
    const bool& ready_;
    TimePoint deadline_;
    std::coroutine_handle<> waiter_;
    Wake outcome_ = Wake::ready;
};

// Is told, once and at loop level, that the peer has gone (end of its stream, or a reset).
class HangupListener {
 public:
    virtual void on_hangup() = 0;

 protected:
    ~HangupListener() = default;
};

// A stream that stands on another one (TLS on a socket) is told what becomes of that one, in place of
// its readers, its writers and its hang-up listener; it may be destroyed while it is told.
class StreamAbove {
 public:
    virtual void below_became_readable() = 0;
    virtual void below_became_writable() = 0;
    virtual void below_hung_up(bool broken) = 0;

 protected:
    ~StreamAbove() = default;
};

struct TlsFacts;  // tls.h

class Stream {
 public:
    explicit Stream(Loop& loop) : loop_(loop) {}
    virtual ~Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    virtual Io read(std::span<char> space) = 0;
    // Like read(), but the bytes stay. Only sockets and pipes in memory can, not what lies above them.
    // When what it saw is not enough, wait for more_readable().
    virtual Io peek(std::span<char>) { return {Io::reset, 0}; }
    virtual Io write(std::span<const iovec> pieces) = 0;
    Io write(std::string_view bytes);
    virtual void shutdown_write() = 0;
    // Make the peer see a broken connection (RST) when this stream is destroyed. Unix sockets know
    // no reset: there the peer sees an ordinary end.
    virtual void reset_on_close() = 0;
    virtual std::string peer() const = 0;  // "192.0.2.1:4711", "unix:", for logs
    virtual const TlsFacts* tls() const { return nullptr; }  // null: in the clear

    StreamWait readable(TimePoint deadline) { return {*this, reader_, readable_, deadline}; }
    StreamWait more_readable(TimePoint deadline) {
        readable_ = hung_up_;
        return readable(deadline);
    }
    StreamWait writable(TimePoint deadline) { return {*this, writer_, writable_, deadline}; }

    // The peer has closed its side, or the connection is broken; bytes may still be unread.
    bool hung_up() const { return hung_up_; }
    bool maybe_readable() const { return readable_; }
    bool maybe_writable() const { return writable_; }
    // Ends a pending readable() as if its deadline had come; for closing what is idle.
    void give_up_reading() {
        if (reader_) reader_->wake(Wake::timeout);
    }
    void set_hangup_listener(HangupListener* listener) { hangup_listener_ = listener; }
    void set_above(StreamAbove* above) { above_ = above; }
    Loop& loop() { return loop_; }

 protected:
    // For the implementations; each may resume a coroutine that destroys this stream.
    void became_readable();
    void became_writable();
    // Marks first, then wakes: the reader, the writer and the listener all learn of it.
    void peer_hung_up(bool broken);
    bool has_reader() const { return reader_ != nullptr; }

    bool readable_ = false;
    bool writable_ = true;

 private:
    friend class StreamWait;
    Loop& loop_;
    StreamWait* reader_ = nullptr;
    StreamWait* writer_ = nullptr;
    HangupListener* hangup_listener_ = nullptr;
    StreamAbove* above_ = nullptr;
    bool hung_up_ = false;
};

using StreamPtr = std::unique_ptr<Stream>;

// One write of several pieces (at most four), as much as goes at once; what went is taken off them.
// `done`: all of it; `would_block`: some is left.
Io write_some(Stream& stream, std::span<std::string_view> pieces);

// Two ends of a pipe in memory; each direction holds at most `capacity` bytes.
std::pair<StreamPtr, StreamPtr> memory_pair(Loop& loop, std::size_t capacity = 64 * 1024);

// Awaits `task`, but gives it up (destroys it) when the peer of `stream` leaves. True: it finished.
class [[nodiscard]] UnlessHangup final : HangupListener {
 public:
    UnlessHangup(Stream& stream, Task<void> task) : stream_(stream), task_(std::move(task)) {}
    ~UnlessHangup() { stream_.set_hangup_listener(nullptr); }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
        parent_ = parent;
        stream_.set_hangup_listener(this);  // the task may take it off again
        if (task_.start()) return false;
        task_.continue_with(parent);
        return true;
    }
    bool await_resume() const { return !gone_; }

 private:
    void on_hangup() override {
        gone_ = true;
        stream_.set_hangup_listener(nullptr);
        task_.reset();
        parent_.resume();
    }
    Stream& stream_;
    Task<void> task_;
    std::coroutine_handle<> parent_;
    bool gone_ = false;
};

}  // namespace suoke::rt
