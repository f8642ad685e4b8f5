// SPDX-License-Identifier: MIT
#include "upstream/fetch_h2.h"

#include "base/text.h"
#include "http/client_h2.h"
#include "rt/pause.h"

namespace suoke::upstream {
namespace {

using http::Piece;

// The connection is for one exchange: nobody waits for room on it.
struct Nobody final : http::H2Client::Watcher {
    void changed() override {}
};

rt::Task<void> keep_going(std::shared_ptr<http::H2Client> client) { co_await client->run(); }

Result<void> ask(http::H2Exchange& exchange, const FetchRequest& request, bool secure) {
    http::h2::Pairs pairs;
    pairs.add(":method", request.method);
    pairs.add(":scheme", secure ? "https" : "http");
    pairs.add(":authority", request.host);
    pairs.add(":path", request.target);
    bool has_agent = false;
    for (const FetchField& field : request.fields) {
        has_agent |= iequals(field.name, "user-agent");
        pairs.add_field({field.name, field.value, http::header_id(field.name)});
    }
    if (!has_agent) pairs.add("user-agent", "suoke-gateway");
    std::string length = std::to_string(request.body.size());
    if (!request.body.empty()) pairs.add("content-length", length);
    return exchange.begin(pairs, Piece{request.body, Piece::end}, nullptr);
}

rt::Task<Result<void>> await_head(http::H2Exchange& exchange, TimePoint deadline) {
    for (int interims = 0;;) {
        if (exchange.has_head()) {
            if (!http::is_interim(exchange.head().status)) co_return Result<void>();
            if (++interims > kMostInterims) co_return Error(Code::upstream_invalid, "one interim answer after the other");
            exchange.take_head();
            continue;
        }
        if (exchange.failure()) co_return *exchange.failure();
        rt::Wake woken = co_await exchange.news(deadline);
        if (woken == rt::Wake::timeout) co_return Error(Code::upstream_timeout, "no answer in time");
    }
}

rt::Task<Result<FetchResponse>> converse(http::H2Exchange& exchange, const FetchRequest& request, bool secure,
                                         TimePoint deadline) {
    // 1. The question, and the head of the answer.
    auto begun = ask(exchange, request, secure);
    if (!begun) co_return begun.error();
    auto answered = co_await await_head(exchange, deadline);
    if (!answered) co_return answered.error();
    FetchResponse response;
    response.status = exchange.head().status;
    response.fields = owned(exchange.head().headers);
    exchange.begin_body();
    // 2. The body, as far as it is wanted.
    if (request.cut && request.max_body == 0) co_return response;
    for (;;) {
        Result<Piece> piece = exchange.next();
        if (!piece) co_return late(piece.error(), request);
        if (piece->state == Piece::wait) {
            co_await exchange.wait();
            continue;
        }
        auto goes_on = keep(response.body, piece->bytes, request);
        if (!goes_on) co_return goes_on.error();
        if (piece->state == Piece::end) break;
        if (!*goes_on) co_return response;
    }
    if (const http::Headers* trailers = exchange.trailers()) response.trailers = owned(*trailers);
    co_return response;
}

}  // namespace

rt::Task<Result<FetchResponse>> fetch_h2(rt::StreamPtr stream, rt::BufferPool& buffers, FetchRequest request,
                                         TimePoint deadline) {
    Nobody nobody;
    http::H2Client::Limits limits;
    limits.head = kFetchHead;
    rt::Loop& loop = stream->loop();
    bool secure = stream->tls() != nullptr;
    auto client = std::make_shared<http::H2Client>(std::move(stream), buffers, limits, nobody);
    // The connection lives as long as this; the exchange on it ends first.
    rt::TaskScope connection;
    connection.spawn(keep_going(client));
    http::H2Exchange::Rules rules{Duration::zero(), deadline};
    http::H2Exchange exchange(client, http::method_of(request.method), rules);
    Result<FetchResponse> response = co_await converse(exchange, request, secure, deadline);
    // The answer was told from inside the connection's own task, which cannot end before it returns.
    rt::Aside aside(loop);
    co_await aside;
    co_return response;
}

}  // namespace suoke::upstream
