// SPDX-License-Identifier: MIT
#pragma once
// Sources -> Config: defaults < YAML file < .env file < environment < flags.

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"

namespace suoke::config {

struct Problem {
    enum Severity { warning, error };
    Severity severity = error;
    Place place;
    std::string key;       // "routes[3].timeout"
    std::string sentence;  // what is wrong and what to do
};
// "config/suoke.yaml:12:5: error: routes[3].timeout: ..."
std::string to_string(const Problem& problem);

struct Sources {
    std::string yaml_path;                            // empty: no file
    std::string yaml_text;                            // read instead when there is no file
    std::string dotenv_path;                          // empty: none; absent file: none
    std::map<std::string, std::string> environment;
    std::map<std::string, std::string> flags;         // dotted key -> value, e.g. {"server.port","9000"}
};

struct Loaded {
    Config config;                                    // usable only when nothing is an error
    std::vector<Problem> problems;                    // all of them, in file order
    bool ok() const;
};

// Never throws; every problem is in the list, not just the first.
Loaded load(const Sources& sources);
// The same from YAML text, for tests and the internal reload call. `name` is what places show.
Loaded load_text(const std::string& yaml, const std::string& name, const Sources& rest = {});

// Generated from the definition.
std::string json_schema();                 // JSON Schema 2020-12 of the YAML file
std::string reference_markdown();          // docs/reference/config.md
std::string env_example();                 // .env.example
std::string dump_yaml(const Config&);      // effective configuration, secrets as ***
std::string dump_json(const Config&);
std::string env_table();                   // `config env`: every variable, its key and its default

struct Change {
    std::string key;
    std::string from, to;   // redacted
    bool live = true;       // false: takes a restart
};
std::vector<Change> diff(const Config& from, const Config& to);

}  // namespace suoke::config
