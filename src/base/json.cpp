// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <charconv>
#include <cmath>

namespace suoke {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the valid UTF-8 sequence at s[i], 0 when there is none (RFC 3629 §4).
std::size_t utf8_length(std::string_view s, std::size_t i) {
    auto at = [&](std::size_t k) { return static_cast<unsigned char>(k < s.size() ? s[k] : 0); };
    auto tail = [&](std::size_t k) { return (at(k) & 0xC0) == 0x80; };
    unsigned char c = at(i);
    if (c >= 0xC2 && c <= 0xDF) return tail(i + 1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        bool overlong = c == 0xE0 && at(i + 1) < 0xA0;
        bool surrogate = c == 0xED && at(i + 1) > 0x9F;
        return tail(i + 1) && tail(i + 2) && !overlong && !surrogate ? 3 : 0;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        bool overlong = c == 0xF0 && at(i + 1) < 0x90;
        bool beyond = c == 0xF4 && at(i + 1) > 0x8F;
        return tail(i + 1) && tail(i + 2) && tail(i + 3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

void append_escaped(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default:
            out += "\\u00";
            out += kHex[(c >> 4) & 15];
            out += kHex[c & 15];
    }
}

template <class N>
void append_number(std::string& out, N n) {
    char digits[32];
    auto [end, error] = std::to_chars(digits, digits + sizeof digits, n);
    out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

void append_json_string(std::string& out, std::string_view s) {
    out += '"';
    std::size_t plain = 0;  // start of the run that needs no change
    for (std::size_t i = 0; i < s.size();) {
        auto c = static_cast<unsigned char>(s[i]);
        if (c >= 0x20 && c != '"' && c != '\\' && c < 0x7F) {
            ++i;
            continue;
        }
        if (c >= 0x80) {
            if (std::size_t n = utf8_length(s, i)) {
                i += n;
                continue;
            }
        }
        out.append(s, plain, i - plain);
        if (c >= 0x80) {
            out += kReplacement;
        } else {
            append_escaped(out, s[i]);
        }
        plain = ++i;
    }
    out.append(s, plain, s.size() - plain);
    out += '"';
}

// Brackets that open without being closed, outside of strings.
bool nested_deeper(std::string_view json, int levels) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        char c = json[i];
        if (quoted) {
            if (c == '\\') ++i;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > levels) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

void JsonWriter::separate() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
    separate();
    out_ += bracket;
    fresh_ = true;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    out_ += bracket;
    fresh_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    fresh_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view s) {
    separate();
    append_json_string(out_, s);
    return *this;
}

JsonWriter& JsonWriter::value(bool b) { return raw(b ? "true" : "false"); }

JsonWriter& JsonWriter::value(double d) {
    if (!std::isfinite(d)) return null();
    separate();
    append_number(out_, d);
    return *this;
}

JsonWriter& JsonWriter::value(std::int64_t n) {
    separate();
    append_number(out_, n);
    return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t n) {
    separate();
    append_number(out_, n);
    return *this;
}

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace suoke
