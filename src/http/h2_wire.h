// SPDX-License-Identifier: MIT
#pragma once
// The bytes of an HTTP/2 connection, for both sides: what comes is fed to nghttp2, and what it has to
// say is gathered during a turn of the loop and leaves in one write at its end. nghttp2's callbacks
// must not run anything: they queue what shall happen, and User::settle() does it at loop level.

#include <nghttp2/nghttp2.h>

#include <string_view>

#include "base/time.h"
#include "http/body.h"
#include "http/h2_frames.h"
#include "rt/buffer.h"
#include "rt/scope.h"
#include "rt/stream.h"

namespace suoke::http::h2 {

class Wire {
 public:
    class User {
     public:
        // Everything the callbacks have queued. May destroy exchanges, but not the wire.
        virtual void settle() = 0;
        // Before nghttp2 sees any of its payload. False: nothing more will be read.
        virtual bool frame_begins(const FrameHead& head) = 0;
        // nghttp2 refused what came (its error code); nothing more will be read.
        virtual void refused(int nghttp2_error) = 0;
        virtual Duration write_patience() const = 0;
        // When the reader has something to do even if nothing comes.
        virtual TimePoint alarm() const = 0;

     protected:
        ~User() = default;
    };
    // `preface`: how much of it the peer sends before its first frame; `first`: bytes of the connection
    // that somebody has read already.
    Wire(rt::Stream& stream, rt::BufferPool& buffers, User& user, std::size_t preface = 0, rt::Buffer first = {})
        : stream_(stream), buffers_(buffers), user_(user), frames_(preface), in_(std::move(first)) {}
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    nghttp2_session* library = nullptr;   // made by one of these, deleted here
    void make_server(const nghttp2_session_callbacks* callbacks, void* user);
    void make_client(const nghttp2_session_callbacks* callbacks, void* user);

    // ---- reading
    // What is here; nothing is held when that is nothing.
    rt::Io read_some();
    void feed_first();                    // what the constructor was given
    rt::StreamWait readable();            // ... or the user's alarm

    // ---- writing
    void later();                         // settle and write at the end of this turn
    // Serialises what nghttp2 has to say. False when there was no room for all of it.
    bool pack();
    // Whether pack() makes a frame that is submitted now before it returns, so that nothing of it
    // need be copied. For HEADERS of more than 16 KiB it is a guess: look whether they were sent.
    bool next_frame_is_made_at_once() const;
    // What the next DATA frame of stream `id` shall carry of `piece`, at most `most` bytes; sets
    // nghttp2's flags, and behind the last bytes of `source` submits its trailers. For a data
    // provider's callback, which returns the size.
    std::string_view cut_frame(std::int32_t id, const Piece& piece, const BodySource* source, std::size_t most,
                               std::uint32_t& flags);
    // That frame, straight into the buffer. False: there is no room for another one behind it.
    bool write_frame(const std::uint8_t* head, std::string_view bytes);
    // The last frames, as long as the peer takes them. Nothing is settled any more.
    rt::Task<void> say_goodbye();

    bool over() const;                    // nothing to read and nothing to write
    bool broken() const { return broken_; }
    void break_off() { broken_ = true; }
    bool leaving() const { return leaving_; }
    // No more turns: exchanges may be destroyed without anything being said.
    void leave();

 private:
    struct Turn final : rt::Deferred {
        explicit Turn(Wire& w) : wire(w) {}
        void run() override { wire.end_of_turn(); }
        Wire& wire;
    };
    void feed();
    void end_of_turn();
    void write();
    rt::Task<void> wait_for_room();

    rt::Stream& stream_;
    rt::BufferPool& buffers_;
    User& user_;
    FrameCutter frames_;
    rt::Buffer in_;                    // leased while there is something to read
    rt::Buffer out_;                   // frames of this turn, or what the peer has not taken yet
    std::string_view unpacked_;        // nghttp2's: behind `out_`, until it gives the next
    Turn turn_{*this};
    TimePoint armed_ = TimePoint::min();  // when the reader wakes at the latest; min: it does not wait
    bool deaf_ = false;                // what the peer says is no longer looked at
    bool broken_ = false;              // nothing can be said any more
    bool leaving_ = false;
    bool packing_ = false;
    bool waits_for_room_ = false;
    bool bulk_ = false;                // the last turn had more to say than a buffer holds
    rt::TaskScope writer_;             // ends before everything above
};

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace suoke::http::h2
