// SPDX-License-Identifier: MIT
// Who gets in, as whom, and what the service is told; and what an attacker would try first.
#include <gtest/gtest.h>

#include <fstream>

#include "auth/api_keys.h"
#include "auth/credentials.h"
#include "auth/jwt.h"
#include "base/text.h"
#include "http/grpc.h"
#include "testing/files.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kSecret = "k7Qm2vX9pLr4TzB8nWc5YdF1hJs6GaE3";
const std::string kOther = "Zx3Vb8Nm1Qw6Er2Ty9Ui4Op7As5Df0Gh";
const std::string kApiKey = "sk_live_5f2b9c7e1d";
constexpr std::string_view kMissing = R"(Bearer realm="suoke-gateway")";

std::string base64(std::string_view bytes) {
    std::string out;
    http::append_base64(out, bytes);
    return out;
}

// Without the ways around a route's roles, of which the configuration would warn.
const std::string kClosed = "registry: {service_paths: false}\n";

// Keys of the section auth, and of the route.
std::string guarded(const std::string& auth = {}, const std::string& route = {}, const std::string& rest = {}) {
    return one_service("users", {.route = route, .rest = "auth: {jwt: {secret_key: " + kSecret + "}" + (auth.empty() ? "" : ", " + auth) + "}\n" + rest});
}

// The whole site in one route.
std::string everything(const std::string& auth, const std::string& route = {}, const std::string& rest = {}) {
    return "services: {all: {endpoints: [{host: 10.0.0.1, port: 80}]}}\n"
           "routes:\n  - {name: all, prefix: /, service: all, strip_prefix: false" + (route.empty() ? "" : ", " + route) + "}\n" +
           "auth: {jwt: {secret_key: " + kSecret + "}" + (auth.empty() ? "" : ", " + auth) + "}\n" + rest;
}

auth::KeyPtr key_of(const std::string& secret, std::string id = {}) {
    return *auth::Key::of_secret(secret, {auth::Algorithm::hs256}, std::move(id));
}

auth::KeyRingPtr ring_of(std::vector<auth::KeyPtr> keys, std::uint64_t generation = 1) {
    auto set = std::make_shared<auth::KeySet>();
    set->keys = std::move(keys);
    auto ring = std::make_shared<auth::KeyRing>();
    ring->providers[""].keys = std::move(set);
    ring->generation = generation;
    return ring;
}

// A gateway that has the keys of its configuration.
class Gate {
 public:
    explicit Gate(const std::string& yaml = guarded(), app::TlsInputs tls = {}) : scene_(yaml, 1, std::move(tls)) {
        worker().adopt(ring_of({key_of(kSecret)}));
    }
    Peer& client(const std::string& name = "client") { return scene_.client(name); }
    Peer& client_over_tls(const std::string& name, const rt::TlsClientOptions& tls) { return scene_.client_over_tls(name, tls); }
    Upstream& upstream(const std::string& name) { return scene_.upstream(name); }
    gateway::Worker& worker() { return scene_.worker(); }
    rt::Loop& loop() { return scene_.loop(); }
    void after(Duration time) { scene_.after(time); }
    void comes_from(std::string address) { scene_.comes_from(std::move(address)); }
    void reload(const std::string& yaml) { scene_.reload(yaml); }

    struct Wanted {
        std::string claims;   // ,"roles":["admin"]
        std::string subject = "li", secret = kSecret, key_id = {};
        Duration lifetime = 60s;
    };
    std::string token(const Wanted& wanted) {
        auto now = loop().clock().wall().time_since_epoch() / 1s;
        std::string claims = R"({"sub":")" + wanted.subject + R"(","jti":"of-)" + wanted.subject + R"(","iat":)" + std::to_string(now) + R"(,"exp":)" +
                             std::to_string(now + wanted.lifetime / 1s) + wanted.claims + "}";
        return *auth::mint(claims, *key_of(wanted.secret, wanted.key_id), auth::Algorithm::hs256);
    }
    std::string token() { return token(Wanted()); }
    std::string claiming(const std::string& claims) {
        Wanted wanted;
        wanted.claims = claims;
        return token(wanted);
    }
    std::string bearer(const std::string& token) { return "authorization: Bearer " + token + "\r\n"; }

    // One exchange from end to end.
    void passes(const std::string& target, const std::string& fields = {}, Place place = Place::current()) {
        client() << get(target, fields);
        upstream("10.0.0.1:80") >> request("GET", target, "", place) << ok("in");
        client() >> response(200, "in", place);
    }
    void is_refused(const std::string& target, const std::string& fields, int status, const std::string& code, Place place = Place::current()) {
        client() << get(target, fields);
        client() >> response(status, place).saying("\"" + code + "\"");
    }

 private:
    Scene scene_;
};

// ---- bearer tokens

