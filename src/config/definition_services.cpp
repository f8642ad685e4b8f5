// SPDX-License-Identifier: MIT
// Services: their endpoints, how one is chosen, and what happens when they fail.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

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
        field<&LoadBalancer::hash_by>("hash_by", "What consistent_hash goes by. subject is whom the request's credential names, once it is verified; where a route asks for none, the sub of its bearer token (JWT), unverified. It says where a request goes, not what it may."),
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
        field<&OutlierDetection::interval>("interval", "How often the statistics below are looked at, at most once a second."),
        field<&OutlierDetection::minimum_requests>("minimum_requests", "In an interval, of an endpoint that they judge."),
        field<&OutlierDetection::minimum_endpoints>("minimum_endpoints", "With so many requests, for them to judge at all.").range(2, 1000),
        field<&OutlierDetection::success_rate_deviations>(
            "success_rate_deviations", "Standard deviations below the mean success rate that are too many; 0: off. One of n can be no further below than the root of n - 1: of five not more than 2.").range(0, 10),
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
        field<&Concurrency::max_wait>("max_wait", "And how long; 0: nobody waits."),
        field<&Concurrency::adaptive>("adaptive", "Find the limit by how latency grows with load. observe: only show it, in the metrics."),
        field<&Concurrency::adaptive_min>("adaptive_min", "The least it may find.").range(1, 1'000'000),
        field<&Concurrency::adaptive_max>("adaptive_max", "The most it may find.").range(1, 1'000'000),
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

}  // namespace suoke::config
