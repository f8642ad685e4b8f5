// SPDX-License-Identifier: MIT
// The process itself: where it listens, TLS, logs, timeouts and limits.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

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
        field<&ServerTls::shared_tickets>(
            "shared_tickets", "Keep those keys in the store: clients resume at every gateway on the same Redis, and after a restart. "
                              "Who reads the store can then read what TLS 1.2 clients sent who resumed."),
        field<&ServerTls::redirect_http>(
            "redirect_http", "Send plain requests to https:// (308), except /health*.")
            .also({"security.enable_https_redirect"}),
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
        field<&Logging::subject>("subject", "How a line says who asked (user_id): a short digest, the same for the same person; the subject itself; or not at all."),
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
        field<&Security::access, &Access::allow>(
            "ip_whitelist", "Networks whose clients may ask; none: everybody's. Behind trusted proxies the address that they tell counts.")
            .check(rules::network),
        field<&Security::access, &Access::deny>(
            "ip_blacklist", "Networks whose clients may not, whatever else is said.")
            .check(rules::network),
        field<&Security::allowed_hosts>(
            "allowed_hosts",
            "The hosts the gateway answers for, like api.suoke.life or *.suoke.life; none, or *: any. The gateway's own /health* answers for all.")
            .env({"ALLOWED_HOSTS"})
            .also({"allowed_hosts", "middleware.trusted_hosts"})
            .check(rules::allowed_host),
        field<&Security::checks, &RequestChecks::content_type>(
            "validate_content_type", "A POST, PUT or PATCH with a body must say what it is (Content-Type); otherwise 415."),
        field<&Security::checks, &RequestChecks::user_agent>(
            "validate_user_agent", "A request must have a User-Agent; otherwise 400. Not for the gateway's own /health*."),
        field<&Security::checks, &RequestChecks::csrf>(
            "enable_csrf_protection",
            "What changes something, or opens a WebSocket, with a browser's own credentials (cookie, Basic, client certificate) may only "
            "come from a page of the same origin, or of one that cors.allow_origins names; otherwise 403."),
        field<&Security::headers, &SecurityHeaders::enabled>(
            "headers_enabled", "Tell browsers what to refuse: X-Frame-Options and others. Unset: in staging and production.")
            .env({"SECURITY_HEADERS_ENABLED"})
            .also({"middleware.security_headers.enabled"}),
        field<&Security::headers, &SecurityHeaders::hsts>(
            "hsts_enabled", "With them, over TLS only: Strict-Transport-Security. Unset: in staging and production.")
            .env({"SECURITY_HSTS_ENABLED"}),
        field<&Security::headers, &SecurityHeaders::hsts_max_age>(
            "hsts_max_age", "How long browsers then use nothing but TLS.")
            .env({"SECURITY_HSTS_MAX_AGE"}),
        field<&Security::headers, &SecurityHeaders::hsts_include_subdomains>(
            "hsts_include_subdomains", "For every host below this one, too."),
        field<&Security::headers, &SecurityHeaders::hsts_preload>(
            "hsts_preload", "Agree to be built into browsers, should somebody hand the domain in."),
        field<&Security::headers, &SecurityHeaders::csp>(
            "csp_enabled", "With them: Content-Security-Policy, where the service sends none. Unset: in staging and production.")
            .env({"SECURITY_CSP_ENABLED"}),
        field<&Security::headers, &SecurityHeaders::csp_policy>("csp_policy", "What it says.")
            .not_empty()
            .check(rules::header_value),
        field<&Security::headers, &SecurityHeaders::headers>(
            "headers", "Headers that every answer then has, whatever the service sends; an empty value takes a header out.")
            .also({"middleware.security_headers.headers"})
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials(),
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

const Fields& describe(std::type_identity<LoadShedding>) {
    static const Fields kFields = {
        field<&LoadShedding::enabled>("enabled", "Refuse less important requests while the gateway itself is overloaded (a route's importance)."),
        field<&LoadShedding::max_loop_lag>("max_loop_lag", "How late a worker may come round before `low` is refused; twice as late: `normal`; four times: `high`."),
        field<&LoadShedding::max_memory_percent>("max_memory_percent", "The same for the buffers in use, of performance.buffer_budget.").range(1, 100),
    };
    return kFields;
}

}  // namespace suoke::config