TEST(Authenticate, without_a_credential_nobody_gets_in) {
    Gate s;
    s.client() << get("/users");
    s.client() >> response(401).saying("Missing authentication token").saying("\"error\":\"Unauthorized\"").saying("\"missing_token\"")
                      .with("www-authenticate", std::string(kMissing)).with("cache-control", "no-store");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Authenticate, a_good_token_opens_the_door_and_the_service_is_told_who_it_is) {
    Gate s;
    std::string token = s.claiming(R"(,"name":"Li Wei","roles":["doctor","premium"],"scope":"read write")");
    s.client() << get("/users", s.bearer(token) + "X-User-ID: admin\r\nx_user_roles: admin\r\nX-Auth-Method: none\r\nx-user-scopes: all\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .with("x-user-id", "li")
                                   .with("x-user-name", "Li Wei")
                                   .with("x-user-roles", "doctor,premium")
                                   .with("x-user-scopes", "read write")
                                   .with("x-user-type", "premium")
                                   .with("x-auth-method", "jwt")
                                   .with("authorization", "Bearer " + token)
                                   .without("x_user_roles")
                               << ok("all");
    s.client() >> response(200, "all");
}

TEST(Authenticate, the_scheme_is_written_in_any_case) {
    Gate s;
    for (const char* scheme : {"bearer", "BEARER", "Bearer"}) s.passes("/users", "authorization: " + std::string(scheme) + " " + s.token() + "\r\n");
}

TEST(Authenticate, what_is_no_token_is_refused_without_a_word_about_why) {
    Gate s;
    std::string token = s.token();
    const std::vector<std::string> bad = {"Bearer", "Bearer x", "Bearer\t" + token, "Bearer " + token + " x", "Bearer " + token + ",", "Bearer \"" + token + "\"",
                                          "Bearer " + token.substr(0, token.size() - 2), "Bearer " + token + "A", "Bearer ." + token, "Bearer undefined"};
    for (const std::string& value : bad) {
        s.client() << get("/users", "authorization: " + value + "\r\n");
        s.client() >> response(401).saying("Invalid authentication token").saying("\"invalid_token\"")
                          .with("www-authenticate", R"(Bearer realm="suoke-gateway", error="invalid_token", error_description="The token is not valid")");
    }
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Authenticate, huge_tokens_are_refused_unread) {
    Gate s;
    s.is_refused("/users", s.bearer(std::string(9000, 'a')), 401, "invalid_token");
    s.is_refused("/users", s.bearer(std::string(3000, 'a') + "." + std::string(3000, 'a') + "." + std::string(3000, 'a')), 401, "invalid_token");
}

TEST(Authenticate, two_authorizations_are_none) {
    Gate s;
    std::string good = s.bearer(s.token());
    s.is_refused("/users", good + "authorization: Bearer x\r\n", 401, "invalid_token");
    s.is_refused("/users", good + good, 401, "invalid_token");
    s.is_refused("/users", "authorization: Basic eA==\r\n" + good, 401, "invalid_token");
}

TEST(Authenticate, other_schemes_are_not_ours) {
    Gate s;
    s.is_refused("/users", "authorization: Digest username=\"li\"\r\n", 401, "missing_token");
    s.is_refused("/users", "authorization: Basic bGk6eA==\r\n", 401, "missing_token");
}

TEST(Authenticate, a_token_of_another_key_does_not_get_in_and_one_without_keys_is_our_fault) {
    Gate s;
    Gate::Wanted forged;
    forged.secret = kOther;
    s.is_refused("/users", s.bearer(s.token(forged)), 401, "invalid_token");
    s.worker().adopt(auth::KeyRingPtr(std::make_shared<auth::KeyRing>()));
    s.client() << get("/users", s.bearer(s.token()));
    s.client() >> response(503).saying("keys_unavailable").having("retry-after").without("www-authenticate");
}

// ---- what was verified before

TEST(Authenticate, a_token_that_is_remembered_dies_when_it_expires) {
    Gate s;
    std::string old = s.bearer(s.token());
    s.passes("/users", old);
    s.passes("/users", old);
    s.after(89s);   // 60 s of its own, and 30 s in which clocks may differ
    s.client("later") << get("/users", old);
    s.upstream("users") >> request("GET", "/users") << ok("still");
    s.client("later") >> response(200, "still");
    s.after(2s);
    s.client("later") << get("/users", old);
    s.client("later") >> response(401).saying("token_expired")
                             .with("www-authenticate", R"(Bearer realm="suoke-gateway", error="invalid_token", error_description="The token has expired")");
}

TEST(Authenticate, other_keys_judge_remembered_tokens_anew) {
    Gate s;
    std::string old = s.bearer(s.token());
    s.passes("/users", old);
    s.worker().adopt(ring_of({key_of(kOther)}, 2));
    s.is_refused("/users", old, 401, "invalid_token");
    Gate::Wanted renewed;
    renewed.secret = kOther;
    s.passes("/users", s.bearer(s.token(renewed)));
}

TEST(Authenticate, other_rules_judge_remembered_tokens_anew) {
    Gate s;
    std::string old = s.bearer(s.token());
    s.passes("/users", old);
    s.reload(one_service("users", {.rest = "auth: {jwt: {secret_key: " + kSecret + ", issuers: [somebody]}}\n"}));
    s.is_refused("/users", old, 401, "invalid_token");
}

TEST(Authenticate, what_is_taken_back_is_refused_at_once_also_when_it_is_remembered) {
    Gate s;
    Gate::Wanted other;
    other.subject = "wei";
    std::string li = s.bearer(s.token()), wei = s.bearer(s.token(other));
    s.passes("/users", li);
    s.passes("/users", wei);
    auth::Revocations revoked;
    revoked.generation = 1;
    revoked.tokens["of-li"] = WallTime::max();
    s.worker().adopt(auth::RevocationsPtr(std::make_shared<auth::Revocations>(revoked)));
    s.is_refused("/users", li, 401, "token_revoked");
    s.is_refused("/users", li, 401, "token_revoked");
    s.passes("/users", wei);
    revoked.generation = 2;
    revoked.subjects["wei"] = s.loop().clock().wall();
    s.worker().adopt(auth::RevocationsPtr(std::make_shared<auth::Revocations>(revoked)));
    s.is_refused("/users", wei, 401, "token_revoked");
}

// ---- keys that are new

class Desk final : public auth::KeyDesk {
 public:
    explicit Desk(Gate& gate) : gate_(gate) { gate.worker().credentials().desk = this; }
    std::vector<std::string> asked;
    auth::KeyRingPtr brings;          // null: nothing
    Duration takes{};

 private:
    rt::Task<void> look_for(std::string provider, std::string key_id, TimePoint deadline) override {
        asked.push_back(provider + "/" + key_id);
        if (takes > Duration::zero()) {
            auto ends = rt::memory_pair(gate_.loop());
            co_await ends.first->readable(std::min(deadline, gate_.loop().now() + takes));
        }
        if (brings) gate_.worker().adopt(brings);
    }
    Gate& gate_;
};

TEST(AuthenticateElsewhere, a_key_that_is_new_is_looked_for_and_its_token_accepted) {
    Gate s;
    s.worker().adopt(ring_of({key_of(kSecret, "k1")}));
    Desk desk(s);
    desk.brings = ring_of({key_of(kSecret, "k1"), key_of(kOther, "k2")}, 2);
    Gate::Wanted newer;
    newer.secret = kOther;
    newer.key_id = "k2";
    std::string token = s.bearer(s.token(newer));
    s.client() << get("/users", token);
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
    s.client() >> response(200, "in");
    EXPECT_EQ(desk.asked, std::vector<std::string>{"/k2"});
    s.passes("/users", token);
    EXPECT_EQ(desk.asked.size(), 1u);
}

TEST(AuthenticateElsewhere, a_key_that_nobody_has_is_asked_for_once_a_request) {
    Gate s;
    s.worker().adopt(ring_of({key_of(kSecret, "k1")}));
    Desk desk(s);
    Gate::Wanted forged;
    forged.key_id = "../../dev/null";
    s.is_refused("/users", s.bearer(s.token(forged)), 401, "invalid_token");
    EXPECT_EQ(desk.asked.size(), 1u);
    forged.secret = kOther;
    forged.key_id = "k1";
    s.is_refused("/users", s.bearer(s.token(forged)), 401, "invalid_token");
    EXPECT_EQ(desk.asked.size(), 1u) << "that one we have";
}

TEST(AuthenticateElsewhere, nobody_waits_for_keys_for_ever) {
    Gate s;
    s.worker().adopt(ring_of({key_of(kSecret, "k1")}));
    Desk desk(s);
    desk.takes = 60s;
    Gate::Wanted newer;
    newer.key_id = "k2";
    s.client() << get("/users", s.bearer(s.token(newer)));
    s.after(2s);
    s.client() >> silence();
    s.after(2s);
    s.client() >> response(401).saying("invalid_token");
}

// ---- modes, and paths that are open

TEST(Authenticate, optional_lets_strangers_in_but_no_bad_credential) {
    Gate s(guarded("mode: optional"));
    s.client() << get("/users", "x-user-id: admin\r\n");
    s.upstream("users") >> request("GET", "/users").without("x-user-id").without("x-auth-method") << ok("all");
    s.client() >> response(200, "all");
    s.is_refused("/users", "authorization: Bearer x\r\n", 401, "invalid_token");
    s.passes("/users", s.bearer(s.token()));
}

TEST(Authenticate, none_looks_at_nothing) {
    Gate s(guarded({}, "auth: none"));
    s.client() << get("/users", "authorization: Bearer x\r\nx-user-id: admin\r\n");
    s.upstream("users") >> request("GET", "/users").with("authorization", "Bearer x").without("x-user-id") << ok("all");
    s.client() >> response(200, "all");
}

TEST(Authenticate, the_way_in_and_what_the_operator_opened_needs_no_token) {
    Gate s(everything("public_paths: ['/open/*', '/v?/status']"));
    for (const char* path : {"/", "/health", "/docs", "/docs/a", "/api/v1/auth/login", "/api/auth/register",
                             "/api/v1/gateway/auth-service/auth/refresh", "/open/a/b", "/v1/status"}) {
        s.passes(path);
        s.passes(path, "authorization: Bearer stale\r\n");
    }
    for (const char* path : {"/docsX", "/open", "/api/v1/auth/logout", "/metrics/stats", "/open/../closed", "/v12/status"})
        s.is_refused(path, "", 401, "missing_token");
}

TEST(Authenticate, a_route_that_says_required_is_not_open) {
    Gate s(everything("public_paths: ['/*']", "auth: required"));
    s.is_refused("/open", "", 401, "missing_token");
    Gate by_rule(everything("public_paths: ['/*']", "auth: {scopes: [read]}", kClosed));
    by_rule.is_refused("/open", "", 401, "missing_token");
    Gate old_words(everything("public_paths: ['/open']", "auth_required: true"));
    old_words.passes("/open");
}

TEST(Authenticate, a_preflight_needs_no_token_and_any_other_options_does) {
    Gate s;
    s.client() << "OPTIONS /users HTTP/1.1\r\nhost: api\r\norigin: https://a\r\naccess-control-request-method: PUT\r\n\r\n";
    s.upstream("users") >> request("OPTIONS", "/users") << ok("yes");
    s.client() >> response(200, "yes");
    s.client() << "OPTIONS /users HTTP/1.1\r\nhost: api\r\norigin: https://a\r\n\r\n";
    s.client() >> response(401);
    s.client() << get("/users", "origin: https://a\r\naccess-control-request-method: PUT\r\n");
    s.client() >> response(401);
}

// A service that believes these would delete for a stranger.
TEST(Authenticate, a_preflight_that_says_another_method_is_none) {
    const std::string preflight = "OPTIONS /users HTTP/1.1\r\nhost: api\r\norigin: https://a\r\naccess-control-request-method: PUT\r\n";
    for (const char* yaml_of_route : {"", "auth: {mode: optional, roles: [admin]}"}) {
        Gate s(guarded({}, yaml_of_route, kClosed));
        for (const char* name : {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) {
            s.client() << preflight + name + ": DELETE\r\n\r\n";
            s.client() >> response(401).saying("missing_token");
        }
    }
}

TEST(Authenticate, no_other_way_to_write_a_path_makes_it_a_public_one) {
    Gate s(everything("public_paths: ['/open/*']"));
    s.passes("/open/a");
    for (const char* disguised : {"/open/../clinic", "/open/%2e%2e/clinic", "//open/..//clinic", "/%6Fpen/a", "/OPEN/a", "/open"})
        s.is_refused(disguised, "", 401, "missing_token");
    for (const char* hostile : {"/open/..%2fclinic", "/open/..;/clinic", "/open/%5c../clinic", "/open/%00"}) {
        Gate other(everything("public_paths: ['/open/*']"));
        other.is_refused(hostile, "", 400, "malformed_request");
    }
    for (const char* method : {"HEAD", "OPTIONS", "POST"}) {
        s.client() << std::string(method) + " /clinic HTTP/1.1\r\nhost: api\r\nx-http-method-override: GET\r\ncontent-length: 0\r\n\r\n";
        if (std::string_view(method) == "HEAD") s.client() >> response(401).to_head();
        else s.client() >> response(401);
    }
}

TEST(Authenticate, a_bad_credential_is_not_made_up_for_by_a_good_one) {
    Gate s(guarded({}, "auth: {token_from: {cookie: session}}"));
    std::string good = s.bearer(s.token());
    s.is_refused("/users", good + "cookie: session=wrong\r\n", 401, "invalid_token");
    s.is_refused("/users", good + "cookie: session=" + s.token() + "; session=wrong\r\n", 401, "invalid_token");
    s.is_refused("/users", good + "authorization: Bearer wrong\r\n", 401, "invalid_token");
    s.is_refused("/users", "authorization: Basic YTpi\r\n" + good, 401, "invalid_token");
    s.is_refused("/users", "authorization: Bearer\r\ncookie: session=" + s.token() + "\r\n", 401, "invalid_token");
}

TEST(Authenticate, what_leads_nowhere_needs_no_token) {
    Gate s;
    s.is_refused("/nowhere", "", 404, "no_route");
}

// ---- roles, scopes, claims

TEST(Authorize, one_of_the_roles_is_enough) {
    Gate s(guarded({}, "auth: {roles: [doctor, nurse]}", kClosed));
    s.passes("/users", s.bearer(s.claiming(R"(,"roles":["nurse"])")));
    s.client() << get("/users", s.bearer(s.claiming(R"(,"roles":["patient"])")));
    s.client() >> response(403).saying("a role that you do not have").saying("\"forbidden\"").without("www-authenticate");
    s.is_refused("/users", "", 401, "missing_token");
}

TEST(Authorize, all_scopes_are_needed_and_named) {
    Gate s(guarded({}, "auth: {scopes: [read, write]}", kClosed));
    s.passes("/users", s.bearer(s.claiming(R"(,"scope":"write read")")));
    s.client() << get("/users", s.bearer(s.claiming(R"(,"scope":"read")")));
    s.client() >> response(403).saying("a scope").with("www-authenticate", R"(Bearer realm="suoke-gateway", error="insufficient_scope", scope="read write")");
}

TEST(Authorize, each_claim_has_a_value_that_is_wanted) {
    Gate s(guarded({}, "auth: {claims: {clinic: [north, south]}}", kClosed));
    s.passes("/users", s.bearer(s.claiming(R"(,"clinic":"south")")));
    s.is_refused("/users", s.bearer(s.claiming(R"(,"clinic":"west")")), 403, "forbidden");
}

TEST(Authorize, a_stranger_who_may_come_in_has_no_role) {
    Gate s(guarded({}, "auth: {mode: optional, roles: [admin]}", kClosed));
    s.is_refused("/users", "", 401, "missing_token");
}

// ---- other places

TEST(TokenPlaces, one_in_the_query_goes_on_as_authorization) {
    Gate s(guarded({}, "auth: {token_from: {query: token}}"));
    std::string token = s.token();
    s.client() << get("/users?a=1&token=" + token + "&b[]=2");
    s.upstream("users") >> request("GET", "/users?a=1&b%5B%5D=2").with("authorization", "Bearer " + token).with("x-user-id", "li") << ok("in");
    s.client() >> response(200, "in");
    s.client() << get("/users?token=" + token);
    s.upstream("users") >> request("GET", "/users") << ok("in");
    s.client() >> response(200, "in");
}

TEST(TokenPlaces, one_in_the_query_is_nothing_where_the_route_does_not_say_so) {
    Gate s;
    s.is_refused("/users?token=" + s.token(), "", 401, "missing_token");
}

TEST(TokenPlaces, two_tokens_that_differ_are_none) {
    Gate s(guarded({}, "auth: {token_from: {query: token, cookie: session}}"));
    Gate::Wanted other;
    other.subject = "wei";
    std::string li = s.token(), wei = s.token(other);
    s.is_refused("/users?token=" + wei, s.bearer(li), 401, "invalid_token");
    s.is_refused("/users?token=" + li + "&token=" + wei, "", 401, "invalid_token");
    s.is_refused("/users?token=" + wei, "cookie: session=" + li + "\r\n", 401, "invalid_token");
    s.client() << get("/users?token=" + li, s.bearer(li) + "cookie: session=" + li + "\r\n");
    s.upstream("users") >> request("GET", "/users").with("authorization", "Bearer " + li) << ok("the same");
    s.client() >> response(200, "the same");
}

TEST(TokenPlaces, a_cookie_stays_a_cookie) {
    Gate s(guarded({}, "auth: {token_from: {cookie: session}}"));
    std::string cookies = "a=1; session=" + s.token() + "; b=2";
    s.client() << get("/users", "cookie: " + cookies + "\r\n");
    s.upstream("users") >> request("GET", "/users").with("cookie", cookies).without("authorization").with("x-user-id", "li") << ok("in");
    s.client() >> response(200, "in");
}

TEST(TokenPlaces, the_service_gets_no_credential_where_the_route_keeps_it) {
    Gate s(guarded({}, "auth: {token_from: {cookie: session, query: token}, forward_credentials: false}"));
    std::string token = s.token();
    s.client() << get("/users?token=" + token, s.bearer(token) + "cookie: a=1; session=" + token + "; b=2\r\n");
    s.upstream("users") >> request("GET", "/users").without("authorization").with("cookie", "a=1; b=2").with("x-user-id", "li") << ok("in");
    s.client() >> response(200, "in");
}

constexpr std::string_view kUpgrade =
    "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

TEST(TokenPlaces, a_websocket_may_bring_it_as_a_subprotocol) {
    Gate s(guarded({}, "auth: {token_from: {websocket_protocol: true}}"));
    std::string token = s.token();
    s.client() << get("/users", std::string(kUpgrade) + "sec-websocket-protocol: bearer, " + token + "\r\n");
    s.upstream("users") >> request("GET", "/users").without("sec-websocket-protocol").with("authorization", "Bearer " + token).with("x-user-id", "li");
    s.upstream("users").connection(0) << std::string(kSwitched) + "\r\n";
    // A browser gives up when the server chooses none of what it offered; the token itself is never repeated.
    s.client() >> response(101).head_only().with("sec-websocket-protocol", "bearer");
}

TEST(TokenPlaces, other_subprotocols_are_between_client_and_service) {
    Gate s(guarded({}, "auth: {token_from: {websocket_protocol: true}}"));
    s.client() << get("/users", std::string(kUpgrade) + "sec-websocket-protocol: graphql-ws, bearer, " + s.token() + ", chat\r\n");
    s.upstream("users") >> request("GET", "/users").with("sec-websocket-protocol", "graphql-ws, chat");
    s.upstream("users").connection(0) << std::string(kSwitched) + "sec-websocket-protocol: chat\r\n\r\n";
    s.client() >> response(101).head_only().with("sec-websocket-protocol", "chat");
}

TEST(TokenPlaces, a_subprotocol_without_its_token_is_a_bad_one) {
    Gate s(guarded({}, "auth: {token_from: {websocket_protocol: true}}"));
    s.is_refused("/users", std::string(kUpgrade) + "sec-websocket-protocol: bearer\r\n", 401, "invalid_token");
    s.is_refused("/users", std::string(kUpgrade) + "sec-websocket-protocol: bearer, x, chat\r\n", 401, "invalid_token");
}

// ---- API keys and passwords

// Of kApiKey.
std::string api_keys() { return "api_keys: {batch: {hashes: ['" + auth::api_key_hash(kApiKey) + "'], roles: [machine]}}"; }

TEST(ApiKey, opens_the_door_and_stays_with_us) {
    Gate s(guarded(api_keys()));
    for (int twice = 0; twice < 2; ++twice) {
        s.client() << get("/users", "x-api-key: " + kApiKey + "\r\n");
        s.upstream("users") >> request("GET", "/users").without("x-api-key").with("x-user-id", "batch").with("x-user-roles", "machine")
                                       .with("x-auth-method", "api_key")
                                   << ok("in");
        s.client() >> response(200, "in");
    }
    s.is_refused("/users", "x-api-key: " + kApiKey + "x\r\n", 401, "invalid_token");
    s.is_refused("/users", "x-api-key: " + auth::api_key_hash(kApiKey) + "\r\n", 401, "invalid_token");
    s.is_refused("/users", "x-api-key:\r\n", 401, "invalid_token");
    s.is_refused("/users", "x-api-key: " + kApiKey + "\r\nx-api-key: " + kApiKey + "\r\n", 401, "invalid_token");
}

TEST(ApiKey, beside_a_token_both_must_be_good_and_the_first_method_says_who) {
    Gate s(guarded(api_keys()));
    std::string key = "x-api-key: " + kApiKey + "\r\n", token = s.bearer(s.token());
    s.client() << get("/users", key + token);
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li").without("x-api-key").having("authorization") << ok("in");
    s.client() >> response(200, "in");
    s.is_refused("/users", "x-api-key: wrong\r\n" + token, 401, "invalid_token");
    s.is_refused("/users", key + "authorization: Bearer wrong\r\n", 401, "invalid_token");
}

TEST(ApiKey, is_no_token_and_a_token_is_no_key_whatever_was_seen_before) {
    Gate s(guarded(api_keys()));
    std::string token = s.token();
    s.passes("/users", s.bearer(token));
    s.passes("/users", "x-api-key: " + kApiKey + "\r\n");
    s.is_refused("/users", "x-api-key: " + token + "\r\n", 401, "invalid_token");
    s.is_refused("/users", s.bearer(kApiKey), 401, "invalid_token");
}

TEST(ApiKey, goes_on_where_the_route_says_so) {
    Gate s(guarded(api_keys(), "auth: {forward_credentials: true}"));
    s.client() << get("/users", "x-api-key: " + kApiKey + "\r\n");
    s.upstream("users") >> request("GET", "/users").with("x-api-key", kApiKey) << ok("in");
    s.client() >> response(200, "in");
}

TEST(ApiKey, of_a_subject_that_was_revoked_is_refused) {
    Gate s(guarded(api_keys()));
    s.passes("/users", "x-api-key: " + kApiKey + "\r\n");
    auth::Revocations revoked;
    revoked.generation = 1;
    revoked.subjects["batch"] = s.loop().clock().wall();
    s.worker().adopt(auth::RevocationsPtr(std::make_shared<auth::Revocations>(revoked)));
    s.is_refused("/users", "x-api-key: " + kApiKey + "\r\n", 401, "token_revoked");
}

TEST(Basic, is_an_id_and_its_key) {
    Gate s(guarded("methods: [jwt, basic], " + api_keys()));
    for (int twice = 0; twice < 2; ++twice) {
        s.client() << get("/users", "authorization: basic " + base64("batch:" + kApiKey) + "\r\n");
        s.upstream("users") >> request("GET", "/users").without("authorization").with("x-user-id", "batch").with("x-auth-method", "basic") << ok("in");
        s.client() >> response(200, "in");
    }
    for (const std::string& pair : {"batch:x" + kApiKey, "other:" + kApiKey, kApiKey, std::string(":"), std::string()})
        s.is_refused("/users", "authorization: Basic " + base64(pair) + "\r\n", 401, "invalid_token");
    s.is_refused("/users", "authorization: Basic !!!\r\n", 401, "invalid_token");
    s.is_refused("/users", "x-api-key: " + kApiKey + "\r\n", 401, "missing_token");
}

TEST(Basic, is_offered_to_who_is_refused) {
    Gate s(guarded("methods: [jwt, basic], " + api_keys()));
    s.client() << get("/users");
    Message answer = s.client().take_response();
    std::vector<std::string> offers;
    for (const auto& [name, value] : answer.fields)
        if (name == "www-authenticate") offers.push_back(value);
    EXPECT_EQ(offers, (std::vector<std::string>{std::string(kMissing), R"(Basic realm="suoke-gateway", charset="UTF-8")"}));
}

// ---- certificates

const rt::CertificatePem& authority() {
    static const rt::CertificatePem kRoot = [] {
        rt::NewCertificate wanted;
        wanted.names = {"root.test"};
        wanted.authority = true;
        return rt::make_certificate(wanted);
    }();
    return kRoot;
}

rt::CertificatePem signed_for(const std::string& name) {
    rt::NewCertificate wanted;
    wanted.names = {name};
    return rt::make_certificate(wanted, &authority());
}

TEST(Certificate, says_who_a_machine_is) {
    std::string file = own_file("authenticate-ca.pem");
    std::ofstream(file) << authority().chain;
    app::TlsInputs inputs;
    inputs.local_certificates = {signed_for("api")};
    Gate s(guarded("methods: [jwt, certificate]", {}, "server: {tls: {client_auth: optional, client_ca_file: " + file + "}}\n"), std::move(inputs));
    rt::TlsClientOptions nobody;
    nobody.ca = authority().chain;
    rt::TlsClientOptions device = nobody;
    device.certificates = {signed_for("device-7")};
    Peer& known = s.client_over_tls("device", device);
    for (int twice = 0; twice < 2; ++twice) {
        known << get("/users", "x-user-id: admin\r\n");
        s.upstream("users") >> request("GET", "/users").with("x-user-id", "CN=device-7").with("x-user-name", "device-7")
                                       .with("x-auth-method", "certificate")
                                   << ok("in");
        known >> response(200, "in");
    }
    Peer& stranger = s.client_over_tls("stranger", nobody);
    stranger << get("/users");
    stranger >> response(401).saying("missing_token");
}

// The handshake is over by then, or was spared by a ticket.
TEST(Certificate, is_nobodys_once_it_has_expired) {
    std::string file = own_file("authenticate-ca.pem");
    std::ofstream(file) << authority().chain;
    app::TlsInputs inputs;
    inputs.local_certificates = {signed_for("api")};
    Gate s(guarded("methods: [certificate]", {}, "server: {tls: {client_auth: optional, client_ca_file: " + file + "}}\n"), std::move(inputs));
    rt::NewCertificate wanted;
    wanted.names = {"device-7"};
    wanted.not_after = SystemClock().wall() + 1h;
    rt::TlsClientOptions device;
    device.ca = authority().chain;
    device.certificates = {rt::make_certificate(wanted, &authority())};
    Peer& known = s.client_over_tls("device", device);
    known << get("/users");
    s.upstream("users") >> request("GET", "/users").with("x-user-name", "device-7") << ok("in");
    known >> response(200, "in");
    s.after(wanted.not_after - ManualClock().wall());
    Peer& late = s.client_over_tls("late", device);
    late << get("/users");
    late >> response(401).saying("token_expired");
}

// ---- a service that decides

const std::string kForward = "methods: [jwt, forward], forward: {url: 'http://10.0.0.9/check'";

TEST(ForwardAuth, a_yes_says_who_it_is) {
    Gate s(guarded(kForward + "}"));
    s.client() << get("/users/./7?a=1", "cookie: session=abc\r\nx-user-id: admin\r\n");
    s.upstream("10.0.0.9:80") >> request("GET", "/check")
                                         .with("cookie", "session=abc")
                                         .with("x-forwarded-method", "GET")
                                         .with("x-forwarded-uri", "/users/7?a=1")
                                         .with("x-forwarded-host", "api")
                                         .with("x-forwarded-proto", "http")
                                         .with("x-forwarded-for", "192.0.2.1")
                                         .having("x-request-id")
                                         .without("x-user-id")
                                     << ok("", "x-user-id: li\r\nx-user-name: Li Wei\r\nx-user-roles: doctor, premium\r\nx-user-scopes: read write\r\n");
    s.upstream("users") >> request("GET", "/users/7?a=1").with("x-user-id", "li").with("x-user-roles", "doctor,premium").with("x-auth-method", "forward")
                                   .with("cookie", "session=abc")
                               << ok("in");
    s.client() >> response(200, "in");
}

TEST(ForwardAuth, a_no_is_passed_on_with_the_way_to_get_in) {
    Gate s(guarded(kForward + "}"));
    s.client() << get("/users");
    s.upstream("10.0.0.9:80") >> request("GET", "/check")
        << answer(401, "secret words", "www-authenticate: Session realm=\"x\"\r\nlocation: https://login/\r\nx-other: 1\r\n");
    s.client() >> response(401).saying("\"unauthorized\"").with("www-authenticate", "Session realm=\"x\"")
                      .with("location", "https://login/").without("x-other");
    s.client() << get("/users");
    s.upstream("10.0.0.9:80") >> request("GET", "/check") << answer(403, "");
    s.client() >> response(403).saying("\"forbidden\"");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(ForwardAuth, where_a_yes_names_nobody_it_is_who_shows_the_same_and_who_shows_nothing_is_its_address) {
    Gate s(guarded(kForward + "}"));
    auto subject_of = [&](const std::string& client, const std::string& fields) {
        s.client(client) << get("/users", fields);
        s.upstream("10.0.0.9:80") >> request("GET", "/check") << ok("");
        std::string head = to_lower(s.upstream("users").connection(0).unread());
        s.upstream("users") >> request("GET", "/users").having("x-user-id") << ok("in");
        s.client(client) >> response(200, "in");
        std::size_t at = head.find("x-user-id: ");
        return at == head.npos ? std::string() : head.substr(at, head.find('\r', at) - at);
    };
    const std::string session = "cookie: session=a\r\n";
    std::string somebody = subject_of("first", session), stranger = subject_of("first", "");
    EXPECT_NE(somebody, stranger);
    EXPECT_EQ(subject_of("second", session), somebody);
    EXPECT_EQ(subject_of("second", ""), stranger);
    s.comes_from("192.0.2.2");
    EXPECT_EQ(subject_of("elsewhere", session), somebody);
    EXPECT_NE(subject_of("elsewhere", ""), stranger);
}

TEST(ForwardAuth, anything_else_is_our_fault) {
    Gate s(guarded(kForward + ", timeout: 1s}"));
    for (int status : {302, 404, 500}) {
        s.client() << get("/users");
        s.upstream("10.0.0.9:80") >> request("GET", "/check") << answer(status, "");
        s.client() >> response(503).saying("keys_unavailable");
    }
    s.client() << get("/users");
    s.upstream("10.0.0.9:80") >> request("GET", "/check");
    s.after(2s);
    s.client() >> response(503).saying("keys_unavailable");
    s.upstream("10.0.0.9:80").refuses();
    s.client() << get("/users");
    s.client() >> response(503).saying("keys_unavailable");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(ForwardAuth, is_not_asked_about_who_is_known) {
    Gate s(guarded(kForward + "}"));
    s.passes("/users", s.bearer(s.token()));
    s.is_refused("/users", "authorization: Bearer x\r\n", 401, "invalid_token");
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 0u);
}

TEST(ForwardAuth, its_yes_counts_for_a_while_for_the_very_same_question) {
    Gate s(guarded(kForward + ", cache: 10s}"));
    auto asked = [&](const std::string& target, const std::string& cookie) {
        s.client() << get(target, "cookie: " + cookie + "\r\n");
        bool was = s.upstream("10.0.0.9:80").has_unread();
        if (was) s.upstream("10.0.0.9:80") >> request("GET", "/check") << ok("", "x-user-id: li\r\n");
        s.upstream("users") >> request("GET", target).with("x-user-id", "li") << ok("in");
        s.client() >> response(200, "in");
        return was;
    };
    EXPECT_TRUE(asked("/users/1", "session=a"));
    EXPECT_FALSE(asked("/users/1", "session=a"));
    EXPECT_TRUE(asked("/users/1", "session=b")) << "somebody else";
    EXPECT_TRUE(asked("/users/2", "session=a")) << "something else";
    s.after(10s);
    EXPECT_TRUE(asked("/users/1", "session=a"));
}

TEST(ForwardAuth, strangers_are_not_asked_about_where_they_may_come_in) {
    Gate s(guarded("mode: optional, " + kForward + "}"));
    s.passes("/users");
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 0u);
    s.client() << get("/users", "cookie: session=bad\r\n");
    s.upstream("10.0.0.9:80") >> request("GET", "/check") << answer(401, "");
    s.client() >> response(401);
}

// ---- opaque tokens

const std::string kIntrospection =
    "methods: [jwt, introspection], introspection: {url: 'http://10.0.0.9/introspect', client_id: gate way, client_secret: 'a:b'";

TEST(Introspection, a_token_we_cannot_read_is_asked_about_and_remembered) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    std::string opaque = s.bearer("opaque/token+1=");
    s.client() << get("/users", opaque);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque%2Ftoken%2B1%3D&token_type_hint=access_token")
                                         .with("content-type", "application/x-www-form-urlencoded")
                                         .with("authorization", "Basic " + base64("gate%20way:a%3Ab"))
                                     << ok(R"({"active":true,"sub":"li","scope":"read"})");
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li").with("x-user-scopes", "read").with("x-auth-method", "introspection") << ok("in");
    s.client() >> response(200, "in");
    s.passes("/users", opaque);
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 1u);
    s.after(10s);
    s.client() << get("/users", opaque);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque%2Ftoken%2B1%3D&token_type_hint=access_token") << ok(R"({"active":false})");
    s.client() >> response(401).saying("invalid_token");
}

