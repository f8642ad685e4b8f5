// SPDX-License-Identifier: MIT
// gRPC-Web (PROTOCOL-WEB.md): what browsers can speak of gRPC, binary or as base64, becomes gRPC for
// the upstream and back; trailers become the last frame of the body. With it the cross-origin fields
// (CORS) that browsers ask for on such a route.
#include <algorithm>

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

// What pages may always send and read.
constexpr std::string_view kAllowed =
    "content-type, x-grpc-web, x-user-agent, grpc-timeout, authorization, x-request-id";
constexpr std::string_view kExposed = "grpc-status, grpc-message, grpc-status-details-bin";

std::string joined(std::string_view first, const std::vector<std::string>& more) {
    std::string all(first);
    for (const std::string& name : more) all.append(", ").append(name);
    return all;
}

class GrpcWeb final : public Check {
 public:
    GrpcWeb(config::GrpcWeb rules, bool takes_options)
        : rules_(std::move(rules)),
          allowed_(joined(kAllowed, rules_.allow_headers)),
          exposed_(joined(kExposed, rules_.expose_headers)),
          takes_options_(takes_options) {}

 private:
    gateway::Verdict on_request(Exchange& ex) const override {
        http::RequestHead& head = ex.request.head;
        if (head.method == http::Method::OPTIONS) {
            if (is_preflight(head.headers)) return preflight(ex);
            if (!takes_options_) return Error(Code::method_not_allowed, "OPTIONS is for preflight requests here");
        }
        http::GrpcType type = http::grpc_type(head.headers);
        if (type.kind == GrpcKind::web || type.kind == GrpcKind::web_text) become_grpc(ex, type);
        return gateway::go_on();
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        share(ex, response.headers);
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

    // ---- to gRPC

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

    // ---- across origins (the Fetch standard, §3.2)

    static bool is_preflight(const http::Headers& headers) {
        return headers.find(HeaderId::origin) && headers.find("access-control-request-method");
    }

    gateway::Verdict preflight(Exchange& ex) const {
        http::Response response;
        response.status = 204;
        if (allows(ex.request.head.headers)) {
            response.headers.add("Access-Control-Allow-Methods", "POST");
            response.headers.add("Access-Control-Allow-Headers", allowed_);
            response.headers.add("Access-Control-Max-Age", "7200");
        }
        return gateway::Answer(std::move(response));
    }

    bool allows_any() const {
        return std::find(rules_.allow_origins.begin(), rules_.allow_origins.end(), "*") != rules_.allow_origins.end();
    }
    bool allows(const http::Headers& headers) const {
        const std::string_view* origin = headers.find(HeaderId::origin);
        if (!origin || headers.count(HeaderId::origin) != 1) return false;
        return allows_any() || std::find(rules_.allow_origins.begin(), rules_.allow_origins.end(), *origin) != rules_.allow_origins.end();
    }

    // Whether the page may read the answer is ours to say on this route, not the upstream's.
    void share(const Exchange& ex, http::Headers& headers) const {
        const http::RequestHead& head = ex.request.head;
        bool preflight = head.method == http::Method::OPTIONS && is_preflight(head.headers);
        headers.remove_if([&](const http::Field& f) {
            constexpr std::string_view kOurs = "access-control-";
            return !preflight && f.id == HeaderId::other && f.name.size() > kOurs.size() && iequals(f.name.substr(0, kOurs.size()), kOurs);
        });
        if (!allows_any()) headers.add("Vary", "Origin");
        if (!allows(ex.request.head.headers)) return;
        headers.add("Access-Control-Allow-Origin", allows_any() ? "*" : *ex.request.head.headers.find(HeaderId::origin));
        headers.add("Access-Control-Expose-Headers", exposed_);
        if (rules_.allow_credentials) headers.add("Access-Control-Allow-Credentials", "true");
    }

    config::GrpcWeb rules_;
    std::string allowed_, exposed_;
    bool takes_options_;
};

}  // namespace

CheckPtr grpc_web(const config::Config&, const config::Route& route) {
    if (!route.grpc_web || !route.grpc_web->enabled) return nullptr;
    const auto& methods = route.methods;
    bool takes_options = methods.empty() || std::find(methods.begin(), methods.end(), "OPTIONS") != methods.end();
    return std::make_shared<GrpcWeb>(*route.grpc_web, takes_options);
}

}  // namespace suoke::filters
