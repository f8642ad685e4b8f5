// SPDX-License-Identifier: MIT
#pragma once
// A JSON Schema (draft 7 and what dialect.h makes of others), compiled: whatever a document says, checking it ends soon,
// finds at most kMostFaults faults and never throws. Immutable, so that all workers use the same one.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "validation/dialect.h"
#include "validation/fault.h"

namespace suoke::validation {

class Schema {
 public:
    struct Compiled;
    explicit Schema(std::unique_ptr<Compiled> compiled);
    ~Schema();

    // Adds what is wrong with `value`, whose text has `size` bytes; `where` is "body", "query" ...
    void check(const Tree& value, std::uint64_t size, std::string_view where, Faults& faults) const;

 private:
    std::unique_ptr<Compiled> compiled_;
};
using SchemaPtr = std::shared_ptr<const Schema>;

// invalid_config says what is wrong with the schema.
Result<SchemaPtr> compile(const Translated& translated);

}  // namespace suoke::validation
