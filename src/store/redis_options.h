// SPDX-License-Identifier: MIT
#pragma once
// How Redis is reached, and how patient we are with it.

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sensitive.h"
#include "base/time.h"
#include "rt/tls.h"
#include "store/redis_reader.h"

namespace suoke::store {

enum class RedisMode : std::uint8_t { single, sentinel, cluster };

struct RedisNode {
    std::string host;  // a name, an IP address without brackets, or unix:/path
    std::uint16_t port = 6379;
    auto operator<=>(const RedisNode&) const = default;
    std::string to_string() const;
};

struct RedisOptions {
    RedisMode mode = RedisMode::single;
    std::vector<RedisNode> nodes;    // tried in turn: the server; the Sentinels; some of the Cluster's nodes
    std::string master_name;         // as the Sentinels call it
    std::string username;            // empty: the password alone (Redis before 6, or its default user)
    Secret password;                 // empty: no login
    std::string sentinel_username;   // the Sentinels' own login
    Secret sentinel_password;
    int db = 0;                      // a Cluster has only this one
    std::string client_name = "suoke-gateway";  // as CLIENT LIST shows us; empty: none
    std::string key_prefix = "suoke:";
    std::shared_ptr<const rt::TlsClient> tls;   // null: in the clear

    Duration connect_timeout = std::chrono::seconds(2);   // of one node, with TLS and login
    Duration command_timeout = std::chrono::seconds(1);   // of one command, with all its retries
    Duration grace = std::chrono::milliseconds(100);      // a command waits this long for a connection just lost
    Duration max_reconnect_delay = std::chrono::seconds(10);
    Duration silence = std::chrono::seconds(5);           // commands in flight and not a byte: the connection is dead; 0: never
    Duration ping_after = std::chrono::seconds(15);       // of nothing to say; 0: never
    std::size_t most_in_flight = 4096;                    // commands of one connection
    std::size_t most_queued_bytes = 16u << 20;            // that were not sent yet
    RedisLimits limits;
};

//   redis://user:password@host:6379/2          rediss:// is the same over TLS (the system's CAs)
//   redis://:password@host                     a password alone
//   redis+unix:///run/redis.sock?db=2
//   redis+sentinel://user:password@s1:26379,s2:26379/mymaster/2
//   redis+cluster://user:password@n1:6379,n2:6379
// Names and passwords are percent-encoded. Code::invalid_config says what is wrong; it quotes nothing, since
// whatever is not where it belongs may be a part of the password.
Result<RedisOptions> parse_redis_url(std::string_view url);

// "host", "host:6379", "[2001:db8::1]:6379" or "unix:/path".
Result<RedisNode> parse_redis_node(std::string_view text, std::uint16_t default_port);

}  // namespace suoke::store