TEST(Introspection, is_not_asked_about_tokens_that_we_can_judge) {
    Gate s(guarded(kIntrospection + "}"));
    s.passes("/users", s.bearer(s.token()));
    Gate::Wanted forged;
    forged.secret = kOther;
    s.is_refused("/users", s.bearer(s.token(forged)), 401, "invalid_token");
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 0u);
}

TEST(Introspection, a_server_that_does_not_answer_is_our_fault) {
    Gate s(guarded(kIntrospection + ", timeout: 1s}"));
    s.client() << get("/users", s.bearer("opaque"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token") << answer(401, "");
    s.client() >> response(503).saying("keys_unavailable");
    s.client() << get("/users", s.bearer("opaque"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token") << ok("<html>");
    s.client() >> response(503).saying("keys_unavailable");
    s.upstream("10.0.0.9:80").does_not_answer();
    s.client() << get("/users", s.bearer("opaque"));
    s.after(2s);
    s.client() >> response(503).saying("keys_unavailable");
}

TEST(Introspection, many_who_show_the_same_new_token_have_it_asked_about_once) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    auto name = [](int i) { return "client-" + std::to_string(i); };
    for (int i = 0; i < 10; ++i) s.client(name(i)) << get("/users", s.bearer("opaque"));
    s.client("other") << get("/users", s.bearer("another"));
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 2u);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token") << ok(R"({"active":true,"sub":"li"})");
    for (int i = 0; i < 10; ++i) s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
    for (int i = 0; i < 10; ++i) s.client(name(i)) >> response(200, "in");
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=another&token_type_hint=access_token") << ok(R"({"active":false})");
    s.client("other") >> response(401).saying("invalid_token");
}

TEST(Introspection, when_the_client_leaves_for_whom_it_was_asked_the_next_one_asks) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    s.client("first") << get("/users", s.bearer("opaque"));
    s.client("second") << get("/users", s.bearer("opaque"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token");
    s.client("first") << reset;
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token") << ok(R"({"active":true,"sub":"li"})");
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
    s.client("second") >> response(200, "in");
}

TEST(Introspection, who_waits_for_somebody_elses_question_waits_no_longer_than_for_his_own) {
    Gate s(guarded(kIntrospection + ", cache: 10s, timeout: 2s}"));
    s.client("first") << get("/users", s.bearer("opaque"));
    s.client("second") << get("/users", s.bearer("opaque"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token");
    s.after(3s);
    s.client("first") >> response(503).saying("keys_unavailable");
    s.client("second") >> response(503).saying("keys_unavailable");
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 1u);
}

constexpr const char* kAsksForGone = "token=gone&token_type_hint=access_token";

TEST(Introspection, a_token_that_was_refused_is_not_asked_about_for_a_moment) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    std::string gone = s.bearer("gone");
    s.client() << get("/users", gone);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":false})");
    s.client() >> response(401).saying("invalid_token");
    for (int i = 0; i < 3; ++i) s.is_refused("/users", gone, 401, "invalid_token");
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 1u);
    s.after(5s);
    s.client() << get("/users", gone);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":true,"sub":"li"})");
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
    s.client() >> response(200, "in");
    s.passes("/users", gone);
}

