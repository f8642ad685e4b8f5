// SPDX-License-Identifier: MIT
#include "validation/operation.h"

#include <nlohmann/json.hpp>

#include "validation/media_type.h"

namespace suoke::validation {

const BodyRule* Operation::rule_for(std::string_view media_type) const {
    const BodyRule* closest = nullptr;
    for (const BodyRule& rule : bodies) {
        if (!is_in_range(media_type, rule.range)) continue;
        bool wider = rule.range.find('*') != std::string::npos;
        if (!wider) return &rule;
        if (!closest || closest->range.size() < rule.range.size()) closest = &rule;
    }
    return closest;
}

void check_body(const Schema& schema, std::string_view text, Faults& faults) {
    Tree value = Tree::parse(text, nullptr, false);
    if (value.is_discarded()) return faults.push_back({"json_invalid", "body", {}, "A number is larger than any reader's"});
    schema.check(value, text.size(), "body", faults);
}

}  // namespace suoke::validation
