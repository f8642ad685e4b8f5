// SPDX-License-Identifier: MIT
#include "auth/json_text.h"

#include <array>

#include "base/text.h"

namespace suoke::auth {
namespace {

// What stands in a string as it is and is one byte long: nearly everything.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (int c = 0x20; c < 0x80; ++c) plain[static_cast<std::size_t>(c)] = c != '"' && c != '\\';
    return plain;
}();

// Length of the character at the front of `s`: 0 when it is a control character or no UTF-8 (RFC 3629 §4).
std::size_t character_length(std::string_view s) {
    auto at = [&](std::size_t i) { return static_cast<unsigned char>(i < s.size() ? s[i] : 0); };
    auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
    const unsigned char c = at(0);
    if (c < 0x80) return c >= 0x20 ? 1 : 0;
    if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        const bool overlong = c == 0xE0 && at(1) < 0xA0, surrogate = c == 0xED && at(1) > 0x9F;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        const bool overlong = c == 0xF0 && at(1) < 0x90, beyond = c == 0xF4 && at(1) > 0x8F;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

void append_utf8(std::vector<char>& out, std::uint32_t point) {
    auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) return put(point);
    if (point < 0x800) {
        put(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            put(0xE0 | point >> 12);
        } else {
            put(0xF0 | point >> 18);
            put(0x80 | (point >> 12 & 0x3F));
        }
        put(0x80 | (point >> 6 & 0x3F));
    }
    put(0x80 | (point & 0x3F));
}

}  // namespace

// Goes over the text once. Each function reads one thing from where it stands and says whether it was there.
class JsonReader {
 public:
    JsonReader(std::string_view in, JsonLimits limits, JsonText& out)
        : in_(in), limits_(limits), values_(out.values_), unescaped_(out.unescaped_) {}

    bool document() {
        skip_blanks();
        if (!value({}, 0)) return false;
        skip_blanks();
        return at_ == in_.size();
    }

 private:
    using Kind = JsonValue::Kind;

    bool value(std::string_view name, int depth) {
        if (at_ == in_.size() || values_.size() >= limits_.values) return false;
        const std::size_t index = values_.size(), from = at_;
        values_.emplace_back().name = name;
        std::string_view text;
        Kind kind = Kind::number;
        bool good = false;
        switch (in_[at_]) {
            case '{': kind = Kind::object; good = depth < limits_.depth && object(index, depth + 1); break;
            case '[': kind = Kind::list; good = depth < limits_.depth && list(depth + 1); break;
            case '"': kind = Kind::text; good = string(text); break;
            case 't': kind = Kind::boolean; good = word("true"); break;
            case 'f': kind = Kind::boolean; good = word("false"); break;
            case 'n': kind = Kind::null; good = word("null"); break;
            default: good = number();
        }
        if (!good) return false;
        JsonValue& made = values_[index];
        made.kind = kind;
        made.span = static_cast<std::uint32_t>(values_.size() - index);
        made.text = kind == Kind::text ? text : in_.substr(from, at_ - from);
        return true;
    }

    bool object(std::size_t index, int depth) {
        ++at_;
        if (next_is('}')) return true;
        do {
            skip_blanks();
            std::string_view name;
            if (!string(name) || !next_is(':')) return false;
            skip_blanks();
            if (!value(name, depth)) return false;
        } while (next_is(','));
        return next_is('}') && names_differ(index + 1);
    }

    bool list(int depth) {
        ++at_;
        if (next_is(']')) return true;
        do {
            skip_blanks();
            if (!value({}, depth)) return false;
        } while (next_is(','));
        return next_is(']');
    }

    // Of the members from `first` to the last value so far. Few enough to compare each with each.
    bool names_differ(std::size_t first) const {
        std::size_t members = 0;
        for (std::size_t i = first; i < values_.size(); i += values_[i].span) {
            if (++members > kMostJsonMembers) return false;
            for (std::size_t j = first; j < i; j += values_[j].span)
                if (values_[j].name == values_[i].name) return false;
        }
        return true;
    }

    bool string(std::string_view& out) {
        if (at_ == in_.size() || in_[at_] != '"') return false;
        const std::size_t from = ++at_;
        for (;;) {
            skip_plain();
            if (at_ == in_.size()) return false;
            if (in_[at_] == '"') {
                out = in_.substr(from, at_ - from);
                ++at_;
                return true;
            }
            if (in_[at_] == '\\') return unescaped(from, out);
            const std::size_t length = character_length(in_.substr(at_));
            if (length == 0) return false;
            at_ += length;
        }
    }

