// SPDX-License-Identifier: MIT
#pragma once
// What a client gets from a stored answer: the whole, a part, or that it has it already (RFC 9110 §13-15), and what
// it is told of how that came about (Age, Cache-Status of RFC 9211, X-Cache).

#include <optional>
#include <string_view>

#include "base/metrics.h"
#include "cache/entry.h"
#include "cache/ranges.h"
#include "gateway/exchange.h"

namespace suoke::filters {

// How an answer came about.
struct CacheStory {
    CacheResult result = CacheResult::hit;
    std::string_view forwarded;            // why the service was asked (RFC 9211 §2.2); empty: it was not
    std::optional<int> status;             // what it answered
    bool stored = false;
    bool collapsed = false;                // somebody else asked
    std::optional<Duration> ttl;           // how long what is stored is still fresh; negative: has been stale
    std::string_view detail;               // a word of ours
};

// Adds it to a head, and counts it.
void tell_story(gateway::Exchange& ex, http::Headers& headers, const CacheStory& story);
void add_age(gateway::Exchange& ex, http::Headers& headers, Duration age);

// The stored fields, as views into the entry.
void add_stored_fields(const cache::Entry& entry, http::Headers& headers);
// An entry that is whole, for this request: its conditions and its range are heeded.
http::Response answer_from(gateway::Exchange& ex, const cache::EntryPtr& entry, const CacheStory& story);
// Some of an entry that is itself a part of the whole.
http::Response part_answer(gateway::Exchange& ex, const cache::EntryPtr& entry, const cache::ByteRange& range, const cache::ContentRange& held,
                           const CacheStory& story);
// 304 with what belongs into one (RFC 9110 §15.4.5); `keeps` is what the entry's fields live in.
http::Response not_modified(gateway::Exchange& ex, const cache::EntryPtr& entry, const CacheStory& story);

cache::UnixSeconds unix_now(const gateway::Exchange& ex);

}  // namespace suoke::filters
