// SPDX-License-Identifier: MIT
#include "tools/dev.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/app.h"
#include "app/demo.h"
#include "rt/digest.h"
#include "tools/problems.h"
#include "tools/token.h"
#include "tools/version.h"

namespace suoke::tools {
namespace {

std::string random_secret() {
    std::string out;
    for (unsigned char c : rt::secret_bytes(32)) out += fmt::format("{:02x}", c);
    return out;
}

void apply_defaults(config::Sources& sources, const app::DemoServices& demo) {
    for (const auto& [name, port] : demo.variables()) sources.environment[name] = port;
    if (sources.yaml_path.empty()) sources.yaml_text = app::demo_yaml();
    // Nobody else can know it. Who wants to sign tokens elsewhere sets JWT_SECRET_KEY, which is stronger.
    sources.environment.emplace("DEMO_JWT_SECRET", random_secret());
    // Flags, because the machine's HOST=0.0.0.0 must not put a demo on the network.
    sources.flags.emplace("server.host", "127.0.0.1");
    sources.flags.emplace("logging.format", "text");
}

// For whoever tries the routes that ask for one.
std::string token_for_today(const config::JwtProvider& jwt) {
    TokenOrder order;
    order.subject = "1";
    order.roles = {"user"};
    order.ttl = std::chrono::hours(12);
    auto token = mint_token(order, jwt, SystemClock().wall());
    return token ? *token : "";
}

std::string origin_of(const app::App& app) {
    const config::Server& server = app.site().config.server;
    bool loopback = server.host == "127.0.0.1" || server.host == "0.0.0.0";
    return loopback ? fmt::format("http://localhost:{}", server.port) : "http://" + app.address();
}

}  // namespace

int dev(config::Sources sources, bool tls) {
    app::DemoServices demo;
    apply_defaults(sources, demo);
    config::Loaded loaded = config::load(sources);
    if (!loaded.ok()) return print_problems(loaded.problems);
    bool own_routes = sources.yaml_path.empty();
    const config::JwtProvider jwt = loaded.config.auth.is_on() ? loaded.config.auth.jwt : config::JwtProvider();
    app::AppOptions options;
    options.sources = std::move(sources);
    options.version = version();
    if (tls) options.local_certificates.push_back(rt::make_local_certificate({"localhost", "127.0.0.1", "::1"}));
    app::App app(std::move(options), std::move(loaded));
    demo.start(jwt.secret_key);
    if (own_routes) fmt::print("{}", dev_hints(origin_of(app), token_for_today(jwt)));
    if (tls) fmt::print("With TLS: https://localhost:{} (nobody signed the certificate: curl -k)\n", app.site().config.server.tls.port);
    for (const auto& [name, port] : demo.variables())
        if (!own_routes) fmt::print("{}={}\n", name, port);
    std::fflush(stdout);
    return app.run();
}

std::string dev_hints(const std::string& origin, const std::string& token) {
    std::string text = R"(
Open    @/   @/health   @/metrics
Try     curl @/health
        curl -X POST @/api/v1/auth/login -H 'Content-Type: application/json' -d '{"username":"lishizhen","password":"demo"}'
        curl @/api/v1/users/2
        curl -N -X POST @/api/v1/agents/xiaoai/chat/stream -H 'Content-Type: application/json' -d '{"message":"hello"}'
        head -c 5000000 /dev/urandom | curl -X POST @/api/v1/diagnosis/look/tongue -H 'Content-Type: image/jpeg' --data-binary @-
        curl '@/api/v1/diagnosis/slow?seconds=3'
)";
    if (!token.empty())
        text += R"(Token   @/api/v1/auth/me answers 401 without one, and what a login gives opens it, as does this, signed with a key made for this run:
        curl @/api/v1/auth/me -H 'Authorization: Bearer )" + token + R"('
        To sign your own, set JWT_SECRET_KEY to 32 or more random characters for dev and for: suoke-gateway token mint --subject me
)";
    text += "Ctrl-C stops.\n\n";
    // "@-" is curl's word for its standard input.
    for (std::size_t at = 0; (at = text.find("@/", at)) != std::string::npos; at += origin.size())
        text.replace(at, 1, origin);
    return text;
}

}  // namespace suoke::tools
