// SPDX-License-Identifier: MIT
#pragma once
// A schema or an API description as a tree, from JSON or YAML text.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace suoke::validation {

using Tree = nlohmann::json;
using TreePtr = std::shared_ptr<const Tree>;   // never null in a Result

// invalid_config says where in the text. YAML's plain scalars are what its core schema makes of them; keys are texts.
Result<TreePtr> read_document(std::string_view text);
// The same from a file.
Result<TreePtr> read_document_file(const std::string& path);
// What a JSON Pointer after "#" leads to ("/components/schemas/User", RFC 6901 §6); null: nothing.
const Tree* find_pointer(const Tree& root, std::string_view fragment);

}  // namespace suoke::validation
