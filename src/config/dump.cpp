// SPDX-License-Identifier: MIT
// The effective configuration as YAML and JSON, and what differs between two of them.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "config/definition.h"
#include "config/load.h"
#include "config/show.h"

namespace suoke::config {
namespace {

// Everything in quotes is written so that the file reads back the same: JSON strings are YAML, and
// a dollar that would begin a substitution is doubled.
std::string quoted(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool begins_one =
            text[i] == '$' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '$');
        plain += begins_one ? "$$" : std::string(1, text[i]);
    }
    std::string out;
    append_json_string(out, plain);
    return out;
}

class YamlDump {
 public:
    std::string document(const Config& config) {
        object(shape_of<Config>(), &config, 0, false);
        return std::move(out_);
    }

 private:
    void indent(std::size_t depth) { out_.append(depth * 2, ' '); }

    void object(const Shape& shape, const void* object, std::size_t depth, bool sparse) {
        for (const Field& field : *shape.fields) {
            if (!is_worth_showing(field, shape, object, sparse)) continue;
            indent(depth);
            out_ += fmt::format("{}:", field.name);
            value(field, *field.shape, field.in(object), depth + 1, sparse);
        }
    }

    // What stands behind "key:", with the end of the line.
    void value(const Field& field, const Shape& shape, const void* value, std::size_t depth,
               bool sparse) {
        switch (shape.kind) {
            case Kind::optional:
                return shape.each(value, [&](std::string_view, const void* inner) {
                    this->value(field, *shape.element, inner, depth, sparse);
                });
            case Kind::list:
                return shape.element->is_scalar() ? short_list(shape, value)
                                                  : list(shape, value, depth);
            case Kind::map:
                return map(field, shape, value, depth);
            case Kind::object:
                return nested(shape, value, depth, sparse);
            default:
                out_ += " " + (field.hides_credentials && field.shape->inner().is_scalar() && !shape.show(value).empty() ? "\"***\"" : scalar(shape, value)) + "\n";
        }
    }

    static std::string scalar(const Shape& shape, const void* value) {
        bool plain = shape.kind == Kind::boolean || shape.kind == Kind::integer ||
                     shape.kind == Kind::duration || shape.kind == Kind::bytes ||
                     shape.kind == Kind::choice;
        return plain ? shape.show(value) : quoted(shape.show(value));
    }

    void nested(const Shape& shape, const void* value, std::size_t depth, bool sparse) {
        std::size_t start = out_.size();
        out_ += "\n";
        object(shape, value, depth, sparse);
        if (out_.size() == start + 1) out_.replace(start, 1, " {}\n");
    }

    void short_list(const Shape& shape, const void* value) {
        std::vector<std::string> items;
        shape.each(value, [&](std::string_view, const void* item) {
            items.push_back(scalar(*shape.element, item));
        });
        out_ += fmt::format(" [{}]\n", fmt::join(items, ", "));
    }

    void list(const Shape& shape, const void* value, std::size_t depth) {
        std::size_t before = out_.size();
        out_ += "\n";
        shape.each(value, [&](std::string_view, const void* item) {
            std::size_t start = out_.size();
            object(*shape.element, item, depth + 1, true);
            indent(out_.size() == start ? depth : 0);
            if (out_.ends_with('\n'))
                out_[start + depth * 2] = '-';  // "  name: a" becomes "- name: a"
            else
                out_ += "- {}\n";
        });
        if (out_.size() == before + 1) out_.replace(before, 1, " []\n");
    }

    void map(const Field& field, const Shape& shape, const void* value, std::size_t depth) {
        std::size_t before = out_.size();
        out_ += "\n";
        shape.each(value, [&](std::string_view key, const void* item) {
            indent(depth);
            out_ += quoted(key) + ":";
            if (is_credential(field, key))
                out_ += " \"***\"\n";
            else
                this->value(field, *shape.element, item, depth + 1, true);
        });
        if (out_.size() == before + 1) out_.replace(before, 1, " {}\n");
    }

    std::string out_;
};

// ---- differences ----

class Difference {
 public:
    std::vector<Change> changes;

    void object(const Shape& shape, const void* from, const void* to, const std::string& above,
                bool live) {
        for (const Field& field : *shape.fields) {
            if (field.only_input) continue;
            std::string key =
                above.empty() ? std::string(field.name) : fmt::format("{}.{}", above, field.name);
            value(field, *field.shape, field.in(from), field.in(to), key, live && field.live);
        }
    }

