// SPDX-License-Identifier: MIT
#pragma once
// Between a session (bytes <-> messages, no policy) and whoever answers requests (policy, no bytes).

#include "base/time.h"
#include "http/body.h"
#include "http/message.h"
#include "rt/socket.h"

namespace suoke::http {

// What a session allows its client; read anew for every exchange, so a reload applies at once.
struct SessionLimits {
    std::size_t request_line = 8 * 1024;
    std::size_t head = 16 * 1024;
    std::size_t fields = 100;
    Duration keepalive = std::chrono::seconds(75);
    Duration header_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(30);
    std::uint64_t min_body_rate = 256;  // bytes a second of waiting
    Duration write_timeout = std::chrono::seconds(30);
    std::uint32_t max_requests = 0;     // per connection; 0 = no limit
    // HTTP/2 only; told to the client in SETTINGS when its connection begins.
    std::uint32_t max_concurrent_streams = 128;
    std::uint32_t stream_window = 256 * 1024;      // request bytes one stream may have unread
    std::uint32_t connection_window = 1024 * 1024; // ... and all streams of a connection together
};

// A request as its session hands it over. Lives until the exchange is over.
struct Request {
    RequestHead head;
    BodySource* body = nullptr;   // null: there is none; owned by the session
    const rt::Address* peer = nullptr;  // of the connection
    std::string_view peer_host;         // its text, without port; "unix" for a Unix socket
    TimePoint started;            // first byte seen
    bool secure = false;          // came over TLS
    const rt::TlsFacts* tls = nullptr;  // of the connection; null: in the clear
};

struct Response {
    int status = 200;
    std::string_view reason;      // empty: the usual phrase
    Headers headers;              // end-to-end fields; the session adds framing and Connection
    Body body;                    // also keeps alive what `headers` point into
    bool close = false;           // end the client's connection after this
    TimePoint deadline = kNever;  // for sending all of it
};

// What became of a response.
struct Sent {
    std::uint64_t body_bytes = 0;
    bool head_sent = false;       // something of it reached the client's socket
    bool complete = false;
    Code failure = Code::internal;  // when not complete
};

class Responder {
 public:
    // At most one final response; a second one only when the first did not get its head out.
    virtual rt::Task<Sent> send(Response response) = 0;
    // 1xx (RFC 9110 §15.2); ignored for HTTP/1.0 clients.
    virtual rt::Task<void> interim(int status, const Headers& headers) = 0;

 protected:
    ~Responder() = default;
};

class Handler {
 public:
    // Destroyed before its end when the client leaves.
    virtual rt::Task<void> handle(Request& request, Responder& responder) = 0;
    // The head could not be read. What is known of the request may be nothing.
    virtual rt::Task<void> refuse(Request& request, Error error, Responder& responder) = 0;
    virtual const SessionLimits& limits() const = 0;
    virtual std::string_view date() = 0;  // for the Date field, RFC 9110 §6.6.1

 protected:
    ~Handler() = default;
};

}  // namespace suoke::http
