// SPDX-License-Identifier: MIT
#pragma once
// base64url as JOSE writes it (RFC 7515 §2): no padding, no blanks, and one spelling for each value.

#include <optional>
#include <string>
#include <string_view>

namespace suoke::auth {

// Nothing for a foreign character, an impossible length, or bits left over that are not zero (RFC 4648
// §3.5): a token that was changed must not say the same as before.
std::optional<std::string> from_base64url(std::string_view text);
std::string to_base64url(std::string_view bytes);

}  // namespace suoke::auth