TEST(Introspection, a_refusal_counts_no_longer_than_a_yes_would) {
    Gate s(guarded(kIntrospection + ", cache: 1s}"));
    for (std::size_t asked = 1; asked <= 2; ++asked) {
        s.client() << get("/users", s.bearer("gone"));
        s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":true,"sub":"li","exp":1})");
        s.client() >> response(401).saying("token_expired");
        s.is_refused("/users", s.bearer("gone"), 401, "token_expired");
        EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), asked);
        s.after(1s);
    }
}

TEST(Introspection, where_no_answer_counts_for_a_while_a_refusal_does_not_either) {
    Gate s(guarded(kIntrospection + ", cache: 0s}"));
    for (int i = 0; i < 2; ++i) {
        s.client() << get("/users", s.bearer("gone"));
        s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":false})");
        s.client() >> response(401).saying("invalid_token");
    }
}

TEST(Introspection, what_was_refused_by_the_rules_before_is_asked_about_anew) {
    Gate s(guarded(kIntrospection + ", cache: 10s, audiences: [others]}"));
    s.client() << get("/users", s.bearer("gone"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":true,"sub":"li","aud":"us"})");
    s.client() >> response(401).saying("invalid_token");
    s.reload(guarded(kIntrospection + ", cache: 10s, audiences: [us]}"));
    s.client() << get("/users", s.bearer("gone"));
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":true,"sub":"li","aud":"us"})");
    s.upstream("users") >> request("GET", "/users") << ok("in");
    s.client() >> response(200, "in");
}

