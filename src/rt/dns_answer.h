// SPDX-License-Identifier: MIT
#pragma once
// An answer of a DNS server, as its bytes (RFC 1035 §4.1), read for its SRV records. Strict: an answer
// with anything wrong in it is none.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace suoke::rt {

struct SrvTarget {
    std::string host;  // in lower case, without a dot at its end
    std::uint16_t port = 0, priority = 0, weight = 0;
    friend bool operator==(const SrvTarget&, const SrvTarget&) = default;
};

struct SrvAnswer {
    // None: the service is decidedly not available there (a target of ".", RFC 2782).
    std::vector<SrvTarget> targets;
    Duration ttl{};  // the least of its records
};

constexpr std::size_t kMostRecords = 1024;  // of one answer

// `name` is what was asked for; aliases (CNAME) are followed inside the answer.
Result<SrvAnswer> parse_srv_answer(std::string_view message, std::string_view name);

}  // namespace suoke::rt
