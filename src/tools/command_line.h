// SPDX-License-Identifier: MIT
#pragma once
// argv -> what to do. Reads nothing but its arguments, and looks whether the usual files exist.

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/load.h"
#include "tools/token.h"

namespace suoke::tools {

enum class Verb : std::uint8_t {
    help,
    version,
    serve,
    dev,
    check,
    config_show,
    config_schema,
    config_docs,
    config_env,
    health,
    token_mint,
    token_verify,
    token_hash,
};

struct CommandLine {
    Verb verb = Verb::help;
    std::string help;  // of `help`: the text
    config::Sources sources;
    bool json = false;          // config show
    bool example = false;       // config env
    bool print_config = false;  // dev
    bool tls = false;           // dev
    std::string url;            // health
    Duration timeout{};         // health
    TokenOrder order;           // token mint
    std::string token = "-";    // token verify
    bool make_new = false;      // token hash
};

using Environment = std::map<std::string, std::string>;

// A command line nobody can follow is a StartupError that says what was meant instead.
CommandLine parse_command_line(std::vector<std::string> arguments, const Environment& environment);

// Where a configuration is looked for when nobody names one; empty: there is none.
std::string usual_config_path();

}  // namespace suoke::tools
