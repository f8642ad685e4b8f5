// SPDX-License-Identifier: MIT
#pragma once
// Request targets and authorities (RFC 3986, RFC 9110 §4.2), as text: nothing is decoded unless
// asked.
//
//   std::string scratch;
//   Result<std::string_view> path = normalize_path(head.path, scratch);   // what routes and
//   upstreams see

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/grammar.h"

namespace suoke::http {

// Only bytes RFC 3986 allows there and well-formed escapes, no %00. A path starts with '/'.
bool valid_path(std::string_view path);
// A query may also contain grammar::kToleratedInQuery raw.
bool valid_query(std::string_view query);

// A path that means the same to everyone (RFC 3986 §6.2.2.3): dot segments resolved, also when
// their dots are escaped, never above the root; repeated slashes merged first. Everything else
// stays as sent, the escapes and their case included. Gives back `raw` when nothing changes,
// otherwise a view of `scratch`, which `raw` must not be part of. "*" passes.
//
// An escaped slash or backslash is data, not a separator. Since not every upstream agrees,
// malformed_request answers segments that would become dot segments elsewhere:
//   "..%2fadmin", "a%5c.."   a ".." between escaped separators (servers that decode, then split)
//   "..;/", ".;x"            a dot segment with a path parameter (servlet containers drop it first)
// and a raw backslash, a NUL (raw or %00) and a malformed escape. What is escaped twice ("%252e")
// is data: whoever decodes twice has lost already.
Result<std::string_view> normalize_path(std::string_view raw, std::string& scratch);

// Gives back `text` when it has no escape, otherwise a view of `out`. '+' is not a blank here.
// malformed_request: a malformed escape or %00.
Result<std::string_view> percent_decode(std::string_view text, std::string& out);
// Escapes everything but RFC 3986 "unreserved".
void append_percent_encoded(std::string& out, std::string_view text);
// A query as an upstream may see it: strictly RFC 3986, kToleratedInQuery escaped.
void append_query_encoded(std::string& out, std::string_view query);

// Calls `fn(std::string_view name, std::string_view value)`, both raw, for every parameter of
// "a=1&b&&c=" -> (a,1) (b,"") (c,""): empty pieces are none.
template <class Fn>
void for_each_param(std::string_view query, Fn fn) {
    const char* p = query.data();
    const char* end = p + query.size();
    while (p < end) {
        const char* stop = grammar::find_byte(p, end, '&');
        const char* equals = grammar::find_byte(p, stop, '=');
        const char* value = equals == stop ? stop : equals + 1;
        if (p != stop)
            fn(std::string_view(p, static_cast<std::size_t>(equals - p)),
               std::string_view(value, static_cast<std::size_t>(stop - value)));
        p = stop + 1;
    }
}
std::size_t count_params(std::string_view query);

// uri-host (RFC 9110 §7.2): a registered name, an IPv4 address, or "[IPv6]". Not empty, no zone id,
// no IPvFuture; escapes only for bytes beyond ASCII, which is what a name has them for.
bool valid_host(std::string_view host);

struct Authority {
    std::string_view host;              // with its brackets
    std::optional<std::uint16_t> port;  // none for "host" and "host:"
    friend bool operator==(const Authority&, const Authority&) = default;
};
// host [":" port]; nothing when malformed. User information is malformed (RFC 9110 §4.2.4).
std::optional<Authority> split_authority(std::string_view authority);

}  // namespace suoke::http
