// SPDX-License-Identifier: MIT
#include "http/codings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "http/grammar.h"

namespace suoke::http {
namespace {

constexpr std::array kCodings = {Coding::identity, Coding::gzip, Coding::brotli, Coding::zstd};
constexpr int kNotSaid = -1;

struct Weights {                      // in thousandths
    std::array<int, kCodings.size()> of{kNotSaid, kNotSaid, kNotSaid, kNotSaid};
    int others = kNotSaid;            // "*"

    int& named(Coding coding) { return of[static_cast<std::size_t>(coding)]; }
};

// RFC 9110 §12.4.2; nothing when malformed.
std::optional<int> parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    int weight = (text[0] - '0') * 1000;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int unit = 100;
    for (char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (!is_digit(c)) return std::nullopt;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

// Of "gzip;q=0.5". What cannot be read is not taken.
int weight_of(std::string_view element) {
    std::size_t semicolon = element.find(';');
    if (semicolon == element.npos) return 1000;
    int weight = 1000;
    any_pair(element.substr(semicolon + 1), ';', [&](std::string_view name, std::string_view value) {
        bool is_weight = iequals(trim(name), "q");
        if (is_weight) weight = parse_weight(trim(value)).value_or(0);
        return is_weight;
    });
    return weight;
}

void read(std::string_view list, Weights& weights) {
    grammar::each_in_list(list, [&](std::string_view element) {
        std::string_view name = trim(element.substr(0, element.find(';')));
        int weight = weight_of(element);
        if (name == "*") weights.others = std::max(weights.others, weight);
        if (iequals(name, "x-gzip")) name = "gzip";  // RFC 9110 §8.4.1.3
        for (Coding coding : kCodings) {
            int& known = weights.named(coding);
            if (iequals(name, coding_name(coding))) known = std::max(known, weight);
        }
        return true;
    });
}

}  // namespace

std::string_view coding_name(Coding coding) {
    switch (coding) {
        case Coding::gzip: return "gzip";
        case Coding::brotli: return "br";
        case Coding::zstd: return "zstd";
        default: return "identity";
    }
}

Coding choose_coding(const Headers& request, std::span<const Coding> offered) {
    constexpr std::string_view kField = "Accept-Encoding";
    Weights weights;
    for (const Field& field : request)
        if (field.name.size() == kField.size() && iequals(field.name, kField)) read(field.value, weights);
    Coding best = Coding::identity;
    int weight = std::max(0, weights.named(Coding::identity) - 1);  // as much as identity is better than it
    for (Coding coding : offered) {
        int said = weights.named(coding);
        int its = said == kNotSaid ? weights.others : said;
        if (its <= weight) continue;
        best = coding;
        weight = its;
    }
    return best;
}

bool is_encoded(const Headers& headers) {
    if (!headers.has(HeaderId::content_encoding)) return false;
    return std::any_of(headers.begin(), headers.end(), [](const Field& field) {
        return field.id == HeaderId::content_encoding && !iequals(trim(field.value), "identity");
    });
}

}  // namespace suoke::http
