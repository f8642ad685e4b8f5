// SPDX-License-Identifier: MIT
#include "config/decode.h"

#include <fmt/format.h>

#include <algorithm>

namespace suoke::config {
namespace {

std::string wanted(const Field& field, const Shape& shape) {
    switch (shape.kind) {
        case Kind::boolean:
            return "must be true or false";
        case Kind::integer: {
            auto [low, high] = field.limits.value_or(std::pair(shape.low, shape.high));
            return fmt::format("must be a whole number from {} to {}", low, high);
        }
        case Kind::duration:
            return "must be a duration like 30s, 500ms or 2m (a bare number is seconds)";
        case Kind::bytes:
            if (!field.limits) return "must be a size like 512, 8KB or 10MB";
            if (field.limits->second == INT64_MAX)
                return fmt::format("must be a size like 512, 8KB or 10MB, at least {}",
                                   format_bytes(static_cast<std::uint64_t>(field.limits->first)));
            return fmt::format("must be a size from {} to {}",
                               format_bytes(static_cast<std::uint64_t>(field.limits->first)),
                               format_bytes(static_cast<std::uint64_t>(field.limits->second)));
        case Kind::choice:
            return fmt::format(
                "must be one of {}",
                fmt::join(shape.choices.begin(),
                          shape.choices.begin() + static_cast<std::ptrdiff_t>(shape.documented),
                          ", "));
        case Kind::text:
            return "must be text";
        case Kind::optional:
            return wanted(field, *shape.element);
        case Kind::list:
            return "must be a list";
        case Kind::map:
            return field.name_key.empty() ? "must be a mapping"
                                          : "must be a mapping, or a list of mappings";
        case Kind::object:
            return "must be a mapping";
    }
    return "";
}

bool within(const Field& field, const Shape& shape, const void* value) {
    if (!field.limits) return true;
    auto [low, high] = *field.limits;
    std::optional<std::int64_t> n;
    if (shape.kind == Kind::integer) n = detail::read_whole(shape.show(value));
    if (shape.kind == Kind::bytes) n = static_cast<std::int64_t>(detail::as<std::uint64_t>(value));
    return !n || (*n >= low && *n <= high);
}

const Field* find_field(const Fields* fields, std::string_view name) {
    if (!fields) return nullptr;
    for (const Field& field : *fields)
        if (field.name == name) return &field;
    return nullptr;
}

void note_said(const Shape& shape, std::string_view key, void* object) {
    if (!shape.said) return;
    const Field* field = find_field(shape.fields, key);
    if (field) shape.said(object)->fields |= std::uint64_t{1} << (field - shape.fields->data());
}

std::string in_quotes(const Field& field, std::string_view text) {
    return field.hides_credentials ? "another value" : fmt::format("'{}'", clipped(text));
}

}  // namespace

std::string clipped(std::string_view text) {
    constexpr std::size_t kLongest = 60;
    std::size_t end = std::min(text.size(), kLongest);
    while (end < text.size() && end > 0 && (text[end] & 0xC0) == 0x80) --end;  // whole characters
    std::string out;
    for (char c : text.substr(0, end)) {
        auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? '?' : c;
    }
    return text.size() > kLongest ? out + "..." : out;
}

Decoder::At Decoder::At::key(std::string_view name) const {
    std::string dot = shown.empty() ? "" : ".";
    return {shown + dot + clipped(name), pattern + dot + std::string(name)};
}
Decoder::At Decoder::At::element(std::string_view name) const {
    return {shown + "." + clipped(name), pattern + ".*"};
}
Decoder::At Decoder::At::item(std::size_t index) const {
    return {fmt::format("{}[{}]", shown, index), pattern + ".*"};
}

Place Decoder::place_of(int line, int column) const {
    return variable_ ? *variable_ : Place{name_, line, column};
}

Source Decoder::source_of(std::string_view path) const {
    auto found = sources_.find(path);
    return found == sources_.end() ? Source::defaults : found->second;
}

void Decoder::document(const yaml::Node& root, const std::string& name) {
    name_ = name;
    object(root, &describe(std::type_identity<Config>{}), &config_, {});
    warn_of_later_keys();
}

void Decoder::object(const yaml::Node& node, const Fields* fields, void* object, const At& at) {
    if (node.kind == yaml::Node::null) return;
    if (node.kind != yaml::Node::mapping)
        return report_.error(place_of(node), at.shown,
                             fmt::format("must be a mapping, found {}", yaml::kind_name(node)));
    for (const yaml::Entry& each : node.entries) entry(each, fields, object, at);
}

void Decoder::entry(const yaml::Entry& entry, const Fields* fields, void* object, const At& at) {
    At here = at.key(entry.key);
    Place place = place_of(entry.line, entry.column);
    if (entry.key.find('.') != std::string::npos)  // no other way to say server: {port: 1}
        return unknown(here, entry.key, fields, at.pattern, place);
    if (const Leaf* known = key_index().leaf(here.pattern))
        return leaf(*known, *entry.value, here, place);
    if (const Field* known = find_field(fields, entry.key))
        return value(*known, *known->shape, *entry.value, known->member(object), here);
    if (const Later* row = key_index().later(here.pattern)) {
        Seen& seen = later_[row];
        if (seen.times++ == 0) seen = {here.shown, place, 1};
        return;
    }
    if (key_index().is_group(here.pattern))
        return this->object(*entry.value, nullptr, nullptr, here);
    if (at.shown.empty() && entry.key.starts_with("x-")) return;  // a place for anchors
    unknown(here, entry.key, fields, at.pattern, place);
}

// A key with a path from the root, under its own name or another one.
void Decoder::leaf(const Leaf& leaf, const yaml::Node& node, const At& at, const Place& key_place) {
    const Shape& shape = *leaf.field().shape;
    if (shape.inner().is_scalar() && node.kind == yaml::Node::mapping &&
        key_index().is_group(at.pattern))
        return object(node, nullptr, nullptr, at);  // logging.file: {path: ...}
    if (node.kind == yaml::Node::null) return;
    void* target = leaf.in(config_);
    std::string before = shape.is_scalar() ? shape.show(target) : "";
    value(leaf.field(), shape, node, target, {at.shown, leaf.path});
    report_.given(leaf.path, place_of(node));
    sources_[leaf.path] = source_;
    auto [said, is_first] = said_.try_emplace(leaf.path, Said{at.shown, key_place});
    if (!is_first && shape.is_scalar() && shape.show(target) != before)
        report_.error(key_place, at.shown,
                      fmt::format("says something else than {} in line {}, which is the same key",
                                  said->second.as, said->second.place.line));
}

void Decoder::value(const Field& field, const Shape& shape, const yaml::Node& node, void* target,
                    const At& at) {
    if (node.kind == yaml::Node::null) return;  // "key:" with nothing behind it leaves the default
    if (!variable_) report_.given(at.shown, place_of(node));
    switch (shape.kind) {
        case Kind::optional:
            return value(field, *shape.element, node, shape.add(target, {}), at);
        case Kind::list:
            return list(field, shape, node, target, at);
        case Kind::map:
            return map(field, shape, node, target, at);
        case Kind::object:
            if (shape.place) *shape.place(target) = place_of(node);
            if (node.kind == yaml::Node::scalar && !field.scalar_key.empty()) {
                const Field& said = *find_field(shape.fields, field.scalar_key);
                note_said(shape, field.scalar_key, target);
                return value(said, *said.shape, node, said.member(target), at.key(field.scalar_key));
            }
            for (const yaml::Entry& entry : node.entries) note_said(shape, entry.key, target);
            return object(node, shape.fields, target, at);
        default:
            return scalar(field, shape, node, target, at);
    }
}

void Decoder::scalar(const Field& field, const Shape& shape, const yaml::Node& node, void* target,
                     const At& at) {
    if (node.kind != yaml::Node::scalar)
        return report_.error(
            place_of(node), at.shown,
            fmt::format("{}, found {}", wanted(field, shape), yaml::kind_name(node)));
    auto text = variable_ ? Result<std::string>(node.text) : variables_.substitute(node.text);
    if (!text) return report_.error(place_of(node), at.shown, text.error().detail);
    read(field, shape, *text, target, at.shown, place_of(node));
}

void Decoder::list(const Field& field, const Shape& shape, const yaml::Node& node, void* target,
                   const At& at) {
    shape.clear(target);
    if (node.kind == yaml::Node::scalar && shape.is_list_of_scalars()) {
        auto text = variable_ ? Result<std::string>(node.text) : variables_.substitute(node.text);
        if (!text) return report_.error(place_of(node), at.shown, text.error().detail);
        return pieces(field, shape, *text, target, at.shown, place_of(node));
    }
    if (node.kind != yaml::Node::sequence)
        return report_.error(place_of(node), at.shown,
                             fmt::format("must be a list, found {}", yaml::kind_name(node)));
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const yaml::Node& item = *node.items[i];
        if (item.kind == yaml::Node::null)
            report_.error(place_of(item), at.item(i).shown,
                          fmt::format("{}, found nothing", wanted(field, *shape.element)));
        else
            value(field, *shape.element, item, shape.add(target, {}), at.item(i));
    }
}

