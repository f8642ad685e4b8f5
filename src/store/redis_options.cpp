// SPDX-License-Identifier: MIT
#include "store/redis_options.h"

#include <optional>

#include "base/text.h"

namespace suoke::store {
namespace {

constexpr std::size_t kMostNodes = 64;
constexpr std::uint64_t kMostDb = 65535;

Error wrong(const std::string& why) { return Error(Code::invalid_config, "not an address of Redis: " + why); }

struct Scheme {
    std::string_view name;
    RedisMode mode;
    bool tls;
    bool is_path;  // of a Unix socket
    std::uint16_t port;
};
constexpr Scheme kSchemes[] = {
    {"redis", RedisMode::single, false, false, 6379},
    {"rediss", RedisMode::single, true, false, 6379},
    {"redis+unix", RedisMode::single, false, true, 0},
    {"redis+sentinel", RedisMode::sentinel, false, false, 26379},
    {"rediss+sentinel", RedisMode::sentinel, true, false, 26379},
    {"redis+cluster", RedisMode::cluster, false, false, 6379},
    {"rediss+cluster", RedisMode::cluster, true, false, 6379},
};

// Takes what stands before `separator` off `rest`; all of it when there is none.
std::string_view take(std::string_view& rest, char separator) {
    std::size_t end = std::min(rest.find(separator), rest.size());
    std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

Result<void> set_login(RedisOptions& options, std::string_view login) {
    std::size_t colon = login.find(':');
    auto user = percent_decoded(login.substr(0, colon));
    auto password = percent_decoded(colon == std::string_view::npos ? std::string_view() : login.substr(colon + 1));
    if (!user || !password) return wrong("the login is not percent-encoded correctly");
    if (!user->empty() && password->empty()) return wrong("a user needs a password: user:password@host");
    options.username = std::move(*user);
    options.password = Secret(std::move(*password));
    return {};
}

Result<void> set_db(RedisOptions& options, std::string_view text) {
    if (text.empty()) return {};
    auto number = parse_u64(text);
    if (!number || *number > kMostDb) return wrong("a database is a number up to " + std::to_string(kMostDb));
    if (options.mode == RedisMode::cluster && *number != 0) return wrong("a Cluster has no databases but 0");
    options.db = static_cast<int>(*number);
    return {};
}

Result<void> set_nodes(RedisOptions& options, std::string_view hosts, std::uint16_t port) {
    while (!hosts.empty()) {
        Result<RedisNode> node = parse_redis_node(take(hosts, ','), port);
        if (!node) return node.error();
        if (options.nodes.size() == kMostNodes) return wrong("more than 64 hosts");
        options.nodes.push_back(std::move(*node));
    }
    if (options.nodes.empty()) return wrong("a host is missing");
    if (options.mode == RedisMode::single && options.nodes.size() > 1)
        return wrong("several hosts are for redis+sentinel:// or redis+cluster://");
    return {};
}

Result<void> set_tls(RedisOptions& options) {
    auto client = rt::TlsClient::make(rt::TlsClientOptions());
    if (!client) return client.error();
    options.tls = std::move(*client);
    return {};
}

}  // namespace

std::string RedisNode::to_string() const {
    if (host.starts_with("unix:")) return host;
    bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<RedisNode> parse_redis_node(std::string_view text, std::uint16_t default_port) {
    RedisNode node{"", default_port};
    if (text.starts_with("unix:/")) {
        node.host = text;
        return node;
    }
    std::string_view behind;  // the host
    if (text.starts_with('[')) {
        std::size_t end = text.find(']');
        if (end == std::string_view::npos) return wrong("a [ has no ] behind it");
        node.host = text.substr(1, end - 1);
        behind = text.substr(end + 1);
    } else {
        node.host = text.substr(0, text.find(':'));
        behind = text.substr(node.host.size());
    }
    if (node.host.empty()) return wrong("a host is missing");
    for (char c : node.host)
        if (static_cast<unsigned char>(c) <= ' ' || c == '%' || c == '@') return wrong("a host has a byte that no name or address has");
    if (behind.empty()) return node;
    auto number = behind.front() == ':' ? parse_u64(behind.substr(1)) : std::nullopt;
    if (!number || *number == 0 || *number > 65535) return wrong("behind a host stands : and a port, from 1 to 65535");
    node.port = static_cast<std::uint16_t>(*number);
    return node;
}

Result<RedisOptions> parse_redis_url(std::string_view url) {
    std::size_t colon = url.find("://");
    std::string scheme_name = to_lower(url.substr(0, std::min(colon, url.size())));
    const Scheme* scheme = nullptr;
    for (const Scheme& known : kSchemes)
        if (colon != std::string_view::npos && known.name == scheme_name) scheme = &known;
    if (!scheme) return wrong("it begins with redis://, redis+unix://, redis+sentinel:// or redis+cluster://, or for TLS with rediss");

    RedisOptions options;
    options.mode = scheme->mode;
    std::string_view rest = url.substr(colon + 3);
    Result<void> done;
    // The login is cut off first: with a / or ? in it the rest of a password would pass for a host or a path.
    if (std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        std::string_view login = rest.substr(0, at);
        if (login.find_first_of("/?") != std::string_view::npos)
            return wrong("a user or password with / or ? in it must be percent-encoded (/ is %2F, ? is %3F, @ is %40)");
        done = set_login(options, login);
        if (!done) return done.error();
        rest.remove_prefix(at + 1);
    }
    std::string_view query = rest.substr(std::min(rest.find('?'), rest.size()));
    rest.remove_suffix(query.size());

    if (scheme->is_path) {
        if (!rest.starts_with('/')) return wrong("redis+unix:// is followed by an absolute path");
        options.nodes.push_back({"unix:" + std::string(rest), 0});
    } else {
        done = set_nodes(options, take(rest, '/'), scheme->port);
        if (done && scheme->mode == RedisMode::sentinel) {
            options.master_name = take(rest, '/');
            if (options.master_name.empty()) return wrong("the name of the master is missing: redis+sentinel://host/name");
        }
        if (done) done = set_db(options, rest);
    }
    if (done && !query.empty()) {
        if (!query.starts_with("?db=")) return wrong("the only thing behind a ? is db=NUMBER");
        done = set_db(options, query.substr(4));
    }
    if (done && scheme->tls) done = set_tls(options);
    if (!done) return done.error();
    return options;
}

}  // namespace suoke::store
