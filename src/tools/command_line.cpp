// SPDX-License-Identifier: MIT
#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "config/definition.h"
#include "config/report.h"

namespace suoke::tools {
namespace {

constexpr const char* kUsualConfigPaths[] = {"config/suoke.yaml", "config/config.yaml",
                                             "/etc/suoke-gateway/suoke.yaml"};

std::string near_sentence(std::string_view word, const std::vector<std::string>& known) {
    std::vector<std::string_view> views(known.begin(), known.end());
    return config::suggestion(word, views);
}

class Parser {
 public:
    explicit Parser(const Environment& environment) {
        line_.sources.environment = environment;
        line_.sources.dotenv_path = ".env";
        line_.url = "http://localhost:8000";
        app_.name("suoke-gateway");
        app_.require_subcommand(0, 1);
        app_.set_help_all_flag("--help-all", "Help for every command");
        app_.set_version_flag("--version,-V", std::string());
        add_serve("serve", "Serve traffic: the configuration, the environment, the flags");
        add_serve("run", "The same as serve");
        add_dev();
        add_check();
        add_config();
        add_health();
        add_token();
    }

    CommandLine run(std::vector<std::string> arguments) {
        if (arguments.empty()) return help(app_.help());
        refuse_unknown_command(arguments.front());
        try {
            app_.parse(
                std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // it pops them
        } catch (const CLI::CallForHelp&) {
            return help(innermost().help());
        } catch (const CLI::CallForAllHelp&) {
            return help(app_.help("", CLI::AppFormatMode::All));
        } catch (const CLI::CallForVersion&) {
            line_.verb = Verb::version;
            return std::move(line_);
        } catch (const CLI::ParseError& error) {
            refuse(error);
        }
        if (!verb_given_) return help(innermost().help());
        if (line_.sources.yaml_path.empty()) line_.sources.yaml_path = config_path();
        return std::move(line_);
    }

 private:
    CLI::App& add(CLI::App& parent, Verb verb, const char* name, const char* text) {
        CLI::App& command = *parent.add_subcommand(name, text);
        command.final_callback([this, verb] {
            line_.verb = verb;
            verb_given_ = true;
        });
        return command;
    }

    void add_serve(const char* name, const char* text) {
        CLI::App& command = add(app_, Verb::serve, name, text);
        add_sources(command);
        add_config_flags(command);
    }

    void add_dev() {
        CLI::App& command =
            add(app_, Verb::dev, "dev", "Serve on 127.0.0.1 with demo services, for a first look");
        add_sources(command);
        add_config_flags(command);
        command.add_flag("--print-config", line_.print_config,
                         "Print the built-in configuration instead of serving");
        command.add_flag("--tls", line_.tls,
                         "Also serve https:// on port 8443, with a certificate made now");
    }

    void add_check() {
        CLI::App& command =
            add(app_, Verb::check, "check", "Tell what is wrong with a configuration, and where");
        add_sources(command);
        command.add_option("path", line_.sources.yaml_path, "The same as --config");
    }

    void add_config() {
        CLI::App& config = *app_.add_subcommand("config", "Show the configuration, or explain it");
        config.require_subcommand(0, 1);
        CLI::App& show = add(config, Verb::config_show, "show", "What is in force, secrets as ***");
        add_sources(show);
        show.add_flag("--json", line_.json, "As JSON");
        add(config, Verb::config_schema, "schema", "The JSON Schema of the YAML file");
        add(config, Verb::config_docs, "docs", "Every key, as Markdown");
        CLI::App& env = add(config, Verb::config_env, "env", "Every environment variable");
        env.add_flag("--example", line_.example, "As a .env file");
    }

    void add_health() {
        CLI::App& command = add(app_, Verb::health, "health", "Ask a running gateway how it is");
        command.add_option("--url", line_.url, "Its address")->capture_default_str();
        command
            .add_option_function<std::string>(
                "--timeout", [this](const std::string& text) { set_timeout(text); },
                "How long to wait (10, 500ms)")
            ->default_str("10s");
        line_.timeout = std::chrono::seconds(10);
    }

    void set_timeout(const std::string& text) { line_.timeout = time_of("--timeout", text); }

    static Duration time_of(const char* flag, const std::string& text) {
        auto time = parse_duration(text);
        if (!time || *time <= Duration::zero())
            throw CLI::ValidationError(flag, "'" + text + "' is no time, like 10 or 500ms");
        return *time;
    }

    void add_token() {
        CLI::App& token = *app_.add_subcommand("token", "Make tokens and API keys, or see what is wrong with one");
        token.require_subcommand(0, 1);
        add_mint(token);
        CLI::App& verify = add(token, Verb::token_verify, "verify", "Tell what a token says, and whether it is good");
        add_sources(verify);
        verify.add_option("token", line_.token, "The token; - or nothing: from standard input");
        CLI::App& hash = add(token, Verb::token_hash, "hash", "Print what auth.api_keys wants of a key that stands on standard input");
        hash.add_flag("--new", line_.make_new, "Make a key and print it as well");
    }

    void add_mint(CLI::App& token) {
        CLI::App& mint = add(token, Verb::token_mint, "mint", "Print a token, signed with auth.jwt.secret_key");
        TokenOrder& order = line_.order;
        add_sources(mint);
        mint.add_option("--subject,-s", order.subject, "Whose it is")->required();
        mint.add_option("--role,-r", order.roles, "A role of theirs; more than once for more")->take_all();
        mint.add_option("--scope", order.scopes, "What it is good for; more than once for more")->take_all();
        mint.add_option("--user-type", order.user_type, "authenticated, premium or admin");
        mint.add_option_function<std::string>(
                "--ttl", [&order](const std::string& text) { order.ttl = time_of("--ttl", text); },
                "How long it is good (30m, 8h)")
            ->default_str("auth.jwt.access_token_expire_minutes");
        mint.add_option("--claim", order.claims, "Another claim, name=value; more than once for more")->take_all();
        mint.add_option("--key", order.key_file, "A file with a private key (PEM) to sign with instead");
        mint.add_option("--algorithm", order.algorithm, "HS256, RS256, ES256, EdDSA ...; left out: what fits the key");
        mint.add_option("--kid", order.key_id, "The id that it names its key by");
    }

    void add_sources(CLI::App& command) {
        command.add_option("--config,-c", line_.sources.yaml_path,
                           "The YAML file (or the variable CONFIG_PATH)");
        command
            .add_option("--env-file", line_.sources.dotenv_path,
                        "Variables, weaker than the environment")
            ->capture_default_str();
    }

    // Every key that names a flag has it here: the definition is the only list.
    void add_config_flags(CLI::App& command) {
        for (const config::Leaf& leaf : config::leaves()) {
            const config::Field& field = leaf.field();
            if (!field.flag_name.empty())
                add_config_flag(command, leaf.path, std::string(field.flag_name),
                                std::string(field.doc), field.shape->kind == config::Kind::boolean);
        }
        add_config_flag(command, "logging.access", "--access-log,!--no-access-log",
                        "Write one line per finished exchange", true);
        command.add_flag("--reload", reload_, "Accepted; the file is always watched");
    }

    void add_config_flag(CLI::App& command, const std::string& key, const std::string& names,
                         const std::string& doc, bool is_switch) {
        auto& flags = line_.sources.flags;
        if (is_switch)
            command.add_flag_function(
                names,
                [&flags, key](std::int64_t count) { flags[key] = count > 0 ? "true" : "false"; },
                doc);
        else
            command.add_option_function<std::string>(
                names, [&flags, key](const std::string& value) { flags[key] = value; }, doc);
    }

    // dev has a configuration of its own, so it takes only one that somebody named.
    std::string config_path() const {
        const Environment& environment = line_.sources.environment;
        auto named = environment.find("CONFIG_PATH");
        if (named != environment.end() && !named->second.empty()) return named->second;
        return line_.verb == Verb::dev ? "" : usual_config_path();
    }

    CommandLine help(std::string text) {
        line_.verb = Verb::help;
        line_.help = std::move(text);
        return std::move(line_);
    }

    const CLI::App& innermost() const {
        const CLI::App* command = &app_;
        while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
        return *command;
    }

    void refuse_unknown_command(const std::string& word) const {
        if (word.empty() || word[0] == '-') return;
        std::vector<std::string> names;
        for (const CLI::App* command : app_.get_subcommands({}))
            names.push_back(command->get_name());
        if (std::find(names.begin(), names.end(), word) != names.end()) return;
        throw StartupError("there is no command '" + word + "'" + near_sentence(word, names) +
                           " (suoke-gateway --help lists them)");
    }

    [[noreturn]] void refuse(const CLI::ParseError& error) const {
        const CLI::App& command = innermost();
        std::string name = command.get_name();
        std::string help = &command == &app_ ? "" : name + " ";
        std::string sentence = error.what();
        if (std::vector<std::string> unknown = app_.remaining(true); !unknown.empty()) {
            std::string word = unknown.front().substr(0, unknown.front().find('='));
            sentence =
                name + " does not know '" + word + "'" + near_sentence(word, flags_of(command));
        }
        throw StartupError(sentence + " (suoke-gateway " + help + "--help)");
    }

    static std::vector<std::string> flags_of(const CLI::App& command) {
        std::vector<std::string> names;
        for (const CLI::Option* option : command.get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        for (const CLI::App* below : command.get_subcommands({}))
            names.push_back(below->get_name());
        return names;
    }

    CommandLine line_;
    bool verb_given_ = false;
    bool reload_ = false;
    CLI::App app_{"Suoke Gateway: the API gateway of Suoke Life."};
};

}  // namespace

CommandLine parse_command_line(std::vector<std::string> arguments, const Environment& environment) {
    return Parser(environment).run(std::move(arguments));
}

std::string usual_config_path() {
    for (const char* path : kUsualConfigPaths) {
        std::error_code ignored;
        if (std::filesystem::exists(path, ignored)) return path;
    }
    return {};
}

}  // namespace suoke::tools