void Decoder::map(const Field& field, const Shape& shape, const yaml::Node& node, void* target,
                  const At& at) {
    if (node.kind == yaml::Node::sequence && !field.name_key.empty())
        return named_items(field, shape, node, target, at);
    if (node.kind != yaml::Node::mapping)
        return report_.error(
            place_of(node), at.shown,
            fmt::format("{}, found {}", wanted(field, shape), yaml::kind_name(node)));
    for (const yaml::Entry& entry : node.entries)
        map_element(field, shape, entry.key, place_of(entry.line, entry.column), *entry.value,
                    target, at.element(entry.key));
}

// [{name: users, ...}, ...] as if it were {users: {...}}.
void Decoder::named_items(const Field& field, const Shape& shape, const yaml::Node& node,
                          void* target, const At& at) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const yaml::Node& item = *node.items[i];
        const yaml::Entry* name =
            item.kind == yaml::Node::mapping ? yaml::find(item, field.name_key) : nullptr;
        if (!name || name->value->kind != yaml::Node::scalar)
            report_.error(place_of(item), at.item(i).shown,
                          fmt::format("must be a mapping with a {}", field.name_key));
        else
            map_element(field, shape, name->value->text, place_of(*name->value), item, target,
                        at.item(i));
    }
}

void Decoder::map_element(const Field& field, const Shape& shape, std::string_view key,
                          const Place& key_place, const yaml::Node& node, void* target,
                          const At& at) {
    if (shape.has(target, key))
        return report_.error(key_place, at.shown,
                             fmt::format("'{}' is described twice", clipped(key)));
    if (field.key_check)
        if (auto rule = field.key_check(key); !rule.empty())
            report_.error(key_place, at.shown, fmt::format("{}, found '{}'", rule, clipped(key)));
    void* element = shape.add(target, key);
    if (node.kind == yaml::Node::null && shape.element->is_scalar())
        report_.error(key_place, at.shown,
                      fmt::format("{}, found nothing", wanted(field, *shape.element)));
    value(field, *shape.element, node, element, at);
}

