// SPDX-License-Identifier: MIT
#pragma once
// Which request fields an answer was chosen by (RFC 9110 §12.5.5, RFC 9111 §4.1), and when two requests are
// alike in them.

#include <string>
#include <string_view>
#include <vector>

#include "http/headers.h"

namespace suoke::cache {

struct Vary {
    bool any = false;                  // "*": no other request is like the one it was made for
    std::vector<std::string> names;    // in lower case, sorted, each once
    friend bool operator==(const Vary&, const Vary&) = default;
};
Vary vary_of(const http::Headers& response);

// Appends what a request says in those fields, in the one spelling that all with the same meaning share: lines
// joined, blanks around commas gone; languages and content codings in lower case, sorted by their weight.
void append_selection(std::string& out, const http::Headers& request, const std::vector<std::string>& names);

}  // namespace suoke::cache
