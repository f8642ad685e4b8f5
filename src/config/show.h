// SPDX-License-Identifier: MIT
#pragma once
// Values as text, led by their shapes: for dumps, differences and documents.

#include <string>
#include <string_view>

#include "config/field.h"

namespace suoke::config {

enum class Credentials : std::uint8_t { hidden, shown };

// Compact JSON; fields of list and map elements that have their default are left out.
std::string to_json(const Field& field, const Shape& shape, const void* value,
                    Credentials credentials);
// Numbers and booleans as they are, anything else in quotes.
std::string scalar_json(const Shape& shape, const void* value);
// Whether a field of an object should be written at all.
bool is_worth_showing(const Field& field, const Shape& object_shape, const void* object,
                      bool sparse);
// Whether the value under this name of `field` is not to be seen.
bool is_credential(const Field& field, std::string_view name);

// "integer, 1 to 65535", for documents.
std::string type_name(const Field& field, const Shape& shape);
// The default of a leaf for documents, in YAML.
std::string default_text(const Field& field, const void* value);

}  // namespace suoke::config
