// SPDX-License-Identifier: MIT
#pragma once
// Writes down what a source of instances says.

#include <string>
#include <vector>

#include "discovery/source.h"

namespace suoke::scene {

class Found final : public discovery::Listener {
 public:
    void found(balance::Instances all) override {
        told.push_back(std::move(all));
        ++times;
    }
    void failed(const Error& why) override { failures.push_back(why); }

    // "10.0.0.1:80 10.0.0.2:80", of what was told last; "nothing" before that.
    std::string last() const {
        if (told.empty()) return "nothing";
        std::string text;
        for (const balance::Instance& one : told.back()) {
            if (!text.empty()) text += " ";
            text += one.host + ":" + std::to_string(one.port);
            if (one.weight != 1) text += "*" + std::to_string(one.weight);
            if (!one.up) text += " (not up)";
            if (one.draining) text += " (draining)";
        }
        return text;
    }
    std::string why() const { return failures.empty() ? "" : failures.back().detail; }

    std::vector<balance::Instances> told;
    std::vector<Error> failures;
    int times = 0;
};

}  // namespace suoke::scene
