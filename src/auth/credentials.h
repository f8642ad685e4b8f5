// SPDX-License-Identifier: MIT
#pragma once
// What one worker knows about credentials: the keys in force, what was revoked, and the tokens it has
// verified or refused already. Touched by its thread only; control hands it new keys and revocations.

#include <map>
#include <memory>
#include <string>

#include "auth/key.h"
#include "auth/refused_tokens.h"
#include "auth/revocations.h"
#include "auth/token_cache.h"
#include "rt/task.h"

namespace suoke::auth {

// The keys of one provider as control has them. No set: none was ever loaded (503, not 401).
struct ProviderKeys {
    KeySetPtr keys;
    WallTime usable_until = WallTime::max();   // of keys that cannot be refreshed
};
struct KeyRing {
    std::map<std::string, ProviderKeys, std::less<>> providers;   // "" is auth.jwt
    std::uint64_t generation = 0;                                 // another one: verified tokens are judged anew
};
using KeyRingPtr = std::shared_ptr<const KeyRing>;

// Asked when a token names a key that nobody has. Returns when the provider's keys are as new as they
// will be for now: at most one fetch at a time, and not again for a while after one that did not help.
class KeyDesk {
 public:
    virtual ~KeyDesk() = default;
    virtual rt::Task<void> look_for(std::string provider, std::string key_id, TimePoint deadline) = 0;
};

struct Credentials {
    KeyRingPtr ring = std::make_shared<KeyRing>();
    RevocationsPtr revoked = std::make_shared<Revocations>();
    TokenCache cache;
    RefusedTokens refused;                     // by introspection
    KeyDesk* desk = nullptr;                   // null: keys never change (scenes)
};

}  // namespace suoke::auth
