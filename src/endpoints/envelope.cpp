// SPDX-License-Identifier: MIT
#include "endpoints/envelope.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "endpoints/registration.h"
#include "endpoints/request_body.h"
#include "gateway/no_interims.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/grammar.h"
#include "http/grpc.h"
#include "http/h1_parser.h"
#include "http/uri.h"
#include "http/ws.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;
using nlohmann::json;

constexpr std::uint64_t kMostAnswer = 16 << 20;

// What was inside, as the bytes it would have been; they own what the request's views look at.
struct Inner {
    std::string head, body;
    http::Request request;
    std::unique_ptr<http::TextBody> source;
};

bool has_break(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Framing and the connection's own fields are made, not taken. Neither is where the client is: a trusted
// proxy before us vouches for the envelope, not for what somebody wrote into it.
bool is_ours(std::string_view name) {
    for (std::string_view ours : {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip", "forwarded", "host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer", "expect", "proxy-connection"})
        if (iequals(name, ours)) return true;
    return false;
}

std::variant<std::unique_ptr<Inner>, Faults> open_envelope(std::string_view body, const Exchange& ex) {
    Faults faults;
    auto wrong = [&](const char* field, std::string message) { faults.push_back({"value_error", field, std::move(message), ""}); };
    json envelope = json::parse(body, nullptr, false);
    if (!envelope.is_object()) {
        faults.push_back({"json_invalid", "", "The body must be a JSON object {method, path, headers, body}", ""});
        return faults;
    }
    auto text = [&](const char* name, std::string otherwise) {
        auto found = envelope.find(name);
        if (found == envelope.end() || found->is_null()) return otherwise;
        if (!found->is_string()) return wrong(name, "Input should be a valid string"), otherwise;
        return found->get<std::string>();
    };
    auto inner = std::make_unique<Inner>();
    std::string method = text("method", "GET"), path = text("path", "/");
    inner->body = text("body", "");
    for (char& c : method) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (!http::grammar::is_token(method) || method == "CONNECT" || method == "TRACE") wrong("method", "Input should be an HTTP method");
    if (!path.starts_with('/')) path.insert(0, "/");
    if (has_break(path) || path.find(' ') != std::string::npos) wrong("path", "Input should be a path with an optional query, percent-encoded");
    std::string fields;
    if (auto headers = envelope.find("headers"); headers != envelope.end() && !headers->is_null()) {
        if (!headers->is_object()) wrong("headers", "Input should be an object of strings");
        else
            for (const auto& [name, value] : headers->items()) {
                bool good = value.is_string() && http::grammar::is_token(name) && !has_break(value.get<std::string>());
                if (!good) wrong("headers", "Names should be tokens and values strings without line breaks");
                else if (!is_ours(name)) fields += name + ": " + value.get<std::string>() + "\r\n";
            }
    }
    if (!faults.empty()) return faults;
    for (http::HeaderId id : {http::HeaderId::x_forwarded_for, http::HeaderId::x_forwarded_proto, http::HeaderId::x_forwarded_host}) {
        const std::string_view* found = ex.request.head.headers.find(id);
        if (!found || has_break(*found)) continue;
        // Our peer is at the end of the list already, and will be put there again.
        std::size_t end = id == http::HeaderId::x_forwarded_for ? found->rfind(", ") : found->size();
        if (end != found->npos) fields.append(http::canonical_name(id)).append(": ").append(found->substr(0, end)).append("\r\n");
    }
    // As bytes, through the parser that everybody's request goes through: nothing is believed twice.
    std::string host = ex.request.head.authority.empty() ? "gateway" : std::string(ex.request.head.authority);
    inner->head = method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields;
    if (!inner->body.empty()) inner->head += "Content-Length: " + std::to_string(inner->body.size()) + "\r\n";
    inner->head += "\r\n";
    http::h1::Progress progress;
    const http::SessionLimits& limits = ex.site.limits;
    auto parsed = http::h1::parse_request_head(inner->head, {limits.request_line, limits.head, limits.fields}, progress, inner->request.head);
    if (!parsed || *parsed == 0) {
        wrong("path", parsed ? "The request is not complete" : "The request is not valid HTTP: " + parsed.error().detail);
        return faults;
    }
    inner->request.peer = ex.request.peer;
    inner->request.peer_host = ex.request.peer_host;
    inner->request.started = ex.request.started;
    inner->request.secure = ex.request.secure;
    inner->request.tls = ex.request.tls;
    if (!inner->body.empty()) {
        inner->source = std::make_unique<http::TextBody>(inner->body);
        inner->request.body = inner->source.get();
    }
    return inner;
}

std::string close_envelope(const http::Response& response, const std::string& body) {
    std::string out;
    JsonWriter j(out);
    j.open('{').field("status_code", response.status).key("headers").open('{');
    for (const http::Field& field : response.headers) {
        bool first = true;   // of a repeated field the values are one, as RFC 9110 §5.3 has it
        for (const http::Field& before : response.headers) {
            if (&before == &field) break;
            first &= !iequals(before.name, field.name);
        }
        if (!first) continue;
        std::string value;
        for (const http::Field& other : response.headers)
            if (iequals(other.name, field.name)) value.append(value.empty() ? "" : ", ").append(other.value);
        j.field(field.name, value);
    }
    j.close('}');
    http::ws::Utf8 text;
    if (text.feed(body) && text.complete()) {
        j.field("body", body);
    } else {
        std::string encoded;
        http::append_base64(encoded, body);
        j.field("body", encoded).field("encoding", "base64");
    }
    j.close('}');
    return out;
}

class Envelope final : public gateway::Filter {
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        const gateway::Route* way = ex.site.any_service;
        if (!way) co_return Error(Code::not_found);
        auto body = co_await read_body(ex, static_cast<std::size_t>(ex.site.config.security.max_request_size));
        if (!body) co_return body.error();
        auto opened = open_envelope(*body, ex);
        if (auto* faults = std::get_if<Faults>(&opened)) co_return gateway::json_response(422, faults_json(*faults, ex.path, ex.request_id));
        std::unique_ptr<Inner> inner = std::get<std::unique_ptr<Inner>>(std::move(opened));

        gateway::NoInterims nobody;
        Exchange within(ex.worker, ex.local, ex.site, inner->request, nobody);
        auto path = http::normalize_path(inner->request.head.path, within.path_scratch);
        if (!path) co_return path.error();
        within.path = *path;
        within.host = ex.host;
        within.route = way;
        within.service = ex.service;
        within.target = ex.target;
        within.match.kind = gateway::Match::found;
        within.match.rest = within.path;
        within.deadline = ex.deadline;
        within.request.head.headers.set(http::HeaderId::x_request_id, ex.request_id);
        Answer answer = co_await way->chain.run(within);
        // What the log says of it is what was done inside.
        ex.attempts = within.attempts;
        ex.upstream_began = within.upstream_began;
        ex.upstream_head = within.upstream_head;
        ex.retry_after = within.retry_after;
        ex.view = within.view;
        ex.endpoint = within.endpoint;
        if (!answer) co_return answer.error();
        way->chain.finish(within, *answer);
        Error too_large(Code::upstream_invalid, "the answer is larger than an envelope may be (16 MiB); ask for it at /api/v1/gateway");
        auto content = co_await read_all(answer->body.get(), kMostAnswer, std::move(too_large));
        if (!content) co_return content.error();
        co_return gateway::json_response(200, close_envelope(*answer, *content));
    }
};

}  // namespace

std::shared_ptr<const gateway::Filter> envelope() { return std::make_shared<Envelope>(); }

}  // namespace suoke::endpoints
