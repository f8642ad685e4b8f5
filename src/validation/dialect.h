// SPDX-License-Identifier: MIT
#pragma once
// A schema as somebody wrote it (JSON Schema draft 4 to 2020-12, OpenAPI 3.0, OpenAPI 3.1) -> the same in the one dialect
// that schema.cpp reads: draft 7, whole in itself, every reference to "#/definitions/<n>". Nothing is left out silently: a
// keyword that would refuse something and is not understood makes the schema unfit.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "validation/document.h"

namespace suoke::validation {

enum class Dialect : std::uint8_t { json_schema, openapi_30, openapi_31 };

struct Translated {
    TreePtr schema;
    std::set<std::string> patterns;   // every regular expression in it, as RE2 reads it
    std::vector<TreePtr> choices;     // the list of every `enum` in it, which has its number beside it, as kChoices
};
constexpr const char* kChoices = "choices";

// `document`: what references lead into. invalid_config says where in the schema and what.
Result<Translated> translate(const Tree& schema, const Tree& document, Dialect dialect);

// The types of values that a schema lets in, as far as it says: a bit each; none: it does not say.
enum Type : unsigned { kString = 1, kNumber = 2, kInteger = 4, kBoolean = 8, kNull = 16, kArray = 32, kObject = 64 };
// Of a schema within a translated one.
unsigned types_of(const Tree& schema, const Tree& translated);
// The schema of the items of a list within a translated one; null: it does not say.
const Tree* items_of(const Tree& schema, const Tree& translated);

}  // namespace suoke::validation
