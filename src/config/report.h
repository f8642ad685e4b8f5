// SPDX-License-Identifier: MIT
#pragma once
// Collects what is wrong while sources are read, and where each value came from.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"

namespace suoke::config {

class Report {
 public:
    // A file that is wrong everywhere is wrong; nobody reads ten thousand lines of it.
    static constexpr std::size_t kMaxProblems = 200;

    void error(const Place& place, std::string key, std::string sentence) {
        failed_ = true;
        add({Problem::error, place, std::move(key), std::move(sentence)});
    }
    void warning(const Place& place, std::string key, std::string sentence) {
        add({Problem::warning, place, std::move(key), std::move(sentence)});
    }

    // The value at `key` was said at `place` (the last source to say so counts).
    void given(const std::string& key, const Place& place) { places_[key] = place; }
    // Where `key`, or the nearest thing around it, was said.
    Place place_of(std::string_view key) const;

    // Further problems are only counted; no need to think of suggestions any more.
    bool is_full() const { return problems_.size() >= kMaxProblems; }
    // Whether an error names `key` or something in it.
    bool blames(std::string_view key) const;
    std::vector<Problem> take(const std::vector<std::string>& order_of_sources);

 private:
    void add(Problem problem);

    std::vector<Problem> problems_;
    std::size_t dropped_ = 0;
    bool failed_ = false;
    std::map<std::string, Place, std::less<>> places_;
};

// "; did you mean 'port'?" when one of `known` is near; swapped letters are near too.
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace suoke::config
