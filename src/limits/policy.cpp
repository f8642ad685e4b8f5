// SPDX-License-Identifier: MIT
#include "limits/policy.h"

#include <algorithm>

#include "limits/keyed_hash.h"

namespace suoke::limits {
namespace {

constexpr std::uint64_t kDeepest = std::uint64_t{1} << 60;   // 36 years, so that no sum of times overflows

std::uint64_t id_of(std::string_view name) {
    KeyedHash hash(Seed{});
    hash.add(name);
    return hash.finish().tag;
}

// A string of RFC 8941 §3.3.3; names of routes may be anything.
std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (char c : name) out += c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '_' : c;
    return out + '"';
}

}  // namespace

Policy::Policy(PolicyRules rules) : PolicyRules(std::move(rules)), id(id_of(name)), item(quoted(name)) {
    if (rate.is_unlimited()) return;
    if (burst == 0) burst = rate.count;
    auto per = static_cast<std::uint64_t>(rate.per.count());
    step = (per + rate.count - 1) / rate.count;   // rounded up: never more than the rate
    burst = std::min(burst, kDeepest / step);
    depth = step * burst;
    quota = std::max(burst, rate.count);
    quota_text = std::to_string(quota);
    std::uint64_t window = burst <= rate.count ? per : depth;
    announcement = item + ";q=" + quota_text + ";w=" + std::to_string((window + 999'999'999) / 1'000'000'000);
}

PolicyPtr make_policy(PolicyRules rules, std::uint32_t index) {
    auto policy = std::make_shared<Policy>(std::move(rules));
    policy->index = index;
    return policy;
}

bool Rule::is_for(std::string_view method, std::string_view path_asked) const {
    if (!path.empty() && path != "/") {
        bool below = path_asked.starts_with(path) && (path_asked.size() == path.size() || path_asked[path.size()] == '/');
        if (!below) return false;
    }
    return methods.empty() || std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace suoke::limits
