// SPDX-License-Identifier: MIT
#include "tools/token.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/auth_rules.h"
#include "app/key_sources.h"
#include "auth/api_keys.h"
#include "auth/jwt.h"
#include "base/text.h"
#include "discovery/small_file.h"
#include "rt/digest.h"
#include "rt/scope.h"
#include "tools/problems.h"
#include "upstream/dialer.h"

namespace suoke::tools {
namespace {

using nlohmann::json;

constexpr const char* kUsualIssuer = "suoke-auth-service";
constexpr const char* kUsualAudience = "suoke-life";
constexpr std::size_t kMostPem = 64 * 1024;

std::string hex_of(std::string_view bytes) {
    std::string out;
    for (unsigned char c : bytes) out += fmt::format("{:02x}", c);
    return out;
}

Error problem(std::string sentence) { return {Code::invalid_config, std::move(sentence)}; }

// ---- mint

Result<auth::KeyPtr> signing_key(const TokenOrder& order, const config::JwtProvider& by) {
    std::string key_id = order.key_id;
    if (order.key_file.empty()) {
        if (by.secret_key.empty())
            return problem("there is no key to sign with: set auth.jwt.secret_key (JWT_SECRET_KEY), or give a private key with --key FILE");
        auto key = auth::Key::of_secret(by.secret_key.reveal(), {}, std::move(key_id));
        return key ? key : problem("auth.jwt.secret_key: " + key.error().detail);
    }
    auto pem = discovery::read_small_file(order.key_file, kMostPem);
    if (!pem) return pem.error();
    auto key = auth::Key::of_pem(*pem, {}, std::move(key_id));
    return key ? key : problem(order.key_file + ": " + key.error().detail);
}

Result<auth::Algorithm> algorithm_for(const TokenOrder& order, const config::JwtProvider& by, const auth::Key& key) {
    if (!order.algorithm.empty()) {
        auto asked = auth::algorithm_of(order.algorithm);
        if (!asked) return problem("--algorithm: '" + order.algorithm + "' is none of HS256, RS256, PS256, ES256, EdDSA and their like");
        if (!key.allows(*asked)) return problem("the key cannot do " + order.algorithm);
        return *asked;
    }
    for (const std::string& name : by.algorithms)
        if (auto named = auth::algorithm_of(name); named && key.allows(*named)) return *named;
    return key.algorithms().front();
}

// Text, unless it is JSON: 7, true, ["a","b"].
json value_of(std::string_view text) {
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json(std::string(text)) : value;
}

// "realm_access.roles" leads into an object, as auth.jwt.roles_claim does.
void put(json& claims, std::string_view path, json value) {
    json* at = &claims;
    for (std::string_view name : split_list(path, '.')) {
        if (!at->is_object()) *at = json::object();
        at = &(*at)[std::string(name)];
    }
    *at = std::move(value);
}

// As JSON text.
Result<std::string> claims_of(const TokenOrder& order, const config::JwtProvider& by, WallTime now) {
    if (order.subject.empty()) return problem("--subject is missing: whose token is it?");
    std::int64_t issued = now.time_since_epoch() / std::chrono::seconds(1);
    Duration ttl = order.ttl > Duration::zero() ? order.ttl : std::chrono::minutes(by.access_token_expire_minutes);
    json claims = {{"sub", order.subject}, {"type", "access"}, {"iat", issued}, {"nbf", issued}};
    claims["exp"] = issued + std::max<std::int64_t>(ttl / std::chrono::seconds(1), 1);
    claims["iss"] = by.issuers.empty() ? kUsualIssuer : by.issuers.front();
    claims["aud"] = by.audiences.empty() ? kUsualAudience : by.audiences.front();
    claims["jti"] = hex_of(rt::secret_bytes(16));
    if (!order.roles.empty()) put(claims, by.roles_claim, order.roles);
    if (!order.scopes.empty()) put(claims, by.scopes_claim, fmt::format("{}", fmt::join(order.scopes, " ")));
    if (!order.user_type.empty()) put(claims, by.user_type_claim, order.user_type);
    for (const std::string& claim : order.claims) {
        std::size_t equals = claim.find('=');
        if (equals == 0 || equals == std::string::npos) return problem("--claim " + claim + ": write it as name=value");
        claims[claim.substr(0, equals)] = value_of(std::string_view(claim).substr(equals + 1));
    }
    return claims.dump(-1, ' ', false, json::error_handler_t::replace);
}

// ---- verify

rt::Task<void> fetch(rt::Loop& loop, rt::BufferPool& buffers, const config::JwtProvider& from, Result<auth::KeySetPtr>& keys) {
    upstream::SocketDialer dialer(loop);
    keys = co_await app::fetch_keys(loop, dialer, buffers, from);
    loop.stop();
}

Result<auth::KeySetPtr> keys_of(const config::JwtProvider& from) {
    if (from.jwks_url.empty()) return app::local_keys(from);
    SystemClock clock;
    rt::Loop loop(clock);
    rt::BufferBudget budget{16ull << 20};
    rt::BufferPool buffers(budget);
    Result<auth::KeySetPtr> keys = Error(Code::internal);
    rt::TaskScope scope;
    scope.spawn(fetch(loop, buffers, from, keys));
    if (!scope.idle()) loop.run();
    return keys;
}

std::string shown(const std::string& name) { return name.empty() ? "auth.jwt" : "auth.providers." + name; }

std::string time_of(std::int64_t seconds) { return iso8601(WallTime(std::chrono::seconds(seconds))); }

// Without what a terminal would obey: control characters, also those of two bytes (U+0080 to U+009F).
std::string tame(std::string text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
        if (byte == 0xC2 && next >= 0x80 && next < 0xA0) text.erase(i + 1, 1);
        else if (byte >= 0x20 && byte != 0x7F) continue;
        text[i] = '?';
    }
    return text;
}

// Its claims, one a line; times as people read them, too.
std::string lines_of(const auth::Token& token) {
    std::string out = fmt::format("  {:<12} {}\n", "algorithm", auth::name_of(token.algorithm));
    if (!token.key_id.empty()) out += fmt::format("  {:<12} {}\n", "key id", tame(token.key_id));
    json claims = json::parse(token.payload, nullptr, false);
    if (!claims.is_object()) return out;
    constexpr std::int64_t kMost = 253'402'300'799;   // the end of the year 9999
    for (const auto& [name, value] : claims.items()) {
        std::string text = tame(value.dump(-1, ' ', false, json::error_handler_t::replace));
        bool is_time = (name == "exp" || name == "iat" || name == "nbf") && value.is_number_integer();
        if (is_time && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() <= kMost) text += "  " + time_of(value.get<std::int64_t>());
        out += fmt::format("  {:<12} {}\n", tame(name), text);
    }
    return out;
}

// Why no provider takes it; nothing: this one does.
std::optional<std::string> refusal_by(const std::string& name, const config::JwtProvider& from, const auth::Token& token, WallTime now) {
    auto keys = keys_of(from);
    if (!keys) return shown(name) + ": " + keys.error().detail;
    auto who = auth::verify(token, app::jwt_rules(name, from), **keys, now);
    if (who) return std::nullopt;
    std::string why = who.error().detail.empty() ? std::string(row(who.error().code).doc) : who.error().detail;
    return shown(name) + ": " + why;
}

std::string read_line_of_input() {
    std::string all;
    char space[4096];
    while (all.size() <= 2 * auth::kLongestToken && all.find('\n') == std::string::npos) {
        ssize_t got = ::read(STDIN_FILENO, space, sizeof space);
        if (got <= 0) break;
        all.append(space, static_cast<std::size_t>(got));
    }
    return std::string(trim(std::string_view(all).substr(0, all.find('\n'))));
}

int fail(const std::string& sentence, int code) {
    std::fprintf(stderr, "suoke-gateway: %s\n", sentence.c_str());
    return code;
}

}  // namespace

