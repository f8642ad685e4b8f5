// SPDX-License-Identifier: MIT
#pragma once
// What an operator takes back before its time, and who keeps the list of it.

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "rt/task.h"

namespace suoke::endpoints {

// A single token by its jti, or everything of a subject that was issued up to the revocation.
enum class Revoked : std::uint8_t { token, subject };

struct RevocationWish {
    Revoked what = Revoked::token;
    std::string id;                   // the jti, or the subject
    std::optional<Duration> lifetime; // nothing: as long as any token may live
};

struct Revocation {
    Revoked what = Revoked::token;
    std::string id;
    WallTime at{};                    // when it was revoked
    WallTime expires{};               // when it is forgotten
};

// Belongs to the control loop and is asked there.
class RevocationDesk {
 public:
    // When it is answered the store has it, and the workers were told.
    virtual rt::Task<Result<Revocation>> revoke(RevocationWish wish) = 0;
    // Code::not_found: there is no such revocation.
    virtual rt::Task<Result<Revocation>> lift(Revoked what, std::string id) = 0;
    virtual std::vector<Revocation> all() const = 0;

 protected:
    ~RevocationDesk() = default;
};

}  // namespace suoke::endpoints
