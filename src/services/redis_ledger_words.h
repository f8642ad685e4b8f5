// SPDX-License-Identifier: MIT
#pragma once
// What a ledger in Redis is written in: the scripts that decide there, the values they keep, and the
// messages by which gateways hear of each other's changes. No I/O.

#include <optional>
#include <string>
#include <string_view>

#include "services/record.h"

namespace suoke::services::words {

// Each answers with an array; its first item says what became of it, and of "none" the second one when the
// data was born. Their arguments stand above them.
extern const std::string kLoad, kHold, kExtend, kChange, kRelease, kLapse;

Error surprise();   // Redis answered something else than the scripts say

Duration span(std::int64_t milliseconds);   // as far as a time can be

// "lease|host:port|registered|revision|ttl\n{...}", of a lease that has `left` to go.
Result<Record> record_from(std::string_view value, Duration left, WallTime now);

// "c" and a record; "r" (released) or "x" (lapsed), a revision, '|' and a field; "l" (left while Redis was
// away) and a lease; "e" (extended) and milliseconds.
struct Message {
    enum Kind : std::uint8_t { changed, released, lapsed, left, extended } kind = changed;
    Record record;   // changed: whole; else service, id, and of revision, lease, expires what the kind has
};
std::optional<Message> read_message(std::string_view text, WallTime now);

}  // namespace suoke::services::words