TEST(Introspection, no_more_is_asked_at_once_than_may_be) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    s.worker().questions().most = 2;
    auto shows = [&](const std::string& token) -> Peer& { return s.client(token) << get("/users", s.bearer(token)); };
    auto asked = [&](const std::string& token) -> Peer& {
        return s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=" + token + "&token_type_hint=access_token");
    };
    for (const char* token : {"a", "b", "c"}) shows(token);
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 2u);
    s.client("c") >> response(503).saying("keys_unavailable").with("retry-after", "1");
    for (const char* token : {"a", "b"}) {
        asked(token) << ok(R"({"active":false})");
        s.client(token) >> response(401);
    }
    shows("c");
    asked("c") << ok(R"({"active":true,"sub":"li"})");
    s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
    s.client("c") >> response(200, "in");
}

TEST(ForwardAuth, no_more_is_asked_at_once_than_may_be) {
    Gate s(guarded(kForward + "}"));
    s.worker().questions().most = 1;
    for (const char* name : {"first", "second"}) s.client(name) << get("/users", "cookie: session=a\r\n");
    s.client("second") >> response(503).saying("keys_unavailable");
    s.upstream("10.0.0.9:80") >> request("GET", "/check") << ok("", "x-user-id: li\r\n");
    s.upstream("users") >> request("GET", "/users") << ok("in");
    s.client("first") >> response(200, "in");
}

