// SPDX-License-Identifier: MIT
// Who asks. Whatever credentials a request shows are judged, all of them: one that is no good is refused, also
// beside a good one. Who it is says the first of the route's methods that is there.
//
// What was judged before costs a look into the worker's cache: that is the Check. Where somebody has to be asked
// first (for a key that is new, about a token, or about the request) the Filter behind it waits and judges again.
#include <algorithm>

#include "auth/judge_token.h"
#include "auth/public_paths.h"
#include "base/text.h"
#include "filters/filters.h"
#include "filters/open_preflight.h"
#include "gateway/authorities.h"
#include "gateway/open_questions.h"
#include "gateway/site.h"
#include "gateway/token_places.h"
#include "gateway/worker.h"
#include "http/grpc.h"
#include "rt/digest.h"
#include "rt/tls.h"

namespace suoke::filters {
namespace {

using auth::IdentityPtr;
using auth::Method;
using gateway::Answer;
using gateway::Exchange;
using gateway::FoundToken;
using gateway::Next;

constexpr Duration kRefusedFor = 5s;   // at most: a token may be made a moment before its server knows it everywhere
constexpr std::string_view kProtocols = "Sec-WebSocket-Protocol";

// ---- what a route says

enum class Way : std::uint8_t { bearer, api_key, basic, certificate, forward };

struct Rules {
    config::AuthMode mode = config::AuthMode::required;
    std::vector<Way> ways;                     // in the order in which they count
    gateway::TokenKinds tokens;
    bool manager = false;                      // an endpoint of our own: registry.admin_token opens it
    gateway::TokenPlaces places;
    std::optional<bool> forward_credentials;
    auth::PublicPaths open;

    bool has(Way way) const { return std::find(ways.begin(), ways.end(), way) != ways.end(); }
    // Whether who came by that method somewhere else could have come here by it.
    bool takes(Method method) const {
        switch (method) {
            case Method::jwt:
            case Method::introspection: return tokens.has(method);
            case Method::api_key: return has(Way::api_key);
            case Method::basic: return has(Way::basic);
            case Method::certificate: return has(Way::certificate);
            default: return has(Way::forward);
        }
    }
};

Way way_of(config::AuthMethod method) {
    switch (method) {
        case config::AuthMethod::api_key: return Way::api_key;
        case config::AuthMethod::basic: return Way::basic;
        case config::AuthMethod::certificate: return Way::certificate;
        case config::AuthMethod::forward: return Way::forward;
        default: return Way::bearer;
    }
}

// The envelope forwards, and what it forwards is not for who may manage the gateway alone.
bool is_our_own(const config::Route& route) {
    return !route.forwards() && !route.redirect && !route.respond && route.name != "gateway:envelope";
}

void add_way(Rules& rules, Way way) {
    if (!rules.has(way)) rules.ways.push_back(way);
}

// What every path of the route begins with.
std::string_view head_of(const config::Route& route) {
    std::string_view head = route.path.empty() ? std::string_view(route.prefix) : std::string_view(route.path);
    if (route.path.empty()) return head.ends_with('/') ? head.substr(0, head.size() - 1) : head;
    std::size_t end = std::min(head.find('{'), head.size());
    bool open = end == head.size() && head.ends_with("/*");
    return head.substr(0, open ? end - 1 : end);
}

// A route that says itself what it wants of its clients wants it of all of them.
auth::PublicPaths open_paths(const config::Config& config, const config::Route& route) {
    auth::PublicPaths open;
    bool says_it = route.auth.mode == config::AuthMode::required && route.auth.auth_required != true;
    if (says_it || route.auth.has_rule() || route.data_class == config::DataClass::phi) return open;
    auth::PublicPaths own;
    if (config.metrics.enabled) own.add(config.metrics.path);
    for (const std::string& pattern : config.auth.public_paths) own.add(pattern);
    open.add(auth::PublicPaths::always(), head_of(route));
    open.add(own, head_of(route));
    return open;
}

std::optional<Rules> rules_of(const config::Config& config, const config::Route& route) {
    Rules rules;
    rules.mode = config.auth.mode_of(route.auth);
    if (rules.mode == config::AuthMode::none) return std::nullopt;
    std::vector<config::AuthMethod> methods = config.auth.methods_of(route.auth);
    for (config::AuthMethod method : methods) add_way(rules, way_of(method));
    rules.tokens = gateway::token_kinds(methods);
    rules.manager = is_our_own(route) && !config.registry.admin_token.empty();
    if (rules.manager) add_way(rules, Way::bearer);
    const config::TokenFrom& from = route.auth.token_from;
    rules.places = {from.cookie, from.query, from.websocket_protocol};
    rules.forward_credentials = route.auth.forward_credentials;
    rules.open = open_paths(config, route);
    return rules;
}

// ---- one look at what a request shows

// What was asked elsewhere for it so far.
struct Answers {
    bool keys = false;
    std::optional<Result<IdentityPtr>> introspected;
    std::optional<gateway::ForwardAnswer> forwarded;
    std::string forwarded_digest;
};

struct Wait {
    enum For : std::uint8_t { nothing, keys, introspection, forward } what = nothing;
    std::vector<std::string> providers;
    std::string key_id, token;
};

enum class Outcome : std::uint8_t { nobody, somebody, refused, waiting };

class Look {
 public:
    Look(Exchange& ex, const Rules& rules, const Answers& answers)
        : ex_(ex), rules_(rules), answers_(answers), us_(ex.site.authentication), credentials_(ex.worker.credentials()) {
        now_ = ex.worker.loop().clock().wall();
        // What other rules or other keys have judged is judged anew.
        generation_ = (ex.site.generation << 32) + credentials_.ring->generation;
    }

