// SPDX-License-Identifier: MIT
#pragma once

#include "filters/cross_origin.h"

namespace suoke::filters {

// Whether a request is a preflight, and nothing else besides: those need no credential. A service that is told
// another method than OPTIONS in a header, and believes it, would do for a stranger what only others may.
inline bool is_open_preflight(const http::RequestHead& head) {
    if (!CrossOrigin::is_preflight(head)) return false;
    for (std::string_view name : {"x-http-method-override", "x-http-method", "x-method-override"})
        if (head.headers.find(name)) return false;
    return true;
}

}  // namespace suoke::filters
