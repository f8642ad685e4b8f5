// SPDX-License-Identifier: MIT
#include "filters/json_shape.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace suoke::filters {

using config::KeyCase;

struct JsonShape::Node {
    std::string name;                   // another one; empty: as it is
    bool gone = false;
    std::optional<std::string> value;   // JSON, instead of what is there
    std::map<std::string, Node, std::less<>> members;
    bool sets = false;                  // it, or one below it, has a value

    bool settle() {
        sets = value.has_value();
        for (auto& [key, each] : members) sets = each.settle() || sets;
        return sets;
    }
};

namespace {

using Node = JsonShape::Node;

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr char upper(char c) { return is_lower(c) ? static_cast<char>(c - 0x20) : c; }

bool is_identifier(std::string_view key) {
    auto fits = [](char c) { return is_upper(c) || is_lower(c) || is_digit(c) || c == '_'; };
    return !key.empty() && !is_digit(key.front()) && std::all_of(key.begin(), key.end(), fits);
}

// "userID" and "user_id" are user and id; "HTTPServer" is HTTP and Server. Digits go with what is before them.
std::vector<std::string_view> words_of(std::string_view key) {
    std::vector<std::string_view> words;
    std::size_t begin = 0;
    auto end_word = [&](std::size_t at) {
        if (at > begin) words.push_back(key.substr(begin, at - begin));
        begin = at;
    };
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (key[i] == '_') {
            end_word(i);
            begin = i + 1;
        } else if (i > begin && is_upper(key[i])) {
            bool next_is_lower = i + 1 < key.size() && is_lower(key[i + 1]);
            if (!is_upper(key[i - 1]) || next_is_lower) end_word(i);
        }
    }
    end_word(key.size());
    return words;
}

void append_word(std::string& out, std::string_view word, bool capital) {
    for (char c : word) out += lower(c);
    if (capital) out[out.size() - word.size()] = upper(word.front());
}

// ---- strings

void append_utf8(std::string& out, std::uint32_t code) {
    auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) return byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F));
    if (code < 0x10000) return byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
}

std::optional<std::uint32_t> four_digits(std::string_view s) {
    if (s.size() < 4) return std::nullopt;
    std::uint32_t code = 0;
    for (char c : s.substr(0, 4)) {
        int digit = hex_value(c);
        if (digit < 0) return std::nullopt;
        code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
}

// One \uXXXX, or two that are a pair; how long it was, 0 when it is no character.
std::size_t read_escape(std::string_view s, std::string& out) {
    auto code = four_digits(s.substr(2));
    if (!code) return 0;
    bool high = *code >= 0xD800 && *code < 0xDC00, low = *code >= 0xDC00 && *code < 0xE000;
    if (!high && !low) return append_utf8(out, *code), 6;
    if (low || s.size() < 12 || s.substr(6, 2) != "\\u") return 0;
    auto second = four_digits(s.substr(8));
    if (!second || *second < 0xDC00 || *second >= 0xE000) return 0;
    append_utf8(out, 0x10000 + ((*code - 0xD800) << 10) + (*second - 0xDC00));
    return 12;
}

// The text of a string, without its quotes; nothing when half a pair of escapes stands in it.
std::optional<std::string> unescaped(std::string_view raw) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    std::string out;
    while (!raw.empty()) {
        std::size_t plain = std::min(raw.find('\\'), raw.size());
        out += raw.substr(0, plain);
        raw.remove_prefix(plain);
        if (raw.empty()) break;
        std::size_t taken = 2;
        if (raw[1] == 'u') taken = read_escape(raw, out);
        else out += kMeant[kNames.find(raw[1])];
        if (taken == 0) return std::nullopt;
        raw.remove_prefix(taken);
    }
    return out;
}

// ---- the walk

// Reads a text from left to right and writes what shall be there instead. Each function takes what it is
// named after, and is false when something else stands there.
class Walk {
 public:
    Walk(std::string_view text, std::string& out, KeyCase key_case, bool drop_nulls)
        : p_(text.data()), end_(p_ + text.size()), out_(out), key_case_(key_case), drop_nulls_(drop_nulls) {}

