// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "http/uri.h"

namespace suoke::discovery {

// A name or an address as registries write it: IPv6 without the brackets it has in a URL.
inline bool valid_bare_host(std::string_view host) {
    bool v6 = host.find(':') != std::string_view::npos;
    return v6 ? http::valid_host("[" + std::string(host) + "]") : http::valid_host(host);
}

}  // namespace suoke::discovery
