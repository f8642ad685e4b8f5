// SPDX-License-Identifier: MIT
#include "app/redis_options.h"

#include "rt/certificate.h"

namespace suoke::app {
namespace {

using Problems = std::vector<config::Problem>;

std::nullopt_t complain(Problems& problems, const std::string& key, std::string sentence) {
    problems.push_back({config::Problem::error, {}, key, std::move(sentence)});
    return std::nullopt;
}

std::optional<store::RedisOptions> from_pieces(const config::Redis& from, Problems& problems) {
    store::RedisOptions options;
    options.mode = static_cast<store::RedisMode>(from.mode);
    std::uint16_t port = options.mode == store::RedisMode::sentinel && from.port == 6379 ? 26379 : from.port;
    for (std::size_t i = 0; i < from.nodes.size(); ++i) {
        auto node = store::parse_redis_node(from.nodes[i], port);
        if (!node) return complain(problems, "redis.nodes[" + std::to_string(i) + "]", node.error().detail);
        options.nodes.push_back(std::move(*node));
    }
    if (options.nodes.empty()) options.nodes.push_back({from.host, from.port});
    options.master_name = from.master_name;
    options.db = static_cast<int>(from.db);
    if (options.mode == store::RedisMode::sentinel && from.master_name.empty())
        return complain(problems, "redis.master_name", "is missing; Sentinels know several masters");
    return options;
}

std::optional<store::RedisOptions> from_url(const std::string& url, Problems& problems) {
    auto parsed = store::parse_redis_url(url);
    if (!parsed) return complain(problems, "redis.url", parsed.error().detail);
    return std::move(*parsed);
}

// False: there is a problem.
bool set_tls(const config::Redis& from, store::RedisOptions& options, Problems& problems) {
    if (!from.tls && from.ca_file.empty()) return true;
    rt::TlsClientOptions tls;
    if (!from.ca_file.empty()) {
        auto ca = rt::read_pem_file(from.ca_file);
        if (!ca) return complain(problems, "redis.ca_file", ca.error().detail), false;
        tls.ca = std::move(*ca);
    }
    auto client = rt::TlsClient::make(std::move(tls));
    if (!client) return complain(problems, from.ca_file.empty() ? "redis.tls" : "redis.ca_file", client.error().detail), false;
    options.tls = std::move(*client);
    return true;
}

}  // namespace

std::optional<store::RedisOptions> redis_options(const config::Redis& from, std::vector<config::Problem>& problems) {
    auto options = from.url.empty() ? from_pieces(from, problems) : from_url(from.url, problems);
    if (!options || !set_tls(from, *options, problems)) return std::nullopt;
    if (!from.username.empty()) options->username = from.username;
    if (!from.password.empty()) options->password = from.password;
    options->sentinel_username = from.sentinel_username;
    options->sentinel_password = from.sentinel_password;
    options->key_prefix = from.key_prefix;
    options->connect_timeout = from.connect_timeout;
    options->command_timeout = from.command_timeout;
    return options;
}

}  // namespace suoke::app
