// SPDX-License-Identifier: MIT
#include "store/redis_value.h"

#include "store/whole_number.h"

namespace suoke::store {
namespace {

constexpr std::size_t kMostShown = 200;  // of a text, in bytes

void append_shown(std::string& out, std::string_view text) {
    for (char c : text.substr(0, kMostShown)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
    if (text.size() > kMostShown) out += "...";
}

void append(std::string& out, const RedisValue& value) {
    switch (value.kind) {
        case RedisValue::Kind::nil: out += "nil"; return;
        case RedisValue::Kind::integer: out += std::to_string(value.number); return;
        case RedisValue::Kind::string:
            out += '"';
            append_shown(out, value.text);
            out += '"';
            return;
        case RedisValue::Kind::error:
            out += "error: ";
            append_shown(out, value.text);
            return;
        case RedisValue::Kind::array: break;
    }
    out += '[';
    for (const RedisValue& item : value.items) {
        if (out.back() != '[') out += ", ";
        append(out, item);
        if (out.size() > kMostShown * 4) {
            out += ", ...";
            break;
        }
    }
    out += ']';
}

const char* name_of(RedisValue::Kind kind) {
    switch (kind) {
        case RedisValue::Kind::nil: return "nothing";
        case RedisValue::Kind::string: return "a string";
        case RedisValue::Kind::integer: return "a number";
        case RedisValue::Kind::array: return "a list";
        case RedisValue::Kind::error: return "an error";
    }
    return "?";
}

}  // namespace

RedisValue RedisValue::string(std::string text) { return {Kind::string, std::move(text), 0, {}}; }
RedisValue RedisValue::integer(std::int64_t number) { return {Kind::integer, {}, number, {}}; }
RedisValue RedisValue::error(std::string text) { return {Kind::error, std::move(text), 0, {}}; }
RedisValue RedisValue::array(std::vector<RedisValue> items) { return {Kind::array, {}, 0, std::move(items)}; }

std::string_view RedisValue::error_word() const {
    if (!is_error()) return {};
    return std::string_view(text).substr(0, text.find(' '));
}

std::optional<std::int64_t> RedisValue::as_integer() const {
    if (kind == Kind::integer) return number;
    return kind == Kind::string ? whole_number(text) : std::nullopt;
}

std::string RedisValue::to_string() const {
    std::string out;
    append(out, *this);
    return out;
}

Error redis_error(std::string_view where, const RedisValue& reply) {
    std::string_view text = reply.text;
    text = text.substr(0, text.find(", with args beginning with"));  // "unknown command 'X', with args ...: 'secret'"
    std::string detail = where.empty() ? "Redis refused: " : "Redis at " + std::string(where) + " refused: ";
    append_shown(detail, text);
    return Error(Code::store_unavailable, std::move(detail));
}

// Only the kind is told: the value itself may be a secret.
Error redis_surprise(std::string_view command, const RedisValue& reply) {
    return Error(Code::store_unavailable, "Redis answered " + std::string(command) + " with " + name_of(reply.kind));
}

}  // namespace suoke::store
