// SPDX-License-Identifier: MIT
#pragma once
// Cache-Control (RFC 9111 §5.2) and its targeted forms (RFC 9213), read strictly: what is no directive is
// passed over, what is one and makes no sense counts as the most careful reading of it.
//
//   ResponseDirectives cc;
//   for each Cache-Control line: cc.read(line);

#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace suoke::cache {

// RFC 9111 §1.2.2: whatever is more than this is this.
constexpr Duration kMostSeconds = std::chrono::seconds(std::int64_t{1} << 31);

// delta-seconds; nothing when it is no such number.
std::optional<Duration> parse_delta_seconds(std::string_view text);

// One element of a list of directives, as it was written. `value` of a quoted string is its inside.
struct Directive {
    std::string_view name;
    std::string_view value;
    bool has_value = false;
    bool quoted = false;     // the value was a quoted string
    bool sound = true;       // false: something else stands behind the name; only what forbids is heeded
};

// Takes the next directive off the front of `rest`, in any state of it; false when there is none.
bool next_directive(std::string_view& rest, Directive& directive);

struct RequestDirectives {
    bool no_store = false, no_cache = false, only_if_cached = false;
    std::optional<Duration> max_age, max_stale, min_fresh, stale_if_error;   // max_stale without a value: any
    void read(std::string_view line);
};

struct ResponseDirectives {
    bool no_store = false, no_cache = false, is_private = false, is_public = false;
    bool must_revalidate = false, proxy_revalidate = false, must_understand = false;
    std::optional<Duration> max_age, s_maxage, stale_while_revalidate, stale_if_error;
    // Fields that only no_cache="..." or private="..." name; views of the lines.
    std::vector<std::string_view> no_cache_fields, private_fields;

    void read(std::string_view line);
    // RFC 9213 §2.1: `lines` together are one dictionary of structured fields (RFC 8941 §3.2). False, and
    // nothing was read, when they are none, or say nothing.
    bool read_targeted(std::string_view dictionary);
    // As the W3C's Edge Architecture Note has it: "max-age=60;suoke"; what is for others is passed over.
    void read_surrogate(std::string_view line, std::string_view us);

 private:
    void heed(const Directive& directive);
};

}  // namespace suoke::cache
