// SPDX-License-Identifier: MIT
#pragma once
// An answer as bytes that another gateway, or this one after a restart, makes an Entry of. Versioned, every text
// with its length before it, and read strictly: bytes that are anything else are nothing at all.
//
//   std::string bytes = encode(label, entry, age);
//   auto parcel = decode(bytes, wall, now);
//   if (!parcel || parcel->label.key != key) ...       // garbage, or somebody else's

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"

namespace suoke::cache {

// Whose it is. Digests of 32 bytes: keys can have credentials in them (include_headers, Vary: Cookie), which have no
// business in a store; and nobody makes two texts with the same SHA-256.
struct Label {
    std::string key;         // of the whole key
    std::string selection;   // of what the request said in the fields that the answer was chosen by; empty: by none
    Stamp stamp = 0;         // what had been purged when it was asked for, as all gateways count it
    WallTime written{};
    friend bool operator==(const Label&, const Label&) = default;
};

// What lies under one key: an answer, or, where there are several, what they are chosen by.
struct Parcel {
    Label label;
    std::vector<std::string> vary;
    std::shared_ptr<Entry> entry;   // null: only the names. Its age is right; `stamp`, `slots` and `selection` are the taker's
};

// `age`: of the entry, now.
std::string encode(const Label& label, const Entry& entry, Duration age);
std::string encode(const Label& label, const std::vector<std::string>& vary);
// Nothing: it is garbage, or of another version.
std::optional<Parcel> decode(std::string_view bytes, WallTime wall, TimePoint now);

}  // namespace suoke::cache