    Outcome run() {
        for (Way way : rules_.ways) {
            Outcome outcome = look(way);
            if (outcome == Outcome::refused || outcome == Outcome::waiting) return outcome;
        }
        return who ? Outcome::somebody : Outcome::nobody;
    }

    IdentityPtr who;                     // the first who was found
    FoundToken token;
    bool shows_key = false, shows_password = false;
    Error refusal = Code::invalid_token; // of Outcome::refused; its sentence is for the log
    Wait wait;                           // of Outcome::waiting

 private:
    Outcome look(Way way) {
        switch (way) {
            case Way::bearer: return bearer();
            case Way::api_key: return api_key();
            case Way::basic: return basic();
            case Way::certificate: return certificate();
            default: return forward();
        }
    }

    Outcome refuse(Error why) {
        refusal = std::move(why);
        return Outcome::refused;
    }
    Outcome accept(IdentityPtr found) {
        if (!who) who = std::move(found);
        return Outcome::somebody;
    }
    bool remembers(Method kind, std::string_view bytes) {
        IdentityPtr found = credentials_.cache.find(kind, bytes, now_, generation_, *credentials_.revoked);
        if (!found) return false;
        accept(std::move(found));
        return true;
    }
    // Somebody whose credential is good, remembered until then. (One that lives on our leeway is judged each time.)
    Outcome meet(Method kind, std::string_view bytes, IdentityPtr found, WallTime until = WallTime::max()) {
        if (credentials_.revoked->covers(*found)) return refuse({Code::token_revoked, "the credential, or all of its subject, was revoked"});
        if (std::min(until, found->expires) > now_) credentials_.cache.put(kind, bytes, found, generation_, *credentials_.revoked, until);
        return accept(std::move(found));
    }

    // ---- bearer tokens

    Outcome bearer() {
        token = gateway::find_token(ex_, rules_.places);
        if (!token.is_there) return Outcome::nobody;
        if (token.is_doubtful) return refuse({Code::invalid_token, "tokens that differ, or Authorization more than once"});
        if (token.text.empty() || token.text.size() > auth::kLongestToken) return refuse({Code::invalid_token, "a token that is empty or too long"});
        if (rules_.tokens.jwt && remembers(Method::jwt, token.text)) return Outcome::somebody;
        if (rules_.manager && rt::same_secret(token.text, ex_.site.config.registry.admin_token.reveal())) return accept(us_.manager);
        if (rules_.tokens.jwt)
            if (auto outcome = jwt()) return *outcome;
        return rules_.tokens.introspection ? introspection() : refuse({Code::invalid_token, "it is not the registry's token, and no other is taken here"});
    }

    // Nothing: it is for introspection.
    std::optional<Outcome> jwt() {
        if (rules_.tokens.introspection && !auth::looks_like_jwt(token.text)) return std::nullopt;
        auth::TokenJudgement judged = auth::judge_token(token.text, us_.providers, *credentials_.ring, *credentials_.revoked, now_);
        if (judged.who) return meet(Method::jwt, token.text, std::move(judged.who));
        if (rules_.tokens.introspection && !judged.is_ours) return std::nullopt;
        if (judged.ask.empty() || !credentials_.desk || answers_.keys) return refuse(explained(std::move(judged)));
        wait.what = Wait::keys;
        wait.providers = std::move(judged.ask);
        wait.key_id = std::move(judged.key_id);
        return Outcome::waiting;
    }

