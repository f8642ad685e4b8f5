// SPDX-License-Identifier: MIT
#include "gateway/replies.h"

#include "base/json.h"
#include "gateway/site.h"

namespace suoke::gateway {
namespace {

bool wants_problem(const http::Request& request) {
    const std::string_view* accept = request.head.headers.find(http::HeaderId::accept);
    return accept && accept->find("application/problem+json") != std::string_view::npos;
}

// Whether `detail` is a list of what is wrong, as FastAPI has it.
bool has_list(const Exchange& ex, const ErrorRow& kind) { return kind.status == 422 && !ex.faults.empty(); }

// What the predecessor's clients were told, word for word, where they look at the words.
std::string message_of(const Exchange& ex, const Error& error) {
    if (error.code == Code::no_route) return "Path " + std::string(ex.path) + " not found";
    if (!error.detail.empty()) return error.detail;
    std::string_view doc = row(error.code).doc;
    bool compared = row(error.code).status == 401 || row(error.code).status == 429;   // by clients, without the period
    return std::string(compared && doc.ends_with('.') ? doc.substr(0, doc.size() - 1) : doc);
}

std::string problem_body(const Exchange& ex, const Error& error) {
    const ErrorRow& kind = row(error.code);
    std::string body;
    JsonWriter j(body);
    j.open('{').field("type", "about:blank").field("title", kind.title).field("status", kind.status);
    j.field("detail", message_of(ex, error)).field("instance", ex.path);
    if (has_list(ex, kind)) j.key("errors").raw(ex.faults);
    j.field("code", kind.reason).field("request_id", ex.request_id).close('}');
    return body;
}

std::string body_of(const Exchange& ex, const Error& error) {
    const ErrorRow& kind = row(error.code);
    std::string body, message = message_of(ex, error);
    JsonWriter j(body);
    j.open('{').field("error", kind.title).field("message", message).key("detail");
    has_list(ex, kind) ? j.raw(ex.faults) : j.value(message);
    j.field("code", kind.reason).field("status", kind.status).field("path", ex.path);
    j.field("method", ex.request.head.method_name);
    j.key("service");
    ex.target ? j.value(ex.service_name()) : j.null();
    j.field("request_id", ex.request_id).close('}');
    return body;
}

}  // namespace

http::Response text_response(int status, std::string_view content_type, std::string body) {
    http::Response response;
    response.status = status;
    response.headers.add(http::HeaderId::content_type, content_type);
    response.body = std::make_unique<http::TextBody>(std::move(body));
    return response;
}

Error unprocessable(Exchange& ex, Code code, std::string message, std::string_view list) {
    ex.faults = ex.arena.copy(list);
    return Error(code, std::move(message));
}

http::Response json_response(int status, std::string body) {
    return text_response(status, "application/json", std::move(body));
}

http::Response grpc_response(Exchange& ex, http::GrpcKind kind, int status, std::string_view message) {
    http::GrpcType asked = http::grpc_type(ex.request.head.headers);
    http::Response response;
    http::Headers& head = response.headers;
    head.add(http::HeaderId::content_type, ex.arena.join({http::media_type(kind), asked.suffix}));
    head.add("grpc-status", ex.arena.copy(std::to_string(status)));
    if (!message.empty()) head.add("grpc-message", ex.arena.copy(http::encode_grpc_message(message)));
    return response;
}

std::string grpc_message(const Exchange& ex, const Error& error) {
    return std::string(row(error.code).reason) + ": " + message_of(ex, error);
}

static std::string_view retry_after(Exchange& ex) {
    auto whole = std::chrono::ceil<std::chrono::seconds>(ex.retry_after).count();
    return whole <= 1 ? std::string_view("1") : ex.arena.copy(std::to_string(whole));
}

// ---- what a refused client is told to bring (RFC 9110 §11.6.1, RFC 6750 §3, RFC 7617 §2)

static std::string_view bearer_challenge(Code code) {
    switch (code) {
        case Code::invalid_token:
            return R"(Bearer realm="suoke-gateway", error="invalid_token", error_description="The token is not valid")";
        case Code::token_expired:
            return R"(Bearer realm="suoke-gateway", error="invalid_token", error_description="The token has expired")";
        case Code::token_revoked:
            return R"(Bearer realm="suoke-gateway", error="invalid_token", error_description="The token was revoked")";
        default: return R"(Bearer realm="suoke-gateway")";
    }
}

static void add_challenges(Exchange& ex, const Error& error, http::Headers& headers) {
    constexpr std::string_view kField = "WWW-Authenticate";
    const Admission& admission = ex.route->admission;
    if (ex.lacks_scope && error.code == Code::forbidden) {
        std::string scopes;
        for (const std::string& scope : admission.rule.scopes) scopes.append(scopes.empty() ? "" : " ").append(scope);
        headers.add(kField, ex.arena.join({R"(Bearer realm="suoke-gateway", error="insufficient_scope", scope=")", scopes, "\""}));
    }
    if (row(error.code).status != 401) return;
    if (admission.by_bearer || !admission.by_basic) headers.add(kField, bearer_challenge(error.code));
    if (admission.by_basic) headers.add(kField, R"(Basic realm="suoke-gateway", charset="UTF-8")");
}

http::Response Replies::render(Exchange& ex, const Error& error) const {
    const ErrorRow& kind = row(error.code);
    if (http::GrpcType asked = http::grpc_type(ex.request.head.headers))
        return grpc_response(ex, asked.kind, kind.grpc, grpc_message(ex, error));
    http::Response response = wants_problem(ex.request)
                                  ? text_response(kind.status, "application/problem+json", problem_body(ex, error))
                                  : json_response(kind.status, body_of(ex, error));
    if (error.code == Code::method_not_allowed) response.headers.add("Allow", ex.match.allow);
    if (kind.status == 503 || kind.status == 429 || error.code == Code::key_in_use) response.headers.add(http::HeaderId::retry_after, retry_after(ex));
    add_challenges(ex, error, response.headers);
    response.headers.add("Cache-Control", "no-store");
    return response;
}

}  // namespace suoke::gateway
