// SPDX-License-Identifier: MIT
#pragma once
// Content-Type and Content-Disposition as texts (RFC 9110 §5.6.6, §8.3.1). Strict where readers disagree.

#include <optional>
#include <string_view>
#include <vector>

namespace suoke::validation {

// "text/plain; charset=utf-8" -> "text/plain"; empty when it is no media type.
std::string_view media_type_of(std::string_view content_type);
// Whether a type is in a range: application/json, image/*, */*, application/*+json. Any case.
bool is_in_range(std::string_view type, std::string_view range);
// application/json, or anything that ends with +json (RFC 6839).
bool is_json(std::string_view type);

struct Parameter {
    std::string_view name, value;   // the value without its quotes
};
// RFC 2231: "charset*", "boundary*0". Some readers take its value for that of the plain name, others never look at it.
inline bool is_extended(const Parameter& parameter) { return parameter.name.find('*') != parameter.name.npos; }
// Of "form-data; name=\"a\"; x=y" those after the first semicolon. Nothing when malformed: a name twice, a backslash in
// a quoted value (not everybody takes it out), anything between that is none.
std::optional<std::vector<Parameter>> parameters_of(std::string_view value);

}  // namespace suoke::validation
