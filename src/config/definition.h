// SPDX-License-Identifier: MIT
#pragma once
// Every key there is: those with an effect (the fields), their other spellings, and those that a
// later version gives an effect. To add a key: a member in config.h, a line in definition_*.cpp.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/field.h"

namespace suoke::config {

std::span<const Choice<Environment>> choices(std::type_identity<Environment>);
std::span<const Choice<LogLevel>> choices(std::type_identity<LogLevel>);
std::span<const Choice<LogFormat>> choices(std::type_identity<LogFormat>);
std::span<const Choice<Protocol>> choices(std::type_identity<Protocol>);
std::span<const Choice<ProxyUse>> choices(std::type_identity<ProxyUse>);
std::span<const Choice<ProxySend>> choices(std::type_identity<ProxySend>);
std::span<const Choice<RedisMode>> choices(std::type_identity<RedisMode>);
std::span<const Choice<DiscoveryType>> choices(std::type_identity<DiscoveryType>);
std::span<const Choice<Strategy>> choices(std::type_identity<Strategy>);
std::span<const Choice<HashBy>> choices(std::type_identity<HashBy>);
std::span<const Choice<CheckType>> choices(std::type_identity<CheckType>);
std::span<const Choice<BreakerScope>> choices(std::type_identity<BreakerScope>);
std::span<const Choice<Backoff>> choices(std::type_identity<Backoff>);
std::span<const Choice<Adaptive>> choices(std::type_identity<Adaptive>);
std::span<const Choice<Importance>> choices(std::type_identity<Importance>);
std::span<const Choice<Messages>> choices(std::type_identity<Messages>);
std::span<const Choice<Subject>> choices(std::type_identity<Subject>);
std::span<const Choice<DataClass>> choices(std::type_identity<DataClass>);
std::span<const Choice<CacheType>> choices(std::type_identity<CacheType>);
std::span<const Choice<SetCookies>> choices(std::type_identity<SetCookies>);
std::span<const Choice<Undocumented>> choices(std::type_identity<Undocumented>);
std::span<const Choice<StoreAway>> choices(std::type_identity<StoreAway>);
std::span<const Choice<ContentCoding>> choices(std::type_identity<ContentCoding>);
std::span<const Choice<VersionFrom>> choices(std::type_identity<VersionFrom>);
std::span<const Choice<KeyCase>> choices(std::type_identity<KeyCase>);

std::span<const Choice<AuthMode>> choices(std::type_identity<AuthMode>);
std::span<const Choice<AuthMethod>> choices(std::type_identity<AuthMethod>);
std::span<const Choice<LogSubject>> choices(std::type_identity<LogSubject>);
std::span<const Choice<LimitBy>> choices(std::type_identity<LimitBy>);
std::span<const Choice<LimitStorage>> choices(std::type_identity<LimitStorage>);
std::span<const Choice<TlsVersion>> choices(std::type_identity<TlsVersion>);
std::span<const Choice<ClientAuth>> choices(std::type_identity<ClientAuth>);

const Fields& describe(std::type_identity<CertificateFiles>);
const Fields& describe(std::type_identity<ServerTls>);
const Fields& describe(std::type_identity<ServiceTls>);
const Fields& describe(std::type_identity<App>);
const Fields& describe(std::type_identity<Server>);
const Fields& describe(std::type_identity<Logging>);
const Fields& describe(std::type_identity<Timeouts>);
const Fields& describe(std::type_identity<ConnectionPool>);
const Fields& describe(std::type_identity<Performance>);
const Fields& describe(std::type_identity<Security>);
const Fields& describe(std::type_identity<Cors>);
const Fields& describe(std::type_identity<Access>);
const Fields& describe(std::type_identity<Maintenance>);
const Fields& describe(std::type_identity<Http2>);
const Fields& describe(std::type_identity<Metrics>);
const Fields& describe(std::type_identity<Sse>);
const Fields& describe(std::type_identity<StickySession>);
const Fields& describe(std::type_identity<LoadBalancer>);
const Fields& describe(std::type_identity<HealthCheck>);
const Fields& describe(std::type_identity<OutlierDetection>);
const Fields& describe(std::type_identity<CircuitBreaker>);
const Fields& describe(std::type_identity<Retry>);
const Fields& describe(std::type_identity<Concurrency>);
const Fields& describe(std::type_identity<LoadShedding>);
const Fields& describe(std::type_identity<Hedge>);
const Fields& describe(std::type_identity<Split>);
const Fields& describe(std::type_identity<Mirror>);
const Fields& describe(std::type_identity<DnsDiscovery>);
const Fields& describe(std::type_identity<KubernetesDiscovery>);
const Fields& describe(std::type_identity<Discovery>);
const Fields& describe(std::type_identity<Redis>);
const Fields& describe(std::type_identity<Store>);
const Fields& describe(std::type_identity<Registry>);
const Fields& describe(std::type_identity<Consul>);
const Fields& describe(std::type_identity<Kubernetes>);
const Fields& describe(std::type_identity<ServiceDiscovery>);
const Fields& describe(std::type_identity<Endpoint>);
const Fields& describe(std::type_identity<Service>);
const Fields& describe(std::type_identity<Condition>);
const Fields& describe(std::type_identity<HeaderEdit>);
const Fields& describe(std::type_identity<Redirect>);
const Fields& describe(std::type_identity<FixedResponse>);
const Fields& describe(std::type_identity<GrpcMatch>);
const Fields& describe(std::type_identity<GrpcWeb>);
const Fields& describe(std::type_identity<RouteSse>);
const Fields& describe(std::type_identity<WebSocketRules>);
const Fields& describe(std::type_identity<WebSocket>);
const Fields& describe(std::type_identity<SchemaSource>);
const Fields& describe(std::type_identity<Multipart>);
const Fields& describe(std::type_identity<Validation>);
const Fields& describe(std::type_identity<Idempotency>);
const Fields& describe(std::type_identity<Compression>);
const Fields& describe(std::type_identity<Deprecation>);
const Fields& describe(std::type_identity<Versioning>);
const Fields& describe(std::type_identity<JsonEdits>);
const Fields& describe(std::type_identity<RequestTransformation>);
const Fields& describe(std::type_identity<ResponseTransformation>);
const Fields& describe(std::type_identity<Transformations>);
const Fields& describe(std::type_identity<JwtProvider>);
const Fields& describe(std::type_identity<ApiKey>);
const Fields& describe(std::type_identity<ForwardAuth>);
const Fields& describe(std::type_identity<Introspection>);
const Fields& describe(std::type_identity<Auth>);
const Fields& describe(std::type_identity<TokenFrom>);
const Fields& describe(std::type_identity<RouteAuth>);
const Fields& describe(std::type_identity<CacheConditions>);
const Fields& describe(std::type_identity<CacheRule>);
const Fields& describe(std::type_identity<CacheStrategy>);
const Fields& describe(std::type_identity<Cache>);
const Fields& describe(std::type_identity<RouteCache>);
const Fields& describe(std::type_identity<UserTypeRates>);
const Fields& describe(std::type_identity<LimitPolicy>);
const Fields& describe(std::type_identity<Penalties>);
const Fields& describe(std::type_identity<RateLimit>);
const Fields& describe(std::type_identity<RouteRateLimit>);
const Fields& describe(std::type_identity<Route>);
const Fields& describe(std::type_identity<Config>);

// A field that one path from the root leads to, without passing a list or a map.
struct Leaf {
    std::string path;                 // "performance.timeouts.connect"
    std::vector<const Field*> chain;  // the fields on the way, this one last
    const Field& field() const { return *chain.back(); }
    void* in(Config& config) const;
    const void* in(const Config& config) const;
    bool live() const;
    // Environment variables that set it, strongest first; the first one is canonical.
    std::vector<std::string> variables() const;
};
const std::vector<Leaf>& leaves();
const Leaf* leaf_at(std::string_view path);  // its own path or an alias; null when there is none

// A key, a group of keys or a variable of the predecessor whose feature comes in a later version:
// recognised, so that an old file loads, and warned about, so that nobody relies on it.
struct Later {
    std::string_view key;   // "*" stands for any key of a map and any index of a list
    std::string_view what;  // "rate limits"
};
std::span<const Later> later_keys();
std::span<const std::string_view> later_variables();  // "REDIS_*" stands for all that begin so

// Looks keys up by their path from the root, with "*" for what a list or a map is indexed by.
class KeyIndex {
 public:
    KeyIndex();
    const Leaf* leaf(std::string_view path) const;
    const Later* later(std::string_view path) const;
    bool is_group(std::string_view path) const;  // something known lies below
    const std::set<std::string, std::less<>>& names_below(std::string_view group) const;

 private:
    void remember(std::string_view path);
    std::map<std::string, const Leaf*, std::less<>> leaves_;
    std::map<std::string, const Later*, std::less<>> later_;
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> below_;
};
const KeyIndex& key_index();

}  // namespace suoke::config
