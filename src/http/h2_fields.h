// SPDX-License-Identifier: MIT
#pragma once
// HTTP/2 field blocks (RFC 9113 §8) as messages and back; for the server's side and the client's.
// Strict: whatever passes may be written into an HTTP/1.1 head as it is.
//
//   h2::FieldBlock block(buffers, h2::FieldBlock::request, {limits.request_line, limits.head, limits.fields});
//   block.add(name, value);                                   // for each pair, as HPACK gives them
//   if (h1::Refusal refusal = block.finish(head, end_stream)) // what was wrong with any of them
//       h2::is_malformed(refusal.code) ? reset the stream : answer it;

#include <nghttp2/nghttp2.h>

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string_view>

#include "http/h1_fields.h"
#include "http/h1_parser.h"
#include "http/message.h"
#include "rt/buffer.h"

namespace suoke::http::h2 {

// Bytes that stay where they are for as long as this lives, in leased buffers.
class HeadArena {
 public:
    explicit HeadArena(rt::BufferPool& buffers) : buffers_(buffers) {}
    // Of one piece.
    static constexpr std::size_t kMost = rt::BufferPool::kBytes[rt::BufferPool::large];
    char* allocate(std::size_t size);
    // Two pieces, one behind the other.
    std::string_view keep(std::string_view a, std::string_view b = {});

 private:
    rt::BufferPool& buffers_;
    boost::container::small_vector<rt::Buffer, 2> blocks_;
};

// One field block: the fields of a head, or of trailers. What is wrong with it is remembered and told
// by finish(); the block must be fed to its end all the same, or the HPACK states part.
class FieldBlock {
 public:
    enum Kind : std::uint8_t { request, response, trailers };

    FieldBlock(rt::BufferPool& buffers, Kind kind, const h1::Limits& limits)
        : arena_(buffers), limits_(limits), kind_(kind) {}

    void add(std::string_view name, std::string_view value);
    // Decoded bytes so far, counted as SETTINGS_MAX_HEADER_LIST_SIZE does (RFC 9113 §6.5.2).
    std::size_t size() const { return size_; }
    // Decoded far more than is allowed: an HPACK bomb, not worth decoding on.
    bool hopeless() const { return size_ > limits_.head * 16; }

    // `end_stream`: no content follows. The heads' views live as long as this block.
    // Codes: malformed_request for what RFC 9113 §8.1.1 calls malformed; header_too_large,
    // uri_too_long for what is only too much, with as much of the head as was understood.
    h1::Refusal finish(RequestHead& head, bool end_stream);
    // `method` of the request decides the framing (RFC 9110 §6.4.1).
    h1::Refusal finish(ResponseHead& head, Method method, bool end_stream);
    // Fields that are refused in HTTP/1.1 trailers are refused here, too.
    h1::Refusal finish_trailers();
    const Headers& fields() const { return fields_; }
    HeadArena& arena() { return arena_; }

 private:
    enum Pseudo : std::uint8_t { method, scheme, path, authority, protocol, status, kPseudos };
    void add_pseudo(std::string_view name, std::string_view value);
    void add_field(HeaderId id, std::string_view name, std::string_view value);
    void refuse(const char* what, Code code = Code::malformed_request) {
        if (!refusal_) refusal_ = {what, code};
    }
    bool has(Pseudo p) const { return (seen_ >> p & 1) != 0; }
    bool join_cookies();
    h1::Refusal read_connect(RequestHead& head);
    h1::Refusal read_target(RequestHead& head);
    h1::Refusal read_authority(const h1::Facts& facts, RequestHead& head);

    HeadArena arena_;
    h1::Limits limits_;
    Headers fields_;
    std::string_view pseudo_[kPseudos];
    h1::Refusal refusal_;
    std::size_t size_ = 0;
    std::uint8_t seen_ = 0;     // a bit per pseudo-header field
    Kind kind_;
    bool regular_ = false;      // a regular field was seen: no pseudo-header field may follow
    bool too_large_ = false;
};

// True for what ends the stream with PROTOCOL_ERROR, false for what gets an ordinary answer.
constexpr bool is_malformed(Code code) { return code != Code::header_too_large && code != Code::uri_too_long; }

// Fields of one connection that have no place in HTTP/2 (RFC 9113 §8.2.2).
constexpr HeaderSet kConnectionSpecific =
    header_set(HeaderId::connection, HeaderId::keep_alive, HeaderId::proxy_connection,
               HeaderId::transfer_encoding, HeaderId::upgrade);

constexpr HeaderSet kNotForwarded = kConnectionSpecific | header_set(HeaderId::content_length);

// RFC 9113 §7.
enum class ErrorCode : std::uint32_t {
    no_error = 0x0,
    protocol_error = 0x1,
    internal_error = 0x2,
    flow_control_error = 0x3,
    settings_timeout = 0x4,
    stream_closed = 0x5,
    frame_size_error = 0x6,
    refused_stream = 0x7,
    cancel = 0x8,
    compression_error = 0x9,
    connect_error = 0xa,
    enhance_your_calm = 0xb,
    inadequate_security = 0xc,
    http_1_1_required = 0xd,
};
// What a failure of ours is called when a stream is cut for it.
ErrorCode error_code_for(Code code);
// What an upstream's RST_STREAM or GOAWAY means to us; refused_stream may be repeated elsewhere.
Code code_for_upstream(ErrorCode code);

// Name/value pairs for nghttp2, as views: whatever they are made of must live until they are
// submitted, when nghttp2 copies them and makes the names lower-case. `lasting`: it lives until the
// frame has been made (see Wire::next_frame_is_made_at_once), and nothing is copied.
class Pairs {
 public:
    explicit Pairs(bool lasting = false)
        : lasting_(lasting ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE : NGHTTP2_NV_FLAG_NONE) {}
    // `name` in lower case.
    void add(std::string_view name, std::string_view value) { put(name, value, lasting_); }
    void add_field(const Field& field);
    // Every field that HTTP/2 may carry, in its order; Content-Length is the caller's.
    void add_fields(const Headers& headers) {
        for (const Field& field : headers)
            if (!is_in(kNotForwarded, field.id)) add_field(field);
    }
    const nghttp2_nv* data() const { return pairs_.data(); }
    std::size_t size() const { return pairs_.size(); }
    bool lasting() const { return lasting_ != 0; }

 private:
    void put(std::string_view name, std::string_view value, std::uint8_t flags);

    boost::container::small_vector<nghttp2_nv, 24> pairs_;
    std::uint8_t lasting_;
};

}  // namespace suoke::http::h2
