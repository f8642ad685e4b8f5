// SPDX-License-Identifier: MIT
#pragma once
// Whether bytes are JSON (RFC 8259) and within limits, told while they arrive: at the first byte that is wrong, and with
// no memory but for what is open. Stricter than the grammar where readers disagree: only UTF-8, no lone surrogates, no
// byte order mark, and (if wanted) no key twice in one object.
//
//   JsonChecker checker(limits);
//   if (!checker.feed(bytes) ...) refuse(checker.fault());
//   if (!checker.finish()) refuse(checker.fault());

#include <cstdint>
#include <string_view>
#include <vector>

#include "validation/fault.h"

namespace suoke::validation {

struct JsonLimits {
    std::uint32_t depth = 32;     // of lists and objects in each other
    std::uint32_t keys = 1000;    // of one object
    std::uint64_t string = 0;     // bytes of one text or key, without its escapes; 0: any
    bool unique_keys = true;
};

class JsonChecker {
 public:
    explicit JsonChecker(const JsonLimits& limits) : limits_(limits) {}

    // False, from then on: something is wrong.
    bool feed(std::string_view bytes);
    // The text ends here. False: too early.
    bool finish();
    // Of a text that was refused.
    Fault fault() const;
    std::uint64_t position() const { return at_; }   // in bytes; of the one that is wrong

 private:
    enum class Trouble : std::uint8_t { none, syntax, encoding, depth, keys, duplicate, string, number, end };
    enum class State : std::uint8_t {
        value, first_item, first_key, key, colon, after,                    // between the tokens
        string, escape, hex, low_backslash, low_u, multibyte,               // in a text
        literal,                                                            // in true, false, null
        minus, zero, integer, point, fraction, exponent, sign, exponent_digits   // in a number
    };
    struct Level {
        bool is_object;
        std::uint32_t first_key;   // in keys_
    };
    static constexpr std::size_t kLongestNumber = 1000;   // digits and all: some readers take time with its square

    bool step(char c);
    bool begin_value(char c);
    bool after_value(char c);
    bool open(bool is_object);
    bool close(bool is_object);
    bool begin_string(bool is_key);
    bool in_string(char c);
    bool end_string();
    bool end_key();
    bool in_escape(char c);
    bool in_hex(char c);
    bool in_multibyte(char c);
    bool in_number(char c);
    const char* skip_plain(const char* p, const char* end);
    void take(char c);
    void take_code_point(std::uint32_t code);
    bool begin_multibyte(unsigned char c);
    bool go(State next) { return state_ = next, true; }
    bool fail(Trouble trouble) { return trouble_ = trouble, false; }

    const JsonLimits limits_;
    Trouble trouble_ = Trouble::none;
    State state_ = State::value;
    std::uint64_t at_ = 0;
    std::vector<Level> levels_;
    std::vector<std::uint64_t> keys_;   // hashes of the keys of the objects that are open
    // of the text that is being read
    bool is_key_ = false;
    std::uint64_t length_ = 0, hash_ = 0;
    std::uint32_t unit_ = 0, high_ = 0;             // of \uXXXX; a high surrogate before it
    std::uint8_t hex_left_ = 0, bytes_left_ = 0;
    unsigned char low_ = 0x80, most_ = 0xBF;        // what the next byte of a character may be
    // of the literal or number
    const char* rest_ = "";
    std::size_t digits_ = 0;
};

}  // namespace suoke::validation