    Outcome introspection() {
        Duration cache = us_.introspection->cache;
        std::string digest = cache > Duration::zero() ? rt::digest_of({token.text}) : std::string();
        if (remembers(Method::introspection, digest)) return Outcome::somebody;
        if (!answers_.introspected) {
            if (auto why = credentials_.refused.find(digest, ex_.worker.loop().now(), generation_))
                return refuse({*why, "whoever knows such tokens did not take it a moment ago"});
            wait.what = Wait::introspection;
            wait.token = token.text;
            return Outcome::waiting;
        }
        const Result<IdentityPtr>& said = *answers_.introspected;
        if (said) return meet(Method::introspection, digest, *said, now_ + cache);
        if (said.error().code != Code::keys_unavailable)
            credentials_.refused.put(digest, said.error().code, ex_.worker.loop().now() + std::min(cache, kRefusedFor), generation_);
        return refuse(said.error());
    }

    // What says no more than its code: there was no key to try.
    static Error explained(auth::TokenJudgement judged) {
        if (judged.refusal.detail.empty() && judged.refusal.code == Code::invalid_token)
            judged.refusal.detail = judged.is_ours ? "no key here is the one that the token names (kid, alg)" : "no provider here makes such tokens (iss, alg)";
        return std::move(judged.refusal);
    }

    // ---- keys and passwords

    Outcome api_key() {
        std::string_view key;
        std::size_t fields = 0;
        for (const http::Field& field : ex_.request.head.headers) {
            if (!iequals(field.name, us_.api_key_header)) continue;
            key = field.value;
            ++fields;
        }
        if (fields == 0) return Outcome::nobody;
        shows_key = true;
        if (fields > 1 || key.empty() || key.size() > auth::kLongestToken) return refuse({Code::invalid_token, "an API key that is empty, too long, or there twice"});
        if (remembers(Method::api_key, key)) return Outcome::somebody;
        return meet_machine(Method::api_key, key, us_.api_keys.by_key(key, now_));
    }

    // RFC 7617 §2.
    Outcome basic() {
        gateway::Authorization authorization = gateway::authorization_of(ex_.request.head.headers);
        if (authorization.several) return refuse({Code::invalid_token, "Authorization more than once"});
        if (!authorization.is("basic")) return Outcome::nobody;
        shows_password = true;
        std::string_view shown = authorization.rest;
        if (shown.size() > auth::kLongestToken) return refuse({Code::invalid_token, "a password that is too long"});
        if (remembers(Method::basic, shown)) return Outcome::somebody;
        http::Base64Decoder decoder;
        std::string pair;
        bool readable = decoder.decode(shown, pair).has_value() && decoder.complete();
        std::size_t colon = pair.find(':');
        if (!readable || colon == pair.npos) return refuse({Code::invalid_token, "Basic without an id and a password in base64"});
        std::string_view id = std::string_view(pair).substr(0, colon), key = std::string_view(pair).substr(colon + 1);
        return meet_machine(Method::basic, shown, us_.api_keys.by_id_and_key(id, key, now_));
    }

    // The table is everybody's: each worker counts on a copy of its own, or all would count on one word.
    Outcome meet_machine(Method kind, std::string_view shown, const Result<IdentityPtr>& found) {
        if (!found) return refuse({found.error().code, found.error().detail.empty() ? "no such API key" : found.error().detail});
        return meet(kind, shown, std::make_shared<const auth::Identity>(**found));
    }

    // ---- certificates, which the handshake has verified

    Outcome certificate() {
        const rt::TlsFacts* tls = ex_.request.tls;
        if (!tls || !tls->has_client_certificate) return Outcome::nobody;
        if (tls->client_subject.empty() && tls->client_names.empty()) return Outcome::nobody;
        // A connection may outlive the certificate it began with, and so may a session that is taken up again.
        if (tls->client_not_after <= now_) return refuse({Code::token_expired, "the client's certificate has expired"});
        std::string_view shown = ex_.arena.join({bytes_of(tls->client_not_after), tls->client_subject});
        for (const std::string& name : tls->client_names) shown = ex_.arena.join({shown, "\n", name});
        if (remembers(Method::certificate, shown)) return Outcome::somebody;
        auth::Identity holder;
        holder.method = Method::certificate;
        holder.subject = tls->client_subject.empty() ? tls->client_names.front() : tls->client_subject;
        holder.name = common_name(tls->client_subject);
        holder.expires = tls->client_not_after;
        for (const std::string& name : tls->client_names) holder.claims.emplace_back("san", name);
        return meet(Method::certificate, shown, auth::settled(std::move(holder)));
    }

