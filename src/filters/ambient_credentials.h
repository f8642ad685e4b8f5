// SPDX-License-Identifier: MIT
#pragma once
// What a browser adds to a request by itself, whichever page asks: with it strangers act in a victim's name.

#include "base/text.h"
#include "http/handler.h"
#include "rt/tls.h"

namespace suoke::filters {

inline bool has_ambient_credentials(const http::Request& request) {
    const http::Headers& headers = request.head.headers;
    if (headers.has(http::HeaderId::cookie) || (request.tls && request.tls->has_client_certificate)) return true;
    const std::string_view* authorization = headers.find(http::HeaderId::authorization);
    return authorization && authorization->size() > 6 && iequals(authorization->substr(0, 6), "basic ");
}

}  // namespace suoke::filters
