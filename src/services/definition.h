// SPDX-License-Identifier: MIT
#pragma once
// A service as it is configured: how its endpoints are reached and chosen, and those that the
// configuration names itself. Others may join from the registry and from discovery.

#include <memory>
#include <string>

#include "balance/instance.h"
#include "balance/rules.h"
#include "services/health_checker.h"

namespace suoke::services {

struct Definition {
    std::string name;
    balance::Rules rules;
    balance::Instances instances;
    upstream::Protocol protocol = upstream::Protocol::h1;
    std::shared_ptr<const rt::TlsClient> tls;   // for those that use it; may be there though use_tls is false
    std::string tls_identity;                   // see EndpointAddress
    bool use_tls = false;                       // where the instance says nothing
    bool never_in_the_clear = false;            // to another machine, whatever an instance says of itself
    bool for_one_client = false;                // see EndpointAddress
    std::optional<HealthRules> health;          // active checks; none: instances may want them themselves
    bool starts_healthy = true;                 // before its first check
    std::string zone;                           // of this gateway: instances of it come first
};

using DefinitionPtr = std::shared_ptr<const Definition>;  // shared by the site and the directory

upstream::EndpointAddress address_of(const Definition& service, const balance::Instance& instance);

}  // namespace suoke::services
