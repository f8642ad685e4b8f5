// SPDX-License-Identifier: MIT
#include "config/environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/decode.h"
#include "config/definition.h"

namespace suoke::config {
namespace {

bool is_name_character(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '_';
}

bool is_name(std::string_view s) {
    return !s.empty() && !is_digit(s.front()) && std::all_of(s.begin(), s.end(), is_name_character);
}

// ---- .env ----

struct Value {
    std::string text;
    std::string_view trouble;
};

Value quoted_value(std::string_view s) {
    char quote = s.front();
    Value out;
    for (std::size_t i = 1; i < s.size(); ++i) {
        if (s[i] == quote) {
            std::string_view rest = trim(s.substr(i + 1));
            if (!rest.empty() && rest.front() != '#') out.trouble = "text after the closing quote";
            return out;
        }
        if (quote == '"' && s[i] == '\\' && i + 1 < s.size()) {
            char c = s[++i];
            out.text += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        } else {
            out.text += s[i];
        }
    }
    out.trouble = "the quote is not closed on this line";
    return out;
}

Value value_of(std::string_view s) {
    s = trim(s);
    if (!s.empty() && (s.front() == '"' || s.front() == '\'')) return quoted_value(s);
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i] == '#' && (i == 0 || s[i - 1] == ' ' || s[i - 1] == '\t')) s = s.substr(0, i);
    return {std::string(trim(s)), {}};
}

void read_line(std::string_view line, const Place& place, VariableMap& out, Report& report) {
    line = trim(line);
    if (line.empty() || line.front() == '#') return;
    if (line.starts_with("export ") || line.starts_with("export\t")) line = trim(line.substr(7));
    std::size_t equals = line.find('=');
    if (equals == line.npos) return report.error(place, "", "must have the form NAME=value");
    std::string_view name = trim(line.substr(0, equals));
    if (!is_name(name))
        return report.error(place, "", fmt::format("'{}' is not a variable's name", clipped(name)));
    Value value = value_of(line.substr(equals + 1));
    if (!value.trouble.empty())
        return report.error(place, std::string(name), std::string(value.trouble));
    out[std::string(name)] = {std::move(value.text), place};
}

// ---- which variable sets what ----

bool matches(std::string_view row, std::string_view name) {
    return row.ends_with('*') ? name.starts_with(row.substr(0, row.size() - 1)) : name == row;
}

bool is_later(std::string_view name) {
    for (std::string_view row : later_variables())
        if (matches(row, name)) return true;
    return false;
}

// What Kubernetes sets in every pod for a service that happens to be called like our prefix:
// GATEWAY_PORT=tcp://10.0.0.1:80, GATEWAY_SERVICE_HOST, GATEWAY_PORT_80_TCP_ADDR.
bool is_service_link(std::string_view name, std::string_view value) {
    if (name == "KUBERNETES_SERVICE_HOST" || name == "KUBERNETES_SERVICE_PORT") return false;   // the API server: discovery asks it
    if (name.find("_PORT") != name.npos && value.find("://") != value.npos) return true;
    return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != name.npos ||
           name.find("_TCP_") != name.npos || name.find("_UDP_") != name.npos;
}

// Names that the program reads before there is a configuration.
bool is_of_the_program(std::string_view name) {
    return name == "SUOKE_CONFIG" || name == "SUOKE_CONFIG_PATH" || name == "SUOKE_ENV_FILE";
}

// Names with a double underscore are read whatever their case, as the predecessor did.
std::string folded(std::string_view name) {
    std::string out(name);
    if (name.find("__") == name.npos) return out;
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    return out;
}

class Applier {
 public:
    Applier(const VariableMap& source, Decoder& decoder, Report& report)
        : decoder_(decoder), report_(report) {
        for (const auto& [name, variable] : source)
            if (!is_service_link(name, variable.value)) by_name_[folded(name)] = &variable;
    }

    void keys() {
        for (const Leaf& leaf : leaves()) {
            const Variable* strongest = nullptr;
            std::string winner;
            for (const std::string& name : leaf.variables()) {
                auto found = by_name_.find(name);
                if (found == by_name_.end()) continue;
                done_.insert(name);
                if (!strongest) {
                    strongest = found->second;
                    winner = name;
                } else if (found->second->value != strongest->value) {
                    report_.warning(found->second->place, leaf.path,
                                    fmt::format("{} is not used, because {} says something else",
                                                name, winner));
                }
            }
            if (strongest) decoder_.text(leaf, strongest->value, strongest->place);
        }
    }

