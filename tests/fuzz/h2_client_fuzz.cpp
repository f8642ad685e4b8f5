// SPDX-License-Identifier: MIT
// An HTTP/2 upstream that says anything: the client neither crashes nor keeps anything, every head and
// all trailers that it accepts may be written into an HTTP/1.1 message, and no body is longer than it
// was said to be.
#include <memory>
#include <string>

#include "http/client_h2.h"
#include "rt/socket.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http {
namespace {

using std::chrono::seconds;

const char* broken_h2(const Headers& fields) {
    namespace is = invariants;
    if (const char* what = is::broken(fields)) return what;
    for (const Field& field : fields) {
        if (!is::all(field.name, [](unsigned char c) { return !std::isupper(c); })) return "a name is not lower-case";
        if (is_in(h2::kConnectionSpecific, field.id)) return "a field of the connection";
    }
    return nullptr;
}

const char* broken_h2(const ResponseHead& head, Method method) {
    if (head.status < 100 || head.status > 599 || head.status == 101) return "the status";
    if (const char* what = broken_h2(head.headers)) return what;
    const std::string_view* length = head.headers.find("content-length");
    bool bodiless = method == Method::HEAD || has_no_body(head.status);
    if (bodiless && head.framing.kind != Framing::none) return "content where there is none";
    if (head.framing.kind == Framing::until_close) return "a response until close";
    if (head.framing.kind == Framing::length && !(length && parse_u64(*length) == head.framing.size)) return "the length";
    if (head.framing.kind == Framing::chunked && length) return "a length that does not count";
    return nullptr;
}

const char* broken_trailers(const Headers& trailers) {
    if (const char* what = broken_h2(trailers)) return what;
    for (const Field& field : trailers)
        if (h1::is_refused_trailer(field.name)) return "a field that must not be a trailer";
    return nullptr;
}

// More than the first window takes, and it has to be waited for now and then.
class Upload final : public BodySource {
 public:
    Result<Piece> next() override {
        tired_ = !tired_;
        if (tired_) return Piece{{}, Piece::wait};
        bool last = ++given_ == 12;
        return Piece{text_, last ? Piece::end : Piece::more};
    }
    rt::Task<void> wait() override { co_return; }

 private:
    const std::string text_ = std::string(10'000, 'x');
    int given_ = 0;
    bool tired_ = false;
};

rt::Task<void> read_body(H2Exchange& exchange, const Framing framing) {
    std::uint64_t size = 0;
    for (;;) {
        Result<Piece> piece = exchange.next();
        if (!piece) co_return;
        size += piece->bytes.size();
        if (framing.kind == Framing::none) fuzz::expect(size == 0 ? nullptr : "content of a response that has none");
        if (framing.kind == Framing::length) {
            fuzz::expect(size <= framing.size ? nullptr : "more content than Content-Length");
            fuzz::expect(exchange.remaining() == framing.size - size ? nullptr : "what remains");
        }
        if (piece->state == Piece::end) break;
        if (piece->state == Piece::wait) co_await exchange.wait();
    }
    if (framing.kind == Framing::length) fuzz::expect(size == framing.size ? nullptr : "less content than Content-Length");
    fuzz::expect(exchange.received() == size ? nullptr : "what was received");
    if (const Headers* trailers = exchange.trailers()) fuzz::expect(broken_trailers(*trailers));
}

rt::Task<void> ask(std::shared_ptr<H2Client> client, Method method, std::string_view name) {
    Upload upload;
    H2Exchange exchange(std::move(client), method, {seconds(30), kNever});
    h2::Pairs pairs;
    pairs.add(":method", name);
    pairs.add(":scheme", "http");
    pairs.add(":authority", "upstream");
    pairs.add(":path", "/");
    if (!exchange.begin(pairs, {}, method == Method::POST ? &upload : nullptr)) co_return;
    for (;;) {
        while (!exchange.has_head()) {
            if (exchange.failure()) co_return;
            co_await exchange.news(kNever);
        }
        const ResponseHead& head = exchange.head();
        fuzz::expect(broken_h2(head, method));
        if (!is_interim(head.status)) break;
        exchange.take_head();
    }
    const Framing framing = exchange.head().framing;
    exchange.begin_body();
    co_await read_body(exchange, framing);
}

rt::Task<void> run(std::shared_ptr<H2Client> client) { co_await client->run(); }

struct Nobody final : H2Client::Watcher {
    void changed() override {}
};

// One exchange with `method` and a POST, beside each other; the bytes come a `piece` at a time.
void converse(std::string_view bytes, std::size_t piece, Method method, std::string_view name) {
    ManualClock clock;
    rt::Loop loop(clock);
    rt::BufferBudget budget(64 << 20);
    rt::BufferPool buffers(budget);
    Nobody nobody;
    auto [ours, theirs] = rt::memory_pair(loop);
    H2Client::Limits limits;
    limits.head.head = 2048;
    auto client = std::make_shared<H2Client>(std::move(theirs), buffers, limits, nobody);
    rt::TaskScope scope;
    scope.spawn(run(client));
    scope.spawn(ask(client, method, name));
    scope.spawn(ask(client, Method::POST, "POST"));
    loop.settle();
    bool greets = bytes.size() > 3 && bytes[3] == NGHTTP2_SETTINGS;
    if (!greets) ours->write(std::string_view("\0\0\0\4\0\0\0\0\0", 9));
    char sink[16 * 1024];
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        ours->write(bytes.substr(at, piece));
        loop.settle();
        while (ours->read(sink).bytes > 0) continue;
    }
    clock.advance(seconds(31));
    loop.settle();
    ours.reset();
    loop.settle();
    fuzz::expect(scope.idle() ? nullptr : "somebody waits for an upstream that has gone");
    fuzz::expect(client->ended() ? nullptr : "the client outlives its connection");
    client.reset();
    fuzz::expect(buffers.leased() == 0 ? nullptr : "buffers are leased for nobody");
}

}  // namespace
}  // namespace suoke::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using suoke::http::Method;
    std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 32 * 1024));
    suoke::http::converse(bytes, bytes.size() + 1, Method::GET, "GET");
    suoke::http::converse(bytes, bytes.size() / 7 + 1, Method::HEAD, "HEAD");
    return 0;
}
