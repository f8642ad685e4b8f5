// SPDX-License-Identifier: MIT
#pragma once
// The small language in which definition_*.cpp describe every key once:
//
//   field<&Server::port>("port", "The TCP port of the HTTP listener.").range(1,
//   65535).env({"PORT"})
//
// A Field names one member of one struct. Its Shape tells any reader or writer (YAML, environment,
// schema, docs, dump, diff) how to handle the value behind a `void*` without knowing its type.

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/config.h"

namespace suoke::config {

enum class Kind : std::uint8_t {
    boolean,
    integer,
    text,
    duration,
    bytes,
    choice,  // scalars
    optional,
    list,
    map,
    object,  // containers
};

struct Field;
using Fields = std::vector<Field>;

struct Shape {
    Kind kind = Kind::text;

    // Scalars: reads the text, false when it is no such value; shows what reads back the same.
    bool (*read)(std::string_view text, void* value) = nullptr;
    std::string (*show)(const void* value) = nullptr;
    std::int64_t low = 0, high = 0;         // what an integer's type holds
    std::vector<std::string_view> choices;  // every accepted word, the documented ones first
    std::size_t documented = 0;             // how many of them

    // Containers. `add` appends to a list, makes the key of a map, gives an optional its value.
    using Visit = std::function<void(std::string_view key, const void* element)>;
    const Shape* element = nullptr;
    void (*assign)(void* to, const void* from) = nullptr;   // of every shape: the value as a whole
    void* (*add)(void* container, std::string_view key) = nullptr;
    bool (*has)(const void* container, std::string_view key) = nullptr;  // maps
    void (*clear)(void* container) = nullptr;
    void (*each)(const void* container, const Visit& visit) = nullptr;

    // Objects. `place` leads to the member that remembers where the object was written, if any.
    const Fields* fields = nullptr;
    const void* defaults = nullptr;  // one of them, fresh
    Place* (*place)(void* object) = nullptr;
    Said* (*said)(void* object) = nullptr;

    bool is_scalar() const { return kind < Kind::optional; }
    bool is_list_of_scalars() const { return kind == Kind::list && element->is_scalar(); }
    // The scalar itself, through any optionals.
    const Shape& inner() const { return kind == Kind::optional ? element->inner() : *this; }
};

// Returns what the text must be instead ("must start with '/'"), empty when it is fine.
using Check = std::string_view (*)(std::string_view text);

struct Field {
    std::string_view name;
    std::string_view doc;
    const Shape* shape = nullptr;
    void* (*member)(void* object) = nullptr;

    std::vector<std::string_view> variables;  // older names; SUOKE_<SECTION>_<KEY> always works
    std::vector<std::string_view> aliases;  // other dotted keys, from the root, that mean this one
    std::string_view flag_name;             // "--port"
    std::string_view name_key;              // a map may be a list whose items say their key here
    std::string_view scalar_key;            // an object may be a scalar that says this key of it
    std::optional<std::pair<std::int64_t, std::int64_t>> limits;
    Check value_check = nullptr;  // every scalar in it
    Check key_check = nullptr;    // every key of a map
    bool needs_text = false;
    bool live = true;         // false: a change takes a restart
    bool only_input = false;  // folded into other fields after reading; never shown
    bool hides_credentials = false;

    const void* in(const void* object) const { return member(const_cast<void*>(object)); }

    Field env(std::initializer_list<std::string_view> names) && {
        return with([&](Field& f) { f.variables = names; });
    }
    Field also(std::initializer_list<std::string_view> keys) && {
        return with([&](Field& f) { f.aliases = keys; });
    }
    Field flag(std::string_view name_of_flag) && {
        return with([&](Field& f) { f.flag_name = name_of_flag; });
    }
    Field keyed_by(std::string_view key) && {
        return with([&](Field& f) { f.name_key = key; });
    }
    // `retry: 2` for `retry: {max_retries: 2}`.
    Field short_for(std::string_view key) && {
        return with([&](Field& f) { f.scalar_key = key; });
    }
    Field range(std::int64_t low, std::int64_t high) && {
        return with([&](Field& f) { f.limits = {low, high}; });
    }
    Field check(Check values) && {
        return with([&](Field& f) { f.value_check = values; });
    }
    Field check_keys(Check keys) && {
        return with([&](Field& f) { f.key_check = keys; });
    }
    Field not_empty() && {
        return with([](Field& f) { f.needs_text = true; });
    }
    Field restart() && {
        return with([](Field& f) { f.live = false; });
    }
    Field input() && {
        return with([](Field& f) { f.only_input = true; });
    }
    // A map from names to values of which some are credentials: those are shown as ***.
    Field credentials() && {
        return with([](Field& f) { f.hides_credentials = true; });
    }

