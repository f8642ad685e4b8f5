// SPDX-License-Identifier: MIT
// Whose requests are taken at all, by the client's address: what the gateway says (security.ip_whitelist,
// ip_blacklist) and what the route says besides (access). Each has to let the client in, and deny wins.
#include "filters/client_networks.h"
#include "filters/filters.h"

namespace suoke::filters {
namespace {

struct Rules {
    rt::NetworkSet allow, deny;
    bool let_in(const rt::Address& client) const {
        return !deny.contains(client) && (allow.empty() || allow.contains(client));
    }
};

class Access final : public Check {
 public:
    explicit Access(std::vector<Rules> rules) : rules_(std::move(rules)) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        rt::Address client = address_of_client(ex);
        for (const Rules& rules : rules_)
            if (!rules.let_in(client)) return Error(Code::address_denied, std::string(ex.client_ip) + " may not ask this");
        return gateway::go_on();
    }
    std::vector<Rules> rules_;
};

}  // namespace

CheckPtr access(const config::Config& config, const config::Route& route) {
    std::vector<Rules> rules;
    for (const config::Access* said : {&config.security.access, &route.access})
        if (!said->allow.empty() || !said->deny.empty()) rules.push_back({networks_of(said->allow), networks_of(said->deny)});
    if (rules.empty()) return nullptr;
    return std::make_shared<Access>(std::move(rules));
}

}  // namespace suoke::filters
