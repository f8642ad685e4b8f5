// SPDX-License-Identifier: MIT
#pragma once
// What was taken back before its time: single tokens by jti, and everything of a subject that was issued
// before a moment. An immutable picture; control makes a new one when something is added.

#include <map>
#include <memory>
#include <string>

#include "auth/identity.h"

namespace suoke::auth {

struct Revocations {
    std::map<std::string, WallTime, std::less<>> tokens;     // jti -> when it may be forgotten
    std::map<std::string, WallTime, std::less<>> subjects;   // subject -> what was issued up to here is void
    std::uint64_t generation = 0;

    // What does not say when it was issued counts as old.
    bool covers(const Identity& who) const {
        if (!who.token_id.empty() && tokens.contains(who.token_id)) return true;
        auto subject = subjects.find(who.subject);
        return subject != subjects.end() && who.issued <= subject->second;
    }
};

using RevocationsPtr = std::shared_ptr<const Revocations>;

}  // namespace suoke::auth
