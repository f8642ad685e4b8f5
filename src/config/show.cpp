// SPDX-License-Identifier: MIT
#include "config/show.h"

#include <fmt/format.h>

#include "base/json.h"

namespace suoke::config {
namespace {

class JsonDump {
 public:
    JsonDump(std::string& out, Credentials credentials) : json_(out), credentials_(credentials) {}

    void value(const Field& field, const Shape& shape, const void* value, bool sparse) {
        switch (shape.kind) {
            case Kind::optional:
                shape.each(value, [&](std::string_view, const void* inner) {
                    this->value(field, *shape.element, inner, sparse);
                });
                return;
            case Kind::list:
                json_.open('[');
                shape.each(value, [&](std::string_view, const void* item) {
                    this->value(field, *shape.element, item, true);
                });
                json_.close(']');
                return;
            case Kind::map:
                json_.open('{');
                shape.each(value, [&](std::string_view key, const void* item) {
                    entry(field, shape, key, item);
                });
                json_.close('}');
                return;
            case Kind::object:
                return object(shape, value, sparse);
            default:
                if (credentials_ == Credentials::hidden && field.hides_credentials && field.shape->inner().is_scalar() && !shape.show(value).empty())
                    json_.value("***");
                else
                    json_.raw(scalar_json(shape, value));
        }
    }

 private:
    void entry(const Field& field, const Shape& shape, std::string_view key, const void* item) {
        json_.key(key);
        if (credentials_ == Credentials::hidden && is_credential(field, key))
            json_.value("***");
        else
            value(field, *shape.element, item, true);
    }

    void object(const Shape& shape, const void* object, bool sparse) {
        json_.open('{');
        for (const Field& field : *shape.fields) {
            if (!is_worth_showing(field, shape, object, sparse)) continue;
            json_.key(field.name);
            value(field, *field.shape, field.in(object), sparse);
        }
        json_.close('}');
    }

    JsonWriter json_;
    Credentials credentials_;
};

bool is_unset(const Shape& shape, const void* value) {
    bool unset = shape.kind == Kind::optional;
    if (unset) shape.each(value, [&](std::string_view, const void*) { unset = false; });
    return unset;
}

}  // namespace

std::string scalar_json(const Shape& shape, const void* value) {
    std::string text = shape.show(value);
    if (shape.kind == Kind::boolean || shape.kind == Kind::integer) return text;
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string to_json(const Field& field, const Shape& shape, const void* value,
                    Credentials credentials) {
    std::string out;
    JsonDump(out, credentials).value(field, shape, value, false);
    return out;
}

bool is_worth_showing(const Field& field, const Shape& object_shape, const void* object,
                      bool sparse) {
    if (field.only_input || is_unset(*field.shape, field.in(object))) return false;
    if (!sparse) return true;
    return to_json(field, *field.shape, field.in(object), Credentials::shown) !=
           to_json(field, *field.shape, field.in(object_shape.defaults), Credentials::shown);
}

bool is_credential(const Field& field, std::string_view name) {
    if (!field.hides_credentials) return false;
    std::string lowered = to_lower(name);
    for (std::string_view sign : {"authorization", "cookie", "token", "secret", "password", "key",
                                  "credential", "signature"})
        if (lowered.find(sign) != lowered.npos) return true;
    return false;
}

std::string type_name(const Field& field, const Shape& shape) {
    switch (shape.kind) {
        case Kind::boolean:
            return "boolean";
        case Kind::integer: {
            auto [low, high] = field.limits.value_or(std::pair(shape.low, shape.high));
            return fmt::format("integer, {} to {}", low, high);
        }
        case Kind::text:
            return "text";
        case Kind::duration:
            return "duration";
        case Kind::bytes: {
            if (!field.limits) return "size";
            auto bytes = [](std::int64_t n) { return format_bytes(static_cast<std::uint64_t>(n)); };
            if (field.limits->second == INT64_MAX)
                return fmt::format("size, at least {}", bytes(field.limits->first));
            return fmt::format("size, {} to {}", bytes(field.limits->first),
                               bytes(field.limits->second));
        }
        case Kind::choice: {
            auto end = shape.choices.begin() + static_cast<std::ptrdiff_t>(shape.documented);
            return fmt::format("{}", fmt::join(shape.choices.begin(), end, ", "));
        }
        case Kind::optional:
            return type_name(field, *shape.element);
        case Kind::list:
            return "list of " + type_name(field, *shape.element);
        case Kind::map:
            return "mapping to " + type_name(field, *shape.element);
        case Kind::object:
            return "mapping";
    }
    return "";
}

std::string default_text(const Field& field, const void* value) {
    if (is_unset(*field.shape, value)) return "";
    if (field.shape->is_scalar()) return field.shape->show(value);
    return to_json(field, *field.shape, value, Credentials::hidden);
}

}  // namespace suoke::config