    bool all(const Node& root) {
        blanks();
        if (!value(&root)) return false;
        blanks();
        return p_ == end_;
    }

    // `node` is what is said of the members in it; null: nothing.
    bool value(const Node* node) {
        if (p_ == end_) return false;
        switch (*p_) {
            case '{': return object(node);
            case '[': return list(node);
            case '"': return copied(&Walk::string);
            case 't': return copied(&Walk::truth);
            case 'f': return copied(&Walk::falsehood);
            case 'n': return copied(&Walk::nothing);
            default: return copied(&Walk::number);
        }
    }

 private:
    bool object(const Node* node) {
        if (++depth_ > JsonShape::kDeepest) return false;
        take('{');
        std::vector<const Node*> met;   // members of `node` that the object has
        out_ += '{';
        bool first = true;
        blanks();
        for (bool more = !take('}'); more;) {
            blanks();
            if (!member(node, met, first)) return false;
            blanks();
            more = take(',');
            if (!more && !take('}')) return false;
        }
        if (node) add_missing(*node, met, first);
        out_ += '}';
        --depth_;
        return true;
    }

    bool member(const Node* node, std::vector<const Node*>& met, bool& first) {
        const char* begin = p_;
        if (p_ == end_ || *p_ != '"' || !string()) return false;
        std::string_view key(begin + 1, static_cast<std::size_t>(p_ - begin - 2));
        blanks();
        if (!take(':')) return false;
        blanks();
        const Node* said = find(node, key);
        std::size_t before = out_.size();
        if (!first) out_ += ',';
        write_key(key, said);
        std::size_t here = out_.size();
        bool null = p_ != end_ && *p_ == 'n';
        if (!value(said)) return false;
        bool replaced = said && said->value;
        if (replaced) out_.replace(here, out_.npos, *said->value);
        if (said) met.push_back(said);
        bool gone = (said && said->gone) || (null && drop_nulls_ && !replaced) || (!said && becomes_one_that_is_set(node, key));
        if (gone) out_.resize(before);
        first = first && gone;
        return true;
    }

    // Whoever reads two members of one name may believe the client's.
    bool becomes_one_that_is_set(const Node* node, std::string_view key) const {
        if (!node || !node->sets || key_case_ == KeyCase::keep || !is_identifier(key)) return false;
        auto found = node->members.find(in_case(key, key_case_));
        return found != node->members.end() && found->second.sets && found->second.name.empty();
    }

    void add_missing(const Node& node, const std::vector<const Node*>& met, bool& first) {
        for (const auto& [key, each] : node.members) {
            bool there = std::find(met.begin(), met.end(), &each) != met.end();
            if (there || !each.sets) continue;
            if (!first) out_ += ',';
            first = false;
            add(key, each);
        }
    }

    void add(const std::string& key, const Node& node) {
        append_json_string(out_, node.name.empty() ? key : node.name);
        out_ += ':';
        if (node.value) {
            out_ += *node.value;
            return;
        }
        bool first = true;
        out_ += '{';
        add_missing(node, {}, first);
        out_ += '}';
    }

    bool list(const Node* node) {
        if (++depth_ > JsonShape::kDeepest) return false;
        take('[');
        out_ += '[';
        blanks();
        for (bool more = !take(']'); more;) {
            blanks();
            if (!value(node)) return false;
            blanks();
            more = take(',');
            if (!more && !take(']')) return false;
            if (more) out_ += ',';
        }
        out_ += ']';
        --depth_;
        return true;
    }

    static const Node* find(const Node* node, std::string_view key) {
        if (!node || node->members.empty()) return nullptr;
        std::optional<std::string> plain;
        if (key.find('\\') != key.npos) {
            plain = unescaped(key);
            if (!plain) return nullptr;
            key = *plain;
        }
        auto found = node->members.find(key);
        return found == node->members.end() ? nullptr : &found->second;
    }

    void write_key(std::string_view raw, const Node* said) {
        if (said && !said->name.empty()) {
            append_json_string(out_, said->name);
        } else {
            out_ += '"';
            bool kept = key_case_ == KeyCase::keep || (said && said->value) || !is_identifier(raw);
            if (kept) out_ += raw;
            else out_ += in_case(raw, key_case_);
            out_ += '"';
        }
        out_ += ':';
    }