// The end of every way: one text into one value, or one problem.
bool Decoder::read(const Field& field, const Shape& shape, std::string_view text, void* target,
                   const std::string& key, const Place& place) {
    std::string_view blank_free = shape.kind == Kind::text ? text : trim(text);
    if (!shape.read(blank_free, target) || !within(field, shape, target)) {
        report_.error(place, key,
                      fmt::format("{}, found {}", wanted(field, shape), in_quotes(field, text)));
        return false;
    }
    if (field.needs_text && text.empty()) {
        report_.error(place, key, "must not be empty");
        return false;
    }
    std::string_view rule = field.value_check ? field.value_check(text) : std::string_view();
    if (rule.empty()) return true;
    report_.error(place, key, fmt::format("{}, found {}", rule, in_quotes(field, text)));
    return false;
}

void Decoder::pieces(const Field& field, const Shape& shape, std::string_view text, void* target,
                     const std::string& key, const Place& place) {
    shape.clear(target);
    for (std::string_view piece : split_list(text))
        read(field, *shape.element, piece, shape.add(target, {}), key, place);
}

void Decoder::text(const Leaf& leaf, std::string_view text, const Place& place) {
    const Field& field = leaf.field();
    const Shape& shape = *field.shape;
    if (text.empty() && shape.kind != Kind::text) return;  // PORT= means: not set
    void* target = leaf.in(config_);
    sources_[leaf.path] = source_;
    report_.given(leaf.path, place);
    if (shape.inner().is_scalar()) {
        if (shape.kind == Kind::optional) target = shape.add(target, {});
        read(field, shape.inner(), text, target, leaf.path, place);
        return;
    }
    if (trim(text).starts_with('[') || trim(text).starts_with('{')) {
        yaml::Document document = yaml::parse(std::string(text));
        for (const yaml::Trouble& trouble : document.troubles)
            report_.error(place, leaf.path, trouble.sentence);
        if (!document.troubles.empty()) return;
        shape.clear(target);
        variable_ = &place;
        value(field, shape, *document.root, target, {leaf.path, leaf.path});
        variable_ = nullptr;
        return;
    }
    if (shape.is_list_of_scalars()) return pieces(field, shape, text, target, leaf.path, place);
    report_.error(
        place, leaf.path,
        fmt::format("{} in YAML or JSON, found '{}'", wanted(field, shape), clipped(text)));
}

