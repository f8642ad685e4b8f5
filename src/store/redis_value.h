// SPDX-License-Identifier: MIT
#pragma once
// What Redis answers, as a value: RESP2 (https://redis.io/docs/reference/protocol-spec/).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace suoke::store {

struct RedisValue {
    enum class Kind : std::uint8_t { nil, string, integer, array, error };

    Kind kind = Kind::nil;
    std::string text;               // of a string (a status is one, too) or an error
    std::int64_t number = 0;        // of an integer
    std::vector<RedisValue> items;  // of an array

    static RedisValue string(std::string text);
    static RedisValue integer(std::int64_t number);
    static RedisValue error(std::string text);
    static RedisValue array(std::vector<RedisValue> items);

    bool is(Kind k) const { return kind == k; }
    bool is_nil() const { return kind == Kind::nil; }
    bool is_error() const { return kind == Kind::error; }
    // An error's first word: "MOVED", "NOSCRIPT", "ERR"; empty when it is none.
    std::string_view error_word() const;
    // The number of an integer, or of a string that is one.
    std::optional<std::int64_t> as_integer() const;

    std::string to_string() const;  // one line for people and tests; values are cut, not left out
    bool operator==(const RedisValue&) const = default;
};

// What an error reply becomes for whoever asked: Code::store_unavailable with the server's sentence. What
// the server quotes of a command's arguments is left out: it may be a secret.
Error redis_error(std::string_view where, const RedisValue& reply);
// A reply that is of another kind than the command has.
Error redis_surprise(std::string_view command, const RedisValue& reply);

}  // namespace suoke::store
