// SPDX-License-Identifier: MIT
#include "app/redis_options.h"

#include "base/text.h"
#include "rt/certificate.h"

namespace suoke::app {
namespace {

// "host:port", "[::1]:port", "host".
Result<store::RedisNode> node_of(const std::string& text, std::uint16_t port) {
    store::RedisNode node{text, port};
    std::size_t bracket = text.starts_with('[') ? text.find(']') : 0, colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (text.starts_with("unix:") || colon == text.npos) return node;
    auto number = parse_u64(std::string_view(text).substr(colon + 1));
    if (!number || *number < 1 || *number > 65535) return Error(Code::invalid_config, "redis.nodes: '" + text + "' is no host:port");
    node.host = text.substr(0, colon);
    if (node.host.starts_with('[') && node.host.ends_with(']')) node.host = node.host.substr(1, node.host.size() - 2);
    node.port = static_cast<std::uint16_t>(*number);
    return node;
}

Result<void> set_nodes(const config::Redis& from, store::RedisOptions& options) {
    options.mode = static_cast<store::RedisMode>(from.mode);
    std::uint16_t port = options.mode == store::RedisMode::sentinel && from.port == 6379 ? 26379 : from.port;
    for (const std::string& text : from.nodes) {
        auto node = node_of(text, port);
        if (!node) return node.error();
        options.nodes.push_back(*node);
    }
    if (options.nodes.empty()) options.nodes.push_back({from.host, from.port});
    options.master_name = from.master_name;
    options.db = static_cast<int>(from.db);
    if (options.mode == store::RedisMode::sentinel && from.master_name.empty())
        return Error(Code::invalid_config, "redis.master_name: is missing; Sentinels know several masters");
    return {};
}

}  // namespace

Result<store::RedisOptions> redis_options(const config::Redis& from) {
    store::RedisOptions options;
    if (!from.url.empty()) {
        auto parsed = store::parse_redis_url(from.url);
        if (!parsed) return Error(Code::invalid_config, "redis.url: " + parsed.error().detail);
        options = std::move(*parsed);
    } else if (auto set = set_nodes(from, options); !set) {
        return set.error();
    }
    if (!from.username.empty()) options.username = from.username;
    if (!from.password.empty()) options.password = from.password;
    options.key_prefix = from.key_prefix;
    options.connect_timeout = from.connect_timeout;
    options.command_timeout = from.command_timeout;
    if (from.tls || !from.ca_file.empty()) {
        rt::TlsClientOptions tls;
        if (!from.ca_file.empty()) {
            auto ca = rt::read_pem_file(from.ca_file);
            if (!ca) return Error(Code::invalid_config, "redis.ca_file: " + ca.error().detail);
            tls.ca = std::move(*ca);
        }
        auto client = rt::TlsClient::make(std::move(tls));
        if (!client) return Error(Code::invalid_config, "redis.tls: " + client.error().detail);
        options.tls = std::move(*client);
    }
    return options;
}

}  // namespace suoke::app
