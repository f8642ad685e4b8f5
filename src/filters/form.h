// SPDX-License-Identifier: MIT
#pragma once
// Forms as browsers write them, in queries and in bodies (application/x-www-form-urlencoded).

#include <string>
#include <string_view>

#include "base/error.h"

namespace suoke::filters {

// A name or a value as its author meant it: '+' is a blank. malformed_request: a malformed escape or %00.
Result<std::string> form_decoded(std::string_view raw);

// "a=1&b=2&b=3" -> {"a":"1","b":["2","3"]}. All values are texts; what is not UTF-8 becomes U+FFFD, as browsers read it.
// malformed_request as above; body_too_large: more than kMostFields.
Result<std::string> json_of_form(std::string_view form);
constexpr std::size_t kMostFields = 10'000;

}  // namespace suoke::filters
