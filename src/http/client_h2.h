// SPDX-License-Identifier: MIT
#pragma once
// The client side of an HTTP/2 connection (RFC 9113) on nghttp2: many exchanges beside each other.
//
//   auto client = std::make_shared<H2Client>(std::move(stream), buffers, limits, watcher);
//   scope.spawn(run(client));                          // client->run(), until the connection ends
//   H2Exchange exchange(client, Method::GET, rules);
//   exchange.begin(pairs, {}, nullptr);
//   while (!exchange.has_head()) co_await exchange.news(until);   // ... then it is the response's body
//
// Destroying an exchange resets its stream; the connection goes on.

#include <nghttp2/nghttp2.h>

#include <deque>
#include <memory>
#include <optional>

#include "http/h2_body.h"
#include "http/h2_fields.h"
#include "http/h2_patience.h"
#include "http/h2_wire.h"
#include "rt/frame_cache.h"
#include "rt/scope.h"

namespace suoke::http {

class H2Exchange;

class H2Client final : h2::Wire::User {
 public:
    struct Limits {
        h1::Limits head{16 * 1024, 64 * 1024, 200};
        std::uint32_t streams = 128;                    // at once, if the server allows as many
        std::uint32_t stream_window = 256 * 1024;       // response bytes a stream may have unread
        std::uint32_t connection_window = 4 << 20;      // ... and all of them together
        Duration write = std::chrono::seconds(30);      // longest the server may accept nothing
        Duration idle = std::chrono::seconds(60);       // without an exchange; then it is closed
    };
    // Is told when there may be room for another exchange, or never again any; at loop level.
    class Watcher {
     public:
        virtual void changed() = 0;

     protected:
        ~Watcher() = default;
    };
    H2Client(rt::StreamPtr stream, rt::BufferPool& buffers, const Limits& limits, Watcher& watcher);
    ~H2Client();

    // Until the connection ends; what is under way then fails.
    rt::Task<void> run();
    bool has_room() const;
    bool ended() const { return ended_; }
    bool idle() const { return open_ == 0; }
    bool used() const { return used_; }        // an exchange was begun on it before
    void close();                              // GOAWAY; what is under way goes on
    rt::Stream& stream() { return *stream_; }

 private:
    friend class H2Exchange;
    struct Library;  // nghttp2's callbacks

    void settle() override;
    bool frame_begins(const h2::FrameHead& head) override;
    void refused(int nghttp2_error) override;
    Duration write_patience() const override { return limits_.write; }
    TimePoint alarm() const override;
    void begin();
    void lose_all();
    void forget_block();
    void wake(h2::Wait* wait);
    std::uint32_t most_streams() const;

    rt::StreamPtr stream_;
    rt::BufferPool& buffers_;
    const Limits limits_;
    Watcher* watcher_;
    h2::Wire wire_;
    h2::FrameGate gate_;
    rt::List<H2Exchange> exchanges_;   // not owned
    rt::List<h2::Wait> woken_;
    H2Exchange* reading_ = nullptr;    // whose field block is under way
    h2::FieldBlock* block_ = nullptr;  // ... and the block
    std::uint32_t open_ = 0;           // streams that count against the server's limit
    TimePoint idle_since_{};
    bool settings_known_ = false;
    bool used_ = false;
    bool closing_ = false;
    bool ended_ = false;
    bool changed_ = false;             // the watcher has not been told yet
};

// One request and its response; the response's body once its final head was read.
class H2Exchange final : public BodySource, public rt::ListHook<H2Exchange>, public H2Body::Owner {
 public:
    struct Rules {
        Duration idle;                 // longest silence inside the response
        TimePoint deadline = kNever;
    };
    H2Exchange(std::shared_ptr<H2Client> client, Method method, const Rules& rules);
    ~H2Exchange();

    // Sends the head; then `first` and what `more` gives, at the server's pace. Without content the
    // head ends the stream. `tunnel`: the content begins when the answer is 200.
    Result<void> begin(const h2::Pairs& head, Piece first, BodySource* more, bool tunnel = false);
    bool makes_frames_at_once() const { return client_->wire_.next_frame_is_made_at_once(); }
    bool knows_settings() const { return client_->settings_known_; }
    bool allows_tunnels() const;       // RFC 8441; only once the settings are known
    // Something has happened to the request or its response; or `until` has come.
    h2::Wait news(TimePoint until) { return {body_loop(), waiter_, until}; }
    bool has_head() const { return !heads_.empty() && heads_.front()->complete; }  // interim or final
    ResponseHead& head() { return heads_.front()->head; }
    const std::optional<Error>& failure() const { return failure_; }
    void take_head();                  // an interim one was dealt with
    void begin_body();                 // the final one: from here on this is its body

    // How the request is getting on.
    bool uploaded() const { return uploaded_; }
    bool waits_for_content() const { return waits_for_content_; }
    TimePoint progress() const { return progress_; }   // when the server last took something
    bool refused() const { return refused_; }          // the server has not looked at it (RFC 9113 §8.7)
    bool answered() const { return answered_; }

    Result<Piece> next() override;
    rt::Task<void> wait() override { return body_->wait(); }
    void forget_head() override { heads_.clear(); }
    std::optional<std::uint64_t> remaining() const override { return body_->remaining(); }
    std::uint64_t received() const override { return body_ ? body_->received() : 0; }
    const Headers* trailers() const override { return body_->trailers(); }

 private:
    friend class H2Client;
    friend struct H2Client::Library;
    struct Head {
        Head(rt::BufferPool& buffers, const h1::Limits& limits) : block(buffers, h2::FieldBlock::response, limits) {}
        h2::FieldBlock block;          // what `head` points into
        ResponseHead head;
        bool complete = false;
        bool last = false;             // nothing follows it
    };
    void body_taken(std::size_t bytes) override;
    rt::Loop& body_loop() override;
    ssize_t read_content(std::size_t most, std::uint32_t& flags);
    bool write_content(const std::uint8_t* head, std::size_t size);
    rt::Task<void> wait_for_content();
    h2::FieldBlock* begin_block();
    void head_complete(bool end_stream);
    void body_complete();
    void closed(h2::ErrorCode code);
    void malformed(const char* what);
    void fail(Error error);

    std::shared_ptr<H2Client> client_;
    const Method method_;
    const Rules rules_;
    std::int32_t id_ = -1;
    std::deque<std::unique_ptr<Head>> heads_;
    bool final_head_ = false;          // has come
    std::optional<H2Body> body_;       // made with the final head
    std::optional<Error> failure_;
    h2::Wait* waiter_ = nullptr;       // for a head or the settings
    // the request's content
    Piece piece_{{}, Piece::end};      // what is left of the last one
    std::string_view frame_;           // of it, the DATA frame that is being written
    BodySource* more_ = nullptr;
    bool held_ = false;                // a tunnel that has not opened yet
    bool waits_for_content_ = false;
    bool stalled_ = false;             // ... and nobody waits for it yet
    bool head_sent_ = false;
    bool uploaded_ = false;
    bool closed_ = false;              // nghttp2 has forgotten the stream
    bool refused_ = false;
    bool answered_ = false;
    TimePoint progress_{};
    rt::TaskScope upload_;             // ends before everything above
};

}  // namespace suoke::http
