// SPDX-License-Identifier: MIT
#pragma once
// Every decision of a shared cache (RFC 9111, 5861, 9213), as functions of what was said and of the time.
//
//   ResponseFacts facts = read_response(status, headers, wall, rules.surrogate);
//   Judgement judged = may_store(asked, facts, rules, delay);
//   if (judged.store) entry.life = judged.life;
//   ...
//   switch (may_use(entry.life, asked.directives, age)) { ... }

#include <array>
#include <string_view>
#include <vector>

#include "cache/directives.h"
#include "cache/validators.h"
#include "cache/vary.h"
#include "http/message.h"

namespace suoke::cache {

// What the operator adds to what answers say, for one of them.
struct Rules {
    Duration ttl{};                       // fresh for so long, where the answer does not say; zero: not
    bool force = false;                   // ... and where it says something else, or forbids it
    Duration stale_while_revalidate{};    // where the answer does not say
    Duration stale_if_error{};
    std::uint32_t heuristic_percent = 0;  // of the time since Last-Modified (RFC 9111 §4.2.2); 0: off
    bool strip_cookies = false;           // store answers with Set-Cookie, without it
    bool surrogate = false;               // Surrogate-Control counts
};

// ---- requests

struct Asked {
    bool authorized = false;              // says who asks: credentials, or somebody authenticated it
    bool takes_part = false;              // a 206 is stored as what it is, apart from what is whole (RFC 9111 §3.3)
    RequestDirectives directives;
};
// Cache-Control, or where there is none, Pragma (RFC 9111 §5.4).
RequestDirectives read_request(const http::Headers& headers);

// ---- answers

// A head, read once. Views into it.
struct ResponseFacts {
    int status = 0;
    ResponseDirectives directives;
    bool targeted = false;                // they are from a field for caches like us: Expires does not count
    bool says_something = false;          // any word about caching: of those that say none nothing is kept
    std::optional<UnixSeconds> date, expires;   // expires is 0 where it is none: in the past
    Duration age{};                       // the Age field
    UnixSeconds received = 0;
    Validators validators;
    Vary vary;
    bool sets_cookie = false;
    bool has_trailers = false;
};
ResponseFacts read_response(int status, const http::Headers& headers, WallTime now, bool surrogate);

// For how long a stored answer is good, and for what afterwards.
struct Life {
    Duration lifetime{};                  // RFC 9111 §4.2.1
    Duration initial_age{};               // §4.2.3: corrected_initial_age
    Duration while_revalidate{}, if_error{};
    bool always_validate = false;         // no-cache
    bool never_stale = false;             // must-revalidate, proxy-revalidate, s-maxage
    bool for_everyone = false;            // §3.5: also for requests that say who asks
};

enum class Because : std::uint8_t {   // why an answer is not stored
    stored, status, partial, no_store, only_private, star, cookie, not_understood, trailers, nothing_said, useless
};
std::string_view name_of(Because because);

struct Judgement {
    Because because = Because::stored;
    Life life;
    bool store() const { return because == Because::stored; }
};
// RFC 9111 §3, for an answer to GET. `delay`: from the request to its answer (§4.2.3).
Judgement may_store(const Asked& asked, const ResponseFacts& facts, const Rules& rules, Duration delay);

// RFC 9111 §3.1, and what qualified directives name: fields that no stored answer has.
bool is_stored_field(const http::Field& field, const ResponseFacts& facts);

// ---- stored answers

enum class Use : std::uint8_t {
    fresh,
    stale,          // the client takes it so (max-stale)
    refresh,        // stale, served all the same while it is validated (stale-while-revalidate)
    validate,
};
Use may_use(const Life& life, const RequestDirectives& asked, Duration age);
// RFC 5861 §4, RFC 9111 §4.2.4: the upstream cannot be asked, or answers with an error of its own.
bool may_use_on_error(const Life& life, Duration age);
constexpr bool is_error_for_stale(int status) { return status == 500 || (status >= 502 && status <= 504); }

// RFC 9111 §4.3.4: whether a 304 is about the answer that has these validators.
bool is_about(const Validators& stored, const Validators& told);
// §3.2: whether a field of a 304 replaces a stored one. What the stored bytes depend upon stays as it was.
bool is_updated_by_304(const http::Field& field);
// §4.3.5: whether what HEAD says fits the stored answer.
bool head_fits(const Validators& stored, std::uint64_t stored_size, const http::Headers& headers, const Validators& told);

// RFC 9111 §4.4: methods that may change something.
constexpr bool is_unsafe(http::Method m) {
    using M = http::Method;
    return m != M::GET && m != M::HEAD && m != M::OPTIONS && m != M::TRACE && m != M::CONNECT;
}

}  // namespace suoke::cache
