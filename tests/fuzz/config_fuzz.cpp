// SPDX-License-Identifier: MIT
// Any bytes as a YAML file and as a .env file: the loader ends, with a Config or with problems, and
// what loads without an error can be dumped and loaded again.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "config/environment.h"
#include "config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace suoke::config;
    std::string text(reinterpret_cast<const char*>(data), size);

    Report report;
    parse_dotenv(text, ".env", report);

    Loaded loaded = load_text(text, "fuzz.yaml");
    for (const Problem& problem : loaded.problems) CHECK(!to_string(problem).empty());
    if (loaded.ok()) {
        CHECK(load_text(dump_yaml(loaded.config), "dump.yaml").ok());
        CHECK(diff(loaded.config, loaded.config).empty());
    }
    return 0;
}
