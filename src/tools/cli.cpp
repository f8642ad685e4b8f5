// SPDX-License-Identifier: MIT
#include "tools/cli.h"

#include <unistd.h>

#include <cstdio>

#include "app/app.h"
#include "app/demo.h"
#include "tools/check.h"
#include "tools/command_line.h"
#include "tools/dev.h"
#include "tools/health.h"
#include "tools/problems.h"
#include "tools/token.h"
#include "tools/version.h"

namespace suoke::tools {
namespace {

Environment environment_of_process() {
    Environment all;
    for (char** entry = environ; *entry; ++entry) {
        std::string_view pair = *entry;
        if (std::size_t equals = pair.find('='); equals != std::string_view::npos)
            all.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return all;
}

int print(std::string text) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    std::fputs(text.c_str(), stdout);
    return 0;
}

int serve(const config::Sources& sources) {
    config::Loaded loaded = config::load(sources);
    if (!loaded.ok()) return print_problems(loaded.problems);
    app::AppOptions options{sources, std::string(version())};
    app::App app(std::move(options), std::move(loaded));
    return app.run();
}

int show(const CommandLine& line) {
    config::Loaded loaded = config::load(line.sources);
    int refused = print_problems(loaded.problems);
    if (!loaded.ok()) return refused;
    return print(line.json ? config::dump_json(loaded.config) : config::dump_yaml(loaded.config));
}

}  // namespace

int run(int argc, char** argv) {
    CommandLine line = parse_command_line({argv + 1, argv + argc}, environment_of_process());
    switch (line.verb) {
        case Verb::help:
            return print(line.help);
        case Verb::version:
            return print("suoke-gateway " + std::string(version()));
        case Verb::serve:
            return serve(line.sources);
        case Verb::dev:
            return line.print_config ? print(app::demo_yaml()) : dev(line.sources, line.tls);
        case Verb::check:
            return check(line.sources);
        case Verb::config_show:
            return show(line);
        case Verb::config_schema:
            return print(config::json_schema());
        case Verb::config_docs:
            return print(config::reference_markdown());
        case Verb::config_env:
            return print(line.example ? config::env_example() : config::env_table());
        case Verb::health:
            return ask_health(line.url, line.timeout);
        case Verb::token_mint:
            return mint(line.sources, line.order);
        case Verb::token_verify:
            return verify(line.sources, line.token);
        case Verb::token_hash:
            return hash(line.make_new);
    }
    return 2;
}

}  // namespace suoke::tools