    // ---- what is copied as it is

    bool copied(bool (Walk::*scan)()) {
        const char* begin = p_;
        if (!(this->*scan)()) return false;
        out_.append(begin, p_);
        return true;
    }

    bool string() {
        for (++p_; p_ != end_; ++p_) {
            if (*p_ == '"') return ++p_, true;
            if (static_cast<unsigned char>(*p_) < 0x20) return false;
            if (*p_ != '\\') continue;
            if (++p_ == end_) return false;
            if (*p_ == 'u') {
                if (!four_digits({p_ + 1, static_cast<std::size_t>(end_ - p_ - 1)})) return false;
                p_ += 4;
            } else if (std::string_view("\"\\/bfnrt").find(*p_) == std::string_view::npos) {
                return false;
            }
        }
        return false;
    }

    bool number() {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (!take('e') && !take('E')) return true;
        if (!take('+')) take('-');
        return digits();
    }

    bool digits() {
        const char* begin = p_;
        while (p_ != end_ && is_digit(*p_)) ++p_;
        return p_ != begin;
    }

    bool truth() { return word("true"); }
    bool falsehood() { return word("false"); }
    bool nothing() { return word("null"); }
    bool word(std::string_view wanted) {
        if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(wanted)) return false;
        p_ += wanted.size();
        return true;
    }

    void blanks() {
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
    }
    bool take(char c) {
        if (p_ == end_ || *p_ != c) return false;
        ++p_;
        return true;
    }

    const char* p_;
    const char* end_;
    std::string& out_;
    KeyCase key_case_;
    bool drop_nulls_;
    int depth_ = 0;
};

// What is JSON is that; anything else is a text.
std::string as_json(const std::string& text) {
    std::string out;
    if (Walk(text, out, KeyCase::keep, false).all({})) return out;
    out.clear();
    append_json_string(out, text);
    return out;
}

Node& node_at(Node& root, std::string_view path) {
    Node* node = &root;
    for (;;) {
        std::size_t dot = path.find('.');
        node = &node->members[std::string(path.substr(0, dot))];
        if (dot == path.npos) return *node;
        path.remove_prefix(dot + 1);
    }
}

}  // namespace

std::string in_case(std::string_view key, KeyCase wanted) {
    if (wanted == KeyCase::keep || !is_identifier(key)) return std::string(key);
    std::size_t begin = std::min(key.find_first_not_of('_'), key.size());
    std::size_t end = key.find_last_not_of('_') + 1;   // npos + 1 is 0: nothing but '_'
    if (end <= begin) return std::string(key);
    std::string out(key.substr(0, begin));
    bool first = true;
    for (std::string_view word : words_of(key.substr(begin, end - begin))) {
        if (!first && wanted == KeyCase::snake) out += '_';
        append_word(out, word, wanted == KeyCase::pascal || (wanted == KeyCase::camel && !first));
        first = false;
    }
    return out.append(key.substr(end));
}

JsonShape::JsonShape(const config::JsonEdits& edits) : key_case_(edits.key_case), drop_nulls_(edits.drop_nulls) {
    auto root = std::make_unique<Node>();
    for (const auto& [path, name] : edits.rename) node_at(*root, path).name = name;
    for (const std::string& path : edits.remove) node_at(*root, path).gone = true;
    for (const auto& [path, text] : edits.set) node_at(*root, path).value = as_json(text);
    root->settle();
    root_ = std::move(root);
}

JsonShape::~JsonShape() = default;
JsonShape::JsonShape(JsonShape&&) noexcept = default;
JsonShape& JsonShape::operator=(JsonShape&&) noexcept = default;

std::optional<std::string> JsonShape::apply(std::string_view json) const {
    std::string out;
    out.reserve(json.size() + json.size() / 8);
    if (!Walk(json, out, key_case_, drop_nulls_).all(*root_)) return std::nullopt;
    return out;
}

}  // namespace suoke::filters
