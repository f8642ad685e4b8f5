// SPDX-License-Identifier: MIT
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request with a key is done once, and whoever sends it again
// gets the first answer. A key belongs to whoever is authenticated, and to the route. First the key is claimed in the store,
// for as long as the request may take; its answer takes the place of the claim, whether the client has waited for it or not.
// Answers that say "not now" (5xx, 408, 425, 429) and those that cannot be kept (streams, large ones) give the claim up.
#include <algorithm>

#include "base/text.h"
#include "filters/event_stream.h"
#include "filters/filters.h"
#include "filters/idempotency_errand.h"
#include "filters/whole_body.h"
#include "gateway/replies.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/grammar.h"
#include "rt/digest.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::AnswerStore;
using gateway::Exchange;
using gateway::Next;
using http::HeaderId;

constexpr std::size_t kLongestKey = 255;
constexpr std::size_t kFingerprint = 32;
constexpr char kClaim = 'c', kAnswer = 'a';   // what a value in the store begins with; the fingerprint follows
constexpr Duration kGrace = 5s;               // beyond the deadline of what has one

// ---- the key

// A string of RFC 8941, or a bare word; nothing when it is neither.
std::optional<std::string> key_of(std::string_view value) {
    auto bare = [](char c) { return http::grammar::is(http::grammar::token, c) || std::string_view(":/=@").find(c) != std::string_view::npos; };
    std::string key;
    if (!value.starts_with('"')) {
        if (std::all_of(value.begin(), value.end(), bare)) key = value;
    } else if (value.size() >= 2 && value.ends_with('"')) {
        value = value.substr(1, value.size() - 2);
        for (std::size_t i = 0; i < value.size(); ++i) {
            bool escape = value[i] == '\\';
            i += escape;
            bool good = i < value.size() && value[i] >= ' ' && value[i] < 0x7F && escape == (value[i] == '"' || value[i] == '\\');
            if (!good) return std::nullopt;
            key += value[i];
        }
    }
    if (key.empty() || key.size() > kLongestKey) return std::nullopt;
    return key;
}

std::string hex_of(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

Error about_the_key(Exchange& ex, std::string_view type, std::string_view message) {
    std::string list = R"([{"type":")";
    list.append(type).append(R"(","loc":["header","idempotency-key"],"msg":")").append(message).append(R"(","pointer":"/idempotency-key"}])");
    return gateway::unprocessable(ex, Code::invalid_request, std::string(message), list);
}

// ---- answers in the store: "201\r\nname: value\r\n...\r\n" and the body

bool is_about_content(std::string_view name) { return name.size() > 8 && iequals(name.substr(0, 8), "content-") && !iequals(name, "content-length"); }

