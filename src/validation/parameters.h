// SPDX-License-Identifier: MIT
#pragma once
// Parameters (of a query, header fields, cookies, a path) against one object schema that has a member for each: texts become
// what their schema says they are (7, true), a repeated one a list.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "validation/schema.h"

namespace suoke::validation {

struct Given {
    std::string name, value;   // decoded
};

class Parameters {
 public:
    enum class In : std::uint8_t { query, header, cookie, path };
    // What separates the items of lists that stand in one value, by the parameter's name.
    using Separators = std::map<std::string, char, std::less<>>;

    // Names of header fields are in lower case, in the schema and in what is checked.
    static Result<Parameters> make(In in, const Translated& schema, const Separators& separators = {});
    In in() const { return in_; }
    void check(const std::vector<Given>& given, Faults& faults) const;
    bool knows(std::string_view name) const { return shapes_.contains(name); }

 private:
    struct Shape {
        unsigned types = 0, items = 0;
        char separator = '\0';   // none: a list is a parameter that is repeated
    };
    Parameters(In in, SchemaPtr schema) : in_(in), schema_(std::move(schema)) {}

    In in_;
    SchemaPtr schema_;
    std::map<std::string, Shape, std::less<>> shapes_;
};

// From a schema as somebody wrote it; names of header fields may be in any case there.
Result<Parameters> read_parameters(Parameters::In in, const Tree& schema);
// "query", "header" ...
std::string_view name_of(Parameters::In in);

}  // namespace suoke::validation
