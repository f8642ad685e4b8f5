// SPDX-License-Identifier: MIT
#include "discovery/news.h"

#include <algorithm>

namespace suoke::discovery {

using balance::Instance;

void News::found(balance::Instances all) {
    if (all.size() > kMostInstances)
        return failed(Error(Code::upstream_invalid, "more than " + std::to_string(kMostInstances) + " instances of one service"));
    std::stable_sort(all.begin(), all.end(), [](const Instance& a, const Instance& b) { return a.key() < b.key(); });
    auto same_key = [](const Instance& a, const Instance& b) { return a.key() == b.key(); };
    all.erase(std::unique(all.begin(), all.end(), same_key), all.end());
    bool again = last_ == all && !failing_;
    failing_ = false;
    if (again) return;
    last_ = all;
    listener_.found(std::move(all));
}

void News::failed(const Error& why) {
    failing_ = true;
    listener_.failed(why);
}

}  // namespace suoke::discovery
