// SPDX-License-Identifier: MIT
#pragma once
// Variables: where they come from (.env, the environment), what ${...} in a YAML value means, and
// which of them set which key.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/report.h"

namespace suoke::config {

struct Variable {
    std::string value;
    Place place;
};
using VariableMap = std::map<std::string, Variable, std::less<>>;

// KEY=VALUE lines; `export`, quotes and comments as a shell has them, but nothing is expanded.
VariableMap parse_dotenv(const std::string& text, const std::string& name, Report& report);
VariableMap from_environment(const std::map<std::string, std::string>& environment);

// The variables a file may name; later maps hide earlier ones.
class Variables {
 public:
    explicit Variables(std::vector<const VariableMap*> weakest_first)
        : maps_(std::move(weakest_first)) {}

    // ${NAME}, ${NAME:default} and ${NAME:-default} (the default counts when NAME is unset or
    // empty); $$ is a dollar. Any other dollar stays, so that $1 in a rewrite needs no care.
    Result<std::string> substitute(std::string_view text);
    bool was_used(std::string_view name) const { return used_.contains(name); }

 private:
    const std::string* find(std::string_view name) const;
    Result<std::string> reference(std::string_view inside);

    std::vector<const VariableMap*> maps_;
    std::set<std::string, std::less<>> used_;
};

class Decoder;

// Sets every key that a variable of this source names. What is known but not active yet is added to
// `later`; a name that begins like ours and is none is a warning.
void apply_variables(const VariableMap& source, const Variables& substituted, Decoder& decoder,
                     Report& report, std::set<std::string>& later);

}  // namespace suoke::config
