// SPDX-License-Identifier: MIT
#pragma once
// Keys that machines show as they are. What is kept of one is its SHA-256: keys are long and random, so
// nobody finds one by trying, and a slow hash would only be work that strangers can give us.

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/error.h"

namespace suoke::auth {

struct ApiKey {
    std::string id;                      // its subject
    std::vector<std::string> hashes;     // "sha256:<64 hex digits>"; each is good
    std::string name;
    std::vector<std::string> roles, scopes;
    UserType type = UserType::authenticated;
    WallTime expires = WallTime::max();
};

class ApiKeys {
 public:
    ApiKeys() = default;
    // A hash that is none is passed over: the configuration has said so before.
    explicit ApiKeys(const std::vector<ApiKey>& keys);
    ApiKeys(ApiKeys&&) = default;
    ApiKeys& operator=(ApiKeys&&) = default;
    bool empty() const { return by_id_.empty(); }

    // Code::invalid_token, or token_expired.
    Result<IdentityPtr> by_key(std::string_view key, WallTime now) const;
    // RFC 7617: the id as the user, the key as the password. Takes as long for an id that does not exist.
    Result<IdentityPtr> by_id_and_key(std::string_view id, std::string_view key, WallTime now) const;

 private:
    using Digest = std::array<unsigned char, 32>;
    struct Entry {
        std::vector<Digest> digests;
        IdentityPtr by_key, by_password;
    };
    static Digest digest_of(std::string_view key);
    static bool has(const Entry& entry, const Digest& digest);

    std::map<std::string, Entry, std::less<>> by_id_;
    std::map<Digest, const Entry*> by_digest_;
};

// "sha256:<64 hex digits>" of a key, as it is kept.
std::string api_key_hash(std::string_view key);

}  // namespace suoke::auth
