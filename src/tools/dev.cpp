// SPDX-License-Identifier: MIT
#include "tools/dev.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/app.h"
#include "app/demo.h"
#include "tools/problems.h"
#include "tools/version.h"

namespace suoke::tools {
namespace {

void apply_defaults(config::Sources& sources, const app::DemoServices& demo) {
    for (const auto& [name, port] : demo.variables()) sources.environment[name] = port;
    if (sources.yaml_path.empty()) sources.yaml_text = app::demo_yaml();
    // Flags, because the machine's HOST=0.0.0.0 must not put a demo on the network.
    sources.flags.emplace("server.host", "127.0.0.1");
    sources.flags.emplace("logging.format", "text");
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
    app::AppOptions options;
    options.sources = std::move(sources);
    options.version = version();
    if (tls) options.local_certificates.push_back(rt::make_local_certificate({"localhost", "127.0.0.1", "::1"}));
    app::App app(std::move(options), std::move(loaded));
    demo.start();
    if (own_routes) fmt::print("{}", dev_hints(origin_of(app)));
    if (tls) fmt::print("With TLS: https://localhost:{} (nobody signed the certificate: curl -k)\n", app.site().config.server.tls.port);
    for (const auto& [name, port] : demo.variables())
        if (!own_routes) fmt::print("{}={}\n", name, port);
    std::fflush(stdout);
    return app.run();
}

std::string dev_hints(const std::string& origin) {
    std::string text = R"(
Open    @/   @/health   @/metrics
Try     curl @/health
        curl -X POST @/api/v1/auth/login -H 'Content-Type: application/json' -d '{"username":"lishizhen","password":"demo"}'
        curl @/api/v1/users/2
        curl -N -X POST @/api/v1/agents/xiaoai/chat/stream -H 'Content-Type: application/json' -d '{"message":"hello"}'
        head -c 5000000 /dev/urandom | curl -X POST @/api/v1/diagnosis/look/tongue -H 'Content-Type: image/jpeg' --data-binary @-
        curl '@/api/v1/diagnosis/slow?seconds=3'
Ctrl-C stops.

)";
    // "@-" is curl's word for its standard input.
    for (std::size_t at = 0; (at = text.find("@/", at)) != std::string::npos; at += origin.size())
        text.replace(at, 1, origin);
    return text;
}

}  // namespace suoke::tools
