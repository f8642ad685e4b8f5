// SPDX-License-Identifier: MIT
#pragma once
// JSON in another shape, from text to text and without a tree:
//
//   JsonShape shape({.rename = {{"user.mail", "email"}}, .key_case = KeyCase::snake});
//   std::optional<std::string> out = shape.apply(text);     // nothing: it is no JSON; leave it as it is
//
// What is not named stays as it came: numbers keep their digits (1.10, 2^64), strings their escapes,
// objects their order and their members of the same name. Only blanks between them go.
//
// Paths name the keys as they came. A list on the way is looked into: "items.id" is the id of each item.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/transform.h"

namespace suoke::filters {

// "userId" -> "user_id", "user_id" -> "userId", "UserId". Blanks, dots, dashes: it is no identifier, and stays.
std::string in_case(std::string_view key, config::KeyCase wanted);

class JsonShape {
 public:
    // Of edits that loading has checked.
    explicit JsonShape(const config::JsonEdits& edits);
    ~JsonShape();
    JsonShape(JsonShape&&) noexcept;
    JsonShape& operator=(JsonShape&&) noexcept;

    // The grammar of RFC 8259, strictly, and not deeper than kDeepest; whether the bytes in strings are UTF-8 is
    // their reader's business.
    std::optional<std::string> apply(std::string_view json) const;

    static constexpr int kDeepest = 128;

    // What is to be done with the member a path leads to, and below it.
    struct Node;

 private:
    std::unique_ptr<const Node> root_;
    config::KeyCase key_case_;
    bool drop_nulls_;
};

}  // namespace suoke::filters
