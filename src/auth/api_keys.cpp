// SPDX-License-Identifier: MIT
#include "auth/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <optional>

#include "base/text.h"

namespace suoke::auth {
namespace {

constexpr std::string_view kKind = "sha256:";

template <class Digest>
std::optional<Digest> read_hash(std::string_view text) {
    Digest digest{};
    if (!text.starts_with(kKind)) return std::nullopt;
    text.remove_prefix(kKind.size());
    if (text.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<unsigned char>(high * 16 + low);
    }
    return digest;
}

IdentityPtr identity_of(const ApiKey& key, Method method) {
    Identity who;
    who.method = method;
    who.type = key.type;
    who.subject = key.id;
    who.name = key.name;
    who.roles = key.roles;
    who.scopes = key.scopes;
    who.expires = key.expires;
    return settled(std::move(who));
}

Result<IdentityPtr> unless_expired(const IdentityPtr& who, WallTime now) {
    if (now >= who->expires) return Error(Code::token_expired);
    return who;
}

}  // namespace

ApiKeys::Digest ApiKeys::digest_of(std::string_view key) {
    Digest digest{};
    unsigned size = 0;
    CHECK(EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 && size == digest.size());
    return digest;
}

bool ApiKeys::has(const Entry& entry, const Digest& digest) {
    bool found = false;
    for (const Digest& one : entry.digests) found |= CRYPTO_memcmp(one.data(), digest.data(), digest.size()) == 0;
    return found;
}

ApiKeys::ApiKeys(const std::vector<ApiKey>& keys) {
    for (const ApiKey& key : keys) {
        Entry& entry = by_id_[key.id];
        for (const std::string& hash : key.hashes)
            if (auto digest = read_hash<Digest>(hash)) entry.digests.push_back(*digest);
        entry.by_key = identity_of(key, Method::api_key);
        entry.by_password = identity_of(key, Method::basic);
        for (const Digest& digest : entry.digests) by_digest_.try_emplace(digest, &entry);
    }
}

// How far a search goes tells about a digest of the key, which nobody can choose, and not about the key.
Result<IdentityPtr> ApiKeys::by_key(std::string_view key, WallTime now) const {
    auto found = by_digest_.find(digest_of(key));
    if (found == by_digest_.end()) return Error(Code::invalid_token);
    return unless_expired(found->second->by_key, now);
}

Result<IdentityPtr> ApiKeys::by_id_and_key(std::string_view id, std::string_view key, WallTime now) const {
    static const Entry kNobody{{Digest{}, Digest{}}, nullptr, nullptr};
    auto found = by_id_.find(id);
    const Entry& entry = found == by_id_.end() ? kNobody : found->second;
    if (!has(entry, digest_of(key)) || found == by_id_.end()) return Error(Code::invalid_token);
    return unless_expired(entry.by_password, now);
}

std::string api_key_hash(std::string_view key) {
    constexpr char kDigits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_Digest(key.data(), key.size(), bytes, &size, EVP_sha256(), nullptr) == 1);
    std::string out(kKind);
    for (unsigned i = 0; i < size; ++i) out.append({kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]});
    return out;
}

}  // namespace suoke::auth
