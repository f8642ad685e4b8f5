// SPDX-License-Identifier: MIT
#include "filters/websocket_stream.h"

#include "base/json.h"

namespace suoke::filters {
namespace {

namespace ws = http::ws;
using gateway::EndReason;

constexpr Duration kWarning = 30s;   // as event streams are warned

std::int64_t whole_seconds(Duration time) { return (time + 500ms) / 1s; }

}  // namespace

WebSocketStream::WebSocketStream(gateway::Exchange& ex, const gateway::RenewalRules& renewal)
    : OpenStream(ex),
      ex_(ex),
      worker_(ex.worker),
      tunnel_(*ex.tunnel),
      renewal_(renewal),
      renewable_(ex.who && renewal.has(ex.who->method)),
      first_(ex.who) {
    if (!renewable_) return;
    tunnel_.listen(*this);
    // Whoever is asked about a token later has a deadline of his own: those of the request are for its answer.
    ex.deadline = ex.answer_by = kNever;
}

gateway::StreamFacts WebSocketStream::facts() const {
    gateway::StreamFacts facts;
    facts.quiet = worker_.loop().now() - tunnel_.last_bytes();
    facts.bytes = tunnel_.bytes();
    return facts;
}

// ---- how it ends

void WebSocketStream::end_gracefully(TimePoint when, EndReason why) {
    if (!end_.ask(when, why)) return;
    if (renewable_ && why == EndReason::token_expired) warn_at_ = when - kWarning;
    arm();
}

void WebSocketStream::arm() {
    TimePoint next = std::min(warn_at_, end_.at());
    if (next != kNever) worker_.loop().timers().arm(*this, std::max(next, worker_.loop().now()));
}

void WebSocketStream::expired() {
    if (end_.has_come(worker_.loop().now())) return say_goodbye();
    warn();
    arm();
}

// RFC 6455 §7.4.1, and 1012 of its registry: come back at once, this was only a new configuration.
void WebSocketStream::say_goodbye() {
    if (end_.why() == EndReason::token_expired) {
        tunnel_.close(ws::kPolicy, "token expired");
    } else if (end_.why() == EndReason::token_revoked) {
        tunnel_.close(ws::kPolicy, "token revoked");
    } else if (worker_.draining()) {
        tunnel_.close(ws::kGoingAway, "the gateway is going away");
    } else {
        tunnel_.close(ws::kRestart, "the route has changed");
    }
}

Duration WebSocketStream::left() const { return std::max<Duration>(end_.at() - worker_.loop().now(), 0s); }

void WebSocketStream::warn() {
    warn_at_ = kNever;
    std::string text;
    JsonWriter json(text);
    json.open('{').field("type", "auth_expiring").field("message", "The token expires soon; send a new one");
    json.field("expires_in", whole_seconds(left())).close('}');
    tunnel_.tell_client(text);
}

// ---- a newer token

bool WebSocketStream::hears(std::string_view message) {
    auto token = gateway::renewal_in(message);
    if (!token) return false;
    if (!attempts_.take(worker_.loop().now())) {
        tunnel_.close(ws::kPolicy, "too many tokens were shown");
        return true;
    }
    judging_.cancel();
    judging_.spawn(renew(std::move(*token)));
    return true;
}

rt::Task<void> WebSocketStream::renew(std::string token) {
    Result<auth::IdentityPtr> judged = co_await gateway::judge_renewal(ex_, renewal_, std::move(token));
    conclude(judged);
}

// While somebody was asked the stream may have come to its end.
void WebSocketStream::conclude(const Result<auth::IdentityPtr>& judged) {
    if (end_.has_come(worker_.loop().now())) return;
    if (judged) return renewed(*judged);
    if (judged.error().code == Code::conflict) return tunnel_.close(ws::kPolicy, "the token is somebody else's");
    refused(judged.error());
}

void WebSocketStream::renewed(auth::IdentityPtr who) {
    TimePoint expiry = worker_.streams().expiry_of(*who);
    ex_.who = std::move(who);
    end_.renew(expiry);
    warn_at_ = expiry == kNever ? kNever : expiry - kWarning;
    arm();
    std::string text;
    JsonWriter json(text);
    json.open('{').field("type", "auth_ok");
    if (expiry != kNever) json.field("expires_in", whole_seconds(expiry - worker_.loop().now()));
    json.close('}');
    tunnel_.tell_client(text);
}

// The stream goes on with the token it has, for as long as that is good.
void WebSocketStream::refused(const Error& error) {
    std::string_view why = error.detail.empty() ? row(error.code).doc : std::string_view(error.detail);
    std::string text;
    JsonWriter json(text);
    json.open('{').field("type", "auth_failed").field("code", row(error.code).reason).field("message", why).close('}');
    tunnel_.tell_client(text);
}

}  // namespace suoke::filters
