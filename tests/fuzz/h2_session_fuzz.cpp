// SPDX-License-Identifier: MIT
// An HTTP/2 client that says anything: the session neither crashes nor keeps anything, and every
// request it hands over may be written into an HTTP/1.1 head.
#include <memory>
#include <string>

#include "http/session_h2.h"
#include "rt/socket.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http {
namespace {

const char* broken_h2(const RequestHead& head) {
    namespace is = invariants;
    if (const char* what = is::broken(head.headers)) return what;
    if (!is::is_token(head.method_name)) return "the method is no token";
    if (!is::all(head.target, [](unsigned char c) { return c > 0x20 && c < 0x7F; })) return "the target";
    bool connect = head.method == Method::CONNECT && head.protocol.empty();
    if (!connect && head.path != "*" && !head.path.starts_with('/')) return "no path";
    if (!is::is_uri_text(head.path, "")) return "the path";
    if (!is::is_uri_text(head.query, "?[]")) return "the query";
    if (!split_authority(head.authority)) return "the authority";
    if (head.headers.count(HeaderId::host) > 1) return "several Hosts";
    if (head.headers.count(HeaderId::cookie) > 1) return "crumbs of cookies";
    if (head.headers.count(HeaderId::transfer_encoding) + head.headers.count(HeaderId::connection) > 0) return "a field of the connection";
    return nullptr;
}

// Reads the whole body and answers with as many bytes, in two pieces, with trailers.
class Echo final : public Handler {
 public:
    explicit Echo(std::size_t most) { limits_.head = most; }
    rt::Task<void> handle(Request& request, Responder& responder) override {
        fuzz::expect(broken_h2(request.head));
        std::string all;
        while (request.body) {
            Result<Piece> piece = request.body->next();
            if (!piece) break;
            all += piece->bytes;
            if (piece->state == Piece::end) break;
            if (piece->state == Piece::wait) co_await request.body->wait();
        }
        Response response;
        response.status = request.head.protocol.empty() ? 200 : 101;
        response.headers.add("x-echo", "1");
        response.body = std::make_unique<TextBody>(std::move(all));
        co_await responder.send(std::move(response));
    }
    rt::Task<void> refuse(Request&, Error error, Responder& responder) override {
        Response response;
        response.status = error.status();
        co_await responder.send(std::move(response));
    }
    const SessionLimits& limits() const override { return limits_; }
    std::string_view date() override { return "Wed, 01 Jan 2025 00:00:00 GMT"; }

 private:
    SessionLimits limits_;
};

rt::Task<void> serve(rt::StreamPtr stream, rt::BufferPool& buffers, Handler& handler) {
    rt::Address peer = *rt::Address::parse("192.0.2.1", 4711);
    H2Session session(*stream, peer, buffers, handler);
    co_await session.run();
}

// `how` cuts the bytes: a piece of it at a time.
void converse(std::string_view bytes, std::size_t piece) {
    ManualClock clock;
    rt::Loop loop(clock);
    rt::BufferBudget budget(64 << 20);
    rt::BufferPool buffers(budget);
    Echo echo(2048);
    rt::TaskScope scope;
    auto [ours, theirs] = rt::memory_pair(loop);
    scope.spawn(serve(std::move(theirs), buffers, echo));
    std::string hello(kH2Preface);
    hello.append("\0\0\0\4\0\0\0\0\0", 9).append("\0\0\0\4\1\0\0\0\0", 9);
    if (!bytes.starts_with(kH2Preface)) ours->write(std::string_view(hello));
    char sink[16 * 1024];
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        ours->write(bytes.substr(at, piece));
        loop.settle();
        while (ours->read(sink).bytes > 0) continue;
    }
    clock.advance(std::chrono::seconds(31));
    loop.settle();
    ours.reset();
    loop.settle();
    fuzz::expect(scope.idle() ? nullptr : "a session outlives its connection");
    fuzz::expect(buffers.leased() == 0 ? nullptr : "buffers are leased for nobody");
}

}  // namespace
}  // namespace suoke::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 32 * 1024));
    suoke::http::converse(bytes, bytes.size() + 1);
    suoke::http::converse(bytes, bytes.size() / 7 + 1);
    return 0;
}
