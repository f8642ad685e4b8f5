// SPDX-License-Identifier: MIT
#pragma once
// Content codings (RFC 9110 §8.4.1), and which of them a client takes (§12.5.3).
//
//   Coding coding = choose_coding(request.headers, offered);   // `offered`: ours, the best first
//   if (coding != Coding::identity) headers.set(HeaderId::content_encoding, coding_name(coding));

#include <cstdint>
#include <span>
#include <string_view>

#include "http/headers.h"

namespace suoke::http {

enum class Coding : std::uint8_t { identity, gzip, brotli, zstd };

std::string_view coding_name(Coding coding);  // "br"

// Of `offered` the one with the highest weight, and of several with the same the first. Identity when
// the client takes none, says nothing, or gives identity a higher weight than all of them. A client that
// takes neither (identity;q=0) gets identity, too: RFC 9110 leaves that to the server, and better an
// answer it may not like than none.
Coding choose_coding(const Headers& request, std::span<const Coding> offered);

// Whether a message's content is encoded, in whatever way.
bool is_encoded(const Headers& headers);

}  // namespace suoke::http
