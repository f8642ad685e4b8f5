// SPDX-License-Identifier: MIT
// gRPC: the client's grpc-timeout is a deadline of the exchange and goes on with what is left of it;
// whatever the upstream answers, the client gets a gRPC status.
#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"
#include "filters/grpc_stream.h"
#include "gateway/replies.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using gateway::Exchange;
using http::GrpcKind;

class Grpc final : public Check {
    gateway::Verdict on_request(Exchange& ex) const override {
        const http::Headers& headers = ex.request.head.headers;
        bool translated = ex.grpc != GrpcKind::none;
        if (!translated && http::grpc_type(headers).kind == GrpcKind::grpc) ex.grpc = GrpcKind::grpc;
        if (ex.grpc == GrpcKind::none) return gateway::go_on();
        const std::string_view* text = headers.find("grpc-timeout");
        if (!text) return gateway::go_on();
        auto timeout = http::parse_grpc_timeout(*text);
        if (!timeout) return Error(Code::malformed_request, "grpc-timeout is not up to 8 digits and a unit");
        ex.deadline = std::min(ex.deadline, ex.request.started + *timeout);
        return gateway::go_on();
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        if (ex.grpc == GrpcKind::none) return;
        ex.grpc_status = http::grpc_status(response.headers);
        bool is_grpc = response.status == 200 || ex.grpc_status;
        if (!is_grpc || !http::grpc_type(response.headers)) return replace(ex, response);
        response.status = 200;
        if (response.body) response.body = std::make_unique<GrpcStream>(ex, std::move(response.body));
    }

    // What is no gRPC (a proxy's error page) becomes a status; of its fields those stay that are not
    // about its content. They point into its body, so they are copied before it goes.
    static void replace(Exchange& ex, http::Response& response) {
        int status = static_cast<int>(http::grpc_status_of_http(response.status));
        std::string message = "the upstream answered HTTP " + std::to_string(response.status);
        if (const auto* type = response.headers.find(http::HeaderId::content_type)) message.append(" with ").append(*type);
        if (response.status == 200) message += " instead of application/grpc";
        http::Response ours = gateway::grpc_response(ex, GrpcKind::grpc, status, message);
        for (const http::Field& field : response.headers) {
            if (is_about_content(field)) continue;
            ours.headers.add({ex.arena.copy(field.name), ex.arena.copy(field.value), field.id});
        }
        ours.close = response.close;
        ours.deadline = response.deadline;
        ex.grpc_status = status;
        response = std::move(ours);
    }

    static bool is_about_content(const http::Field& field) {
        if (field.id == http::HeaderId::content_length || field.id == http::HeaderId::trailer) return true;
        for (std::string_view name : {"etag", "last-modified", "accept-ranges", "grpc-status", "grpc-message"})
            if (iequals(field.name, name)) return true;
        return field.name.size() > 8 && iequals(field.name.substr(0, 8), "content-");
    }
};

class GrpcOnward final : public Check {
    gateway::Verdict on_request(Exchange& ex) const override {
        if (ex.grpc == GrpcKind::none) return gateway::go_on();
        http::Headers& headers = ex.request.head.headers;
        // Of one hop, so the client's went; servers must see it (PROTOCOL-HTTP2.md).
        headers.set(http::HeaderId::te, "trailers");
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr grpc(const config::Config&, const config::Route&) { return std::make_shared<Grpc>(); }
CheckPtr grpc_onward(const config::Config&, const config::Route& route) {
    return !route.forwards() ? nullptr : std::make_shared<GrpcOnward>();
}

}  // namespace suoke::filters
