// SPDX-License-Identifier: MIT
#include "config/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace suoke::config {

void Report::add(Problem problem) {
    if (!is_full())
        problems_.push_back(std::move(problem));
    else
        ++dropped_;
}

Place Report::place_of(std::string_view key) const {
    while (!key.empty()) {
        if (auto found = places_.find(key); found != places_.end()) return found->second;
        std::size_t end = key.find_last_of(".[");
        key = end == std::string_view::npos ? std::string_view() : key.substr(0, end);
    }
    return {};
}

bool Report::blames(std::string_view key) const {
    for (const Problem& problem : problems_) {
        std::string_view rest = problem.key;
        if (problem.severity != Problem::error || !rest.starts_with(key)) continue;
        rest.remove_prefix(key.size());
        if (rest.empty() || rest.front() == '.' || rest.front() == '[') return true;
    }
    return false;
}

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
    auto letters = [](std::string_view word) {
        std::string sorted = to_lower(word);
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    };
    std::string_view near = nearest(name, known);
    for (std::string_view candidate : known)
        if (near.empty() && letters(candidate) == letters(name)) near = candidate;
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

// File order: sources in the order they are read, lines within each.
std::vector<Problem> Report::take(const std::vector<std::string>& order_of_sources) {
    auto rank = [&](const Problem& problem) {
        auto at = std::find(order_of_sources.begin(), order_of_sources.end(), problem.place.source);
        return std::tuple(at - order_of_sources.begin(), problem.place.line, problem.place.column);
    };
    std::stable_sort(problems_.begin(), problems_.end(),
                     [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
    if (dropped_ > 0)
        problems_.push_back({failed_ ? Problem::error : Problem::warning,
                             {},
                             "",
                             fmt::format("and {} more problems", dropped_)});
    return std::move(problems_);
}

}  // namespace suoke::config