Result<std::string> mint_token(const TokenOrder& order, const config::JwtProvider& by, WallTime now) {
    auto key = signing_key(order, by);
    if (!key) return key.error();
    auto algorithm = algorithm_for(order, by, **key);
    if (!algorithm) return algorithm.error();
    auto claims = claims_of(order, by, now);
    if (!claims) return claims.error();
    return auth::mint(*claims, **key, *algorithm);
}

TokenReport judge_token(std::string_view text, const config::Auth& auth) {
    constexpr std::string_view kScheme = "bearer ";
    if (iequals(text.substr(0, kScheme.size()), kScheme)) text = trim(text.substr(kScheme.size()));
    auto token = auth::parse_token(text);
    if (!token) return {false, "not a token: " + token.error().detail + "\n"};
    auto providers = app::key_providers(auth);
    if (providers.empty()) return {false, "not verified: no keys are configured (auth.jwt, auth.providers)\n" + lines_of(*token)};
    std::string refusals;
    for (const auto& [name, provider] : providers) {
        auto refusal = refusal_by(name, provider, *token, SystemClock().wall());
        if (!refusal) return {true, "good, by " + shown(name) + "\n" + lines_of(*token)};
        refusals += "  " + *refusal + "\n";
    }
    return {false, "not good; by\n" + refusals + "it says (nothing of which is to be believed)\n" + lines_of(*token)};
}

int mint(const config::Sources& sources, const TokenOrder& order) {
    config::Loaded loaded = config::load(sources);
    if (!loaded.ok()) return print_problems(loaded.problems);
    auto token = mint_token(order, loaded.config.auth.jwt, SystemClock().wall());
    if (!token) return fail(token.error().detail, 2);
    fmt::print("{}\n", *token);
    return 0;
}

int verify(const config::Sources& sources, const std::string& token) {
    config::Loaded loaded = config::load(sources);
    if (!loaded.ok()) return print_problems(loaded.problems);
    std::string text = token == "-" ? read_line_of_input() : token;
    if (text.empty()) return fail("there is no token: give it as an argument, or on standard input", 2);
    TokenReport report = judge_token(text, loaded.config.auth);
    fmt::print("{}", report.text);
    return report.good ? 0 : 1;
}

int hash(bool make_new) {
    constexpr std::size_t kShortest = 20;
    std::string key = make_new ? "sk_" + hex_of(rt::secret_bytes(32)) : read_line_of_input();
    if (key.empty()) return fail("there is no key: give it on standard input, or make one with --new", 2);
    if (key.size() < kShortest)
        return fail("the key is too short: whoever sees the hash could try them all; make one with --new", 2);
    if (make_new) fmt::print("{}\n", key);
    fmt::print("{}\n", auth::api_key_hash(key));
    return 0;
}

}  // namespace suoke::tools
