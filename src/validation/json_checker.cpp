// SPDX-License-Identifier: MIT
#include "validation/json_checker.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace suoke::validation {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// What stands for itself in a text: ASCII but controls, the quote and the backslash.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

// FNV-1a. Whoever makes two keys alike has only his own text refused.
constexpr std::uint64_t kHashStart = 0xcbf29ce484222325;
constexpr std::uint64_t hashed(std::uint64_t hash, char c) { return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; }

}  // namespace

bool JsonChecker::feed(std::string_view bytes) {
    if (trouble_ != Trouble::none) return false;
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin;
    for (; p != end; ++p) {
        if (state_ == State::string) p = skip_plain(p, end);
        bool too_long = state_ == State::string && limits_.string && length_ > limits_.string;
        if (too_long) fail(Trouble::string);
        if (too_long || p == end || !step(*p)) break;
    }
    at_ += static_cast<std::uint64_t>(p - begin);
    return trouble_ == Trouble::none;
}

bool JsonChecker::finish() {
    if (trouble_ != Trouble::none) return false;
    bool number_ends = state_ == State::zero || state_ == State::integer || state_ == State::fraction || state_ == State::exponent_digits;
    bool whole = levels_.empty() && (state_ == State::after || number_ends);
    return whole || fail(Trouble::end);
}

bool JsonChecker::step(char c) {
    switch (state_) {
        case State::value: return is_blank(c) || begin_value(c);
        case State::first_item: return c == ']' ? close(false) : is_blank(c) || begin_value(c);
        case State::first_key:
            if (c == '}') return close(true);
            [[fallthrough]];
        case State::key: return is_blank(c) || (c == '"' ? begin_string(true) : fail(Trouble::syntax));
        case State::colon: return is_blank(c) || (c == ':' ? go(State::value) : fail(Trouble::syntax));
        case State::after: return is_blank(c) || after_value(c);
        case State::string: return in_string(c);
        case State::escape: return in_escape(c);
        case State::hex: return in_hex(c);
        case State::low_backslash: return c == '\\' ? go(State::low_u) : fail(Trouble::encoding);
        case State::low_u:
            hex_left_ = 4, unit_ = 0;
            return c == 'u' ? go(State::hex) : fail(Trouble::encoding);
        case State::multibyte: return in_multibyte(c);
        case State::literal:
            if (c != *rest_) return fail(Trouble::syntax);
            return *++rest_ ? true : go(State::after);
        default: return in_number(c);
    }
}

// ---- between the tokens

bool JsonChecker::begin_value(char c) {
    auto literal = [this](const char* rest) {
        rest_ = rest;
        return go(State::literal);
    };
    digits_ = 1;
    switch (c) {
        case '{': return open(true);
        case '[': return open(false);
        case '"': return begin_string(false);
        case 't': return literal("rue");
        case 'f': return literal("alse");
        case 'n': return literal("ull");
        case '-': return go(State::minus);
        case '0': return go(State::zero);
        default: return is_digit(c) ? go(State::integer) : fail(Trouble::syntax);
    }
}

bool JsonChecker::after_value(char c) {
    if (levels_.empty()) return fail(Trouble::syntax);
    bool in_object = levels_.back().is_object;
    if (c == ',') return go(in_object ? State::key : State::value);
    if (c == '}') return close(true);
    if (c == ']') return close(false);
    return fail(Trouble::syntax);
}

bool JsonChecker::open(bool is_object) {
    if (levels_.size() >= limits_.depth) return fail(Trouble::depth);
    levels_.push_back({is_object, static_cast<std::uint32_t>(keys_.size())});
    return go(is_object ? State::first_key : State::first_item);
}

bool JsonChecker::close(bool is_object) {
    if (levels_.back().is_object != is_object) return fail(Trouble::syntax);
    keys_.resize(levels_.back().first_key);
    levels_.pop_back();
    return go(State::after);
}

// ---- texts

bool JsonChecker::begin_string(bool is_key) {
    is_key_ = is_key;
    length_ = 0;
    hash_ = kHashStart;
    return go(State::string);
}

void JsonChecker::take(char c) {
    ++length_;
    hash_ = hashed(hash_, c);
}

const char* JsonChecker::skip_plain(const char* p, const char* end) {
    const char* const begin = p;
    if (is_key_) {
        for (; p != end && kPlain[static_cast<unsigned char>(*p)]; ++p) hash_ = hashed(hash_, *p);
    } else {
        while (p != end && kPlain[static_cast<unsigned char>(*p)]) ++p;
    }
    length_ += static_cast<std::uint64_t>(p - begin);
    return p;
}

bool JsonChecker::in_string(char c) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"') return end_string();
    if (c == '\\') return go(State::escape);
    if (byte < 0x20) return fail(Trouble::syntax);
    if (byte >= 0x80) return begin_multibyte(byte);
    take(c);
    return true;
}

bool JsonChecker::end_string() {
    return is_key_ ? end_key() : go(State::after);
}

