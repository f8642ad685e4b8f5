// SPDX-License-Identifier: MIT
#pragma once
// Whether what is sent somewhere stays on this machine, so that nobody on a wire can read or change it.

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace suoke {

// "127.0.0.1", "::1", "localhost" and Unix sockets; a name that only begins like one (127.evil.test) is somebody else's.
inline bool is_this_machine(std::string_view host) {
    const bool digits = std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
    return (digits && host.starts_with("127.")) || host == "::1" || iequals(host, "localhost") || host.starts_with("unix:");
}

// http:// to another machine.
inline bool goes_in_the_clear(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (!iequals(url.substr(0, kScheme.size()), kScheme)) return false;
    url.remove_prefix(kScheme.size());
    std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    authority.remove_prefix(authority.rfind('@') + 1);   // npos + 1 is 0
    const bool bracketed = authority.starts_with('[');
    std::string_view host = bracketed ? authority.substr(1, authority.find(']') - 1) : authority.substr(0, authority.find(':'));
    return !is_this_machine(host);
}

}  // namespace suoke
