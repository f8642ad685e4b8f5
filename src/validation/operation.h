// SPDX-License-Identifier: MIT
#pragma once
// What requests of one kind must look like: those of a route, or of an operation that an API description names.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/parameters.h"
#include "validation/schema.h"

namespace suoke::validation {

struct BodyRule {
    std::string range;     // of media types
    SchemaPtr schema;      // of those that are JSON; null: any content
};

struct Operation {
    std::vector<Parameters> parameters;
    std::vector<BodyRule> bodies;    // none: nothing is said of bodies
    bool body_required = false;

    // For a body of this type: the rule whose range is the closest; null: none fits.
    const BodyRule* rule_for(std::string_view media_type) const;
};

// The faults of a body's text against a schema, which is JSON by then.
void check_body(const Schema& schema, std::string_view text, Faults& faults);

}  // namespace suoke::validation
