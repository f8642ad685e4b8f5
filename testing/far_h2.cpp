// SPDX-License-Identifier: MIT
#include "testing/far_h2.h"

#include "base/text.h"
#include "http/connection.h"
#include "rt/bell.h"

namespace suoke::scene {
namespace {

// Owns what the response's fields point into, as a body may.
class Answer final : public http::BodySource {
 public:
    explicit Answer(FarAnswer answer) : answer_(std::move(answer)) {
        for (const auto& [name, value] : answer_.trailers) trailers_.add(name, value);
    }
    const FarAnswer& answer() const { return answer_; }
    Result<http::Piece> next() override { return http::Piece{answer_.body, http::Piece::end}; }
    rt::Task<void> wait() override { co_return; }
    const http::Headers* trailers() const override { return trailers_.empty() ? nullptr : &trailers_; }

 private:
    FarAnswer answer_;
    http::Headers trailers_;
};

}  // namespace

FarServer::FarServer(Far& far, Answering answering, std::shared_ptr<const rt::TlsServer> tls)
    : far_(far), answering_(std::move(answering)), tls_(std::move(tls)) {
    far_.server = [this](rt::StreamPtr stream) { connections_.spawn(serve(std::move(stream))); };
}
FarServer::~FarServer() { far_.server = nullptr; }

rt::Task<void> FarServer::serve(rt::StreamPtr stream) {
    if (tls_) {
        auto secure = co_await rt::tls_accept(std::move(stream), tls_, kNever);
        if (!secure) co_return;
        stream = std::move(*secure);
    }
    rt::Address peer = *rt::Address::parse("192.0.2.1", 4711);
    http::Connection connection(*stream, peer, far_.buffers, *this);
    co_await connection.run();
}

rt::Task<void> FarServer::handle(http::Request& request, http::Responder& responder) {
    FarRequest asked_for;
    asked_for.method = request.head.method_name;
    asked_for.target = request.head.target;
    asked_for.authority = request.head.authority;
    asked_for.version = request.head.version;
    for (const http::Field& field : request.head.headers) asked_for.fields[to_lower(field.name)] = field.value;
    while (request.body) {
        Result<http::Piece> piece = request.body->next();
        if (!piece) co_return;
        asked_for.body += piece->bytes;
        if (piece->state == http::Piece::end) break;
        if (piece->state == http::Piece::wait) co_await request.body->wait();
    }
    ++asked;
    auto answer = std::make_unique<Answer>(answering_(asked_for));
    if (answer->answer().never) {
        rt::Bell bell(far_.loop);
        co_await bell.rung();
    }
    http::Response response;
    response.status = answer->answer().status;
    for (const auto& [name, value] : answer->answer().fields) response.headers.add(name, value);
    response.body = std::move(answer);
    co_await responder.send(std::move(response));
}

rt::Task<void> FarServer::refuse(http::Request&, Error error, http::Responder& responder) {
    http::Response response;
    response.status = error.status();
    co_await responder.send(std::move(response));
}

}  // namespace suoke::scene
