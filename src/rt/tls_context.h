// SPDX-License-Identifier: MIT
#pragma once
// What the two sides of TLS have in common.

#include <openssl/rand.h>

#include "rt/openssl.h"
#include "rt/tls.h"

namespace suoke::rt {

class TlsStream;

// Our policy: versions, ciphers, groups, modes. docs/decisions/0005-tls.md gives the reasons.
openssl::CtxPtr new_context(const SSL_METHOD* method, TlsVersion min_version);
// RFC 7301 §3.1: each name behind its length.
std::vector<unsigned char> alpn_wire_form(const std::vector<std::string>& protocols);
// Until the stream can be used, or an error.
Task<Result<StreamPtr>> shake_hands(std::unique_ptr<TlsStream> stream, TimePoint deadline);

}  // namespace suoke::rt