void Decoder::service_text(const std::string& key, const std::string& field_name,
                           std::string_view text, const Place& place) {
    auto spelled = [](std::string_view name) {
        std::string out = to_lower(name);
        std::replace(out.begin(), out.end(), '-', '_');
        return out;
    };
    std::string name = key;
    for (const auto& [known, service] : config_.services)
        if (spelled(known) == key) name = known;
    const Fields& fields = describe(std::type_identity<Service>{});
    const Field* field = find_field(&fields, field_name);
    if (!field || !field->shape->inner().is_scalar()) {
        std::vector<std::string_view> known;
        for (const Field& each : fields) known.push_back(each.name);
        return report_.warning(place, "",
                               fmt::format("services have no variable field {}{}",
                                           clipped(field_name), suggestion(field_name, known)));
    }
    Service& service = config_.services[name];
    if (service.place.source.empty()) service.place = place;
    std::string shown = "services." + name + "." + field_name;
    report_.given(shown, place);
    void* target = field->member(&service);
    if (field->shape->kind == Kind::optional) target = field->shape->add(target, {});
    read(*field, field->shape->inner(), text, target, shown, place);
}

void Decoder::unknown(const At& at, std::string_view name, const Fields* fields,
                      std::string_view group, const Place& place) {
    if (report_.is_full()) return report_.error(place, at.shown, "unknown key");
    std::vector<std::string_view> known;
    if (fields)
        for (const Field& field : *fields) known.push_back(field.name);
    for (const std::string& below : key_index().names_below(group)) known.push_back(below);
    report_.error(place, at.shown, "unknown key" + suggestion(name, known));
}

void Decoder::warn_of_later_keys() {
    for (const auto& [row, seen] : later_) {
        std::string key = seen.times == 1 ? seen.shown : std::string(row->key);
        std::string times = seen.times == 1 ? "" : fmt::format(" ({} places)", seen.times);
        report_.warning(
            seen.place, key,
            fmt::format("known, but without effect in this version: {}{}", row->what, times));
    }
}

}  // namespace suoke::config
