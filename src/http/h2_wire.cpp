// SPDX-License-Identifier: MIT
#include "http/h2_wire.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "http/h2_fields.h"
#include "rt/frame_cache.h"

namespace suoke::http::h2 {

constexpr Duration kLastWords = std::chrono::seconds(5);  // for the peer to take them
constexpr int kRoundsPerTurn = 4;                         // full buffers a turn, then others may speak
constexpr std::size_t kMostQueuedFrames = 1000;           // while the peer reads nothing

constexpr std::size_t kLeastRoom = 512;                   // less is not worth another frame

namespace {

// nghttp2 allocates about a dozen small blocks a request; they come from the thread's frame cache,
// with their size in front.
constexpr std::size_t kSizeInFront = alignof(std::max_align_t);

void* allocate(std::size_t size, void*) {
    auto* block = static_cast<char*>(rt::frame_allocate(size + kSizeInFront));
    std::memcpy(block, &size, sizeof size);
    return block + kSizeInFront;
}
std::size_t size_of(const void* memory) {
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const char*>(memory) - kSizeInFront, sizeof size);
    return size;
}
void release(void* memory, void*) {
    if (memory) rt::frame_free(static_cast<char*>(memory) - kSizeInFront, size_of(memory) + kSizeInFront);
}
void* allocate_zeroed(std::size_t count, std::size_t size, void* user) {
    void* memory = allocate(count * size, user);
    std::memset(memory, 0, count * size);
    return memory;
}
void* reallocate(void* memory, std::size_t size, void* user) {
    void* larger = allocate(size, user);
    if (memory) std::memcpy(larger, memory, std::min(size, size_of(memory)));
    release(memory, user);
    return larger;
}

nghttp2_mem* memory() {
    static nghttp2_mem all{nullptr, allocate, release, allocate_zeroed, reallocate};
    return &all;
}

const nghttp2_option* options() {
    static nghttp2_option* const kAll = [] {
        nghttp2_option* all = nullptr;
        CHECK(nghttp2_option_new(&all) == 0);
        nghttp2_option_set_no_auto_window_update(all, 1);
        nghttp2_option_set_no_closed_streams(all, 1);
        // FieldBlock and H2Body are strict themselves; checking twice was 4,800 instructions a request.
        nghttp2_option_set_no_http_messaging(all, 1);
        nghttp2_option_set_max_outbound_ack(all, 100);
        return all;
    }();
    return kAll;
}

}  // namespace

void Wire::make_server(const nghttp2_session_callbacks* callbacks, void* user) {
    CHECK(nghttp2_session_server_new3(&library, callbacks, user, options(), memory()) == 0);
}

void Wire::make_client(const nghttp2_session_callbacks* callbacks, void* user) {
    CHECK(nghttp2_session_client_new3(&library, callbacks, user, options(), memory()) == 0);
}

Wire::~Wire() {
    leave();
    nghttp2_session_del(library);
}

void Wire::leave() {
    leaving_ = true;
    turn_.unlink();
    writer_.cancel();
}

// ---- reading

rt::StreamWait Wire::readable() {
    armed_ = user_.alarm();
    return stream_.readable(armed_);
}

rt::Io Wire::read_some() {
    armed_ = TimePoint::min();
    if (!stream_.maybe_readable()) {
        in_.release();
        return {rt::Io::would_block, 0};
    }
    if (!in_) in_ = buffers_.lease(rt::BufferPool::medium);
    std::size_t room = in_.room().size();
    rt::Io got = stream_.read(in_.room());
    if (got.bytes == 0) return got;
    in_.filled(got.bytes);
    feed();
    bool larger = got.bytes == room && in_.capacity() < rt::BufferPool::kBytes[rt::BufferPool::large];
    if (larger) in_ = buffers_.lease(rt::BufferPool::large);
    return got;
}

void Wire::feed_first() {
    if (!in_.empty()) feed();
}

void Wire::feed() {
    std::string_view bytes = in_.bytes();
    while (!bytes.empty() && !deaf_) {
        std::optional<FrameHead> begins;
        std::string_view part = frames_.cut(bytes, begins);
        if (begins && !user_.frame_begins(*begins)) {
            deaf_ = true;
            break;
        }
        ssize_t used = nghttp2_session_mem_recv(library, reinterpret_cast<const std::uint8_t*>(part.data()), part.size());
        if (used >= 0) continue;
        deaf_ = true;
        user_.refused(static_cast<int>(used));
    }
    in_.clear();
}

// ---- writing

