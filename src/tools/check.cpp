// SPDX-License-Identifier: MIT
#include "tools/check.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/compile.h"
#include "base/text.h"

namespace suoke::tools {
namespace {

using gateway::Route;
using gateway::Service;
using gateway::Site;

// Compiled as `serve` would, our own endpoints included; nothing is opened.
gateway::SitePtr compile(config::Config config, std::vector<config::Problem>& problems) {
    SystemClock clock;
    rt::Loop loop(clock);
    LogOptions options;
    options.to = LogOptions::To::err;
    Log log(std::move(options), clock);
    endpoints::Status status;
    MetricsRegistry metrics(1);
    Events events(clock);
    balance::Epoch health{0};
    balance::States states(events, health);
    services::Directory directory(loop, states);
    rt::TaskScope tasks;
    endpoints::Sources sources{status, metrics, log, nullptr, loop, tasks, directory};
    auto builtins = endpoints::builtins(sources, config);
    return app::compile(std::move(config), builtins, 1, problems);
}

std::string endpoints_of(const Service& service) {
    std::vector<std::string> names;
    for (const balance::Instance& instance : service.definition->instances)
        names.push_back(services::address_of(*service.definition, instance).to_string());
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string methods_of(const config::Route& route) {
    return route.methods.empty() ? "any" : fmt::format("{}", fmt::join(route.methods, ","));
}

std::string match_of(const config::Route& route, const Route& compiled) {
    std::string hosts = route.hosts.empty() ? "" : fmt::format("{} ", fmt::join(route.hosts, ","));
    return hosts + compiled.path_template;
}

std::string target_of(const config::Route& from, const Route& route) {
    if (from.redirect) return fmt::format("{} to {}", from.redirect->status, from.redirect->to);
    if (from.respond) return fmt::format("answers {}", from.respond->status);
    std::string path = route.upstream_prefix.value_or(route.service->upstream_prefix);
    if (path.empty() && route.strip_prefix) path = "/";
    std::string services = from.split.empty() ? route.service->name : fmt::format("{} services by weight", from.split.size());
    return services + (path.empty() ? " (path as it came)" : " " + path);
}

std::string timeout_of(const config::Route& from, const Route& route) {
    if (from.redirect || from.respond) return "-";
    return route.timeout > Duration::zero() ? format_duration(route.timeout) : "none";
}

std::string summary_of(const Site& site) {
    std::string out =
        fmt::format("{} services, {} routes\n", site.services.size(), site.config.routes.size());
    for (const auto& service : site.services)
        out += fmt::format("  {:<28} {}\n", service->name, endpoints_of(*service));
    if (!site.config.routes.empty())
        out += fmt::format("\n  {:<9} {:<58} {:<46} {}\n", "METHODS", "PATH", "GOES TO", "TIMEOUT");
    for (std::size_t i = 0; i < site.config.routes.size(); ++i) {
        const config::Route& from = site.config.routes[i];
        const Route& route = *site.routes[i];
        out += fmt::format("  {:<9} {:<58} {:<46} {}\n", methods_of(from), match_of(from, route),
                           target_of(from, route), timeout_of(from, route));
    }
    return out;
}

}  // namespace

CheckReport check_report(const config::Sources& sources) {
    config::Loaded loaded = config::load(sources);
    CheckReport report{std::move(loaded.problems), {}};
    for (const config::Problem& problem : report.problems)
        if (problem.severity == config::Problem::error) return report;
    if (gateway::SitePtr site = compile(std::move(loaded.config), report.problems))
        report.summary = summary_of(*site);
    return report;
}

int check(const config::Sources& sources) {
    CheckReport report = check_report(sources);
    std::size_t errors = 0;
    for (const config::Problem& problem : report.problems) {
        errors += problem.severity == config::Problem::error;
        std::fprintf(stderr, "%s\n", to_string(problem).c_str());
    }
    std::string name = sources.yaml_path.empty() ? "defaults and environment" : sources.yaml_path;
    std::size_t warnings = report.problems.size() - errors;
    fmt::print("{}: {} ({} errors, {} warnings)\n", name, report.ok() ? "good" : "cannot be served",
               errors, warnings);
    fmt::print("{}", report.summary);
    return report.ok() ? 0 : 1;
}

}  // namespace suoke::tools