 private:
    template <class Change>
    Field with(Change change) {
        change(*this);
        return std::move(*this);
    }
};

// A type with `const Fields& describe(std::type_identity<T>)` is an object; an enum with
// `std::span<const Choice<E>> choices(std::type_identity<E>)` is a choice. Later spellings of a
// value that has a name already are read, but not documented.
template <class E>
struct Choice {
    std::string_view name;
    E value;
};

struct Bytes;  // marks an integer that is written "10MB"

template <class T, class Unit = void>
const Shape& shape_of();

namespace detail {

template <class T>
T& as(void* value) {
    return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
    return *static_cast<const T*>(value);
}

bool read_bool(std::string_view text, void* value);
bool read_text(std::string_view text, void* value);
bool read_secret(std::string_view text, void* value);
std::string show_secret(const void* value);  // "***", or nothing when there is none
bool read_duration(std::string_view text, void* value);
bool read_bytes(std::string_view text, void* value);
std::string show_bool(const void* value);
std::string show_text(const void* value);
std::string show_duration(const void* value);
std::string show_bytes(const void* value);
std::optional<std::int64_t> read_whole(std::string_view text);

template <std::integral T>
constexpr std::int64_t high_of() {
    constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
    return std::in_range<std::int64_t>(std::numeric_limits<T>::max())
               ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
               : kHigh;
}

template <std::integral T>
bool read_integer(std::string_view text, void* value) {
    auto n = read_whole(text);
    if (!n || !std::in_range<T>(*n)) return false;
    as<T>(value) = static_cast<T>(*n);
    return true;
}

template <class E>
bool read_choice(std::string_view text, void* value) {
    for (const Choice<E>& choice : choices(std::type_identity<E>{})) {
        if (!iequals(choice.name, text)) continue;
        as<E>(value) = choice.value;
        return true;
    }
    return false;
}

template <class E>
std::string show_choice(const void* value) {
    for (const Choice<E>& choice : choices(std::type_identity<E>{}))
        if (choice.value == as<E>(value)) return std::string(choice.name);
    return {};
}

template <class E>
Shape choice_shape() {
    Shape shape{.kind = Kind::choice, .read = read_choice<E>, .show = show_choice<E>};
    std::vector<std::string_view> other;
    auto all = choices(std::type_identity<E>{});
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool first = true;
        for (std::size_t k = 0; k < i; ++k) first &= all[k].value != all[i].value;
        (first ? shape.choices : other).push_back(all[i].name);
    }
    shape.documented = shape.choices.size();
    shape.choices.insert(shape.choices.end(), other.begin(), other.end());
    return shape;
}

template <class T, class Unit>
struct ShapeOf {  // scalars, choices and objects
    static Shape make() {
        if constexpr (std::is_same_v<Unit, Bytes>)
            return {.kind = Kind::bytes, .read = read_bytes, .show = show_bytes};
        else if constexpr (std::is_same_v<T, bool>)
            return {.kind = Kind::boolean, .read = read_bool, .show = show_bool};
        else if constexpr (std::is_same_v<T, std::string>)
            return {.kind = Kind::text, .read = read_text, .show = show_text};
        else if constexpr (std::is_same_v<T, Secret>)
            return {.kind = Kind::text, .read = read_secret, .show = show_secret};
        else if constexpr (std::is_same_v<T, Duration>)
            return {.kind = Kind::duration, .read = read_duration, .show = show_duration};
        else if constexpr (std::is_enum_v<T>)
            return choice_shape<T>();
        else if constexpr (std::is_integral_v<T>)
            return {.kind = Kind::integer,
                    .read = read_integer<T>,
                    .show = [](const void* n) { return std::to_string(as<T>(n)); },
                    .low = std::is_signed_v<T> ? std::numeric_limits<T>::min() : 0,
                    .high = high_of<T>()};
        else
            return object();
    }

