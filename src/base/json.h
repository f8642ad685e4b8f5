// SPDX-License-Identifier: MIT
#pragma once
// Writes JSON onto a string, in one pass and without a tree: log lines, error bodies, /health.
//   JsonWriter j(out); j.open('{').key("status").value("healthy").close('}');

#include <cstdint>
#include <string>
#include <string_view>

namespace suoke {

// Appends `s` quoted; bytes that are not UTF-8 become U+FFFD, so the result is always valid JSON.
void append_json_string(std::string& out, std::string_view s);

// Whether lists and objects stand in each other more than `levels` deep. Asked of what strangers send before it
// is parsed: whatever walks the tree then goes as deep as it does. Of a text that is no JSON it is a guess.
bool nested_deeper(std::string_view json, int levels);

class JsonWriter {
 public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& open(char bracket);   // '{' or '['
    JsonWriter& close(char bracket);  // '}' or ']'
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view s);
    JsonWriter& value(const char* s) { return value(std::string_view(s)); }
    JsonWriter& value(bool b);
    JsonWriter& value(double d);  // shortest that reads back; null when not finite
    JsonWriter& value(std::int64_t n);
    JsonWriter& value(std::uint64_t n);
    JsonWriter& value(int n) { return value(static_cast<std::int64_t>(n)); }
    JsonWriter& null();
    JsonWriter& raw(std::string_view json);  // already JSON

    template <class T>
    JsonWriter& field(std::string_view name, const T& v) {
        return key(name).value(v);
    }

 private:
    void separate();
    std::string& out_;
    bool fresh_ = true;  // nothing written yet at this level, or a key was just written
};

}  // namespace suoke
