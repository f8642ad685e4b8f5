// SPDX-License-Identifier: MIT
#pragma once
// Between a source and its listener: tells what is new, and nothing twice.

#include <optional>

#include "discovery/source.h"

namespace suoke::discovery {

constexpr std::size_t kMostInstances = 10'000;  // of one service

class News {
 public:
    explicit News(Listener& listener) : listener_(listener) {}

    // In any order. Told when it differs from what was told last, or when the source had failed since:
    // its listener shall learn that it can be asked again. One key is one instance, the first. Too many
    // instances are a failure.
    void found(balance::Instances all);
    void failed(const Error& why);

 private:
    Listener& listener_;
    std::optional<balance::Instances> last_;
    bool failing_ = false;
};

}  // namespace suoke::discovery
