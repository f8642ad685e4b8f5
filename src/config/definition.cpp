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
        {"query", HashBy::query},         {"path", HashBy::path},
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

// ---- The fields. ----

const Fields& describe(std::type_identity<App>) {
    static const Fields kFields = {
        field<&App::name>("name", "The name the gateway gives itself in logs, health and metrics.")
            .env({"APP_NAME"})
            .not_empty(),
        field<&App::version>("version", "The version it reports; empty: the build's own.")
            .env({"APP_VERSION"}),
        field<&App::description>("description", "One line about this installation."),
        field<&App::environment>("environment", "What this installation is for.")
            .env({"ENVIRONMENT", "APP_ENV"})
            .flag("--environment"),
        field<&App::zone>("zone", "Where this gateway runs; endpoints of the same zone come first.").env({"ZONE"}),
        field<&App::debug>("debug", "Say more in error answers. Never in production.")
            .env({"DEBUG"})
            .also({"server.debug"})
            .flag("--debug"),
    };
    return kFields;
}

const Fields& describe(std::type_identity<CertificateFiles>) {
    static const Fields kFields = {
        field<&CertificateFiles::cert_file>(
            "cert_file", "PEM: the certificate, behind it those that lead to its root.")
            .not_empty(),
        field<&CertificateFiles::key_file>("key_file", "PEM: its key, without a passphrase.")
            .not_empty(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ServerTls>) {
    static const Fields kFields = {
        field<&ServerTls::enabled>("enabled", "False: no TLS listener, whatever else is set."),
        field<&ServerTls::port>("port", "The TCP port of the TLS listener, beside server.port.")
            .range(1, 65535),
        field<&ServerTls::certificates>(
            "certificates",
            "Chosen by the name the client asks for (exact, then wildcard), else the first; RSA "
            "and ECDSA may stand side by side. None: no TLS listener. Changed files are read anew."),
        field<&ServerTls::min_version>("min_version", "The oldest version of TLS to speak."),
        field<&ServerTls::client_auth>(
            "client_auth",
            "Whether clients show a certificate of their own; routes may require it too."),
        field<&ServerTls::client_ca_file>(
            "client_ca_file", "PEM: the authorities that client certificates must lead to."),
        field<&ServerTls::handshake_timeout>("handshake_timeout",
                                             "A handshake must be done after this."),
        field<&ServerTls::max_handshakes>(
            "max_handshakes", "Handshakes at once; beyond it connections wait to be accepted.")
            .range(1, 1'000'000),
        field<&ServerTls::ticket_rotation>(
            "ticket_rotation", "Keys for session tickets are new after this; one old one is kept."),
        field<&ServerTls::redirect_http>(
            "redirect_http", "Send plain requests to https:// (308), except /health*.")
            .also({"security.enable_https_redirect"}),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ServiceTls>) {
    static const Fields kFields = {
        field<&ServiceTls::enabled>("enabled", "Speak TLS to its endpoints; https:// in its url "
                                               "says the same."),
        field<&ServiceTls::verify>("verify",
                                   "False: believe any certificate. Only for closed networks."),
        field<&ServiceTls::ca_file>(
            "ca_file", "PEM: the authorities to believe; empty: those of the system."),
        field<&ServiceTls::server_name>(
            "server_name", "The name to ask for and to verify; empty: the endpoint's host."),
        field<&ServiceTls::cert_file>("cert_file", "PEM: what we show when we are asked."),
        field<&ServiceTls::key_file>("key_file", "PEM: its key, without a passphrase."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Server>) {
    static const Fields kFields = {
        field<&Server::host>(
            "host", "The address to listen on: an address, a name, or unix:/path/to/socket.")
            .env({"HOST", "SERVER_HOST"})
            .also({"server.rest.host"})
            .flag("--host")
            .check(rules::listen_address),
        field<&Server::port>("port", "The TCP port of the HTTP listener.")
            .env({"PORT", "SERVER_PORT"})
            .also({"server.rest.port"})
            .flag("--port")
            .range(1, 65535),
        field<&Server::workers>("workers", "Threads that serve traffic; 0: one per core.")
            .env({"WORKERS", "SERVER_WORKERS"})
            .flag("--workers")
            .range(0, 1024)
            .restart(),
        field<&Server::cpu_pinning>("cpu_pinning", "Tie each worker to one core.").restart(),
        field<&Server::production>("production", "The same as app.environment: production.")
            .flag("--production"),
        field<&Server::backlog>("backlog", "Connections the kernel may hold before we accept them.")
            .range(1, 65535),
        field<&Server::max_connections>(
            "max_connections",
            "Client connections at once; 0: what the file descriptor limit allows."),
        field<&Server::max_requests>(
            "max_requests", "Requests on one client connection before it is closed; 0: no limit."),
        field<&Server::keepalive>("keepalive", "An idle client connection is closed after this.")
            .also({"server.keepalive_timeout"}),
        field<&Server::header_timeout>(
            "header_timeout",
            "A whole request head must have arrived this long after its first byte."),
        field<&Server::body_timeout>("body_timeout", "The longest silence inside a request body."),
        bytes<&Server::min_body_rate>(
            "min_body_rate",
            "Bytes a second that a request body must bring over body_timeout; 0: any."),
        field<&Server::write_timeout>("write_timeout",
                                      "The longest a client may accept nothing of its answer."),
        field<&Server::drain_timeout>("drain_timeout",
                                      "How long exchanges may go on after SIGTERM."),
        field<&Server::trusted_proxies>(
            "trusted_proxies",
            "Networks of proxies in front of us whose Forwarded and X-Forwarded-* we believe.")
            .env({"TRUSTED_PROXIES", "FORWARDED_ALLOW_IPS"})
            .check(rules::network),
        field<&Server::proxy_protocol>(
            "proxy_protocol",
            "Who a connection is from, told by a proxy in front (PROXY protocol 1 or 2). optional: "
            "believed from proxy_protocol_from; required: and every other connection is closed."),
        field<&Server::proxy_protocol_from>(
            "proxy_protocol_from", "Networks of the proxies whose PROXY header we believe.")
            .check(rules::network),
        field<&Server::unix_mode>(
            "unix_mode", "Permissions of the Unix socket we listen on, octal.")
            .check(rules::file_mode)
            .restart(),
        field<&Server::tls>("tls", "The TLS listener, beside the plain one."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Logging>) {
    static const Fields kFields = {
        field<&Logging::level>("level", "The least important line that is written.")
            .env({"LOG_LEVEL"})
            .flag("--log-level"),
        field<&Logging::format>("format", "json for machines, text for people.")
            .env({"LOG_FORMAT"})
            .flag("--log-format"),
        field<&Logging::file>("file", "The file to append to; empty: standard output.")
            .env({"LOG_FILE", "LOG_FILE_PATH", "LOGGING_FILE"})
            .also({"logging.file.path", "logging.file_path"})
            .flag("--log-file")
            .restart(),
        field<&Logging::file_enabled>("file_enabled",
                                      "False: logging.file is not written, whatever it says.")
            .env({"LOG_FILE_ENABLED"})
            .also({"logging.file.enabled"})
            .restart(),
        field<&Logging::access>("access", "Write one line per finished exchange."),
        field<&Logging::modules>("modules",
                                 "A level of its own per module, like {upstream: debug}."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Timeouts>) {
    static const Fields kFields = {
        field<&Timeouts::connect>("connect", "For the connection to an endpoint; 0: no limit."),
        field<&Timeouts::response>(
            "response",
            "From the last byte of the request to the head of the response; 0: no limit.")
            .also({"performance.timeouts.read"}),
        field<&Timeouts::idle>("idle", "The longest silence inside a response; 0: no limit."),
        field<&Timeouts::write>("write",
                                "The longest an endpoint may accept nothing; 0: no limit."),
        field<&Timeouts::pool>("pool", "Waiting for a free connection; 0: no limit."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ConnectionPool>) {
    static const Fields kFields = {
        field<&ConnectionPool::max_connections>("max_connections",
                                                "Connections to one endpoint, per worker.")
            .range(1, 65535),
        field<&ConnectionPool::max_keepalive_connections>(
            "max_keepalive_connections", "Idle connections kept to one endpoint, per worker.")
            .range(0, 65535),
        field<&ConnectionPool::keepalive_expiry>(
            "keepalive_expiry", "An idle connection to an endpoint is closed after this."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Performance>) {
    static const Fields kFields = {
        field<&Performance::timeouts>(
            "timeouts", "How long we wait for an upstream, where neither route nor service says."),
        field<&Performance::connection_pool>("connection_pool", "Connections to the upstreams."),
        bytes<&Performance::buffer_budget>(
            "buffer_budget", "Buffers of the whole process; beyond it, new work waits.")
            .range(1 << 20, INT64_MAX)
            .restart(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Security>) {
    static const Fields kFields = {
        bytes<&Security::max_request_size>(
            "max_request_size", "The largest request body, where the route says nothing."),
        bytes<&Security::max_header_size>("max_header_size", "The largest request head.")
            .range(1024, 1 << 20),
        bytes<&Security::max_request_line_size>("max_request_line_size",
                                                "The longest request line.")
            .range(256, 1 << 20),
        field<&Security::max_headers>("max_headers", "The most header fields of a request.")
            .range(1, 10000),
        field<&Security::max_query_params>("max_query_params",
                                           "The most query parameters of a request.")
            .range(0, 100000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Http2>) {
    static const Fields kFields = {
        field<&Http2::max_concurrent_streams>("max_concurrent_streams",
                                              "Requests at once on one client connection.")
            .range(1, 10000),
        bytes<&Http2::initial_stream_window>(
            "initial_stream_window", "Bytes of a request body that may arrive before they are read.")
            .range(65535, 16 << 20),
        bytes<&Http2::connection_window>("connection_window",
                                         "The same for all requests of a connection together.")
            .range(65535, 64 << 20),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Metrics>) {
    static const Fields kFields = {
        field<&Metrics::enabled>("enabled", "Serve metrics for Prometheus.")
            .env({"METRICS_ENABLED"})
            .also({"observability.metrics_enabled", "monitoring.prometheus.enabled"}),
        field<&Metrics::path>("path", "Where they are served.")
            .env({"METRICS_PATH"})
            .also({"observability.metrics_endpoint", "monitoring.prometheus.path"})
            .check(rules::path),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Sse>) {
    static const Fields kFields = {
        field<&Sse::heartbeat>(
            "heartbeat",
            "After this much silence of the upstream the client gets a comment, between two events; "
            "0: never."),
        field<&Sse::first_event_timeout>(
            "first_event_timeout",
            "From the head of the response to the end of its first event; 0: no limit."),
        field<&Sse::event_timeout>(
            "event_timeout",
            "From the end of one event, or comment of the upstream's, to the end of the next. It "
            "takes the place of the idle timeout; 0: no limit."),
        field<&Sse::retry>("retry",
                           "When the gateway ends a stream (drain, reload) it tells the client to "
                           "come back after about this, drawn between half and one and a half."),
        field<&Sse::replay_memory>("replay_memory",
                                   "What routes keep for clients that come back (their sse.replay), all together."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<StickySession>) {
    static const Fields kFields = {
        field<&StickySession::enabled>("enabled", "A client stays with the endpoint that answered it first, by a signed cookie."),
        field<&StickySession::cookie>("cookie", "The name of that cookie.").check(rules::token),
        field<&StickySession::max_age>("max_age", "How long browsers keep it; 0: until they are closed."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<LoadBalancer>) {
    static const Fields kFields = {
        field<&LoadBalancer::strategy>(
            "strategy",
            "Which endpoint is next: each in turn (by weight), the one with the least requests under way, any (by weight), "
            "the quicker one of any two, by a hash of something in the request, or by the client's address."),
        field<&LoadBalancer::hash_by>("hash_by", "What consistent_hash goes by."),
        field<&LoadBalancer::hash_name>("hash_name", "The name of the header, cookie or query parameter it goes by."),
        field<&LoadBalancer::bounded_load_percent>(
            "bounded_load_percent", "An endpoint with more than this of the mean load is passed over by consistent_hash; 0: never.")
            .range(0, 10'000),
        field<&LoadBalancer::sticky>("sticky_session", "Sessions that stay with an endpoint.").short_for("enabled"),
        field<&LoadBalancer::slow_start>("slow_start", "A new or recovered endpoint gets its whole share only after this; 0: at once."),
        field<&LoadBalancer::panic_percent>(
            "panic_percent", "When fewer of the endpoints than this are well, all are used whatever their health; 0: never.")
            .range(0, 100),
    };
    return kFields;
}

const Fields& describe(std::type_identity<HealthCheck>) {
    static const Fields kFields = {
        field<&HealthCheck::enabled>("enabled", "Ask each endpoint regularly how it is.").env({"HEALTH_CHECK_ENABLED"})
            .also({"load_balancer.health_check_enabled", "monitoring.health_check.enabled", "health.enabled"}),
        field<&HealthCheck::type>("type", "How: an HTTP request, a TCP connection, or gRPC's health protocol."),
        field<&HealthCheck::path>("path", "What HTTP asks for.").env({"HEALTH_CHECK_PATH"})
            .also({"monitoring.health_check.path", "health.path"}).check(rules::path),
        field<&HealthCheck::service>("service", "What gRPC asks for; empty: the whole server."),
        field<&HealthCheck::interval>("interval", "Between two checks, give or take a tenth.").env({"HEALTH_CHECK_INTERVAL"})
            .also({"load_balancer.health_check_interval", "monitoring.health_check.interval", "health.interval"}),
        field<&HealthCheck::timeout>("timeout", "A check that takes longer has failed.")
            .also({"load_balancer.health_check_timeout", "monitoring.health_check.timeout"}),
        field<&HealthCheck::healthy_threshold>("healthy_threshold", "Good checks in a row that bring an endpoint back.").range(1, 100),
        field<&HealthCheck::unhealthy_threshold>("unhealthy_threshold", "Failed checks in a row that take it out.").range(1, 100),
        field<&HealthCheck::statuses>("statuses", "Answers that are good, like 200 or 200-399.").check(rules::status_range),
        field<&HealthCheck::body>("body", "What the answer's body must contain; empty: anything."),
        field<&HealthCheck::host>("host", "The Host to ask for; empty: the endpoint's own.").check(rules::host_header),
        field<&HealthCheck::starts_healthy>("starts_healthy", "Whether an endpoint gets traffic before its first check."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<OutlierDetection>) {
    static const Fields kFields = {
        field<&OutlierDetection::enabled>("enabled", "Watch the answers, and leave out endpoints that fail. One that refuses a connection is left out at once."),
        field<&OutlierDetection::consecutive_failures>(
            "consecutive_failures", "So many exchanges in a row without an answer, or with 502, 503 or 504; 0: never."),
        field<&OutlierDetection::consecutive_errors>("consecutive_errors", "The same for any answer from 500 on; 0: never."),
        field<&OutlierDetection::base_ejection_time>("base_ejection_time", "For how long, times how often it happened of late."),
        field<&OutlierDetection::max_ejection_time>("max_ejection_time", "And no longer than this."),
        field<&OutlierDetection::max_ejected_percent>(
            "max_ejected_percent", "Of a service's endpoints; those that refuse connections may be all but one.").range(0, 100),
        field<&OutlierDetection::interval>("interval", "How often the statistics below are looked at."),
        field<&OutlierDetection::minimum_requests>("minimum_requests", "In an interval, of an endpoint that they judge."),
        field<&OutlierDetection::minimum_endpoints>("minimum_endpoints", "With so many requests, for them to judge at all.").range(2, 1000),
        field<&OutlierDetection::success_rate_deviations>(
            "success_rate_deviations", "Standard deviations below the mean success rate that are too many; 0: off.").range(0, 10),
        field<&OutlierDetection::latency_factor>("latency_factor", "Times the median latency that are too long; 0: off.").range(0, 1000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<CircuitBreaker>) {
    static const Fields kFields = {
        field<&CircuitBreaker::enabled>("enabled", "Stop asking what fails too often, for a while.")
            .env({"CIRCUIT_BREAKER_ENABLED"}),
        field<&CircuitBreaker::scope>("scope", "What is watched: each endpoint, the service as a whole, or both."),
        field<&CircuitBreaker::failure_threshold>("failure_threshold", "Failures in a row (no answer, or 500 and above) that open it; 0: not counted.")
            .env({"CIRCUIT_BREAKER_FAILURE_THRESHOLD"}),
        field<&CircuitBreaker::error_percent>("error_percent", "Failures in a hundred that open it; 0: not counted.").range(0, 100),
        field<&CircuitBreaker::minimum_requests>("minimum_requests", "In the window, for error_percent to count."),
        field<&CircuitBreaker::window>("window", "What error_percent looks back on."),
        field<&CircuitBreaker::recovery_timeout>("recovery_timeout", "How long it lets nothing through.")
            .env({"CIRCUIT_BREAKER_RECOVERY_TIMEOUT"}),
        field<&CircuitBreaker::half_open_requests>("half_open_requests", "Then so many at once may try.").also({"circuit_breaker.half_open_max_calls"}).range(1, 10'000),
        field<&CircuitBreaker::success_threshold>("success_threshold", "And so many successes close it.")
            .env({"CIRCUIT_BREAKER_SUCCESS_THRESHOLD"}).also({"circuit_breaker.half_open_success"}).range(1, 10'000),
        field<&CircuitBreaker::slow_call>("slow_call", "An answer that takes longer is a failure; 0: however long."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Retry>) {
    static const Fields kFields = {
        field<&Retry::enabled>("enabled", "Ask another endpoint when one fails and the request may be repeated: its method is "
                                          "idempotent, it carries an Idempotency-Key, or nobody has seen it.")
            .env({"RETRY_ENABLED"}),
        field<&Retry::max_attempts>("max_attempts", "The first one included.").env({"RETRY_MAX_ATTEMPTS"}).range(1, 10),
        field<&Retry::max_retries>("max_retries", "Another way to say it: the first one not included.")
            .also({"load_balancer.max_retries"}).range(0, 9).input(),
        field<&Retry::statuses>("statuses", "Answers that are failures.").also({"retry.retryable_status_codes", "retry.retry_status_codes"}).range(400, 599),
        field<&Retry::backoff>("backoff", "How the delays grow.").also({"retry.backoff_strategy"}),
        field<&Retry::initial_delay>("initial_delay", "Before the second attempt, at most: drawn between 0 and this. None when the endpoint refused.")
            .env({"RETRY_INITIAL_DELAY"}).also({"retry.base_delay", "retry.retry_delay", "load_balancer.retry_delay"}),
        field<&Retry::max_delay>("max_delay", "No delay is longer, and an answer that asks for more (Retry-After) is not retried.").env({"RETRY_MAX_DELAY"}),
        field<&Retry::multiplier>("multiplier", "Of the delay, from one attempt to the next.").env({"RETRY_MULTIPLIER"}).range(1, 100),
        field<&Retry::jitter>("jitter", "False: no drawing; delays are as long as they may be."),
        field<&Retry::per_try_timeout>("per_try_timeout", "For the head of one attempt's response; 0: only what holds for the whole."),
        field<&Retry::budget_percent>("budget_percent", "Retries among a hundred requests to a service in the last ten seconds.").range(0, 1000),
        bytes<&Retry::max_body>("max_body", "A request body is kept for another attempt up to this size."),
        field<&Retry::same_endpoint>("same_endpoint", "When there is no other endpoint, ask the same one again."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Concurrency>) {
    static const Fields kFields = {
        field<&Concurrency::max_requests>("max_requests", "To a service at once, over all workers; 0: no limit.")
            .also({"performance.concurrency.max_concurrent_requests"}),
        field<&Concurrency::max_waiting>("max_waiting", "Requests that may wait for a place."),
        field<&Concurrency::max_wait>("max_wait", "And how long."),
        field<&Concurrency::adaptive>("adaptive", "Find the limit by how latency grows with load. observe: only show it, in the metrics."),
        field<&Concurrency::adaptive_min>("adaptive_min", "The least it may find.").range(1, 1'000'000),
        field<&Concurrency::adaptive_max>("adaptive_max", "The most it may find.").range(1, 1'000'000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<LoadShedding>) {
    static const Fields kFields = {
        field<&LoadShedding::enabled>("enabled", "Refuse less important requests while the gateway itself is overloaded (a route's importance)."),
        field<&LoadShedding::max_loop_lag>("max_loop_lag", "How late a worker may come round before `low` is refused; twice as late: `normal`; four times: `high`."),
        field<&LoadShedding::max_memory_percent>("max_memory_percent", "The same for the buffers in use, of performance.buffer_budget.").range(1, 100),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Hedge>) {
    static const Fields kFields = {
        field<&Hedge::after>("after", "When nothing was answered for so long, ask another endpoint as well and take the first answer. "
                                      "Only for requests that may be repeated; counts as a retry. 0: never."),
        field<&Hedge::max>("max", "How many besides the first.").range(1, 5),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Split>) {
    static const Fields kFields = {
        field<&Split::service>("service", "One of the services.").not_empty(),
        field<&Split::weight>("weight", "Its share beside the others'.").range(0, 1'000'000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Mirror>) {
    static const Fields kFields = {
        field<&Mirror::service>("service", "Gets copies of the requests; its answers are thrown away.").not_empty(),
        field<&Mirror::percent>("percent", "Of the requests.").range(0, 100),
    };
    return kFields;
}

const Fields& describe(std::type_identity<DnsDiscovery>) {
    static const Fields kFields = {
        field<&DnsDiscovery::name>("name", "The name to ask for; with srv like _http._tcp.users.internal.").not_empty(),
        field<&DnsDiscovery::port>("port", "The port at its addresses.").range(1, 65535),
        field<&DnsDiscovery::srv>("srv", "Ask for SRV records, which say ports, weights and priorities themselves."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<KubernetesDiscovery>) {
    static const Fields kFields = {
        field<&KubernetesDiscovery::service>("service", "What it is called there; empty: as here."),
        field<&KubernetesDiscovery::port>("port", "The name or number of its port; empty: the only one."),
        field<&KubernetesDiscovery::name_space>("namespace", "Instead of service_discovery.kubernetes.namespace."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Discovery>) {
    static const Fields kFields = {
        field<&Discovery::dns>("dns", "By the addresses of a name, or its SRV records.").short_for("name"),
        field<&Discovery::file>("file", "By a file of instances, or a directory of such files, read again when they change."),
        field<&Discovery::consul>("consul", "By Consul, where it is called this."),
        field<&Discovery::consul_tags>("consul_tags", "Only instances with all of these tags."),
        field<&Discovery::kubernetes>("kubernetes", "By the EndpointSlices of a Kubernetes service.").short_for("service"),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Redis>) {
    static const Fields kFields = {
        field<&Redis::enabled>("enabled", "False: no Redis, whatever else is set.").restart(),
        field<&Redis::url>("url", "All in one: redis[s]://user:password@host:port/db, redis+sentinel://s1,s2/master, redis+cluster://n1,n2.")
            .env({"REDIS_URL", "REDIS__URL"}).check(rules::redis_url).credentials().restart(),
        field<&Redis::host>("host", "Or piece by piece: the server, or unix:/path. Empty, and no url or nodes: no Redis.").env({"REDIS_HOST"}).check(rules::endpoint_host_or_nothing).restart(),
        field<&Redis::port>("port", "Its port.").env({"REDIS_PORT"}).range(1, 65535).restart(),
        field<&Redis::db>("db", "Its database; a Cluster has only 0.").env({"REDIS_DB"}).range(0, 1'000'000).restart(),
        field<&Redis::username>("username", "Who we are there (ACL); empty: the password alone.").restart(),
        field<&Redis::password>("password", "Our password.").env({"REDIS_PASSWORD"}).credentials().restart(),
        field<&Redis::mode>("mode", "One server, a master that Sentinels know, or a Cluster.").restart(),
        field<&Redis::nodes>("nodes", "host:port of the Sentinels, or of some of the Cluster's nodes.").restart(),
        field<&Redis::master_name>("master_name", "What the Sentinels call the master.").restart(),
        field<&Redis::tls>("tls", "Speak TLS to it.").restart(),
        field<&Redis::ca_file>("ca_file", "PEM: the authorities to believe; empty: those of the system.").restart(),
        field<&Redis::key_prefix>("key_prefix", "What all our keys and channels begin with.").restart(),
        field<&Redis::connect_timeout>("connect_timeout", "For a connection, with TLS and login.").env({"REDIS__SOCKET_CONNECT_TIMEOUT"}).also({"redis.socket_connect_timeout"}).restart(),
        field<&Redis::command_timeout>("command_timeout", "For a command, with all its retries.").env({"REDIS__SOCKET_TIMEOUT"}).also({"redis.socket_timeout"}).restart(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Store>) {
    static const Fields kFields = {
        field<&Store::path>("path", "The SQLite file of what survives a restart; its directory is made when it is missing. Empty: nothing survives.").restart(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Registry>) {
    static const Fields kFields = {
        field<&Registry::enabled>("enabled", "Let instances register themselves."),
        field<&Registry::admin_token>("admin_token", "Who shows it (Authorization: Bearer) may register, change and take out instances. Empty: nobody may.")
            .env({"REGISTRY_ADMIN_TOKEN"}).check(rules::token_to_show).credentials(),
        field<&Registry::default_ttl>("default_ttl", "An instance that names no ttl is gone without a heartbeat for so long; 0: never.")
            .env({"SERVICE_REGISTRY_TTL"}),
        field<&Registry::allow_networks>("allow_networks", "Networks that registered instances may be in; in development also this machine.").check(rules::network),
        field<&Registry::allow_hosts>("allow_hosts", "Names they may have instead of an address, like *.suoke.internal.").check(rules::site_name),
        field<&Registry::max_instances>("max_instances", "The most that may be registered.").range(1, 1'000'000),
        field<&Registry::service_paths>("service_paths", "Serve every service, configured or registered, at /api/v1/gateway/{service}/..., /api/v1/proxy/{service}/... and POST /proxy/{service}."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Consul>) {
    static const Fields kFields = {
        field<&Consul::host>("host", "Where its agent is.").also({"service_discovery.consul_host"}).check(rules::endpoint_host),
        field<&Consul::port>("port", "And its port.").also({"service_discovery.consul_port"}).range(1, 65535),
        field<&Consul::token>("token", "Our ACL token.").env({"CONSUL_HTTP_TOKEN"}).credentials(),
        field<&Consul::datacenter>("datacenter", "Empty: the agent's own."),
        field<&Consul::tls>("tls", "Speak TLS to it."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Kubernetes>) {
    static const Fields kFields = {
        field<&Kubernetes::name_space>("namespace", "Where services are looked for.").also({"service_discovery.kubernetes_namespace"}),
        field<&Kubernetes::host>("host", "Of the API server; empty: KUBERNETES_SERVICE_HOST.").env({"KUBERNETES_SERVICE_HOST"}),
        field<&Kubernetes::port>("port", "And its port.").env({"KUBERNETES_SERVICE_PORT"}),
        field<&Kubernetes::token_file>("token_file", "Our token, read again when it is renewed; empty: the pod's."),
        field<&Kubernetes::ca_file>("ca_file", "PEM: the authorities to believe; empty: the pod's."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ServiceDiscovery>) {
    static const Fields kFields = {
        field<&ServiceDiscovery::enabled>("enabled", "False: nobody is asked, whatever services say."),
        field<&ServiceDiscovery::type>("type", "Where services are looked for by their name that say nothing themselves; static: nowhere."),
        field<&ServiceDiscovery::dns_servers>("dns_servers", "Name servers for services that are found by DNS, like 10.0.0.53 or 127.0.0.1:5353; empty: the system's.").restart(),
        field<&ServiceDiscovery::consul>("consul", "Consul's agent."),
        field<&ServiceDiscovery::kubernetes>("kubernetes", "The cluster this gateway runs in."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Endpoint>) {
    static const Fields kFields = {
        field<&Endpoint::host>("host", "Its address or name, or unix:/path/to/socket.")
            .check(rules::endpoint_host),
        field<&Endpoint::port>("port", "Its TCP port.").range(1, 65535),
        field<&Endpoint::weight>("weight", "Its share of the traffic beside the others'; 0: none.")
            .range(0, 1'000'000),
        field<&Endpoint::priority>("priority", "The lowest gets the traffic; the next when too few of it are well."),
        field<&Endpoint::zone>("zone", "Where it is; those of the gateway's own zone come first."),
        field<&Endpoint::use_tls>("use_tls", "Instead of the service's tls.enabled."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Service>) {
    static const Fields kFields = {
        field<&Service::endpoints>("endpoints", "The addresses that serve it."),
        field<&Service::protocol>("protocol",
                                  "What its endpoints speak: http1, or h2 with prior knowledge "
                                  "(gRPC services do)."),
        field<&Service::upstream_prefix>(
            "upstream_prefix", "A base path put before every forwarded path, like /api/v1.")
            .check(rules::path_or_nothing),
        field<&Service::host_header>(
            "host_header",
            "The Host that endpoints see; empty: the endpoint's host:port; preserve: the client's.")
            .check(rules::host_header),
        field<&Service::tls>("tls", "TLS to its endpoints."),
        field<&Service::timeout>(
            "timeout", "Response timeout of routes that say none themselves; 0: no limit."),
        field<&Service::connect_timeout>("connect_timeout",
                                         "Instead of performance.timeouts.connect; 0: no limit."),
        field<&Service::proxy_protocol>(
            "proxy_protocol",
            "Tell endpoints who the client is (PROXY protocol); such connections are not reused."),
        field<&Service::load_balancer>("load_balancer", "Instead of the section of that name; what is not said here is as there.").short_for("strategy"),
        field<&Service::health_check>("health_check", "The same. Saying anything here switches checks on.").short_for("path"),
        field<&Service::outlier_detection>("outlier_detection", "The same.").short_for("enabled"),
        field<&Service::circuit_breaker>("circuit_breaker", "The same. Saying anything here switches it on.").short_for("enabled"),
        field<&Service::retry>("retry", "The same.").short_for("max_retries"),
        field<&Service::concurrency>("concurrency", "The same.").short_for("max_requests"),
        field<&Service::discovery>("discovery", "Where its instances are learnt, besides endpoints."),
        field<&Service::fallback>("fallback", "Answered when the breaker is open or no endpoint is there, instead of 503."),
        field<&Service::shorthand, &Shorthand::health_check_path>("health_check_path", "Short for health_check.path.").check(rules::path).input(),
        field<&Service::shorthand, &Shorthand::retry_count>("retry_count", "Short for retry.max_retries.").range(0, 9).input(),
        field<&Service::shorthand, &Shorthand::name>(
            "name", "What routes call it, where its key is not that.")
            .not_empty()
            .input(),
        field<&Service::shorthand, &Shorthand::url>(
            "url", "Short for one endpoint and an upstream_prefix: http[s]://host[:port][/base].")
            .input(),
        field<&Service::shorthand, &Shorthand::host>("host", "Short for the host of one endpoint.")
            .check(rules::endpoint_host)
            .input(),
        field<&Service::shorthand, &Shorthand::port>("port", "Short for the port of one endpoint.")
            .range(1, 65535)
            .input(),
        field<&Service::shorthand, &Shorthand::weight>("weight",
                                                       "Short for the weight of one endpoint.")
            .range(0, 1'000'000)
            .input(),
        field<&Service::shorthand, &Shorthand::use_tls>("use_tls", "Short for tls.enabled.")
            .input(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Condition>) {
    static const Fields kFields = {
        field<&Condition::name>("name", "The name of the header, parameter or cookie.").not_empty(),
        field<&Condition::equals>("equals", "The value it must have."),
        field<&Condition::regex>("regex", "An RE2 expression that its whole value must match."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<HeaderEdit>) {
    static const Fields kFields = {
        field<&HeaderEdit::set>("set", "Headers that get this value, whatever they had.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials(),
        field<&HeaderEdit::add>("add", "Headers that get this value besides those they have.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials(),
        field<&HeaderEdit::remove>("remove", "Headers that are taken out.")
            .check(rules::edited_header),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Redirect>) {
    static const Fields kFields = {
        field<&Redirect::to>("to", "Where to: a URL or a path; $1 and {param} are filled in.")
            .not_empty()
            .check(rules::header_value),
        field<&Redirect::status>("status", "301, 302, 303, 307 or 308."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<FixedResponse>) {
    static const Fields kFields = {
        field<&FixedResponse::status>("status", "The status of the answer.").range(200, 599),
        field<&FixedResponse::body>("body", "Its body, as it is."),
        field<&FixedResponse::content_type>("content_type", "The Content-Type of the body.")
            .check(rules::header_value),
    };
    return kFields;
}

const Fields& describe(std::type_identity<GrpcMatch>) {
    static const Fields kFields = {
        field<&GrpcMatch::service>("service", "Its full name, like suoke.rag.v1.RagService.")
            .check(rules::grpc_name),
        field<&GrpcMatch::method>("method", "One of its methods; empty: all.")
            .check(rules::grpc_name),
    };
    return kFields;
}

const Fields& describe(std::type_identity<WebSocketRules>) {
    static const Fields kFields = {
        bytes<&WebSocketRules::max_message_size>(
            "max_message_size",
            "The largest message of either side, as sent; 0: no limit. This, or one of the next "
            "four, has every frame inspected."),
        bytes<&WebSocketRules::max_inflated_size>(
            "max_inflated_size", "The largest compressed message after inflation; 0: no limit."),
        field<&WebSocketRules::messages_per_second>(
            "messages_per_second",
            "Messages and control frames of one client; as many at once. 0: no limit."),
        bytes<&WebSocketRules::bytes_per_second>(
            "bytes_per_second", "Bytes of one client; as many at once. 0: no limit."),
        field<&WebSocketRules::allow>("allow", "Which messages either side may send."),
        field<&WebSocketRules::idle_timeout>(
            "idle_timeout", "Instead of websocket.idle_timeout; 0: no limit."),
        field<&WebSocketRules::max_connections>(
            "max_connections", "WebSockets open on this route, in the whole process; 0: no limit."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<GrpcWeb>) {
    static const Fields kFields = {
        field<&GrpcWeb::enabled>("enabled", "Translate between gRPC-Web and gRPC."),
        field<&GrpcWeb::allow_origins>(
            "allow_origins", "Pages that may call, like https://app.suoke.life; or *: any.")
            .check(rules::origin),
        field<&GrpcWeb::allow_headers>(
            "allow_headers", "Headers pages may send besides those gRPC-Web needs.")
            .check(rules::token),
        field<&GrpcWeb::expose_headers>(
            "expose_headers", "Headers pages may read besides grpc-status and grpc-message.")
            .check(rules::token),
        field<&GrpcWeb::allow_credentials>(
            "allow_credentials", "Pages may send cookies; not with the origin *."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<SseReplay>) {
    static const Fields kFields = {
        field<&SseReplay::subject>(
            "subject",
            "What tells clients apart: a header, a cookie, or their certificate. A client without it is neither "
            "recorded nor given anything."),
        field<&SseReplay::subject_name>("subject_name", "Of the header (Authorization, if empty) or the cookie.")
            .check(rules::token),
        field<&SseReplay::events>("events", "Events kept of one client's stream.").range(1, 100'000),
        field<&SseReplay::bytes>("bytes", "Bytes kept of one client's stream."),
        field<&SseReplay::keep>("keep", "How long after the last one."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RouteSse>) {
    static const Fields kFields = {
        field<&RouteSse::heartbeat>("heartbeat", "Instead of sse.heartbeat; 0: never."),
        field<&RouteSse::first_event_timeout>("first_event_timeout",
                                              "Instead of sse.first_event_timeout; 0: no limit."),
        field<&RouteSse::event_timeout>("event_timeout",
                                        "Instead of sse.event_timeout; 0: no limit."),
        field<&RouteSse::plain_text>(
            "plain_text", "What the upstream sends as text/plain is an event stream as well."),
        field<&RouteSse::early>("early",
                                "Every answer is an event stream: begin it before the upstream "
                                "does, so that heartbeats bridge its silence. What the upstream "
                                "answers instead of a stream becomes an error event."),
        field<&RouteSse::replay>("replay",
                                 "Keep the latest events of each client, so that one that comes back with "
                                 "Last-Event-ID gets what it missed and the upstream is asked to go on behind "
                                 "that. Only for upstreams that heed Last-Event-ID, or whose streams go on by "
                                 "themselves."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<WebSocket>) {
    static const Fields kFields = {
        field<&WebSocket::enabled>("enabled", "Forward WebSockets; false: they are refused."),
        field<&WebSocket::max_connections>(
            "max_connections", "WebSockets open in the whole process; 0: no limit of their own."),
        field<&WebSocket::idle_timeout>(
            "idle_timeout", "A WebSocket is closed when neither side sent anything for so long; "
                            "0: no limit."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Route>) {
    static const Fields kFields = {
        field<&Route::name>(
            "name", "What logs, metrics and `explain` call it; made from its path when empty."),
        field<&Route::hosts>("hosts",
                             "The hosts it is for, like api.suoke.life or *.suoke.life; none: any.")
            .check(rules::site_name),
        field<&Route::prefix>("prefix",
                              "Matches this path and everything below it. At most one of prefix, "
                              "path, regex; none: every path.")
            .check(rules::path_or_nothing),
        field<&Route::path>(
            "path",
            "Matches exactly this path; {param} stands for a segment, a trailing /* for the rest.")
            .check(rules::path_or_nothing),
        field<&Route::regex>("regex",
                             "An RE2 expression that the whole normalised path must match."),
        field<&Route::grpc>(
            "grpc",
            "Instead of a path: a gRPC service and, when only that is meant, one of its methods.")
            .input(),
        field<&Route::methods>("methods", "The methods it is for; none: any.").check(rules::method),
        field<&Route::headers>("headers", "Headers the request must have."),
        field<&Route::query>("query", "Query parameters the request must have."),
        field<&Route::cookies>("cookies", "Cookies the request must have."),
        field<&Route::priority>("priority", "Higher ones are tried first, before any other order."),
        field<&Route::service>(
            "service", "The service to forward to. Exactly one of service, redirect, respond."),
        field<&Route::redirect>("redirect", "Answer with a redirect."),
        field<&Route::respond>("respond", "Answer with this."),
        field<&Route::strip_prefix>("strip_prefix",
                                    "Forward only what follows the prefix. The forwarded path is "
                                    "the upstream prefix, then this, then rewritten."),
        field<&Route::upstream_prefix>(
            "upstream_prefix", "Instead of the service's upstream_prefix; \"\": nothing in front.")
            .check(rules::path_or_nothing),
        field<&Route::rewrite_path>(
            "rewrite_path",
            "Rewrites the path to forward: 'regex => template', with $1 for the first group.")
            .check(rules::rewrite),
        field<&Route::timeout>("timeout", "For the whole exchange; 0: no limit, for streams."),
        field<&Route::response_timeout>(
            "response_timeout",
            "To the head of the response, instead of the service's; 0: no limit."),
        field<&Route::idle_timeout>("idle_timeout",
                                    "The longest silence inside the response, instead of "
                                    "performance.timeouts.idle; 0: no limit."),
        bytes<&Route::max_request_size>(
            "max_request_size", "The largest request body, instead of security.max_request_size."),
        field<&Route::host_header>("host_header", "Instead of the service's host_header.")
            .check(rules::host_header),
        field<&Route::client_certificate>(
            "client_certificate",
            "required: 403 for clients without a certificate; needs server.tls.client_auth."),
        field<&Route::request_headers>("request_headers",
                                       "Edits of the header that the upstream sees."),
        field<&Route::response_headers>("response_headers",
                                        "Edits of the header that the client sees."),
        field<&Route::grpc_web>("grpc_web", "Let browsers call this gRPC service."),
        field<&Route::sse>("sse", "Server-Sent Events, where they differ from the section sse."),
        field<&Route::websocket>("websocket", "What its WebSockets may do."),
        field<&Route::retry>("retry", "Instead of the service's; what is not said here is as there. A number is max_retries.").short_for("max_retries"),
        field<&Route::hedge>("hedge", "Ask another endpoint when one is slow.").short_for("after"),
        field<&Route::split>("split", "Instead of service: several, each with its share of the requests."),
        field<&Route::mirror>("mirror", "Send copies of the requests to another service. Nobody waits for it."),
        field<&Route::fallback>("fallback", "Instead of the service's."),
        field<&Route::importance>("importance", "Under load the least important requests are refused first."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Config>) {
    static const Fields kFields = {
        field<&Config::app>("app", "The installation."),
        field<&Config::server>("server", "The HTTP listener and its client connections."),
        field<&Config::logging>("logging", "What is written, and where."),
        field<&Config::performance>("performance", "Waiting, pooling and memory."),
        field<&Config::security>("security", "Limits on what a request may be."),
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
