// SPDX-License-Identifier: MIT
#pragma once
// Parts of answers (206, RFC 9111 §3.3): players and downloads that only ever ask for ranges. One for each URL, those
// who may have it and what it is chosen by: the newest. It lies under a key of its own, so nobody meets it who wants
// the whole; it serves ranges within it while it is fresh, and is neither validated nor put together with others.

#include <optional>
#include <string_view>

#include "cache/entry.h"
#include "filters/cache_fill.h"
#include "filters/cache_rules.h"

namespace suoke::filters {

struct PartAsk {
    const cache::Asked& asked;
    std::string_view shared, own;      // keys of the whole, as in Mission
    const cache::EntryPtr& whole;      // what is stored of it; null: nothing
};

// Nothing: no part is stored that has what the request's range wants.
std::optional<gateway::Answer> stored_part(gateway::Exchange& ex, const PartAsk& ask);

// When and where the answer was asked for.
struct PartOrigin {
    const CacheUrl& url;
    Duration delay{};                  // from the request to its answer
    cache::Stamp stamp = 0;            // Marks::now() before
};
// Has a 206 stored when its client has read it; its lifetime, or nothing: it is not.
std::optional<Duration> keep_part(gateway::Exchange& ex, const PartAsk& ask, const CacheRules& rules, const PartOrigin& origin, http::Response& answer);

}  // namespace suoke::filters