 private:
    static Shape object() {
        static const T kFresh{};
        Shape shape{.kind = Kind::object,
                    .fields = &describe(std::type_identity<T>{}),
                    .defaults = &kFresh};
        if constexpr (requires(T object) { object.place; })
            shape.place = [](void* object) { return &as<T>(object).place; };
        if constexpr (requires(T object) { object.said; })
            shape.said = [](void* object) { return &as<T>(object).said; };
        return shape;
    }
};

template <class T, class Unit>
struct ShapeOf<std::optional<T>, Unit> {
    using Container = std::optional<T>;
    static Shape make() {
        return {
            .kind = Kind::optional,
            .element = &shape_of<T, Unit>(),
            .add = [](void* c, std::string_view) -> void* { return &as<Container>(c).emplace(); },
            .clear = [](void* c) { as<Container>(c).reset(); },
            .each =
                [](const void* c, const Shape::Visit& visit) {
                    if (as<Container>(c)) visit({}, &*as<Container>(c));
                }};
    }
};

template <class T, class Unit>
struct ShapeOf<std::vector<T>, Unit> {
    using Container = std::vector<T>;
    static Shape make() {
        return {.kind = Kind::list,
                .element = &shape_of<T, Unit>(),
                .add = [](void* c, std::string_view) -> void* {
                    return &as<Container>(c).emplace_back();
                },
                .clear = [](void* c) { as<Container>(c).clear(); },
                .each =
                    [](const void* c, const Shape::Visit& visit) {
                        for (const T& element : as<Container>(c)) visit({}, &element);
                    }};
    }
};

template <class T, class Unit>
struct ShapeOf<std::map<std::string, T>, Unit> {
    using Container = std::map<std::string, T>;
    static Shape make() {
        return {
            .kind = Kind::map,
            .element = &shape_of<T, Unit>(),
            .add = [](void* c, std::string_view key) -> void* {
                return &as<Container>(c)[std::string(key)];
            },
            .has = [](const void* c,
                      std::string_view key) { return as<Container>(c).contains(std::string(key)); },
            .clear = [](void* c) { as<Container>(c).clear(); },
            .each =
                [](const void* c, const Shape::Visit& visit) {
                    for (const auto& [key, element] : as<Container>(c)) visit(key, &element);
                }};
    }
};

template <class Object, class Member>
Object object_of(Member Object::*);

// object.*First.*Rest...
template <auto First, auto... Rest>
auto& reach(auto& object) {
    if constexpr (sizeof...(Rest) == 0)
        return object.*First;
    else
        return reach<Rest...>(object.*First);
}

template <auto First, auto... Rest>
void* member(void* object) {
    using Object = decltype(object_of(First));
    return &reach<First, Rest...>(as<Object>(object));
}

template <class Unit, auto First, auto... Rest>
Field make_field(std::string_view name, std::string_view doc) {
    using Object = decltype(object_of(First));
    using Member =
        std::remove_reference_t<decltype(reach<First, Rest...>(std::declval<Object&>()))>;
    return {.name = name,
            .doc = doc,
            .shape = &shape_of<Member, Unit>(),
            .member = member<First, Rest...>};
}

}  // namespace detail

template <class T, class Unit>
const Shape& shape_of() {
    static const Shape shape = [] {
        Shape made = detail::ShapeOf<T, Unit>::make();
        made.assign = [](void* to, const void* from) { detail::as<T>(to) = detail::as<T>(from); };
        return made;
    }();
    return shape;
}

// The member that `Path` leads to: field<&Server::port>, or through a nested struct,
// field<&Service::shorthand, &Shorthand::host>.
template <auto... Path>
Field field(std::string_view name, std::string_view doc) {
    return detail::make_field<void, Path...>(name, doc);
}
// The same for a number of bytes, written "10MB".
template <auto... Path>
Field bytes(std::string_view name, std::string_view doc) {
    return detail::make_field<Bytes, Path...>(name, doc);
}

}  // namespace suoke::config
