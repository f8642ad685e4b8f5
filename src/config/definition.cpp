// SPDX-License-Identifier: MIT
#include "config/definition.h"

#include "config/rules.h"

namespace suoke::config {

// ---- The words of each choice. ----

std::span<const Choice<Environment>> choices(std::type_identity<Environment>) {
    static constexpr Choice<Environment> kAll[] = {
        {"development", Environment::development}, {"testing", Environment::testing},
        {"staging", Environment::staging},         {"production", Environment::production},
        {"dev", Environment::development},         {"test", Environment::testing},
        {"prod", Environment::production},
    };
    return kAll;
}

std::span<const Choice<TlsVersion>> choices(std::type_identity<TlsVersion>) {
    static constexpr Choice<TlsVersion> kAll[] = {
        {"1.2", TlsVersion::tls12},
        {"1.3", TlsVersion::tls13},
    };
    return kAll;
}

std::span<const Choice<ClientAuth>> choices(std::type_identity<ClientAuth>) {
    static constexpr Choice<ClientAuth> kAll[] = {
        {"none", ClientAuth::none},
        {"optional", ClientAuth::optional},
        {"required", ClientAuth::required},
    };
    return kAll;
}

std::span<const Choice<LogLevel>> choices(std::type_identity<LogLevel>) {
    static constexpr Choice<LogLevel> kAll[] = {
        {"debug", LogLevel::debug},       {"info", LogLevel::info},
        {"warning", LogLevel::warning},   {"error", LogLevel::error},
        {"critical", LogLevel::critical}, {"off", LogLevel::off},
        {"warn", LogLevel::warning},      {"fatal", LogLevel::critical},
        {"trace", LogLevel::debug},
    };
    return kAll;
}

std::span<const Choice<LogFormat>> choices(std::type_identity<LogFormat>) {
    static constexpr Choice<LogFormat> kAll[] = {
        {"json", LogFormat::json},
        {"text", LogFormat::text},
        {"console", LogFormat::text},
        {"plain", LogFormat::text},
    };
    return kAll;
}

std::span<const Choice<LogSubject>> choices(std::type_identity<LogSubject>) {
    static constexpr Choice<LogSubject> kAll[] = {{"digest", LogSubject::digest}, {"plain", LogSubject::plain}, {"off", LogSubject::off}};
    return kAll;
}

std::span<const Choice<Protocol>> choices(std::type_identity<Protocol>) {
    static constexpr Choice<Protocol> kAll[] = {
        {"http1", Protocol::http1}, {"h2", Protocol::h2},         {"http/1.1", Protocol::http1},
        {"http", Protocol::http1},  {"http/2", Protocol::h2},     {"h2c", Protocol::h2},
        {"grpc", Protocol::h2},
    };
    return kAll;
}

std::span<const Choice<ProxyUse>> choices(std::type_identity<ProxyUse>) {
    static constexpr Choice<ProxyUse> kAll[] = {
        {"off", ProxyUse::off},
        {"optional", ProxyUse::optional},
        {"required", ProxyUse::required},
    };
    return kAll;
}

std::span<const Choice<Strategy>> choices(std::type_identity<Strategy>) {
    static constexpr Choice<Strategy> kAll[] = {
        {"round_robin", Strategy::round_robin},
        {"least_connections", Strategy::least_connections},
        {"random", Strategy::random},
        {"two_choices", Strategy::two_choices},
        {"consistent_hash", Strategy::consistent_hash},
        {"ip_hash", Strategy::ip_hash},
        {"weighted_round_robin", Strategy::round_robin},
        {"weighted_least_connections", Strategy::least_connections},
        {"weighted_random", Strategy::random},
        {"weighted", Strategy::random},
        {"response_time", Strategy::two_choices},
        {"p2c", Strategy::two_choices},
        {"power_of_two", Strategy::two_choices},
    };
    return kAll;
}
std::span<const Choice<HashBy>> choices(std::type_identity<HashBy>) {
    static constexpr Choice<HashBy> kAll[] = {
        {"client_ip", HashBy::client_ip}, {"header", HashBy::header}, {"cookie", HashBy::cookie},
        {"query", HashBy::query},         {"path", HashBy::path},     {"subject", HashBy::subject},
    };
    return kAll;
}
std::span<const Choice<RedisMode>> choices(std::type_identity<RedisMode>) {
    static constexpr Choice<RedisMode> kAll[] = {
        {"single", RedisMode::single}, {"sentinel", RedisMode::sentinel}, {"cluster", RedisMode::cluster}};
    return kAll;
}
std::span<const Choice<DiscoveryType>> choices(std::type_identity<DiscoveryType>) {
    static constexpr Choice<DiscoveryType> kAll[] = {
        {"static", DiscoveryType::configured}, {"consul", DiscoveryType::consul}, {"kubernetes", DiscoveryType::kubernetes}};
    return kAll;
}
std::span<const Choice<CheckType>> choices(std::type_identity<CheckType>) {
    static constexpr Choice<CheckType> kAll[] = {{"http", CheckType::http}, {"tcp", CheckType::tcp}, {"grpc", CheckType::grpc}};
    return kAll;
}
std::span<const Choice<BreakerScope>> choices(std::type_identity<BreakerScope>) {
    static constexpr Choice<BreakerScope> kAll[] = {
        {"endpoint", BreakerScope::endpoint}, {"service", BreakerScope::service}, {"both", BreakerScope::both}};
    return kAll;
}
std::span<const Choice<Backoff>> choices(std::type_identity<Backoff>) {
    static constexpr Choice<Backoff> kAll[] = {
        {"exponential", Backoff::exponential}, {"linear", Backoff::linear}, {"fixed", Backoff::fixed}};
    return kAll;
}
std::span<const Choice<Adaptive>> choices(std::type_identity<Adaptive>) {
    static constexpr Choice<Adaptive> kAll[] = {{"off", Adaptive::off}, {"observe", Adaptive::observe}, {"enforce", Adaptive::enforce}};
    return kAll;
}
std::span<const Choice<Importance>> choices(std::type_identity<Importance>) {
    static constexpr Choice<Importance> kAll[] = {
        {"low", Importance::low}, {"normal", Importance::normal}, {"high", Importance::high}, {"critical", Importance::critical}};
    return kAll;
}
std::span<const Choice<ProxySend>> choices(std::type_identity<ProxySend>) {
    static constexpr Choice<ProxySend> kAll[] = {
        {"off", ProxySend::off},
        {"v1", ProxySend::v1},
        {"v2", ProxySend::v2},
    };
    return kAll;
}

std::span<const Choice<Subject>> choices(std::type_identity<Subject>) {
    static constexpr Choice<Subject> kAll[] = {
        {"header", Subject::header},
        {"cookie", Subject::cookie},
        {"certificate", Subject::certificate},
    };
    return kAll;
}

std::span<const Choice<Messages>> choices(std::type_identity<Messages>) {
    static constexpr Choice<Messages> kAll[] = {
        {"any", Messages::any},
        {"text", Messages::text},
        {"binary", Messages::binary},
    };
    return kAll;
}

// ---- The whole. ----

const Fields& describe(std::type_identity<Config>) {
    static const Fields kFields = {
        field<&Config::app>("app", "The installation."),
        field<&Config::server>("server", "The HTTP listener and its client connections."),
        field<&Config::logging>("logging", "What is written, and where."),
        field<&Config::performance>("performance", "Waiting, pooling and memory."),
        field<&Config::security>("security", "What a request may be, who is let in at all, and what browsers are told."),
        field<&Config::http2>("http2", "HTTP/2 with clients; it is always offered."),
        field<&Config::metrics>("metrics", "Numbers for Prometheus."),
        field<&Config::sse>("sse", "Server-Sent Events, where the route says nothing."),
        field<&Config::websocket>("websocket", "WebSockets that are forwarded."),
        field<&Config::load_balancer>("load_balancer", "Which endpoint is next, where the service says nothing."),
        field<&Config::health_check>("health_check", "Checks of the endpoints, where the service says nothing."),
        field<&Config::outlier_detection>("outlier_detection", "What answers say about the endpoints, where the service says nothing."),
        field<&Config::circuit_breaker>("circuit_breaker", "Circuit breakers, where the service says nothing."),
        field<&Config::retry>("retry", "Retries, where neither route nor service says."),
        field<&Config::concurrency>("concurrency", "Requests at once to a service that says nothing itself."),
        field<&Config::load_shedding>("load_shedding", "What is refused first when the gateway is overloaded."),
        field<&Config::redis>("redis", "What several gateways share. Never needed: without it each is on its own."),
        field<&Config::store>("store", "What survives a restart of a gateway on its own."),
        field<&Config::registry>("registry", "Instances that register themselves."),
        field<&Config::service_discovery>("service_discovery", "Instances that others know of."),
        field<&Config::idempotency>("idempotency", "Requests with an Idempotency-Key, where the route says nothing. Never on routes labelled phi."),
        field<&Config::cors>("cors", "What pages of other origins may do, where the route says nothing."),
        field<&Config::maintenance>("maintenance", "When nobody is served.")
            .short_for("enabled"),
        field<&Config::compression>("compression", "Of answers, where the route says nothing.").short_for("enabled"),
        field<&Config::versioning>("versioning", "Of the API, where the route says nothing.").short_for("enabled"),
        field<&Config::cache>("cache", "What services answered, kept as they allow it. Never on routes labelled phi."),
        field<&Config::auth>("auth", "Who clients are, and who gets in."),
        field<&Config::rate_limit>("rate_limit", "How often clients may ask."),
        field<&Config::services>("services",
                                 "The backends, by name; a list whose items have a name works too.")
            .also({"service_discovery.services"})
            .keyed_by("name")
            .check_keys(rules::token),
        field<&Config::routes>("routes", "Which requests go where."),
    };
    return kFields;
}

}  // namespace suoke::config
