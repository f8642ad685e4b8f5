// SPDX-License-Identifier: MIT
#pragma once
// One thing that is wrong with a request, as FastAPI's clients read it, with a JSON Pointer besides:
//   {"type":"missing","loc":["body","items",0,"name"],"msg":"Field required","pointer":"/items/0/name"}
// What was there instead is never repeated: it may be a password, or somebody's health.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace suoke::validation {

struct Step {
    std::string name;          // of an object's member
    std::int64_t index = -1;   // or, from 0, of a list's item
};

struct Fault {
    std::string type;          // "missing", "int_type", "json_invalid" ...
    std::string where;         // "body", "query", "header", "cookie", "path"
    std::vector<Step> place;   // from there
    std::string message;
};
using Faults = std::vector<Fault>;

constexpr std::size_t kMostFaults = 20;   // more are not looked for

// RFC 6901.
std::string pointer_to(const std::vector<Step>& place);
// A JSON list.
std::string list_of(const Faults& faults);
// All in one sentence: "items.0.name: Field required; ..."
std::string sentence_of(const Faults& faults);

}  // namespace suoke::validation
