// SPDX-License-Identifier: MIT
#pragma once
// An HTTP server at the far end of a Far that speaks HTTP/2 (or HTTP/1.1): the gateway's own
// sessions with a handler of the test's.
//
//   FarServer server(far, [](const FarRequest& asked) { return FarAnswer{200, "fine"}; });

#include <functional>
#include <map>
#include <string>

#include "http/handler.h"
#include "rt/tls.h"
#include "testing/far.h"

namespace suoke::scene {

struct FarRequest {
    std::string method, target, authority, body;
    http::Version version{};
    std::map<std::string, std::string> fields;  // names in lower case
};
struct FarAnswer {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> fields, trailers;
    bool never = false;  // no answer at all
};

class FarServer final : http::Handler {
 public:
    using Answering = std::function<FarAnswer(const FarRequest&)>;
    // With `tls` only clients that come over TLS are served.
    FarServer(Far& far, Answering answering, std::shared_ptr<const rt::TlsServer> tls = nullptr);
    ~FarServer();
    int asked = 0;

 private:
    rt::Task<void> handle(http::Request& request, http::Responder& responder) override;
    rt::Task<void> refuse(http::Request& request, Error error, http::Responder& responder) override;
    const http::SessionLimits& limits() const override { return limits_; }
    std::string_view date() override { return "Wed, 01 Jan 2025 00:00:00 GMT"; }
    rt::Task<void> serve(rt::StreamPtr stream);

    Far& far_;
    Answering answering_;
    std::shared_ptr<const rt::TlsServer> tls_;
    http::SessionLimits limits_;
    rt::TaskScope connections_;  // ends first
};

}  // namespace suoke::scene
