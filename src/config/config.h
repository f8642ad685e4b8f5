// SPDX-License-Identifier: MIT
#pragma once
// What the operator may say, as plain values. The defaults are the member initialisers here and
// nowhere else; names, docs and checks of every field are in definition_*.cpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sensitive.h"
#include "base/time.h"
#include "config/auth.h"
#include "config/cache.h"
#include "config/limits.h"
#include "config/place.h"
#include "config/shaping.h"
#include "config/transform.h"
#include "config/validation.h"

namespace suoke::config {

enum class Environment : std::uint8_t { development, testing, staging, production };
enum class LogLevel : std::uint8_t { debug, info, warning, error, critical, off };
enum class LogFormat : std::uint8_t { json, text };
enum class LogSubject : std::uint8_t { digest, plain, off };     // who asked, in the access log
enum class ProxyUse : std::uint8_t { off, optional, required };  // PROXY protocol, from clients
enum class ProxySend : std::uint8_t { off, v1, v2 };             // and to endpoints

enum class TlsVersion : std::uint8_t { tls12, tls13 };
enum class ClientAuth : std::uint8_t { none, optional, required };

struct App {
    std::string name = "suoke-gateway";
    std::string version;  // empty: the build's own
    std::string description = "Suoke Life API gateway";
    Environment environment = Environment::development;
    bool debug = false;
    std::string zone;                      // where this gateway is; endpoints of it come first
    bool operator==(const App&) const = default;
};

struct CertificateFiles {
    std::string cert_file;                 // PEM: the certificate, then those that lead to its root
    std::string key_file;                  // PEM, without a passphrase
    Place place;
    bool operator==(const CertificateFiles&) const = default;
};

struct ServerTls {                         // the TLS listener, beside the plain one
    bool enabled = true;
    std::uint16_t port = 8443;
    std::vector<CertificateFiles> certificates;  // none: no TLS listener
    TlsVersion min_version = TlsVersion::tls12;
    ClientAuth client_auth = ClientAuth::none;
    std::string client_ca_file;
    Duration handshake_timeout = 10s;
    std::uint32_t max_handshakes = 1024;   // at once, whole process
    Duration ticket_rotation = 12h;        // of the keys for session tickets
    bool shared_tickets = false;           // those keys are in the store: for a restart, and for other gateways
    bool redirect_http = false;            // 308 from http:// to https://, except /health*
    bool operator==(const ServerTls&) const = default;
};

struct Server {
    std::string host = "0.0.0.0";          // an address, a name, or unix:/path/to/socket
    std::uint16_t port = 8000;
    std::uint16_t workers = 0;             // 0 = one per core
    bool cpu_pinning = false;
    bool production = false;               // style 2's spelling of app.environment: production
    std::uint32_t backlog = 4096;
    std::uint32_t max_connections = 0;     // 0 = what the file descriptor limit allows
    std::uint32_t max_requests = 0;        // per connection; 0 = no limit
    Duration keepalive = 75s;              // an idle client connection is closed after this
    Duration header_timeout = 10s;         // a whole head must have arrived
    Duration body_timeout = 30s;           // longest silence inside a request body
    std::uint64_t min_body_rate = 256;     // bytes a second over body_timeout; 0 = any
    Duration write_timeout = 30s;          // longest a client may accept nothing of its answer
    Duration drain_timeout = 30s;          // SIGTERM: exchanges get this long
    std::vector<std::string> trusted_proxies;  // networks whose X-Forwarded-* we believe
    ProxyUse proxy_protocol = ProxyUse::off;
    std::vector<std::string> proxy_protocol_from;  // networks whose PROXY header we believe
    std::string unix_mode = "0660";        // permissions of a Unix socket we listen on
    ServerTls tls;
    bool operator==(const Server&) const = default;
};

struct Logging {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::json;
    std::string file;                              // empty: standard output
    bool file_enabled = true;                      // style 1's logging.file.enabled
    bool access = true;
    LogSubject subject = LogSubject::digest;
    std::map<std::string, LogLevel> modules;       // level per module, e.g. {upstream: debug}
    bool operator==(const Logging&) const = default;
};

struct Timeouts {
    Duration connect = 5s;
    Duration response = 30s;   // to the response head (`read` in the old YAML)
    Duration idle = 60s;       // longest silence inside a response
    Duration write = 30s;      // longest the upstream may accept nothing
    Duration pool = 10s;       // waiting for a free connection
    bool operator==(const Timeouts&) const = default;
};

struct ConnectionPool {
    std::uint32_t max_connections = 1024;            // per endpoint and worker
    std::uint32_t max_keepalive_connections = 128;   // idle ones kept, per endpoint and worker
    Duration keepalive_expiry = 60s;
    bool operator==(const ConnectionPool&) const = default;
};

struct Performance {
    Timeouts timeouts;
    ConnectionPool connection_pool;
    std::uint64_t buffer_budget = 512ull << 20;      // bytes of buffers, whole process
    bool operator==(const Performance&) const = default;
};

struct Security {
    std::uint64_t max_request_size = 1ull << 20;     // body bytes, where the route says nothing
    std::uint64_t max_header_size = 16 * 1024;       // whole head
    std::uint64_t max_request_line_size = 8 * 1024;
    std::uint32_t max_headers = 100;
    std::uint32_t max_query_params = 100;
    SecurityHeaders headers;
    Access access;                                   // of the whole gateway
    std::vector<std::string> allowed_hosts;          // "api.suoke.life", "*.suoke.life"; none, or "*": any
    RequestChecks checks;
    bool operator==(const Security&) const = default;
};

struct Http2 {
    std::uint32_t max_concurrent_streams = 128;          // per client connection
    std::uint64_t initial_stream_window = 256 * 1024;    // request bytes a stream may have unread
    std::uint64_t connection_window = 1024 * 1024;       // ... and a connection's streams together
    bool operator==(const Http2&) const = default;
};

struct Metrics {
    bool enabled = true;
    std::string path = "/metrics";
    bool operator==(const Metrics&) const = default;
};

struct Sse {                             // Server-Sent Events, where the route says nothing
    Duration heartbeat = 15s;            // 0: none
    Duration first_event_timeout = 60s;  // from the head to the end of the first event
    Duration event_timeout = 5min;       // between the ends of two
    Duration retry = 3s;                 // what clients are told when we end their stream
    std::uint64_t replay_memory = 16 << 20;  // of all events that are kept for clients that come back
    bool operator==(const Sse&) const = default;
};

enum class Strategy : std::uint8_t { round_robin, least_connections, random, two_choices, consistent_hash, ip_hash };
enum class HashBy : std::uint8_t { client_ip, header, cookie, query, path, subject };

struct StickySession {
    bool enabled = false;
    std::string cookie = "suoke_endpoint";
    Duration max_age = 0s;                 // of the cookie; 0: until the browser closes
    bool operator==(const StickySession&) const = default;
};

struct LoadBalancer {
    Strategy strategy = Strategy::round_robin;
    HashBy hash_by = HashBy::client_ip;    // of consistent_hash
    std::string hash_name;                 // of the header, cookie or query parameter
    std::uint32_t bounded_load_percent = 125;  // of the mean; 0: none
    StickySession sticky;
    Duration slow_start = 0s;              // until a new or recovered endpoint has its whole share
    std::uint32_t panic_percent = 0;       // fewer well than this: health is not heeded
    Said said;
    bool operator==(const LoadBalancer&) const = default;
};

enum class CheckType : std::uint8_t { http, tcp, grpc };

struct HealthCheck {
    bool enabled = false;
    CheckType type = CheckType::http;
    std::string path = "/health";          // of http
    std::string service;                   // of grpc: the name to ask for; empty: the server
    Duration interval = 30s;
    Duration timeout = 5s;
    std::uint32_t healthy_threshold = 1;   // checks in a row
    std::uint32_t unhealthy_threshold = 3;
    std::vector<std::string> statuses = {"200-299"};
    std::string body;                      // that the answer must contain
    std::string host;                      // Host of the question; empty: the endpoint's
    bool starts_healthy = true;            // before the first answer
    Said said;
    bool operator==(const HealthCheck&) const = default;
};

struct OutlierDetection {
    bool enabled = true;
    std::uint32_t consecutive_failures = 5;
    std::uint32_t consecutive_errors = 0;
    Duration base_ejection_time = 10s;
    Duration max_ejection_time = 5min;
    std::uint32_t max_ejected_percent = 50;
    Duration interval = 10s;               // of the statistics
    std::uint32_t minimum_requests = 100;
    std::uint32_t minimum_endpoints = 3;
    std::uint32_t success_rate_deviations = 0;
    std::uint32_t latency_factor = 0;
    Said said;
    bool operator==(const OutlierDetection&) const = default;
};

enum class BreakerScope : std::uint8_t { endpoint, service, both };

struct CircuitBreaker {
    bool enabled = false;
    BreakerScope scope = BreakerScope::service;
    std::uint32_t failure_threshold = 5;   // in a row; 0: not counted
    std::uint32_t error_percent = 0;       // of `minimum_requests` in `window`; 0: not counted
    std::uint32_t minimum_requests = 20;
    Duration window = 10s;
    Duration recovery_timeout = 30s;
    std::uint32_t half_open_requests = 3;  // at once
    std::uint32_t success_threshold = 3;
    Duration slow_call = 0s;               // slower is a failure; 0: any
    Said said;
    bool operator==(const CircuitBreaker&) const = default;
};

enum class Backoff : std::uint8_t { exponential, linear, fixed };

struct Retry {
    bool enabled = true;
    std::uint32_t max_attempts = 3;        // the first included
    std::optional<std::uint32_t> max_retries;  // another way to say it; folded into max_attempts
    std::vector<std::uint16_t> statuses = {502, 503, 504};
    Backoff backoff = Backoff::exponential;
    Duration initial_delay = 25ms;
    Duration max_delay = 250ms;
    std::uint32_t multiplier = 2;
    bool jitter = true;
    Duration per_try_timeout = 0s;         // to the head of one attempt's response; 0: none of its own
    std::uint32_t budget_percent = 20;     // retries among the requests of the last seconds
    std::uint64_t max_body = 64 << 10;     // a larger request body is not kept for another attempt
    bool same_endpoint = false;            // when there is no other
    Said said;
    bool operator==(const Retry&) const = default;
};

enum class Adaptive : std::uint8_t { off, observe, enforce };

struct Concurrency {
    std::uint32_t max_requests = 0;        // to the service at once, all workers; 0: no limit
    std::uint32_t max_waiting = 0;
    Duration max_wait = 1s;
    Adaptive adaptive = Adaptive::observe;
    std::uint32_t adaptive_min = 10;
    std::uint32_t adaptive_max = 1000;
    Said said;
    bool operator==(const Concurrency&) const = default;
};

struct Endpoint {
    std::string host;
    std::uint16_t port = 80;
    std::uint32_t weight = 1;
    std::uint32_t priority = 0;            // the lowest first
    std::string zone;
    std::optional<bool> use_tls;           // instead of the service's tls.enabled
    Place place;
    bool operator==(const Endpoint&) const = default;
};

// How an older file, or a variable, says a service with one endpoint. Loading folds it into
// `endpoints` and the service's key, so whoever uses a Config finds it empty.
struct Shorthand {
    std::optional<std::string> name;      // what routes call the service, where its key is not that
    std::optional<std::string> url;       // http[s]://host[:port][/base]
    std::optional<std::string> host;
    std::optional<std::uint16_t> port;
    std::optional<std::uint32_t> weight;
    std::optional<bool> use_tls;
    std::optional<std::string> health_check_path;
    std::optional<std::uint32_t> retry_count;
    bool operator==(const Shorthand&) const = default;
};

enum class Protocol : std::uint8_t { http1, h2 };   // spoken by endpoints

struct ServiceTls {                       // to the endpoints of a service
    bool enabled = false;                 // also by https:// in its url
    bool verify = true;                   // false: any certificate will do
    std::string ca_file;                  // PEM bundle; empty: the system's authorities
    std::string server_name;              // empty: the endpoint's host
    std::string cert_file, key_file;      // what we show when asked
    bool operator==(const ServiceTls&) const = default;
};

struct FixedResponse {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    bool operator==(const FixedResponse&) const = default;
};

struct DnsDiscovery {
    std::string name;                     // with srv: like _http._tcp.users.internal
    std::uint16_t port = 80;              // of its addresses; SRV records say their own
    bool srv = false;
    bool operator==(const DnsDiscovery&) const = default;
};

struct KubernetesDiscovery {
    std::string service;                  // empty: as the service is called here
    std::string port;                     // its name or number; empty: the only one
    std::string name_space;               // empty: service_discovery.kubernetes.namespace
    bool operator==(const KubernetesDiscovery&) const = default;
};

struct Discovery {                        // where instances of a service are learnt, besides endpoints
    std::optional<DnsDiscovery> dns;
    std::string file;                     // or a directory
    std::string consul;                   // the name it has there
    std::vector<std::string> consul_tags;
    std::optional<KubernetesDiscovery> kubernetes;
    bool operator==(const Discovery&) const = default;
};

struct Service {
    Shorthand shorthand;
    std::vector<Endpoint> endpoints;     // from endpoints[], or host + port, or url
    Protocol protocol = Protocol::http1;
    std::string upstream_prefix;         // base path put before the forwarded path, e.g. "/api/v1"
    std::string host_header;             // empty: the endpoint's host:port; "preserve": the client's
    ServiceTls tls;
    std::optional<Duration> timeout;     // response timeout of routes that say nothing themselves
    std::optional<Duration> connect_timeout;
    ProxySend proxy_protocol = ProxySend::off;
    std::optional<LoadBalancer> load_balancer;     // each instead of the section of that name;
    std::optional<HealthCheck> health_check;       // what one leaves out it has from there
    std::optional<OutlierDetection> outlier_detection;
    std::optional<CircuitBreaker> circuit_breaker;
    std::optional<Retry> retry;
    std::optional<Concurrency> concurrency;
    std::optional<Discovery> discovery;
    std::optional<FixedResponse> fallback;         // when the breaker is open, or nobody is there
    Place place;
    bool operator==(const Service&) const = default;
};

struct Condition {                        // one predicate on a header, query parameter or cookie
    std::string name;
    std::optional<std::string> equals;    // neither equals nor regex: present is enough
    std::optional<std::string> regex;     // RE2, must match the whole value
    bool operator==(const Condition&) const = default;
};

struct HeaderEdit {
    std::map<std::string, std::string> set;
    std::map<std::string, std::string> add;
    std::vector<std::string> remove;
    bool operator==(const HeaderEdit&) const = default;
};

struct Redirect {
    std::string to;                       // absolute or path; $1... and {param} are filled in
    int status = 307;                     // 301, 302, 303, 307, 308
    bool operator==(const Redirect&) const = default;
};

// Another way to say a path: /service/method, or /service/* without a method. Loading folds it into
// the route's path, so whoever uses a Config finds it empty.
struct GrpcMatch {
    std::string service;                  // "suoke.rag.v1.RagService"
    std::string method;                   // empty: every method of the service
    bool operator==(const GrpcMatch&) const = default;
};

struct GrpcWeb {
    bool enabled = true;
    std::vector<std::string> allow_origins;   // "https://app.suoke.life", or "*"
    std::vector<std::string> allow_headers;   // besides those gRPC-Web itself needs
    std::vector<std::string> expose_headers;  // besides grpc-status, grpc-message and its details
    bool allow_credentials = false;           // never with "*"
    bool operator==(const GrpcWeb&) const = default;
};

enum class Subject : std::uint8_t { header, cookie, certificate };  // what tells clients apart

struct SseReplay {                       // after a break a client gets what it missed (Last-Event-ID)
    Subject subject = Subject::header;
    std::string subject_name;            // of the header (empty: Authorization) or cookie
    std::uint32_t events = 256;          // kept of each subject's stream
    std::uint64_t bytes = 256 * 1024;
    Duration keep = 5min;                // after the last one
    bool operator==(const SseReplay&) const = default;
};

struct RouteSse {
    std::optional<Duration> heartbeat;
    std::optional<Duration> first_event_timeout;
    std::optional<Duration> event_timeout;
    bool plain_text = false;             // text/plain is an event stream too
    bool early = false;                  // answer before the upstream does
    std::optional<SseReplay> replay;     // nothing: off
    bool operator==(const RouteSse&) const = default;
};

enum class Importance : std::uint8_t { low, normal, high, critical };

struct Hedge {                           // ask another endpoint as well when the first one is slow
    Duration after = 0s;                 // 0: off
    std::uint32_t max = 1;               // more at once than the first
    bool operator==(const Hedge&) const = default;
};

struct Split {                           // a share of a route's requests for another service
    std::string service;
    std::uint32_t weight = 1;
    bool operator==(const Split&) const = default;
};

struct Mirror {                          // copies of requests to a service whose answers nobody gets
    std::string service;
    std::uint32_t percent = 100;
    bool operator==(const Mirror&) const = default;
};

enum class Messages : std::uint8_t { any, text, binary };

// What a route's WebSockets may do. Zeros: no limit. With any of the first five the frames are
// inspected; otherwise they pass as they come.
struct WebSocketRules {
    std::uint64_t max_message_size = 0;       // as sent, of either side
    std::uint64_t max_inflated_size = 0;      // of a compressed message
    std::uint32_t messages_per_second = 0;    // of one client
    std::uint64_t bytes_per_second = 0;       // of one client
    Messages allow = Messages::any;
    std::optional<Duration> idle_timeout;     // instead of websocket.idle_timeout
    std::uint32_t max_connections = 0;        // on this route, all workers together
    bool operator==(const WebSocketRules&) const = default;
};

struct WebSocket {
    bool enabled = true;
    std::uint32_t max_connections = 0;        // all routes and workers; 0 = no limit of its own
    Duration idle_timeout = 300s;             // both sides silent this long: closed
    bool operator==(const WebSocket&) const = default;
};

enum class DataClass : std::uint8_t { open, internal, phi };   // phi: protected health information

struct Route {
    std::string name;
    // what it matches; exactly one of prefix, path, regex (none: every path)
    std::vector<std::string> hosts;       // "api.suoke.life", "*.suoke.life"; empty: any
    std::string prefix;                   // at segment borders
    std::string path;                     // exact; {param} segments; trailing /* for the rest
    std::string regex;                    // RE2 over the whole normalised path
    std::optional<GrpcMatch> grpc;
    std::vector<std::string> methods;     // empty: any
    std::vector<Condition> headers;
    std::vector<Condition> query;
    std::vector<Condition> cookies;
    int priority = 0;                     // higher first, before everything else
    // what it does; exactly one of service, redirect, respond
    std::string service;
    std::optional<Redirect> redirect;
    std::optional<FixedResponse> respond;
    // how it forwards
    // forwarded path = upstream_prefix + (strip_prefix ? what follows the prefix : the whole path),
    // then rewrite_path
    bool strip_prefix = true;
    std::optional<std::string> upstream_prefix;  // overrides the service's; "" = nothing in front
    std::string rewrite_path;             // "regex => $1 template"
    std::optional<Duration> timeout;      // total; 0 = none (streams)
    std::optional<Duration> response_timeout;
    std::optional<Duration> idle_timeout;
    std::optional<std::uint64_t> max_request_size;
    std::string host_header;              // overrides the service's
    ClientAuth client_certificate = ClientAuth::optional;  // required: 403 without one
    HeaderEdit request_headers;
    HeaderEdit response_headers;
    std::optional<GrpcWeb> grpc_web;      // translated for browsers
    RouteSse sse;
    WebSocketRules websocket;
    std::optional<Retry> retry;           // what it leaves out it has from its service
    std::optional<Hedge> hedge;
    std::vector<Split> split;             // instead of service
    bool forwards() const { return !service.empty() || !split.empty(); }
    std::optional<Mirror> mirror;
    std::optional<FixedResponse> fallback;
    Importance importance = Importance::normal;  // the least important are refused first under load
    // who may, how often, and what is made of it
    RouteAuth auth;
    Access access;
    RouteRateLimit rate_limit;
    std::optional<RouteCache> cache;
    RouteCacheWords cache_words;
    std::optional<Cors> cors;             // instead of the section cors
    std::optional<Compression> compression;
    std::optional<Versioning> versioning;
    std::optional<Transformations> transformations;
    std::optional<Validation> validation;
    std::optional<Idempotency> idempotency;
    std::optional<Maintenance> maintenance;
    DataClass data_class = DataClass::internal;
    Place place;
    bool operator==(const Route&) const = default;
};

struct LoadShedding {
    bool enabled = true;
    Duration max_loop_lag = 200ms;        // of a worker, smoothed: low goes first, then normal, then high
    std::uint32_t max_memory_percent = 90;  // of performance.buffer_budget
    bool operator==(const LoadShedding&) const = default;
};

enum class RedisMode : std::uint8_t { single, sentinel, cluster };

struct Redis {                            // shared by several gateways; used when a host is said
    bool enabled = true;
    std::string url;                      // says the rest in one
    std::string host;
    std::uint16_t port = 6379;
    std::uint32_t db = 0;
    std::string username;
    Secret password;
    RedisMode mode = RedisMode::single;
    std::vector<std::string> nodes;       // "host:port" of Sentinels, or of a Cluster
    std::string master_name;              // as the Sentinels call it
    std::string sentinel_username;        // the Sentinels' own login
    Secret sentinel_password;
    bool tls = false;
    std::string ca_file;
    std::string key_prefix = "suoke:";
    Duration connect_timeout = 2s;
    Duration command_timeout = 1s;
    bool wanted() const { return enabled && (!url.empty() || !host.empty() || !nodes.empty()); }
    bool operator==(const Redis&) const = default;
};

struct Store {                            // what survives a restart, where there is no Redis
    std::string path = "data/suoke-gateway.db";  // empty: nothing does
    bool operator==(const Store&) const = default;
};

struct Registry {
    bool enabled = true;
    Secret admin_token;                   // empty: only who has one of auth.admin_roles may register
    Duration default_ttl = 30s;           // of a lease whose owner names none; 0: until it is taken out
    std::vector<std::string> allow_networks = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"};
    std::vector<std::string> allow_hosts; // names, "*.suoke.internal"
    std::uint32_t max_instances = 10'000;
    bool service_paths = true;            // /api/v1/gateway/{service}/..., /proxy/{service}
    bool operator==(const Registry&) const = default;
};

enum class DiscoveryType : std::uint8_t { configured, consul, kubernetes };

struct Consul {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8500;
    Secret token;
    std::string datacenter;
    bool tls = false;
    std::string ca_file;                  // empty: the system's authorities
    bool operator==(const Consul&) const = default;
};

struct Kubernetes {
    std::string name_space = "default";
    std::string host;                     // of the API server; empty: as the cluster says
    std::uint16_t port = 443;
    std::string token_file, ca_file;      // empty: those of the pod
    bool operator==(const Kubernetes&) const = default;
};

struct ServiceDiscovery {
    bool enabled = true;
    DiscoveryType type = DiscoveryType::configured;  // where services are looked for that say nothing
    std::vector<std::string> dns_servers;    // empty: the system's
    Consul consul;
    Kubernetes kubernetes;
    bool operator==(const ServiceDiscovery&) const = default;
};

struct Config {
    App app;
    Server server;
    Logging logging;
    Performance performance;
    Security security;
    Http2 http2;
    Metrics metrics;
    Sse sse;
    WebSocket websocket;
    LoadBalancer load_balancer;
    HealthCheck health_check;
    OutlierDetection outlier_detection;
    CircuitBreaker circuit_breaker;
    Retry retry;
    Concurrency concurrency;
    LoadShedding load_shedding;
    Redis redis;
    Store store;
    Registry registry;
    ServiceDiscovery service_discovery;
    Auth auth;
    RateLimit rate_limit;
    Cache cache;
    Cors cors;
    Compression compression;
    Versioning versioning;
    Idempotency idempotency;
    Maintenance maintenance;
    std::map<std::string, Service> services;
    std::vector<Route> routes;
    bool operator==(const Config&) const = default;
};

}  // namespace suoke::config
