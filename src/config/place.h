// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace suoke::config {

// Where in which file a value was written; line 0 when it came from elsewhere.
struct Place {
    std::string source;  // "config/suoke.yaml", "environment", "--port"
    int line = 0;
    int column = 0;
    friend bool operator==(const Place&, const Place&) { return true; }  // never a difference
};

// Which of an object's fields were written, by their order in its description; for objects that have
// the rest from another one (settle.cpp).
struct Said {
    std::uint64_t fields = 0;
    friend bool operator==(const Said&, const Said&) { return true; }  // never a difference
};

}  // namespace suoke::config