    static std::string_view bytes_of(const WallTime& time) { return {reinterpret_cast<const char*>(&time), sizeof time}; }

    // "device-7" of "CN=device-7,O=Suoke".
    static std::string common_name(std::string_view subject) {
        for (std::string_view part : split_list(subject))
            if (part.starts_with("CN=")) return std::string(part.substr(3));
        return {};
    }

    // ---- a service that decides

    Outcome forward() {
        if (who) return Outcome::nobody;   // somebody else has said it
        Duration cache = us_.forward->cache;
        if (answers_.forwarded) {
            const Result<IdentityPtr>& said = answers_.forwarded->who;
            return said ? meet(Method::forward, answers_.forwarded_digest, *said, now_ + cache) : refuse(said.error());
        }
        if (cache > Duration::zero() || rules_.mode == config::AuthMode::optional) {
            gateway::ForwardQuestion question = gateway::forward_question(ex_, rules_.places);
            if (rules_.mode == config::AuthMode::optional && !question.shows_credentials) return Outcome::nobody;
            if (cache > Duration::zero() && remembers(Method::forward, question.digest)) return Outcome::somebody;
        }
        wait.what = Wait::forward;
        return Outcome::waiting;
    }

    Exchange& ex_;
    const Rules& rules_;
    const Answers& answers_;
    const gateway::Authentication& us_;
    auth::Credentials& credentials_;
    WallTime now_;
    std::uint64_t generation_;
};

// ---- what comes of it

// What is for us alone does not reach the service.
void hand_on(Exchange& ex, const Rules& rules, const Look& look) {
    http::Headers& headers = ex.request.head.headers;
    bool tokens = rules.forward_credentials.value_or(true), keys = rules.forward_credentials.value_or(false);
    if (rules.places.any()) gateway::move_token(ex, rules.places, look.token, tokens);
    if (look.shows_key && !keys) headers.remove(ex.site.authentication.api_key_header);
    if (look.shows_password && !keys) headers.remove(http::HeaderId::authorization);
    if (tokens || !look.token.is_there) return;
    headers.remove(http::HeaderId::authorization);
    if (!rules.places.cookie.empty()) gateway::remove_cookie(ex, rules.places.cookie);
}

// Which check failed is for the operator: the client learns the code alone, and nobody what was shown.
Error refused(Exchange& ex, const Error& why) {
    ex.worker.events().explain("credential.refused", {{"reason", why.detail}, {"error", why.reason()}, {"route", ex.route->name}, {"request_id", ex.request_id}});
    return why.code;
}

gateway::Verdict conclude(Exchange& ex, const Rules& rules, Look& look, Outcome outcome) {
    if (outcome == Outcome::refused) return refused(ex, look.refusal);
    if (outcome == Outcome::nobody && rules.mode == config::AuthMode::required)
        return Error(rules.ways.empty() ? Code::keys_unavailable : Code::missing_token);
    hand_on(ex, rules, look);
    ex.who = std::move(look.who);
    return gateway::go_on();
}

class Authenticate final : public Check {
 public:
    explicit Authenticate(Rules rules) : rules_(std::move(rules)) {}

 private:
    gateway::Verdict on_request(Exchange& ex) const override {
        if (ex.who && rules_.takes(ex.who->method)) return gateway::go_on();   // in an envelope, whose sender we know
        if (rules_.open.contains(ex.path) || is_open_preflight(ex.request.head)) {
            if (rules_.places.any()) gateway::move_token(ex, rules_.places, FoundToken(), false);
            return gateway::go_on();
        }
        const Answers none;
        Look look(ex, rules_, none);
        Outcome outcome = look.run();
        if (outcome != Outcome::waiting) return conclude(ex, rules_, look, outcome);
        ex.credential_pending = true;
        return gateway::go_on();
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        if (ex.token_protocol.empty() || response.status != 101 || response.headers.find(kProtocols)) return;
        response.headers.add(kProtocols, ex.token_protocol);
    }

