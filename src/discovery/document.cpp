// SPDX-License-Identifier: MIT
#include "discovery/document.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/yaml.h"

namespace suoke::discovery {
namespace {

Place place_of(std::string_view text, std::size_t at) {
    std::string_view before = text.substr(0, std::min(at, text.size()));
    std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1, static_cast<int>(before.size() - line_start) + 1};
}

// ---- JSON

// Goes over a text and leaves word of where it is, which nlohmann's parser does not tell.
class Cursor {
 public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Cursor(const char* at, const char*& seen) : at_(at), seen_(&seen) {}
    reference operator*() const { return *at_; }
    Cursor& operator++() {
        *seen_ = ++at_;
        return *this;
    }
    Cursor operator++(int) {
        Cursor before = *this;
        ++*this;
        return before;
    }
    [[maybe_unused]] friend bool operator==(const Cursor& a, const Cursor& b) { return a.at_ == b.at_; }
    friend bool operator!=(const Cursor& a, const Cursor& b) { return a.at_ != b.at_; }

 private:
    const char* at_;
    const char** seen_;
};

class JsonReader {
 public:
    using json = nlohmann::json;
    explicit JsonReader(std::string_view text) : text_(text), seen_(text.data()) {}

    Result<Node> read() {
        bool whole = json::sax_parse(Cursor(text_.data(), seen_), Cursor(text_.data() + text_.size(), seen_), this);
        if (fault_) return std::move(*fault_);
        if (!whole) return fault_at({1, 1}, "not JSON");
        return std::move(root_);
    }

    // What the parser calls; false stops it.
    bool null() { return add(Node::null, {}, false); }
    bool boolean(bool value) { return add(Node::scalar, value ? "true" : "false", false); }
    bool number_integer(json::number_integer_t value) { return add(Node::scalar, std::to_string(value), false); }
    bool number_unsigned(json::number_unsigned_t value) { return add(Node::scalar, std::to_string(value), false); }
    bool number_float(json::number_float_t, const std::string& text) { return add(Node::scalar, text, false); }
    bool string(std::string& value) { return add(Node::scalar, std::move(value), true); }
    bool binary(json::binary_t&) { return false; }
    bool start_object(std::size_t) { return add(Node::map, {}, false); }
    bool start_array(std::size_t) { return add(Node::list, {}, false); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        Place place = next_place();
        std::vector<Member>& members = open_.back()->members;
        bool twice = std::any_of(members.begin(), members.end(), [&](const Member& m) { return m.name == name; });
        if (twice) return refuse(place, "\"" + name + "\" stands here twice");
        if (members.size() == kMostMembers) return refuse(place, "too many keys");
        members.push_back({std::move(name), place, {}});
        return true;
    }
    bool parse_error(std::size_t at, const std::string& last_token, const nlohmann::detail::exception&) {
        std::string shown = last_token.substr(0, 40);
        return refuse(place_of(text_, at > 0 ? at - 1 : 0), shown.empty() ? "the text ends here, in the middle of something"
                                                                          : "not valid JSON at or before: " + shown);
    }

 private:
    bool refuse(Place place, const std::string& sentence) {
        if (!fault_) fault_ = fault_at(place, sentence);
        return false;
    }
    // Where the token that was just read begins: after the one before it and what separates them.
    Place next_place() {
        std::size_t begin = std::min(text_.find_first_not_of(" \t\r\n,:]}", told_), text_.size());
        told_ = static_cast<std::size_t>(seen_ - text_.data());
        // Lines are counted as we go, or a long file would be counted again for each token.
        for (; counted_ < begin; ++counted_) {
            if (text_[counted_] != '\n') continue;
            ++line_;
            line_start_ = counted_ + 1;
        }
        return {line_, static_cast<int>(begin - line_start_) + 1};
    }
    bool add(Node::Kind kind, std::string text, bool quoted) {
        Node node;
        node.kind = kind;
        node.place = next_place();
        node.text = std::move(text);
        node.quoted = quoted;
        Place place = node.place;
        if (++nodes_ > kMostNodes) return refuse(place, "too many values");
        Node* placed = &root_;
        if (open_.empty()) {
            root_ = std::move(node);
        } else if (open_.back()->kind == Node::list) {
            placed = &open_.back()->items.emplace_back(std::move(node));
        } else {
            placed = &(open_.back()->members.back().value = std::move(node));
        }
        bool opens = kind == Node::list || kind == Node::map;
        if (opens && open_.size() == kMostDepth) return refuse(place, "nested too deep");
        if (opens) open_.push_back(placed);
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::string_view text_;
    const char* seen_;
    std::size_t told_ = 0, counted_ = 0, line_start_ = 0;
    int line_ = 1;
    std::size_t nodes_ = 0;
    Node root_;
    std::vector<Node*> open_;  // what is open does not grow but by its last one
    std::optional<Error> fault_;
};

// ---- YAML

// What an alias refers to is written out where it stands: base/yaml.h counted that already, up to its own bounds.
class YamlReader {
 public:
    Result<Node> read(const yaml::Node& from, int depth = 0) {
        Node node;
        node.place = {from.line, from.column};
        if (++nodes_ > kMostNodes) return fault_at(node.place, "too many values");
        if (depth > kMostDepth) return fault_at(node.place, "nested too deep");
        if (from.kind == yaml::Node::scalar) {
            node.kind = Node::scalar;
            node.text = from.text;
            node.quoted = from.quoted;
        } else if (from.kind == yaml::Node::sequence) {
            node.kind = Node::list;
            for (const yaml::NodePtr& item : from.items) {
                auto value = read(*item, depth + 1);
                if (!value) return value.error();
                node.items.push_back(std::move(*value));
            }
        } else if (from.kind == yaml::Node::mapping) {
            node.kind = Node::map;
            for (const yaml::Entry& entry : from.entries) {
                Place key{entry.line, entry.column};
                if (node.members.size() == kMostMembers) return fault_at(key, "too many keys");
                auto value = read(*entry.value, depth + 1);
                if (!value) return value.error();
                node.members.push_back({entry.key, key, std::move(*value)});
            }
        }
        return node;
    }

 private:
    std::size_t nodes_ = 0;
};

}  // namespace

Error fault_at(Place place, std::string_view sentence) {
    return Error(Code::invalid_config,
                 std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + std::string(sentence));
}

Result<Node> parse_json_document(std::string_view text) { return JsonReader(text).read(); }

Result<Node> parse_yaml_document(std::string_view text) {
    yaml::Document document = yaml::parse(std::string(text));
    if (document.troubles.empty()) return YamlReader().read(*document.root);
    const yaml::Trouble& first = document.troubles.front();
    return fault_at({std::max(first.line, 1), std::max(first.column, 1)}, first.sentence);
}

}  // namespace suoke::discovery
