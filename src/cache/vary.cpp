// SPDX-License-Identifier: MIT
#include "cache/vary.h"

#include <algorithm>

#include "base/text.h"

namespace suoke::cache {
namespace {

// The elements of a list, blanks trimmed, empty ones dropped; a comma in a quoted string is part of one.
template <class Element>
void each_element(std::string_view text, Element element) {
    bool quoted = false;
    std::size_t begin = 0;
    auto take = [&](std::size_t end) {
        std::string_view piece = trim(text.substr(begin, end - begin), " \t");
        if (!piece.empty()) element(piece);
        begin = end + 1;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') ++i;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == ',' && !quoted) take(i);
    }
    if (begin <= text.size()) take(text.size());
}

// q of "de;q=0.8" in thousandths; 1000 when it says none, or none that can be read.
int weight_of(std::string_view element) {
    std::size_t at = element.find(";q=");
    if (at == element.npos) return 1000;
    std::string_view text = element.substr(at + 3);
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 1000;
    int weight = (text[0] - '0') * 1000, unit = 100;
    if (text.size() > 1 && text[1] != '.') return 1000;
    for (char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (!is_digit(c)) return 1000;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight;
}

std::string without_blanks(std::string_view element) {
    std::string out;
    for (char c : element)
        if (c != ' ' && c != '\t') out += lower(c);
    return out;
}

// RFC 9110 §12.5.3, §12.5.4: case does not count, nor does the order of what weighs the same.
void append_weighed(std::string& out, std::vector<std::string> elements) {
    std::ranges::stable_sort(elements, [](const std::string& a, const std::string& b) {
        int left = weight_of(a), right = weight_of(b);
        return left != right ? left > right : a < b;
    });
    for (const std::string& element : elements) out.append(element).append(",");
}

void append_field(std::string& out, const http::Headers& request, const std::string& name) {
    bool weighed = name == "accept-language" || name == "accept-encoding";
    http::HeaderId id = http::header_id(name);
    std::vector<std::string> elements;
    bool present = false;
    if (request.has(id)) {
        for (const http::Field& field : request) {
            if (field.id != id || (id == http::HeaderId::other && !iequals(field.name, name))) continue;
            present = true;
            each_element(field.value, [&](std::string_view element) {
                if (weighed) elements.push_back(without_blanks(element));
                else out.append(element).append(",");
            });
        }
    }
    if (weighed) append_weighed(out, std::move(elements));
    out += present ? '\n' : '\r';   // neither can be in a value; an empty field is not a missing one
}

}  // namespace

Vary vary_of(const http::Headers& response) {
    Vary found;
    if (!response.has(http::HeaderId::vary)) return found;
    for (const http::Field& field : response) {
        if (field.id != http::HeaderId::vary) continue;
        for (std::string_view name : split_list(field.value)) {
            found.any |= name == "*";
            found.names.push_back(to_lower(name));
        }
    }
    std::ranges::sort(found.names);
    found.names.erase(std::unique(found.names.begin(), found.names.end()), found.names.end());
    return found;
}

void append_selection(std::string& out, const http::Headers& request, const std::vector<std::string>& names) {
    for (const std::string& name : names) append_field(out, request, name);
}

}  // namespace suoke::cache