 private:
    void value(const Field& field, const Shape& shape, const void* from, const void* to,
               const std::string& key, bool live) {
        if (to_json(field, shape, from, Credentials::shown) ==
            to_json(field, shape, to, Credentials::shown))
            return;
        if (shape.kind == Kind::object) return object(shape, from, to, key, live);
        if (shape.is_scalar() && field.hides_credentials) return credential(shape, from, to, key, live);
        if (shape.kind == Kind::map)
            return elements(field, by_key(shape, from), by_key(shape, to), shape, key, live);
        if (is_named(shape)) return named(field, shape, from, to, key, live);
        changes.push_back({key, text(field, shape, from), text(field, shape, to), live});
    }

    static std::string text(const Field& field, const Shape& shape, const void* value) {
        if (!value) return "";
        return shape.is_scalar() ? shape.show(value)
                                 : to_json(field, shape, value, Credentials::hidden);
    }

    using Elements = std::map<std::string, const void*, std::less<>>;

    static Elements by_key(const Shape& shape, const void* container) {
        Elements out;
        shape.each(container, [&](std::string_view key, const void* element) {
            out[std::string(key)] = element;
        });
        return out;
    }

    // Lists whose items have a name are compared by it, so that one more route is one change.
    static bool is_named(const Shape& shape) {
        return shape.kind == Kind::list && shape.element->kind == Kind::object &&
               shape.element->fields->front().name == "name";
    }
    static std::vector<std::pair<std::string, const void*>> items(const Shape& shape,
                                                                  const void* list) {
        std::vector<std::pair<std::string, const void*>> out;
        const Field& name = shape.element->fields->front();
        shape.each(list, [&](std::string_view, const void* item) {
            out.emplace_back(name.shape->show(name.in(item)), item);
        });
        return out;
    }
    void named(const Field& field, const Shape& shape, const void* from, const void* to,
               const std::string& key, bool live) {
        auto before = items(shape, from), after = items(shape, to);
        Elements from_elements(before.begin(), before.end()),
            to_elements(after.begin(), after.end());
        bool names_are_unique =
            from_elements.size() == before.size() && to_elements.size() == after.size();
        if (!names_are_unique)
            return changes.push_back({key, text(field, shape, from), text(field, shape, to), live});
        elements(field, from_elements, to_elements, shape, key, live);
        order(before, after, from_elements, to_elements, key, live);
    }

    // Among the items that both have.
    void order(const auto& before, const auto& after, const Elements& from, const Elements& to,
               const std::string& key, bool live) {
        auto common = [](const auto& items, const Elements& others) {
            std::string names;
            for (const auto& [name, item] : items)
                if (others.contains(name)) names += (names.empty() ? "" : ", ") + name;
            return names;
        };
        std::string was = common(before, to), is = common(after, from);
        if (was != is) changes.push_back({key + " (order)", was, is, live});
    }

    void elements(const Field& field, const Elements& from, const Elements& to, const Shape& shape,
                  const std::string& above, bool live) {
        Elements all = from;
        all.insert(to.begin(), to.end());
        for (const auto& [name, unused] : all) {
            auto was = from.find(name), is = to.find(name);
            std::string key = shape.kind == Kind::map ? fmt::format("{}.{}", above, name)
                                                      : fmt::format("{}[{}]", above, name);
            const void* old_value = was == from.end() ? nullptr : was->second;
            const void* new_value = is == to.end() ? nullptr : is->second;
            if (is_credential(field, name))
                credential(*shape.element, old_value, new_value, key, live);
            else if (old_value && new_value)
                value(field, *shape.element, old_value, new_value, key, live);
            else
                changes.push_back({key, text(field, *shape.element, old_value),
                                   text(field, *shape.element, new_value), live});
        }
    }

    void credential(const Shape& shape, const void* from, const void* to, const std::string& key,
                    bool live) {
        if (from && to && shape.show(from) == shape.show(to)) return;
        changes.push_back({key, from ? "***" : "", to ? "*** (new)" : "", live});
    }
};

const Field& root_field() {
    static const Field kRoot{.name = "", .doc = "", .shape = &shape_of<Config>()};
    return kRoot;
}

}  // namespace

std::string dump_yaml(const Config& config) {
    return YamlDump().document(config);
}

std::string dump_json(const Config& config) {
    return to_json(root_field(), shape_of<Config>(), &config, Credentials::hidden);
}

std::vector<Change> diff(const Config& from, const Config& to) {
    Difference difference;
    difference.object(shape_of<Config>(), &from, &to, "", true);
    return std::move(difference.changes);
}

}  // namespace suoke::config
