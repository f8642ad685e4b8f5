// SPDX-License-Identifier: MIT
#pragma once
// An HTTP/2 client (or any other end) for tests: writes frames as it is told, valid or not, and reads
// what comes by a reader of its own. Only HPACK's decoder is nghttp2's.
//
//   H2Peer h2(s.client());
//   h2.hello().request(1, get_fields("/users/7"));
//   s.upstream("users") >> request("GET", "/users/7") << ok("seven");
//   EXPECT_EQ(h2.stream(1).status, "200");

#include <nghttp2/nghttp2.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "testing/scene.h"

namespace suoke::scene {

enum FrameType : std::uint8_t {
    kData, kHeaders, kPriority, kRstStream, kSettings, kPushPromise, kPing, kGoaway, kWindowUpdate, kContinuation,
};
constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8;

using Fields = std::vector<std::pair<std::string, std::string>>;

// HPACK, each field a literal without indexing and without Huffman: whatever its bytes are.
std::string hpack(const Fields& fields);
std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {});
std::string u32(std::uint32_t value);
std::string setting(std::uint16_t id, std::uint32_t value);
Fields get_fields(std::string path, Fields more = {});
Fields post_fields(std::string path, Fields more = {});

class H2Peer {
 public:
    explicit H2Peer(Peer& peer);
    ~H2Peer();
    H2Peer(const H2Peer&) = delete;
    H2Peer& operator=(const H2Peer&) = delete;

    struct Stream {
        std::string status;
        Fields fields, trailers;           // of a request, the pseudo-header fields included
        std::vector<std::string> interim;  // their statuses
        std::string body;
        bool ended = false;
        std::optional<std::uint32_t> reset;
        std::optional<std::string> field(std::string_view name) const;
    };

    // Preface, SETTINGS (with `settings`), and the ACK of the other side's.
    H2Peer& hello(std::string_view settings = {});
    // As a server: takes the other side's preface, sends SETTINGS (with `settings`) and an ACK.
    H2Peer& welcome(std::string_view settings = {});
    H2Peer& answer(std::uint32_t stream, const std::string& status, std::string_view body, Fields fields = {});
    H2Peer& send(std::string_view bytes);
    H2Peer& request(std::uint32_t stream, const Fields& fields, bool end = true);
    H2Peer& data(std::uint32_t stream, std::string_view bytes, bool end = false);
    H2Peer& rst(std::uint32_t stream, std::uint32_t code = 8);
    H2Peer& window(std::uint32_t stream, std::uint32_t bytes);

    // What has come so far.
    H2Peer& read();
    Stream& stream(std::uint32_t id) { return read().streams_[id]; }
    std::optional<std::uint32_t> goaway() { return read().goaway_; }    // the last one's error
    std::uint32_t goaway_last() { return read().goaway_last_; }
    std::size_t count(std::uint8_t type) { return read().counts_[type]; }
    std::map<std::uint16_t, std::uint32_t>& settings() { return read().settings_; }
    std::uint64_t opened(std::uint32_t stream) { return read().windows_[stream]; }  // by WINDOW_UPDATE
    bool ended() { return read().peer_.ended(); }

 private:
    void take(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
    void take_block(std::uint32_t stream, bool end);

    Peer& peer_;
    nghttp2_hd_inflater* inflater_ = nullptr;
    std::string inbox_, block_;
    bool block_ends_stream_ = false;
    std::map<std::uint32_t, Stream> streams_;
    std::map<std::uint8_t, std::size_t> counts_;
    std::map<std::uint16_t, std::uint32_t> settings_;
    std::map<std::uint32_t, std::uint64_t> windows_;
    std::optional<std::uint32_t> goaway_;
    std::uint32_t goaway_last_ = 0;
};

}  // namespace suoke::scene