    // SERVICES__<KEY>__<FIELD>
    void services() {
        for (const auto& [name, variable] : by_name_) {
            if (!name.starts_with("SERVICES__")) continue;
            std::string_view rest = std::string_view(name).substr(10);
            std::size_t border = rest.rfind("__");
            if (border == rest.npos || border == 0) continue;
            done_.insert(name);
            std::string key = to_lower(rest.substr(0, border)),
                        field = to_lower(rest.substr(border + 2));
            if (key_index().later("services.*." + field))
                later_.insert(name);
            else
                decoder_.service_text(key, field, variable->value, variable->place);
        }
    }

    void rest(const Variables& substituted, std::set<std::string>& later) {
        later.insert(later_.begin(), later_.end());
        for (const auto& [name, variable] : by_name_) {
            if (done_.contains(name) || substituted.was_used(name) || is_of_the_program(name))
                continue;
            if (is_later(name))
                later.insert(name);
            else if (name.starts_with("SUOKE_") || name.starts_with("GATEWAY_"))
                unknown(name, *variable);
        }
    }

 private:
    void unknown(const std::string& name, const Variable& variable) {
        std::vector<std::string> known;
        for (const Leaf& leaf : leaves())
            for (std::string& candidate : leaf.variables()) known.push_back(std::move(candidate));
        std::vector<std::string_view> candidates(known.begin(), known.end());
        report_.warning(variable.place, "",
                        fmt::format("the variable {} is not known{}", clipped(name),
                                    suggestion(name, candidates)));
    }

    Decoder& decoder_;
    Report& report_;
    std::map<std::string, const Variable*, std::less<>> by_name_;
    std::set<std::string, std::less<>> done_;
    std::set<std::string> later_;
};

}  // namespace

VariableMap parse_dotenv(const std::string& text, const std::string& name, Report& report) {
    VariableMap out;
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    for (int line = 1; !rest.empty(); ++line) {
        std::size_t end = std::min(rest.find('\n'), rest.size());
        read_line(rest.substr(0, end), Place{name, line, 1}, out, report);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

VariableMap from_environment(const std::map<std::string, std::string>& environment) {
    VariableMap out;
    for (const auto& [name, value] : environment)
        out[name] = {value, Place{"environment variable " + name, 0, 0}};
    return out;
}

const std::string* Variables::find(std::string_view name) const {
    for (auto map = maps_.rbegin(); map != maps_.rend(); ++map)
        if (auto found = (*map)->find(name); found != (*map)->end()) return &found->second.value;
    return nullptr;
}

Result<std::string> Variables::reference(std::string_view inside) {
    std::size_t colon = std::min(inside.find(':'), inside.size());
    std::string_view name = inside.substr(0, colon);
    if (!is_name(name))
        return Error{Code::invalid_config,
                     fmt::format("${{{}}} does not name a variable; write $${{ for a plain ${{",
                                 clipped(inside))};
    used_.insert(std::string(name));
    const std::string* value = find(name);
    if (colon == inside.size()) {
        if (value) return *value;
        return Error{Code::invalid_config,
                     fmt::format("the variable {} is not set; set it, or write ${{{}:-default}}",
                                 name, name)};
    }
    if (value && !value->empty()) return *value;
    std::string_view fallback = inside.substr(colon + 1);
    if (fallback.starts_with('-')) fallback.remove_prefix(1);
    return std::string(fallback);
}

Result<std::string> Variables::substitute(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view rest = text.substr(i);
        if (rest.starts_with("$$")) {
            out += '$';
            ++i;
        } else if (rest.starts_with("${")) {
            std::size_t end = rest.find('}');
            if (end == rest.npos)
                return Error{Code::invalid_config, "${ without its }; write $${ for a plain ${"};
            auto value = reference(rest.substr(2, end - 2));
            if (!value) return value;
            out += *value;
            i += end;
        } else {
            out += text[i];
        }
    }
    return out;
}

void apply_variables(const VariableMap& source, const Variables& substituted, Decoder& decoder,
                     Report& report, std::set<std::string>& later) {
    Applier applier(source, decoder, report);
    applier.keys();
    applier.services();
    applier.rest(substituted, later);
}

}  // namespace suoke::config