std::string head_of(const http::Response& response, const std::vector<std::string>& more) {
    std::string head = std::to_string(response.status) + "\r\n";
    for (const http::Field& field : response.headers) {
        auto is_field = [&](std::string_view name) { return iequals(field.name, name); };
        bool usual = is_about_content(field.name) || is_field("location") || is_field("etag") || is_field("last-modified") || is_field("link");
        if (usual || std::any_of(more.begin(), more.end(), is_field)) head.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    return head + "\r\n";
}

// Nothing when it is no answer as head_of() writes them.
std::optional<http::Response> response_of(Exchange& ex, std::string_view stored) {
    std::size_t end = stored.find("\r\n\r\n");
    if (end == stored.npos) return std::nullopt;
    std::string_view head = ex.arena.copy(stored.substr(0, end + 2));
    std::size_t line = head.find("\r\n");
    auto status = parse_u64(head.substr(0, line));
    if (!status || *status < 200 || *status > 599) return std::nullopt;
    http::Response response;
    response.status = static_cast<int>(*status);
    for (head.remove_prefix(line + 2); !head.empty(); head.remove_prefix(line + 2)) {
        line = head.find("\r\n");
        std::string_view field = head.substr(0, line);
        std::size_t colon = field.find(": ");
        if (colon == field.npos) return std::nullopt;
        response.headers.add(field.substr(0, colon), field.substr(colon + 2));
    }
    response.headers.add("Idempotency-Replayed", "true");
    response.body = std::make_unique<http::TextBody>(std::string(stored.substr(end + 4)));
    return response;
}

// ---- the filter

class Idempotency final : public Filter {
 public:
    Idempotency(const config::Idempotency& rules, bool plain_text) : rules_(rules), plain_text_(plain_text) {}

 private:
    rt::Task<Answer> run(Exchange& ex, Next next) const override {
        const http::RequestHead& head = ex.request.head;
        bool is_meant = std::find(rules_.methods.begin(), rules_.methods.end(), head.method_name) != rules_.methods.end();
        if (!is_meant || !head.protocol.empty() || ex.grpc != http::GrpcKind::none) return next.run(ex);
        const std::string_view* field = head.headers.find(HeaderId::idempotency_key);
        if (!field && rules_.required) return answered(about_the_key(ex, "missing", "Field required"));
        if (!field) return next.run(ex);
        auto key = head.headers.count(HeaderId::idempotency_key) == 1 ? key_of(*field) : std::nullopt;
        if (!key) return answered(about_the_key(ex, "value_error", "Input should be one key of at most 255 characters, bare or in quotes"));
        if (!ex.who && !rules_.anonymous) return answered(Error(Code::unauthorized, "an Idempotency-Key belongs to somebody: authenticate"));
        std::string owner = ex.who ? rt::digest_of({"identity", auth::name_of(ex.who->method), ex.who->issuer, ex.who->subject}) : rt::digest_of({"address", ex.client_ip});
        return run_once(ex, next, "idempotency/" + hex_of(rt::digest_of({owner, ex.route->name, *key})));
    }

    static rt::Task<Answer> answered(Error error) { co_return error; }

    rt::Task<Answer> run_once(Exchange& ex, Next next, std::string place) const {
        // 1. The whole request, so that another one under the same key is found out.
        std::string body;
        if (ex.request.body) {
            auto whole = co_await whole_body(ex, rules_.max_body);
            if (!whole) co_return whole.error();
            body = (*whole)->text();
        }
        std::string fingerprint = fingerprint_of(ex, body);
        // 2. Has it been done, or is it under way?
        AnswerStore* store = ex.worker.answers();
        Duration claimed_for = claim_lifetime(ex);
        Claim claim{store, std::move(place), mark_of(ex, fingerprint), rules_.lifetime, ex.worker.loop().now() + claimed_for};
        PendingClaim pending(ex.worker, std::move(claim));
        Result<std::optional<std::string>> before = Error(Code::store_unavailable, "there is no store for answers");
        if (store) before = co_await store->claim(ex.worker.loop(), (*pending).place, (*pending).mark, claimed_for);
        bool pass = !before && rules_.when_store_is_away == config::StoreAway::pass;
        if (pass) co_return co_await next.run(ex);
        if (!before) co_return before.error();
        Claim ours = pending.take();
        if (before->has_value()) co_return answer_of(ex, **before, fingerprint);
        // 3. Not yet: do it, and keep what is answered while the client gets it, or when it has gone.
        auto judge = [this, fingerprint](Exchange& own, const http::Response& response) { return kept_head(own, response, fingerprint); };
        auto errand = std::make_unique<KeyedErrand>(ex, next, std::move(body), std::move(ours), std::move(judge), rules_.max_body);
        Attendance attendance(ex, std::move(errand));
        co_await attendance.answered();
        co_return attendance.answer();
    }

    static std::string fingerprint_of(const Exchange& ex, std::string_view body) {
        return rt::digest_of({ex.request.head.method_name, ex.path, ex.request.head.query, body});
    }

    // No two claims are the same one.
    static std::string mark_of(Exchange& ex, const std::string& fingerprint) {
        std::uint64_t nonce[2] = {ex.worker.random().next(), ex.worker.random().next()};
        return kClaim + fingerprint + std::string(reinterpret_cast<const char*>(nonce), sizeof nonce);
    }

    Duration claim_lifetime(const Exchange& ex) const {
        if (ex.deadline == kNever) return rules_.in_flight;
        return std::max<Duration>(ex.deadline - ex.worker.loop().now(), 0s) + kGrace;
    }

    static Answer answer_of(Exchange& ex, std::string_view stored, std::string_view fingerprint) {
        Error unreadable(Code::store_unavailable, "what the store has under this key is not ours");
        if (stored.size() <= kFingerprint) return unreadable;
        if (stored.substr(1, kFingerprint) != fingerprint) return Error(Code::key_reused);
        if (stored.front() == kClaim) return Error(Code::key_in_use);
        auto response = response_of(ex, stored.substr(1 + kFingerprint));
        if (!response) return unreadable;
        return std::move(*response);
    }

    // What the gateway answers for the service (a fallback) is not what the service did.
    bool is_kept(const Exchange& ex, const http::Response& response) const {
        if (ex.failure) return false;
        int status = response.status;
        if (status < 200 || status >= 500 || status == 408 || status == 425 || status == 429) return false;
        if (is_event_stream(ex, response, plain_text_)) return false;
        auto length = response.body ? response.body->remaining() : std::nullopt;
        return !length || *length <= rules_.max_body;
    }

    std::optional<std::string> kept_head(const Exchange& ex, const http::Response& response, const std::string& fingerprint) const {
        if (!is_kept(ex, response)) return std::nullopt;
        return kAnswer + fingerprint + head_of(response, rules_.headers);
    }

    const config::Idempotency rules_;
    const bool plain_text_;   // is an event stream, too
};

}  // namespace

FilterPtr idempotency(const config::Config& config, const config::Route& route) {
    bool own = route.idempotency.has_value();
    const config::Idempotency& rules = own ? *route.idempotency : config.idempotency;
    if (!rules.enabled || !route.forwards()) return nullptr;
    // What the section says is for routes where keys can belong to somebody; of others it would only refuse them.
    bool by_nobody = config.auth.mode_of(route.auth) == config::AuthMode::none;
    if (!own && by_nobody && !rules.anonymous) return nullptr;
    return std::make_shared<Idempotency>(rules, route.sse.plain_text);
}

}  // namespace suoke::filters
