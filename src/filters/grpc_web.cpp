// SPDX-License-Identifier: MIT
// gRPC-Web (PROTOCOL-WEB.md): what browsers can speak of gRPC, binary or as base64, becomes gRPC for
// the upstream and back; trailers become the last frame of the body. What its pages may do is told by
// the filter cors.
#include "base/text.h"
#include "filters/filters.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

using gateway::Exchange;
using http::GrpcKind;
using http::HeaderId;
using http::Piece;

// A request's body in base64, decoded on its way.
class DecodedBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    explicit DecodedBody(http::BodySource& inner) : inner_(inner) {}
    Result<Piece> next() override {
        Result<Piece> piece = inner_.next();
        if (!piece) return piece;
        bytes_.clear();
        if (auto fine = decoder_.decode(piece->bytes, bytes_); !fine) return fine.error();
        bool ends = piece->state == Piece::end;
        if (ends && !decoder_.complete()) return Error(Code::malformed_request, "the body is not base64: it ends too early");
        if (piece->state == Piece::wait) std::string().swap(bytes_);
        return Piece{bytes_, piece->state};
    }
    rt::Task<void> wait() override { return inner_.wait(); }
    std::uint64_t received() const override { return inner_.received(); }

 private:
    http::BodySource& inner_;
    http::Base64Decoder decoder_;
    std::string bytes_;
};

// An answer's body with its trailers as the last frame; as text each piece is padded by itself, so
// that a message never waits for the next one.
class WebBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    // `inner` may be null. `told`: the status is in the head already.
    WebBody(http::Body inner, bool text, bool told) : inner_(std::move(inner)), text_(text), told_(told) {}
    Result<Piece> next() override {
        Piece piece{{}, Piece::end};
        if (inner_) {
            Result<Piece> got = inner_->next();
            if (!got || got->state == Piece::wait) return got;
            piece = *got;
        }
        bool ends = piece.state == Piece::end;
        if (!ends && !text_) return piece;
        bytes_.clear();
        std::string last;
        if (ends) last.append(piece.bytes).append(trailer_frame());
        std::string_view plain = ends ? std::string_view(last) : piece.bytes;
        if (!text_) bytes_ = std::move(last);
        else http::append_base64(bytes_, plain);
        return Piece{bytes_, piece.state};
    }
    rt::Task<void> wait() override { return inner_->wait(); }
    std::uint64_t received() const override { return inner_ ? inner_->received() : 0; }

 private:
    std::string trailer_frame() const {
        const http::Headers* trailers = inner_ ? inner_->trailers() : nullptr;
        if (trailers && (told_ || trailers->find("grpc-status"))) return http::grpc_web_trailers(*trailers);
        if (told_) return {};
        http::Headers unknown;  // what a gRPC client would make of it
        unknown.add("grpc-status", "2");
        unknown.add("grpc-message", "the upstream ended without a status");
        return http::grpc_web_trailers(unknown);
    }
    http::Body inner_;
    bool text_, told_;
    std::string bytes_;
};

bool wants_text(const http::Headers& headers, GrpcKind sent) {
    const std::string_view* accept = headers.find(HeaderId::accept);
    if (accept)
        for (std::string_view one : split_list(*accept)) {
            GrpcKind kind = http::parse_grpc_type(one).kind;
            if (kind == GrpcKind::web || kind == GrpcKind::web_text) return kind == GrpcKind::web_text;
        }
    return sent == GrpcKind::web_text;
}

class GrpcWeb final : public Check {
    gateway::Verdict on_request(Exchange& ex) const override {
        http::GrpcType type = http::grpc_type(ex.request.head.headers);
        if (type.kind == GrpcKind::web || type.kind == GrpcKind::web_text) become_grpc(ex, type);
        return gateway::go_on();
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        bool text = ex.grpc == GrpcKind::web_text;
        http::GrpcType type = http::grpc_type(response.headers);
        if ((!text && ex.grpc != GrpcKind::web) || !type) return;
        response.headers.set(HeaderId::content_type, ex.arena.join({http::media_type(ex.grpc), type.suffix}));
        response.headers.remove(HeaderId::content_length);
        response.headers.remove(HeaderId::trailer);
        bool told = ex.grpc_status.has_value();
        if (told && !response.body) return;
        response.body = std::make_unique<WebBody>(std::move(response.body), text, told);
    }

    static void become_grpc(Exchange& ex, http::GrpcType type) {
        http::RequestHead& head = ex.request.head;
        ex.grpc = wants_text(head.headers, type.kind) ? GrpcKind::web_text : GrpcKind::web;
        std::string_view suffix = type.suffix;
        head.headers.set(HeaderId::content_type, ex.arena.join({http::media_type(GrpcKind::grpc), suffix}));
        head.headers.remove(HeaderId::accept);
        head.headers.remove("x-grpc-web");
        if (type.kind != GrpcKind::web_text || !ex.request.body) return;
        // The length is another one now, and nobody knows it.
        head.headers.remove(HeaderId::content_length);
        head.framing = {http::Framing::chunked, 0};
        ex.wrap_request_body(std::make_unique<DecodedBody>(*ex.request.body));
    }
};

}  // namespace

CheckPtr grpc_web(const config::Config&, const config::Route& route) {
    return route.grpc_web && route.grpc_web->enabled ? std::make_shared<GrpcWeb>() : nullptr;
}

}  // namespace suoke::filters
