// SPDX-License-Identifier: MIT
#pragma once
// Maglev's table (Eisenbud et al., NSDI 2016 §3.4): every slot names a member; each has slots by its
// weight, and when one comes or goes nearly all other slots keep theirs. Made by control, once for all
// workers and alike in every gateway, whatever the members' health is at the moment.

#include <cstdint>
#include <string_view>
#include <vector>

#include "balance/members.h"

namespace suoke::balance {

std::vector<std::uint16_t> maglev_table(const std::vector<Member>& members);
// The same everywhere and always, unlike std::hash; not for secrets, nor against those who choose keys
// to collide: bounded load is there for that.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0);

}  // namespace suoke::balance