bool Wire::over() const {
    if (broken_ || deaf_) return true;
    return out_.empty() && unpacked_.empty() && !nghttp2_session_want_read(library) &&
           !nghttp2_session_want_write(library);
}

void Wire::later() {
    if (!leaving_) stream_.loop().defer(turn_);
}

void Wire::end_of_turn() {
    user_.settle();
    write();
    // Nudges the reader, which may end, and this with it.
    if (over() || user_.alarm() < armed_) stream_.give_up_reading();
}

void Wire::write() {
    for (int round = 0; !waits_for_room_ && !broken_; ++round) {
        bool all = pack();
        if (!out_.empty()) {
            rt::Io put = stream_.write(out_.bytes());
            if (put.failed()) {
                broken_ = true;
                break;
            }
            out_.drop(put.bytes);
        }
        if (!out_.empty()) {
            out_.compact();  // what is not filled is room: next_frame_is_made_at_once() counts on it
            writer_.spawn(wait_for_room());
            break;
        }
        bulk_ = !all;
        out_.release();
        if (all) break;
        if (round == kRoundsPerTurn) {
            later();
            break;
        }
    }
    if (waits_for_room_ && nghttp2_session_get_outbound_queue_size(library) > kMostQueuedFrames) broken_ = true;
}

rt::Task<void> Wire::wait_for_room() {
    waits_for_room_ = true;
    rt::Wake woken = co_await stream_.writable(deadline_after(stream_.loop().now(), user_.write_patience()));
    waits_for_room_ = false;
    if (woken == rt::Wake::timeout) {
        broken_ = true;
        stream_.reset_on_close();
    }
    later();
}

bool Wire::pack() {
    if (packing_) return true;
    packing_ = true;
    bool all = false;
    for (;;) {
        if (!out_ && unpacked_.empty() && !nghttp2_session_want_write(library)) {
            all = true;
            break;
        }
        if (!out_) out_ = buffers_.lease(bulk_ ? rt::BufferPool::large : rt::BufferPool::medium);
        std::size_t fits = std::min(out_.room().size(), unpacked_.size());
        out_.append(unpacked_.substr(0, fits));
        unpacked_.remove_prefix(fits);
        if (!unpacked_.empty() || out_.room().size() < kLeastRoom) break;
        const std::uint8_t* bytes = nullptr;
        ssize_t size = nghttp2_session_mem_send(library, &bytes);
        if (size < 0) broken_ = true;
        if (size > 0) {
            unpacked_ = text_of(bytes, static_cast<std::size_t>(size));
            continue;
        }
        all = out_.room().size() >= kLeastRoom;
        break;
    }
    packing_ = false;
    return all;
}

bool Wire::next_frame_is_made_at_once() const {
    bool room = !out_ || out_.capacity() - out_.size() >= kLeastRoom;
    return room && !packing_ && !broken_ && unpacked_.empty() && nghttp2_session_get_outbound_queue_size(library) == 0;
}

std::string_view Wire::cut_frame(std::int32_t id, const Piece& piece, const BodySource* source, std::size_t most,
                                 std::uint32_t& flags) {
    std::string_view frame = piece.bytes.substr(0, std::min(most, out_.room().size() - kFrameHeadSize));
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    bool last = piece.state == Piece::end && frame.size() == piece.bytes.size();
    if (!last) return frame;
    flags |= NGHTTP2_DATA_FLAG_EOF;
    const Headers* trailers = source ? source->trailers() : nullptr;
    if (!trailers || trailers->empty()) return frame;
    Pairs pairs;
    pairs.add_fields(*trailers);
    if (nghttp2_submit_trailer(library, id, pairs.data(), pairs.size()) == 0) flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return frame;
}

bool Wire::write_frame(const std::uint8_t* head, std::string_view bytes) {
    bool fits = out_.append(text_of(head, kFrameHeadSize)) && out_.append(bytes);
    CHECK(fits);
    return out_.room().size() >= kLeastRoom;
}

rt::Task<void> Wire::say_goodbye() {
    leave();
    in_.release();
    TimePoint until = stream_.loop().now() + kLastWords;
    while (!broken_) {
        pack();
        if (out_.empty()) break;
        rt::Io put = stream_.write(out_.bytes());
        if (put.failed()) co_return;
        out_.drop(put.bytes);
        if (out_.empty()) {
            out_.clear();
            continue;
        }
        rt::Wake woken = co_await stream_.writable(until);
        if (woken == rt::Wake::ready) continue;
        stream_.reset_on_close();
        broken_ = true;
    }
    out_.release();
}

}  // namespace suoke::http::h2
