// SPDX-License-Identifier: MIT
#include "rt/stream.h"

#include <algorithm>
#include <cstring>

namespace suoke::rt {

void StreamWait::await_suspend(std::coroutine_handle<> waiter) {
    CHECK(!slot_);
    slot_ = this;
    waiter_ = waiter;
    if (deadline_ != kNever) stream_.loop().timers().arm(*this, deadline_);
}

Io Stream::write(std::string_view bytes) {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return write(std::span<const iovec>(&piece, 1));
}

Io write_some(Stream& stream, std::span<std::string_view> pieces) {
    iovec vector[4];
    std::size_t count = 0;
    for (std::string_view piece : pieces)
        if (!piece.empty()) vector[count++] = {const_cast<char*>(piece.data()), piece.size()};
    if (count == 0) return {};
    Io put = stream.write(std::span<const iovec>(vector, count));
    std::size_t written = put.bytes;
    for (std::string_view& piece : pieces) {
        std::size_t n = std::min(written, piece.size());
        piece.remove_prefix(n);
        written -= n;
        if (!piece.empty() && put.state == Io::done) put.state = Io::would_block;
    }
    return put;
}

void Stream::became_readable() {
    readable_ = true;
    if (above_) return above_->below_became_readable();
    if (reader_) reader_->wake(Wake::ready);
}

void Stream::became_writable() {
    writable_ = true;
    if (above_) return above_->below_became_writable();
    if (writer_) writer_->wake(Wake::ready);
}

void Stream::peer_hung_up(bool broken) {
    hung_up_ = true;
    readable_ = true;
    if (broken) writable_ = true;
    if (above_) return above_->below_hung_up(broken);
    // The listener owns the work of an exchange; whoever reads or writes inside is part of it.
    if (hangup_listener_) return hangup_listener_->on_hangup();
    if (broken && writer_ && reader_) {
        // Waking one may end the other; the loop will not report this again, so the writer goes
        // first only when nobody reads: a reader that finds the reset ends the writer too.
        return reader_->wake(Wake::ready);
    }
    if (reader_) return reader_->wake(Wake::ready);
    if (broken && writer_) writer_->wake(Wake::ready);
}

namespace {

// One direction of a pipe in memory.
struct Channel {
    std::string bytes;
    std::size_t capacity = 0;
    bool closed = false;   // the writer is done
    bool broken = false;   // reset
    bool gone = false;     // the reader is gone
};

class MemoryStream final : public Stream {
 public:
    MemoryStream(Loop& loop, std::shared_ptr<Channel> in, std::shared_ptr<Channel> out)
        : Stream(loop), in_(std::move(in)), out_(std::move(out)), news_(*this) {}

    ~MemoryStream() override {
        out_->closed = true;
        if (reset_) out_->broken = true;
        in_->gone = true;
        if (peer_) {
            peer_->peer_ = nullptr;
            peer_->notify();
        }
    }

    Io read(std::span<char> space) override {
        if (in_->broken) return {Io::reset, 0};
        if (in_->bytes.empty()) {
            readable_ = in_->closed;
            return {in_->closed ? Io::end : Io::would_block, 0};
        }
        std::size_t n = std::min(space.size(), in_->bytes.size());
        std::memcpy(space.data(), in_->bytes.data(), n);
        in_->bytes.erase(0, n);
        readable_ = !in_->bytes.empty() || in_->closed;
        if (peer_) peer_->notify();  // there is room again
        return {Io::done, n};
    }

    Io peek(std::span<char> space) override {
        if (in_->broken) return {Io::reset, 0};
        readable_ = !in_->bytes.empty() || in_->closed;
        if (in_->bytes.empty()) return {in_->closed ? Io::end : Io::would_block, 0};
        std::size_t n = std::min(space.size(), in_->bytes.size());
        std::memcpy(space.data(), in_->bytes.data(), n);
        return {Io::done, n};
    }

    Io write(std::span<const iovec> pieces) override {
        if (out_->gone || in_->broken) return {Io::reset, 0};
        std::size_t written = 0;
        for (const iovec& piece : pieces) {
            std::size_t room = out_->capacity - std::min(out_->capacity, out_->bytes.size());
            std::size_t n = std::min(room, piece.iov_len);
            out_->bytes.append(static_cast<const char*>(piece.iov_base), n);
            written += n;
            if (n < piece.iov_len) {
                writable_ = false;
                break;
            }
        }
        if (peer_ && written) peer_->notify();
        if (written == 0 && !writable_) return {Io::would_block, 0};
        return {Io::done, written};
    }

    void shutdown_write() override {
        out_->closed = true;
        if (peer_) peer_->notify();
    }
    void reset_on_close() override { reset_ = true; }
    std::string peer() const override { return "192.0.2.1:4711"; }

    MemoryStream* peer_ = nullptr;

 private:
    struct News final : Deferred {
        explicit News(MemoryStream& s) : stream(s) {}
        void run() override { stream.look(); }
        MemoryStream& stream;
    };
    void notify() { loop().defer(news_); }
    void look() {
        if (!hung_up() && (in_->closed || in_->broken)) return peer_hung_up(in_->broken || out_->gone);
        bool has_room = out_->bytes.size() < out_->capacity || out_->gone;
        if (!in_->bytes.empty() && has_room && !writable_) {
            loop().defer(news_);  // waking may destroy this: one thing at a time
            return became_writable();
        }
        if (has_room && !writable_) return became_writable();
        if (!in_->bytes.empty()) return became_readable();
    }

    std::shared_ptr<Channel> in_, out_;
    News news_;
    bool reset_ = false;
};

}  // namespace

std::pair<StreamPtr, StreamPtr> memory_pair(Loop& loop, std::size_t capacity) {
    auto forth = std::make_shared<Channel>();
    auto back = std::make_shared<Channel>();
    forth->capacity = back->capacity = capacity;
    auto a = std::make_unique<MemoryStream>(loop, back, forth);
    auto b = std::make_unique<MemoryStream>(loop, forth, back);
    a->peer_ = b.get();
    b->peer_ = a.get();
    return {std::move(a), std::move(b)};
}

}  // namespace suoke::rt
