// SPDX-License-Identifier: MIT
#pragma once
// The gateway's own questions to a server: health checks, registries, key sets. One connection each,
// everything bounded, values that own their bytes.
//
//   FetchRequest request;
//   request.endpoint = url.endpoint(tls);
//   request.target = "/v1/status/leader";
//   auto answer = co_await upstream::fetch(loop, dialer, buffers, std::move(request), loop.now() + 5s);
//   if (answer && answer->status == 200) use(answer->body);
//
// Any status is an answer. Errors: what dialing says; upstream_timeout; upstream_reset, _truncated and
// _invalid; invalid_config for a request that must not be sent.

#include <optional>
#include <string>
#include <vector>

#include "http/h1_body.h"
#include "rt/buffer.h"
#include "upstream/dialer.h"

namespace suoke::upstream {

struct FetchField {
    std::string name, value;
    friend bool operator==(const FetchField&, const FetchField&) = default;
};
using FetchFields = std::vector<FetchField>;

struct FetchRequest {
    EndpointAddress endpoint;       // its protocol is spoken, with TLS, too
    std::string method = "GET";
    std::string host;               // the Host field; empty: what the endpoint is called
    std::string target = "/";
    FetchFields fields;             // framing, Host and Connection are not among them
    std::string body;
    std::size_t max_body = 1 << 20; // of the answer; more is an error ...
    bool cut = false;               // ... or, here, left unread
};

struct FetchResponse {
    int status = 0;
    FetchFields fields;
    std::string body;
    FetchFields trailers;
    // The first value, or null; any case.
    const std::string* field(std::string_view name) const;
    const std::string* trailer(std::string_view name) const;
};

rt::Task<Result<FetchResponse>> fetch(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers, FetchRequest request,
                                      TimePoint deadline);

// The same when the answer has no foreseeable end: the head, and then the body as it comes. HTTP/1.1.
// Belongs to one coroutine; dropping it closes the connection.
class FetchStream {
 public:
    FetchStream(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers)
        : loop_(loop), dialer_(dialer), buffers_(buffers) {}
    FetchStream(const FetchStream&) = delete;
    FetchStream& operator=(const FetchStream&) = delete;

    // Once, until the head has come; `deadline` is for this. `idle` is the longest silence in what
    // follows, zero for any. The request's limit on the body's size does not count here.
    rt::Task<Result<void>> open(FetchRequest request, TimePoint deadline, Duration idle);
    int status() const { return status_; }
    const FetchFields& fields() const { return fields_; }
    // More of the body, until the next call; nothing at all is its end. Code::upstream_idle: silence.
    rt::Task<Result<std::string_view>> next();

 private:
    friend rt::Task<Result<FetchResponse>> fetch(rt::Loop&, Dialer&, rt::BufferPool&, FetchRequest, TimePoint);
    rt::Task<Result<void>> begin(rt::StreamPtr stream, FetchRequest request, TimePoint deadline,
                                 http::H1Body::Rules rules);
    rt::Task<Result<void>> send(FetchRequest request, TimePoint deadline);
    rt::Task<Result<void>> read_head(http::Method method, TimePoint deadline, http::H1Body::Rules rules);
    Result<bool> read_some();

    rt::Loop& loop_;
    Dialer& dialer_;
    rt::BufferPool& buffers_;
    rt::StreamPtr stream_;
    rt::Buffer in_;
    int status_ = 0;
    FetchFields fields_;
    std::optional<http::H1Body> body_;  // reads from the stream
    bool ended_ = false;
};

}  // namespace suoke::upstream
