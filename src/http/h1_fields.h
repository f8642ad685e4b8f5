// SPDX-License-Identifier: MIT
#pragma once
// What request heads, response heads and trailers have in common: field lines, and the fields that
// decide about framing and the connection (RFC 9112 §5–§6). Inside src/http only.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace suoke::http::h1 {

// Why something is not HTTP; `what` is null when it is. Cheaper than a Result on the hot path, and
// the side it came from decides what it is called in the end.
struct Refusal {
    const char* what = nullptr;
    Code code = Code::malformed_request;
    explicit operator bool() const { return what != nullptr; }
    Error error() const { return Error(code, what); }
};

// What the framing and connection fields of one head say, taken together.
struct Facts {
    std::string_view host;
    std::uint64_t length = 0;
    std::uint8_t hosts = 0;  // how many there were; saturates at 2
    bool has_length = false;
    bool has_coding = false;        // a Transfer-Encoding
    bool chunked = false;           // ... whose last element so far is "chunked"
    bool unknown_coding = false;    // ... with something we do not implement
    bool close = false;             // Connection: close
    bool keep_alive = false;        // Connection: keep-alive
    bool upgrade = false;           // Connection: upgrade
    bool websocket = false;         // Upgrade: websocket, and nothing else
    bool expects_continue = false;  // Expect: 100-continue
};

// Reads field lines from `p` on until the empty line, behind which `p` then stands. Refuses every
// control character but HTAB and the CRLFs, and lines that end before the empty one.
Refusal parse_fields(const char*& p, const char* end, Headers& headers);
// Reads the fields Facts is made of.
Refusal gather_facts(const Headers& headers, Facts& facts);

// Fields that decide about framing, routing, authentication and the like have no place behind a body
// (RFC 9110 §6.5.1).
bool is_refused_trailer(std::string_view name);

// "HTTP/1.0" and up; unsupported_version for a major version that is not 1.
Refusal parse_version(std::string_view text, Version& version);

}  // namespace suoke::http::h1
