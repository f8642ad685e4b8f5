// SPDX-License-Identifier: MIT
#pragma once
// Consul's answer to /v1/health/service/<name> as instances, without I/O
// (developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service).

#include <string_view>

#include "balance/instance.h"

namespace suoke::discovery {

// An instance without a port or an address that can be used is left out, unless nothing else is there:
// one bad registration must not hold up the others. Code::upstream_invalid: not what Consul answers.
//
// The worst of an instance's checks counts: critical (or maintenance, which drains it, too) is not up;
// warning gives it the weight for that. "zone" and "version" are taken from its metadata.
Result<balance::Instances> read_consul_health(std::string_view body);

}  // namespace suoke::discovery
