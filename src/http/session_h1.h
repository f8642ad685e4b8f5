// SPDX-License-Identifier: MIT
#pragma once
// The server side of an HTTP/1.1 connection: reads requests in order, hands each to the Handler,
// writes its response. Knows RFC 9112 and no policy.

#include <optional>

#include "http/h1_body.h"
#include "http/handler.h"
#include "http/session.h"

namespace suoke::http {

class H1Writer;

class H1Session final : public Session, Responder {
 public:
    // `first`: bytes of the connection that somebody has read already.
    H1Session(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler,
              rt::Buffer first = {});

    // Until the connection ends.
    rt::Task<void> run();
    // No exchange after the present one; ends after a moment of grace when there is none.
    void drain() override;
    bool idle() const { return idle_; }

 private:
    rt::Task<bool> first_bytes();
    rt::Task<void> exchange();
    using HeadRead = Result<void>;
    std::optional<HeadRead> read_head_now(Request& request, h1::Progress& progress);
    rt::Task<HeadRead> read_rest_of_head(Request& request, h1::Progress& progress);
    rt::Task<void> answer(Request& request);
    void keep_rest(H1Body& body);
    void grow_head_buffer();

    rt::Task<Sent> send(Response response) override;
    rt::Task<void> interim(int status, const Headers& headers) override;
    bool has_body(const Response& response) const;
    void decide_end(const Response& response, bool sized);
    void write_head(H1Writer& out, const Response& response, std::optional<std::uint64_t> length);
    void write_length(H1Writer& out, const Response& response, std::optional<std::uint64_t> length);
    bool send_at_once(H1Writer& out, Piece& piece, Sent& sent);
    rt::Task<bool> send_body(H1Writer& out, BodySource* body, Piece piece, TimePoint deadline, Sent& sent);
    rt::Task<bool> flush(H1Writer& out, std::string_view bytes, std::string_view after, TimePoint deadline,
                         Sent& sent);

    rt::Stream& stream_;
    const rt::Address& peer_;
    std::string peer_host_;
    rt::BufferPool& buffers_;
    Handler& handler_;
    rt::Buffer in_;                     // leased while there is something to read
    Request* request_ = nullptr;        // of the exchange under way
    H1Body* body_ = nullptr;
    std::uint32_t exchanges_ = 0;
    bool idle_ = false;
    bool draining_ = false;
    TimePoint drain_began_{};
    bool keep_ = true;                  // another request may follow
    bool chunked_ = false;              // how the present response's body is framed
    bool tunnel_ = false;               // the present response has switched protocols
    bool linger_ = false;               // the client may still be sending what nobody will read
};

}  // namespace suoke::http