    Rules rules_;
};

// ---- asking elsewhere

TimePoint patience_with(const Exchange& ex, const gateway::Authority& authority) {
    return std::min(ex.head_deadline(), deadline_after(ex.worker.loop().now(), authority.timeout));
}

// What is asked under other rules, perhaps of somebody else, is another question.
std::string key_of(const Exchange& ex, std::string_view question) { return rt::digest_of({std::to_string(ex.site.generation), question}); }

// An answer that counts for a while counts for all who have the same question. Without that each asks for itself: what
// is asked about may be good for one request only.
rt::Task<Result<IdentityPtr>> introspect_once(Exchange& ex, std::string token) {
    const gateway::Authority& server = *ex.site.authentication.introspection;
    std::string key = key_of(ex, token);
    rt::Task<Result<IdentityPtr>> question = gateway::introspect(ex, std::move(token));
    if (server.cache <= Duration::zero()) co_return co_await std::move(question);
    Result<IdentityPtr> otherwise = Error(Code::keys_unavailable);
    auto& open = ex.worker.questions().introspections;
    co_return co_await open.ask(ex.worker.loop(), std::move(key), std::move(question), patience_with(ex, server), std::move(otherwise));
}

rt::Task<gateway::ForwardAnswer> ask_forward_once(Exchange& ex, gateway::ForwardQuestion asked) {
    const gateway::Authority& service = *ex.site.authentication.forward;
    std::string key = key_of(ex, asked.digest);
    rt::Task<gateway::ForwardAnswer> question = gateway::ask_forward(ex, std::move(asked));
    if (service.cache <= Duration::zero()) co_return co_await std::move(question);
    gateway::ForwardAnswer otherwise;
    auto& open = ex.worker.questions().forwards;
    co_return co_await open.ask(ex.worker.loop(), std::move(key), std::move(question), patience_with(ex, service), std::move(otherwise));
}

rt::Task<void> ask(Exchange& ex, const Rules& rules, Wait wait, Answers& answers) {
    switch (wait.what) {
        case Wait::keys:
            answers.keys = true;
            co_await gateway::look_for_keys(ex, std::move(wait.providers), std::move(wait.key_id));
            break;
        case Wait::introspection: answers.introspected = co_await introspect_once(ex, std::move(wait.token)); break;
        default: {
            gateway::ForwardQuestion question = gateway::forward_question(ex, rules.places);
            answers.forwarded_digest = question.digest;
            answers.forwarded = co_await ask_forward_once(ex, std::move(question));
        }
    }
}

// The service's refusal in our words, with what it says of how to get in.
Answer passed_on(Exchange& ex, const gateway::ForwardAnswer& said) {
    Error refusal(said.who.error().code);
    http::Response response = ex.site.replies.render(ex, refusal);
    ex.failure = refusal.code;
    if (http::grpc_type(ex.request.head.headers)) return response;
    for (const upstream::FetchField& field : said.passed) response.headers.remove(field.name);
    for (const upstream::FetchField& field : said.passed) response.headers.add(ex.arena.copy(field.name), ex.arena.copy(field.value));
    return response;
}

class AuthenticateElsewhere final : public Filter {
 public:
    explicit AuthenticateElsewhere(Rules rules) : rules_(std::move(rules)) {}

 private:
    bool wanted(const Exchange& ex) const override { return ex.credential_pending; }

    // At most one question of each kind.
    rt::Task<Answer> run(Exchange& ex, Next next) const override {
        ex.credential_pending = false;
        Answers answers;
        for (;;) {
            Look look(ex, rules_, answers);
            Outcome outcome = look.run();
            if (outcome == Outcome::refused && answers.forwarded && !answers.forwarded->passed.empty()) co_return passed_on(ex, *answers.forwarded);
            if (outcome != Outcome::waiting) {
                gateway::Verdict verdict = conclude(ex, rules_, look, outcome);
                if (verdict) co_return std::move(*verdict);
                break;
            }
            Wait wait = std::move(look.wait);
            co_await ask(ex, rules_, std::move(wait), answers);
        }
        co_return co_await next.run(ex);
    }

    Rules rules_;
};

}  // namespace

CheckPtr authenticate(const config::Config& config, const config::Route& route) {
    auto rules = rules_of(config, route);
    return rules ? std::make_shared<Authenticate>(std::move(*rules)) : nullptr;
}

FilterPtr authenticate_elsewhere(const config::Config& config, const config::Route& route) {
    auto rules = rules_of(config, route);
    return rules ? std::make_shared<AuthenticateElsewhere>(std::move(*rules)) : nullptr;
}

}  // namespace suoke::filters