TEST(Introspection, clients_of_two_routes_have_the_same_token_asked_about_once) {
    Gate s("services: {users: {endpoints: [{host: 10.0.0.1, port: 80}]}}\n"
           "routes: [{name: a, prefix: /a, service: users, strip_prefix: false}, {name: b, prefix: /b, service: users, strip_prefix: false}]\n"
           "auth: {jwt: {secret_key: " + kSecret + "}, " + kIntrospection + ", cache: 10s}}\n");
    s.client("first") << get("/a", s.bearer("opaque"));
    s.client("second") << get("/b", s.bearer("opaque"));
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 1u);
    s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=opaque&token_type_hint=access_token") << ok(R"({"active":true,"sub":"li"})");
    s.upstream("10.0.0.1:80") >> request("GET", "/a").with("x-user-id", "li") << ok("a");
    s.upstream("10.0.0.1:80") >> request("GET", "/b").with("x-user-id", "li") << ok("b");
    s.client("first") >> response(200, "a");
    s.client("second") >> response(200, "b");
}

TEST(Introspection, a_question_of_the_configuration_before_answers_nobody_of_the_present_one) {
    Gate s(guarded(kIntrospection + ", cache: 10s}"));
    s.client("first") << get("/users", s.bearer("gone"));
    s.reload(guarded(kIntrospection + ", cache: 10s, audiences: [us]}"));
    s.client("second") << get("/users", s.bearer("gone"));
    EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), 2u);
    for (int i = 0; i < 2; ++i)
        s.upstream("10.0.0.9:80") >> request("POST", "/introspect", kAsksForGone) << ok(R"({"active":true,"sub":"li","aud":"others"})");
    s.client("second") >> response(401).saying("invalid_token");
    s.upstream("users") >> request("GET", "/users") << ok("in");
    s.client("first") >> response(200, "in");
}

