// SPDX-License-Identifier: MIT
#include "discovery/news.h"

#include <algorithm>

namespace suoke::discovery {

// By key, and of several with the same key the first. Keys are texts that have to be made, so each is made once.
static balance::Instances in_order(balance::Instances all) {
    std::vector<std::pair<std::string, std::size_t>> order;
    order.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) order.emplace_back(all[i].key(), i);
    std::sort(order.begin(), order.end());
    balance::Instances sorted;
    sorted.reserve(all.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        if (i == 0 || order[i].first != order[i - 1].first) sorted.push_back(std::move(all[order[i].second]));
    return sorted;
}

void News::found(balance::Instances all) {
    if (all.size() > kMostInstances)
        return failed(Error(Code::upstream_invalid, "more than " + std::to_string(kMostInstances) + " instances of one service"));
    all = in_order(std::move(all));
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