bool JsonChecker::end_key() {
    auto first = keys_.begin() + levels_.back().first_key;
    if (static_cast<std::uint64_t>(keys_.end() - first) >= limits_.keys) return fail(Trouble::keys);
    if (limits_.unique_keys && std::find(first, keys_.end(), hash_) != keys_.end()) return fail(Trouble::duplicate);
    keys_.push_back(hash_);
    return go(State::colon);
}

bool JsonChecker::in_escape(char c) {
    state_ = State::string;
    switch (c) {
        case '"': case '\\': case '/': take(c); return true;
        case 'b': take('\b'); return true;
        case 'f': take('\f'); return true;
        case 'n': take('\n'); return true;
        case 'r': take('\r'); return true;
        case 't': take('\t'); return true;
        case 'u': hex_left_ = 4, unit_ = 0; return go(State::hex);
        default: return fail(Trouble::syntax);
    }
}

bool JsonChecker::in_hex(char c) {
    int digit = hex_value(c);
    if (digit < 0) return fail(Trouble::syntax);
    unit_ = unit_ * 16 + static_cast<std::uint32_t>(digit);
    if (--hex_left_ > 0) return true;
    bool is_high = unit_ >= 0xD800 && unit_ < 0xDC00, is_low = unit_ >= 0xDC00 && unit_ < 0xE000;
    if ((high_ != 0) != is_low) return fail(Trouble::encoding);
    if (is_high) {
        high_ = unit_;
        return go(State::low_backslash);
    }
    take_code_point(is_low ? 0x10000 + ((high_ - 0xD800) << 10) + (unit_ - 0xDC00) : unit_);
    high_ = 0;
    return go(State::string);
}

// As its UTF-8, so that a key is the same one however it is written.
void JsonChecker::take_code_point(std::uint32_t code) {
    auto more = [&](unsigned shift) { take(static_cast<char>(0x80 | (code >> shift & 0x3F))); };
    if (code < 0x80) {
        take(static_cast<char>(code));
    } else if (code < 0x800) {
        take(static_cast<char>(0xC0 | code >> 6)), more(0);
    } else if (code < 0x10000) {
        take(static_cast<char>(0xE0 | code >> 12)), more(6), more(0);
    } else {
        take(static_cast<char>(0xF0 | code >> 18)), more(12), more(6), more(0);
    }
}

// Only the shortest form, no surrogates, nothing beyond U+10FFFF (RFC 3629 §4).
bool JsonChecker::begin_multibyte(unsigned char c) {
    low_ = 0x80, most_ = 0xBF;
    if (c < 0xC2 || c > 0xF4) return fail(Trouble::encoding);
    bytes_left_ = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    if (c == 0xE0) low_ = 0xA0;
    if (c == 0xED) most_ = 0x9F;
    if (c == 0xF0) low_ = 0x90;
    if (c == 0xF4) most_ = 0x8F;
    take(static_cast<char>(c));
    return go(State::multibyte);
}

bool JsonChecker::in_multibyte(char c) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < low_ || byte > most_) return fail(Trouble::encoding);
    low_ = 0x80, most_ = 0xBF;
    take(c);
    return --bytes_left_ > 0 ? true : go(State::string);
}

// ---- numbers

bool JsonChecker::in_number(char c) {
    bool digit = is_digit(c), e = c == 'e' || c == 'E';
    bool goes_on = digit || e || c == '.' || c == '+' || c == '-';
    if (goes_on && ++digits_ > kLongestNumber) return fail(Trouble::number);
    switch (state_) {
        case State::minus:
            if (c == '0') return go(State::zero);
            return digit ? go(State::integer) : fail(Trouble::syntax);
        case State::zero:
        case State::integer:
            if (digit) return state_ == State::integer || fail(Trouble::syntax);
            if (c == '.') return go(State::point);
            if (e) return go(State::exponent);
            break;
        case State::point: return digit ? go(State::fraction) : fail(Trouble::syntax);
        case State::fraction:
            if (digit) return true;
            if (e) return go(State::exponent);
            break;
        case State::exponent:
            if (c == '+' || c == '-') return go(State::sign);
            [[fallthrough]];
        case State::sign: return digit ? go(State::exponent_digits) : fail(Trouble::syntax);
        default:
            if (digit) return true;
            break;
    }
    state_ = State::after;   // this byte is no part of it
    return step(c);
}

Fault JsonChecker::fault() const {
    struct Words {
        const char* type;
        const char* message;
    };
    static constexpr std::array<Words, 9> kWords = {{
        {"json_invalid", "The body should be JSON"},
        {"json_invalid", "This is no JSON"},
        {"json_invalid", "This is not UTF-8, or half a character"},
        {"json_too_deep", "Lists and objects stand in each other too deep here"},
        {"json_too_many_keys", "The object has too many keys"},
        {"json_duplicate_key", "The object has this key already"},
        {"string_too_long", "The text is too long"},
        {"json_number_too_long", "The number is too long"},
        {"json_invalid", "The JSON ends too early"},
    }};
    const Words& words = kWords[static_cast<std::size_t>(trouble_)];
    Fault fault{words.type, "body", {}, words.message};
    fault.message += " (at byte " + std::to_string(at_) + ")";
    return fault;
}

}  // namespace suoke::validation
