// SPDX-License-Identifier: MIT
#include "endpoints/envelope.h"

#include "endpoints/envelope_message.h"
#include "endpoints/request_body.h"
#include "gateway/no_interims.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/h1_parser.h"
#include "http/uri.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;

constexpr std::uint64_t kMostAnswer = 16 << 20;

// What was inside, as the bytes it would have been; they own what the request's views look at.
struct Inner {
    std::string head, body;
    http::Request request;
    std::unique_ptr<http::TextBody> source;
};

// Where the client is, as the envelope's own fields say it.
std::string forwarded_lines(const Exchange& ex) {
    std::string lines;
    for (http::HeaderId id : {http::HeaderId::x_forwarded_for, http::HeaderId::x_forwarded_proto, http::HeaderId::x_forwarded_host}) {
        const std::string_view* found = ex.request.head.headers.find(id);
        if (!found || has_break(*found)) continue;
        // Our peer is at the end of the list already, and will be put there again.
        std::size_t end = id == http::HeaderId::x_forwarded_for ? found->rfind(", ") : found->size();
        if (end != found->npos) lines.append(http::canonical_name(id)).append(": ").append(found->substr(0, end)).append("\r\n");
    }
    return lines;
}

std::variant<std::unique_ptr<Inner>, Faults> open_envelope(std::string_view text, const Exchange& ex) {
    auto read = read_envelope(text);
    if (auto* faults = std::get_if<Faults>(&read)) return std::move(*faults);
    EnvelopeMessage& message = std::get<EnvelopeMessage>(read);
    // As bytes, through the parser that everybody's request goes through: nothing is believed twice.
    auto inner = std::make_unique<Inner>();
    inner->head = head_of(message, ex.request.head.authority.empty() ? "gateway" : ex.request.head.authority, forwarded_lines(ex));
    inner->body = std::move(message.body);
    http::h1::Progress progress;
    const http::SessionLimits& limits = ex.site.limits;
    auto parsed = http::h1::parse_request_head(inner->head, {limits.request_line, limits.head, limits.fields}, progress, inner->request.head);
    if (!parsed || *parsed == 0) {
        Faults faults;
        faults.push_back({"value_error", "path", parsed ? "The request is not complete" : "The request is not valid HTTP: " + parsed.error().detail, ""});
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

class Envelope final : public gateway::Filter {
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        const gateway::Route* way = ex.site.any_service;
        if (!way) co_return Error(Code::not_found);
        auto body = co_await read_body(ex, static_cast<std::size_t>(ex.site.config.security.max_request_size));
        if (!body) co_return body.error();
        auto opened = open_envelope(*body, ex);
        if (auto* faults = std::get_if<Faults>(&opened)) co_return unprocessable(ex, *faults);
        std::unique_ptr<Inner> inner = std::get<std::unique_ptr<Inner>>(std::move(opened));

        gateway::NoInterims nobody;
        Exchange within(ex.worker, ex.local, ex.site, inner->request, nobody);
        auto path = http::normalize_path(inner->request.head.path, within.path_scratch);
        if (!path) co_return path.error();
        within.path = *path;
        within.host = ex.host;
        within.route = way;
        within.who = ex.who;   // who sends an envelope asks for what is in it
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
        co_return gateway::json_response(200, envelope_answer(*answer, *content));
    }
};

}  // namespace

std::shared_ptr<const gateway::Filter> envelope() { return std::make_shared<Envelope>(); }

}  // namespace suoke::endpoints
