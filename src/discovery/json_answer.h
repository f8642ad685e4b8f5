// SPDX-License-Identifier: MIT
#pragma once
// Reading a registry's JSON answer field by field: what is absent (or null) stays as it was, what is
// of another kind than expected is said. For .cpp files only: the header behind it is a heavy one.
//
//   Fields fields(json);
//   fields.text("Address", address);
//   fields.number("Port", port);
//   if (!fields.ok()) ...

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace suoke::discovery {

using Json = nlohmann::json;

// More than any registry's answer; the library would follow a text of brackets alone as deep as it goes.
constexpr int kMostJsonDepth = 64;

// Discarded when it is no JSON; no exception.
inline Json parse_answer(std::string_view text) {
    if (nested_deeper(text, kMostJsonDepth)) return Json(Json::value_t::discarded);
    return Json::parse(text.begin(), text.end(), nullptr, false);
}

class Fields {
 public:
    // Anything but an object is at once not ok, null included.
    explicit Fields(const Json& object) : object_(object), ok_(object.is_object()) {}
    bool ok() const { return ok_; }

    const Json* find(const char* name) {
        if (!object_.is_object()) return nullptr;
        auto found = object_.find(name);
        return found == object_.end() || found->is_null() ? nullptr : &*found;
    }
    // An object or a list; a shared empty one when it is absent.
    const Json& object(const char* name) { return of_kind(name, &Json::is_object, kNoObject); }
    const Json& list(const char* name) { return of_kind(name, &Json::is_array, kNoList); }

    void text(const char* name, std::string& into) {
        const Json* value = find(name);
        if (!value) return;
        const std::string* text = value->get_ptr<const Json::string_t*>();
        if (text) into = *text;
        ok_ &= text != nullptr;
    }
    template <class Number>
    void number(const char* name, Number& into) {
        static_assert(std::is_unsigned_v<Number>);
        const Json* value = find(name);
        if (!value) return;
        bool fits = value->is_number_unsigned() && value->get<std::uint64_t>() <= std::numeric_limits<Number>::max();
        if (fits) into = static_cast<Number>(value->get<std::uint64_t>());
        ok_ &= fits;
    }
    void flag(const char* name, bool& into) {
        const Json* value = find(name);
        if (!value) return;
        if (value->is_boolean()) into = value->get<bool>();
        ok_ &= value->is_boolean();
    }
    void texts(const char* name, std::vector<std::string>& into) {
        for (const Json& item : list(name)) {
            const std::string* text = item.get_ptr<const Json::string_t*>();
            if (text) into.push_back(*text);
            ok_ &= text != nullptr;
        }
    }
    void texts(const char* name, std::map<std::string, std::string>& into) {
        for (const auto& [key, item] : object(name).items()) {
            const std::string* text = item.get_ptr<const Json::string_t*>();
            if (text) into[key] = *text;
            ok_ &= text != nullptr;
        }
    }

 private:
    const Json& of_kind(const char* name, bool (Json::*is)() const noexcept, const Json& otherwise) {
        const Json* value = find(name);
        if (!value) return otherwise;
        bool right = (value->*is)();
        ok_ &= right;
        return right ? *value : otherwise;
    }
    static inline const Json kNoObject = Json::object();
    static inline const Json kNoList = Json::array();
    const Json& object_;
    bool ok_;
};

}  // namespace suoke::discovery
