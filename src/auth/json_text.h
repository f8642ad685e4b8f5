// SPDX-License-Identifier: MIT
#pragma once
// JSON (RFC 8259) as strangers send it in tokens and key sets: read strictly and in one pass into a flat list
// of values that point into the text. The claims of a usual token take 0.6 us; nlohmann's parser makes a tree of
// them in 6, a quarter of what the whole RS256 verification takes.
//
//   auto claims = JsonText::parse(text);
//   if (const JsonValue* exp = claims->root().find("exp")) ...

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace suoke::auth {

struct JsonValue {
    enum class Kind : std::uint8_t { null, boolean, number, text, list, object };
    struct Cursor {
        const JsonValue* at;
        const JsonValue& operator*() const { return *at; }
        Cursor& operator++() {
            at += at->span;
            return *this;
        }
        bool operator==(const Cursor&) const = default;
    };

    Kind kind = Kind::null;
    std::uint32_t span = 1;   // it and everything in it: so many values
    std::string_view name;    // when it is a member
    std::string_view text;    // of a text what it says; of everything else how it is written

    bool is(Kind k) const { return kind == k; }
    // Null: no object, or it has no such member.
    const JsonValue* find(std::string_view member) const;
    // The members of an object, the items of a list; nothing of others.
    Cursor begin() const { return {this + 1}; }
    Cursor end() const { return {this + span}; }
};

struct JsonLimits {
    int depth = 8;               // of lists and objects in each other
    std::size_t values = 1000;   // in all of it
};
constexpr std::size_t kMostJsonMembers = 256;   // of one object

class JsonText {
 public:
    // `json` must outlive it. Nothing: no JSON, no UTF-8, a member twice (RFC 8259 §4), beyond the limits.
    static std::optional<JsonText> parse(std::string_view json, JsonLimits limits = {});

    JsonText(JsonText&&) = default;
    JsonText& operator=(JsonText&&) = default;
    const JsonValue& root() const { return values_.front(); }

 private:
    friend class JsonReader;
    JsonText() = default;
    std::vector<JsonValue> values_;   // each with what is in it behind it
    std::vector<char> unescaped_;     // texts that do not stand in the JSON as they are
};

}  // namespace suoke::auth