    // A string that began at `from` and has its first escape here.
    bool unescaped(std::size_t from, std::string_view& out) {
        unescaped_.reserve(in_.size());  // once, and enough for all of them: what others point at stays there
        const std::size_t begin = unescaped_.size();
        append(in_.substr(from, at_ - from));
        for (;;) {
            const std::size_t plain_from = at_;
            skip_plain();
            append(in_.substr(plain_from, at_ - plain_from));
            if (at_ == in_.size()) return false;
            if (in_[at_] == '"') {
                ++at_;
                out = {unescaped_.data() + begin, unescaped_.size() - begin};
                return true;
            }
            if (in_[at_] == '\\') {
                if (!escape()) return false;
                continue;
            }
            const std::size_t length = character_length(in_.substr(at_));
            if (length == 0) return false;
            append(in_.substr(at_, length));
            at_ += length;
        }
    }

    bool escape() {
        if (at_ + 1 == in_.size()) return false;
        const char c = in_[at_ + 1];
        at_ += 2;
        if (c == 'u') return code_point();
        constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
        const std::size_t which = kNames.find(c);
        if (which == kNames.npos) return false;
        unescaped_.push_back(kMeanings[which]);
        return true;
    }

    // After the u: four digits, or two times four for what UTF-16 writes in two. Half of a pair is nothing.
    bool code_point() {
        std::uint32_t point = 0;
        if (!four_digits(point) || (point >= 0xDC00 && point <= 0xDFFF)) return false;
        if (point >= 0xD800 && point <= 0xDBFF) {
            if (in_.substr(at_, 2) != "\\u") return false;
            at_ += 2;
            std::uint32_t low = 0;
            if (!four_digits(low) || low < 0xDC00 || low > 0xDFFF) return false;
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(unescaped_, point);
        return true;
    }

    bool four_digits(std::uint32_t& number) {
        if (in_.size() - at_ < 4) return false;
        number = 0;
        for (const std::size_t end = at_ + 4; at_ < end; ++at_) {
            const int digit = hex_value(in_[at_]);
            if (digit < 0) return false;
            number = number << 4 | static_cast<std::uint32_t>(digit);
        }
        return true;
    }

    bool number() {
        accept('-');
        if (!accept('0') && !digits()) return false;  // nothing follows a leading zero
        if (accept('.') && !digits()) return false;
        if (accept('e') || accept('E')) {
            if (!accept('+')) accept('-');
            if (!digits()) return false;
        }
        return true;
    }

    bool digits() {
        const std::size_t from = at_;
        while (at_ < in_.size() && is_digit(in_[at_])) ++at_;
        return at_ > from;
    }

    bool word(std::string_view expected) {
        if (in_.substr(at_, expected.size()) != expected) return false;
        at_ += expected.size();
        return true;
    }

    bool accept(char c) {
        if (at_ == in_.size() || in_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool next_is(char c) {
        skip_blanks();
        return accept(c);
    }

    void skip_plain() {
        const char *at = in_.data() + at_, *end = in_.data() + in_.size();
        while (at != end && kPlain[static_cast<unsigned char>(*at)]) ++at;
        at_ = static_cast<std::size_t>(at - in_.data());
    }

    void skip_blanks() {
        while (at_ < in_.size() && (in_[at_] == ' ' || in_[at_] == '\n' || in_[at_] == '\r' || in_[at_] == '\t')) ++at_;
    }

    void append(std::string_view s) { unescaped_.insert(unescaped_.end(), s.begin(), s.end()); }

    std::string_view in_;
    std::size_t at_ = 0;
    JsonLimits limits_;
    std::vector<JsonValue>& values_;
    std::vector<char>& unescaped_;
};

const JsonValue* JsonValue::find(std::string_view member) const {
    if (kind != Kind::object) return nullptr;
    for (const JsonValue& value : *this)
        if (value.name == member) return &value;
    return nullptr;
}

std::optional<JsonText> JsonText::parse(std::string_view json, JsonLimits limits) {
    JsonText text;
    text.values_.reserve(32);
    if (!JsonReader(json, limits, text).document()) return {};
    return text;
}

}  // namespace suoke::auth
