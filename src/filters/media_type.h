// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/text.h"
#include "http/headers.h"

namespace suoke::filters {

// Of Content-Type, without its parameters; empty when it is not there.
inline std::string_view media_type(const http::Headers& headers) {
    const std::string_view* type = headers.find(http::HeaderId::content_type);
    return type ? trim(type->substr(0, type->find(';'))) : std::string_view();
}

}  // namespace suoke::filters
