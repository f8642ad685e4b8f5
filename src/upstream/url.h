// SPDX-License-Identifier: MIT
#pragma once
// Where a server of our own is, as an operator writes it: "https://consul.internal:8501/base".

#include "upstream/dialer.h"

namespace suoke::upstream {

struct Url {
    bool secure = false;      // https
    std::string host;         // a name or an address, without brackets
    std::uint16_t port = 80;  // 80 or 443 when the text has none
    std::string base;         // "/base", never with a slash at its end; empty: none
    friend bool operator==(const Url&, const Url&) = default;

    // What goes into the Host field: the port only when it is not the usual one.
    std::string authority() const;
    // `tls` is used when the scheme is https.
    EndpointAddress endpoint(std::shared_ptr<const rt::TlsClient> tls = nullptr) const;
};

// http and https; no user information, no query, no fragment (RFC 9110 §4.2). Code::invalid_config
// says what is wrong with it.
Result<Url> parse_url(std::string_view text);

// The Host field for an endpoint nobody gave another name.
std::string authority_of(const EndpointAddress& endpoint);

// "?name=value" or "&name=value", escaped, at the end of `target`.
void append_parameter(std::string& target, std::string_view name, std::string_view value);

}  // namespace suoke::upstream