TEST(ForwardAuth, the_same_question_is_asked_once_at_a_time_where_its_answer_counts_for_a_while) {
    for (bool counts : {true, false}) {
        Gate s(guarded(kForward + (counts ? ", cache: 10s}" : "}")));
        for (const char* name : {"first", "second"}) s.client(name) << get("/users", "cookie: session=a\r\n");
        std::size_t asked = counts ? 1 : 2;
        EXPECT_EQ(s.upstream("10.0.0.9:80").dials(), asked);
        for (std::size_t i = 0; i < asked; ++i) s.upstream("10.0.0.9:80") >> request("GET", "/check") << ok("", "x-user-id: li\r\n");
        for (int i = 0; i < 2; ++i) s.upstream("users") >> request("GET", "/users").with("x-user-id", "li") << ok("in");
        for (const char* name : {"first", "second"}) s.client(name) >> response(200, "in");
    }
}

// ---- the gateway's own endpoints

class SaysWho final : public gateway::Filter {
    rt::Task<gateway::Answer> run(gateway::Exchange& ex, gateway::Next) const override {
        std::string who = ex.who ? ex.who->subject : "nobody";
        co_return gateway::text_response(200, "text/plain", who);
    }
};

TEST(Authenticate, the_registrys_token_opens_our_own_endpoints_and_no_service) {
    const std::string yaml = guarded({}, {}, "registry: {admin_token: 0123456789abcdefghij}\n");
    std::vector<endpoints::Builtin> builtins = {{"gateway:own", "/own", std::make_shared<SaysWho>()},
                                                {"gateway:health", "/health", std::make_shared<SaysWho>()}};
    auto loaded = config::load_text(yaml, "c.yaml");
    gateway::SitePtr site = app::compile(loaded.config, builtins, 2, loaded.problems);
    ASSERT_TRUE(site);
    Gate s(yaml);
    s.worker().adopt(site);
    std::string manager = "authorization: Bearer 0123456789abcdefghij\r\n";
    s.client() << get("/own", manager);
    s.client() >> response(200, "registry.admin_token");
    s.client() << get("/own", s.bearer(s.token()));
    s.client() >> response(200, "li");
    s.client() << get("/health");
    s.client() >> response(200, "nobody");
    s.is_refused("/own", "", 401, "missing_token");
    s.is_refused("/own", "authorization: Bearer 0123456789abcdefghiX\r\n", 401, "invalid_token");
    s.is_refused("/users", manager, 401, "invalid_token");
}

// ---- nothing to authenticate with

TEST(Authenticate, a_route_that_wants_to_know_its_clients_stays_closed_while_nothing_is_configured) {
    auto loaded = config::load_text("services: {users: {host: h}}\nroutes:\n- {prefix: /users, service: users, auth: required}\n", "c.yaml");
    std::vector<config::Problem> problems;
    gateway::SitePtr site = app::compile(loaded.config, {}, 1, problems);
    ASSERT_TRUE(site);
    Scene s(one_service("users"));
    s.worker().adopt(site);
    s.client() << get("/users", "authorization: Bearer x\r\n");
    s.client() >> response(503).saying("keys_unavailable");
}

}  // namespace
}  // namespace suoke::scene
