// SPDX-License-Identifier: MIT
// What is kept, and who else knows of services.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

const Fields& describe(std::type_identity<Redis>) {
    static const Fields kFields = {
        field<&Redis::enabled>("enabled", "False: no Redis, whatever else is set.").restart(),
        field<&Redis::url>("url", "All in one: redis[s]://user:password@host:port/db, redis[s]+sentinel://s1,s2/master, redis[s]+cluster://n1,n2.")
            .env({"REDIS_URL", "REDIS__URL"}).check(rules::redis_url).credentials().restart(),
        field<&Redis::host>("host", "Or piece by piece: the server, or unix:/path. Empty, and no url or nodes: no Redis.").env({"REDIS_HOST"}).check(rules::endpoint_host_or_nothing).restart(),
        field<&Redis::port>("port", "Its port.").env({"REDIS_PORT"}).range(1, 65535).restart(),
        field<&Redis::db>("db", "Its database; a Cluster has only 0.").env({"REDIS_DB"}).range(0, 1'000'000).restart(),
        field<&Redis::username>("username", "Who we are there (ACL); empty: the password alone.").restart(),
        field<&Redis::password>("password", "Our password.").env({"REDIS_PASSWORD"}).credentials().restart(),
        field<&Redis::mode>("mode", "One server, a master that Sentinels know, or a Cluster.").restart(),
        field<&Redis::nodes>("nodes", "host:port of the Sentinels, or of some of the Cluster's nodes.").restart(),
        field<&Redis::master_name>("master_name", "What the Sentinels call the master.").restart(),
        field<&Redis::sentinel_username>("sentinel_username", "Who we are at the Sentinels (ACL).").restart(),
        field<&Redis::sentinel_password>("sentinel_password", "Our password there; empty: none.").credentials().restart(),
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
        field<&Registry::enabled>("enabled", "Let instances register themselves.").restart(),
        field<&Registry::admin_token>("admin_token", "Who shows it (Authorization: Bearer) may register, change and take out instances, and manage the gateway; "
                                                     "so may who has one of auth.admin_roles. Empty: they alone.")
            .env({"REGISTRY_ADMIN_TOKEN"}).check(rules::token_to_show).credentials(),
        field<&Registry::default_ttl>("default_ttl", "An instance that names no ttl is gone without a heartbeat for so long; 0: never.")
            .env({"SERVICE_REGISTRY_TTL"}),
        field<&Registry::allow_networks>("allow_networks", "Networks that registered instances may be in; in development also this machine.").check(rules::network),
        field<&Registry::allow_hosts>("allow_hosts", "Names they may have instead of an address, like *.suoke.internal.").check(rules::site_name),
        field<&Registry::max_instances>("max_instances", "The most that may be registered.").range(1, 1'000'000).restart(),
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
        field<&Consul::ca_file>("ca_file", "PEM: the authorities to believe, with tls; empty: those of the system."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Kubernetes>) {
    static const Fields kFields = {
        field<&Kubernetes::name_space>("namespace", "Where services are looked for.").also({"service_discovery.kubernetes_namespace"}),
        field<&Kubernetes::host>("host", "Of the API server; empty: KUBERNETES_SERVICE_HOST.").env({"KUBERNETES_SERVICE_HOST"}),
        field<&Kubernetes::port>("port", "And its port.").env({"KUBERNETES_SERVICE_PORT"}).range(1, 65535),
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

}  // namespace suoke::config
