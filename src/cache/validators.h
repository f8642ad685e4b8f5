// SPDX-License-Identifier: MIT
#pragma once
// What tells one version of a resource from another, and what requests say about it (RFC 9110 §8.8, §13).

#include <optional>
#include <string_view>

#include "cache/date.h"
#include "http/headers.h"

namespace suoke::cache {

struct EntityTag {
    std::string_view opaque;   // with its quotes
    bool weak = false;
    friend bool operator==(const EntityTag&, const EntityTag&) = default;
};

// RFC 9110 §8.8.3; nothing when it is none.
std::optional<EntityTag> parse_entity_tag(std::string_view text);
// RFC 9110 §8.8.3.2.
inline bool matches_strongly(const EntityTag& a, const EntityTag& b) { return !a.weak && !b.weak && a.opaque == b.opaque; }
inline bool matches_weakly(const EntityTag& a, const EntityTag& b) { return a.opaque == b.opaque; }
// Takes the next one off the front of a list; false when there is none, or what is there is none.
bool next_entity_tag(std::string_view& list, EntityTag& tag);

// A stored answer as conditions see it. `date`: when it was made.
struct Validators {
    std::optional<EntityTag> tag;
    std::optional<UnixSeconds> modified;
    UnixSeconds date = 0;
    bool any() const { return tag || modified; }
};
Validators validators_of(const http::Headers& headers, UnixSeconds date, UnixSeconds now);

// Whether what the client has is what is stored, by If-None-Match or else If-Modified-Since (RFC 9110 §13.2.2):
// then 304 is the answer to GET and HEAD.
bool client_has_it(const http::Headers& request, const Validators& stored, UnixSeconds now);
// Whether a request says any condition at all.
bool is_conditional(const http::Headers& request);
// RFC 9110 §13.1.5: whether Range counts. Without If-Range it does.
bool range_counts(const http::Headers& request, const Validators& stored, UnixSeconds now);

}  // namespace suoke::cache
