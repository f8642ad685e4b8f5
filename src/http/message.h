// SPDX-License-Identifier: MIT
#pragma once
// The one message model every protocol is turned into and made from (RFC 9110).

#include <cstdint>
#include <string>
#include <string_view>

#include "http/headers.h"

namespace suoke::http {

enum class Method : std::uint8_t { GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, other };
Method method_of(std::string_view name);  // case-sensitive (RFC 9110 §9.1)
bool is_idempotent(Method m);             // RFC 9110 §9.2.2

enum class Version : std::uint8_t { http10, http11, http2 };
constexpr std::string_view version_name(Version v) {
    return v == Version::http2 ? "HTTP/2" : v == Version::http11 ? "HTTP/1.1" : "HTTP/1.0";
}

// How the end of a body is known (RFC 9112 §6.3), decided once by the head parser.
struct Framing {
    enum Kind : std::uint8_t { none, length, chunked, until_close };
    Kind kind = none;
    std::uint64_t size = 0;  // of kind `length`
};

// A parsed and validated request head. Views point into the buffer it was parsed from.
//
// A tunnel is an exchange like any other: the head names a protocol, the answer has status 101, and
// from then on both bodies are streams without a framing of their own (Framing::until_close).
struct RequestHead {
    Method method = Method::GET;
    Version version = Version::http11;
    bool keep_alive = true;       // what the client asked for (RFC 9112 §9.3)
    bool expects_continue = false;
    std::string_view method_name;
    std::string_view target;      // as sent
    std::string_view authority;   // from the target if it has one, else from Host; may be empty in HTTP/1.0
    std::string_view path;        // raw, starts with '/'; "*" for OPTIONS *; empty for CONNECT
    std::string_view query;       // raw, without '?'
    bool has_query = false;       // "/a?" has an empty query, "/a" has none
    // What the client wants to speak from here on: "websocket", by Upgrade (RFC 9110 §7.8) or extended
    // CONNECT (RFC 8441), which is turned into the GET of RFC 6455 §4.1. Empty for nearly all.
    std::string_view protocol;
    Framing framing;
    Headers headers;
};

struct ResponseHead {
    int status = 200;
    Version version = Version::http11;
    bool keep_alive = true;
    std::string_view reason;
    std::string_view protocol;    // of a 101: what is spoken from here on; empty for an unknown one
    Framing framing;
    Headers headers;
};

constexpr bool is_interim(int status) { return status >= 100 && status < 200; }
// RFC 9110 §6.4.1: these never have content, whatever their fields say.
constexpr bool has_no_body(int status) { return is_interim(status) || status == 204 || status == 304; }

std::string_view reason_phrase(int status);

}  // namespace suoke::http
