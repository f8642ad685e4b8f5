// SPDX-License-Identifier: MIT
#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/yaml.h"
#include "config/decode.h"
#include "config/definition.h"
#include "config/environment.h"
#include "config/report.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

Result<std::string> read_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return Error{Code::invalid_config, fmt::format("cannot be read: {}", std::strerror(errno))};
    std::string text;
    for (char piece[16384];
         text.size() <= yaml::kMaxText && (file.read(piece, sizeof piece), file.gcount() > 0);)
        text.append(piece, static_cast<std::size_t>(file.gcount()));
    if (file.bad()) return Error{Code::invalid_config, "cannot be read: is it a file?"};
    if (text.size() > yaml::kMaxText)
        return Error{Code::invalid_config,
                     fmt::format("is larger than {} MB", yaml::kMaxText >> 20)};
    return text;
}

class Loader {
 public:
    explicit Loader(const Sources& sources)
        : sources_(sources),
          dotenv_(read_dotenv()),
          environment_(from_environment(sources.environment)),
          variables_({&dotenv_, &environment_}),
          decoder_(loaded_.config, report_, variables_) {}

    // Defaults < YAML file < .env < environment < flags; then what needs all of them.
    Loaded run(const std::string* yaml, const std::string& name) {
        if (yaml) file(*yaml, name);
        fold_services(loaded_.config, report_, true);
        decoder_.begin(Source::dotenv);
        apply_variables(dotenv_, variables_, decoder_, report_, later_);
        decoder_.begin(Source::environment);
        apply_variables(environment_, variables_, decoder_, report_, later_);
        decoder_.begin(Source::flags);
        flags();
        fold_services(loaded_.config, report_, false);
        warn_of_later_variables();
        settle();
        loaded_.problems = report_.take({name, sources_.dotenv_path});
        return std::move(loaded_);
    }

    void failed(const std::string& name, std::string sentence) {
        report_.error({name, 0, 0}, "", std::move(sentence));
    }

 private:
    VariableMap read_dotenv() {
        if (sources_.dotenv_path.empty() || !std::ifstream(sources_.dotenv_path)) return {};
        auto text = read_file(sources_.dotenv_path);
        if (text) return parse_dotenv(*text, sources_.dotenv_path, report_);
        failed(sources_.dotenv_path, text.error().detail);
        return {};
    }

    void file(const std::string& text, const std::string& name) {
        yaml::Document document = yaml::parse(text);
        for (const yaml::Trouble& trouble : document.troubles)
            report_.error({name, trouble.line, trouble.column}, "", trouble.sentence);
        decoder_.begin(Source::file);
        decoder_.document(*document.root, name);
    }

    void flags() {
        for (const auto& [key, text] : sources_.flags) {
            const Leaf* leaf = leaf_at(key);
            if (!leaf) {
                unknown_flag(key);
                continue;
            }
            std::string_view name = leaf->field().flag_name;
            decoder_.text(*leaf, text, {name.empty() ? "--" + key : std::string(name), 0, 0});
        }
    }

    void unknown_flag(const std::string& key) {
        std::vector<std::string_view> known;
        for (const Leaf& leaf : leaves()) known.push_back(leaf.path);
        report_.error({"--" + key, 0, 0}, key, "unknown key" + suggestion(key, known));
    }

    void warn_of_later_variables() {
        if (later_.empty()) return;
        report_.warning(
            {"environment", 0, 0}, "",
            fmt::format("known, but without effect in this version: {}", fmt::join(later_, ", ")));
    }

    void settle() {
        settle_environment();
        if (!loaded_.config.logging.file_enabled) loaded_.config.logging.file.clear();
        name_services(loaded_.config, report_);
        fold_routes(loaded_.config, report_);
        name_routes(loaded_.config);
        fold_resilience(loaded_.config);
        check(loaded_.config, report_);
    }

    // server.production and app.environment say the same thing; the stronger source counts.
    void settle_environment() {
        App& app = loaded_.config.app;
        Server& server = loaded_.config.server;
        Source of_switch = decoder_.source_of("server.production");
        Source of_word = decoder_.source_of("app.environment");
        if (server.production && of_switch == of_word && app.environment != Environment::production)
            report_.error(report_.place_of("server.production"), "server.production",
                          "is true, but app.environment is not production");
        if (server.production && of_switch >= of_word) app.environment = Environment::production;
        server.production = app.environment == Environment::production;
    }

    const Sources& sources_;
    Report report_;
    Loaded loaded_;
    VariableMap dotenv_;
    VariableMap environment_;
    Variables variables_;
    Decoder decoder_;
    std::set<std::string> later_;
};

}  // namespace

std::string to_string(const Problem& problem) {
    std::string out = problem.place.source;
    if (problem.place.line > 0)
        out += fmt::format(":{}:{}", problem.place.line, problem.place.column);
    if (!out.empty()) out += ": ";
    out += problem.severity == Problem::error ? "error: " : "warning: ";
    if (!problem.key.empty()) out += problem.key + ": ";
    return out + problem.sentence;
}

bool Loaded::ok() const {
    return std::none_of(problems.begin(), problems.end(),
                        [](const Problem& p) { return p.severity == Problem::error; });
}

Loaded load(const Sources& sources) {
    Loader loader(sources);
    if (sources.yaml_path.empty() && !sources.yaml_text.empty())
        return loader.run(&sources.yaml_text, "built-in configuration");
    if (sources.yaml_path.empty()) return loader.run(nullptr, "");
    auto text = read_file(sources.yaml_path);
    if (text) return loader.run(&*text, sources.yaml_path);
    loader.failed(sources.yaml_path, text.error().detail);
    return loader.run(nullptr, sources.yaml_path);
}

Loaded load_text(const std::string& yaml, const std::string& name, const Sources& rest) {
    return Loader(rest).run(&yaml, name);
}

}  // namespace suoke::config
