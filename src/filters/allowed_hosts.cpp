// SPDX-License-Identifier: MIT
// Answers only for hosts it is known by (security.allowed_hosts): whoever makes links, cache keys or decisions
// of the Host field behind us gets no invented one, and no name of somebody else's can be pointed at us.
#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"
#include "filters/probe.h"

namespace suoke::filters {
namespace {

constexpr std::size_t kLongest = 255;  // of a name, RFC 1035 §2.3.4

class AllowedHosts final : public Check {
 public:
    explicit AllowedHosts(const std::vector<std::string>& listed) {
        for (const std::string& text : listed) {
            bool below = text.starts_with("*.");
            std::string name = to_lower(std::string_view(text).substr(below ? 1 : 0));
            if (name.ends_with('.')) name.pop_back();
            (below ? domains_ : names_).push_back(std::move(name));
        }
        std::sort(names_.begin(), names_.end());
        std::sort(domains_.begin(), domains_.end());
    }

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (knows(ex.host)) return gateway::go_on();
        // What was refused before it had a host is answered for that.
        if (ex.refusal && ex.path.empty()) return gateway::go_on();
        return Error(Code::host_denied, "the gateway does not answer for this host");
    }

    bool knows(std::string_view host) const {
        char folded[kLongest];
        if (host.ends_with('.')) host.remove_suffix(1);
        if (host.empty() || host.size() > sizeof folded) return false;
        std::transform(host.begin(), host.end(), folded, lower);
        std::string_view name(folded, host.size());
        if (std::binary_search(names_.begin(), names_.end(), name)) return true;
        for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
            if (dot > 0 && std::binary_search(domains_.begin(), domains_.end(), name.substr(dot))) return true;
        return false;
    }

    std::vector<std::string> names_, domains_;  // "api.suoke.life", ".suoke.life"; in order
};

}  // namespace

CheckPtr allowed_hosts(const config::Config& config, const config::Route& route) {
    const auto& listed = config.security.allowed_hosts;
    bool any = listed.empty() || std::find(listed.begin(), listed.end(), "*") != listed.end();
    return any || answers_probes(route) ? nullptr : std::make_shared<AllowedHosts>(listed);
}

}  // namespace suoke::filters
