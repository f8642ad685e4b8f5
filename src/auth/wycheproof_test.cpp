// SPDX-License-Identifier: MIT
// The public vectors of https://github.com/C2SP/wycheproof, each of them; where we decide otherwise the reason stands here.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "auth/jwt.h"
#include "testing/files.h"

namespace suoke::auth {
namespace {

using nlohmann::json;
using Reasons = std::map<int, const char*>;

constexpr const char* kOtherHash = "the JWK says PS256, the token PS384: a key is bound to its alg";
constexpr const char* kNoSuchName = "ES521 is no registered name (RFC 7518 §3.1: ES512)";
constexpr const char* kSameBytes = "the token is byte for byte that of 357, which is valid";
constexpr const char* kForeign = "a ? is no base64url (RFC 7515 §2); the same in 371 is invalid";
constexpr const char* kPublished = "a set of secrets is refused as such; single ones are Key::of_secret's";

std::shared_ptr<const KeySet> keys_of(const json& group) {
    const json& key = group.contains("public") ? group["public"] : group["private"];
    if (key.contains("keys")) {
        auto set = parse_jwks(key.dump());
        return set ? *set : std::make_shared<KeySet>();
    }
    auto set = std::make_shared<KeySet>();
    if (auto one = Key::of_jwk(key.dump())) set->keys.push_back(*one);
    return set;
}

bool accepts(const KeySet& keys, const std::string& jws) {
    auto token = parse_token(jws);
    if (!token) return false;
    for (const Key* key : keys.candidates(token->key_id, token->algorithm))
        if (key->verify(token->algorithm, token->signed_part, token->signature)) return true;
    return false;
}

void run(const char* name, const Reasons& otherwise, int at_least) {
    const std::string path = std::string(SUOKE_VECTORS) + "/wycheproof/" + name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no vectors";
    int count = 0;
    std::size_t differ = 0;
    const json vectors = json::parse(scene::read_file(path));
    for (const json& group : vectors["testGroups"]) {
        auto keys = keys_of(group);
        for (const json& test : group["tests"]) {
            if (!test.contains("jws") || !test["jws"].is_string()) continue;  // encrypted ones, and those written as JSON, are nothing of ours
            ++count;
            const int id = test["tcId"];
            const bool valid = test["result"] == "valid";
            const bool expected = otherwise.contains(id) ? !valid : valid;
            differ += otherwise.contains(id) ? 1 : 0;
            EXPECT_EQ(accepts(*keys, test["jws"].get<std::string>()), expected)
                << name << " " << id << " " << test["comment"] << (otherwise.contains(id) ? otherwise.at(id) : "");
        }
    }
    EXPECT_GE(count, at_least);
    EXPECT_EQ(differ, otherwise.size());
}

TEST(Wycheproof, signatures) {
    run("json_web_signature_test.json",
        {{346, kOtherHash},
         {350, kOtherHash},
         {347, kNoSuchName},
         {351, kNoSuchName},
         {367, kSameBytes},
         {370, kSameBytes},
         {372, kForeign},
         {373, kForeign}},
        401);
}

TEST(Wycheproof, keys) {
    run("json_web_key_test.json", {{2, kPublished}, {13, kPublished}, {14, kPublished}, {15, kPublished}}, 26);
}

TEST(Wycheproof, signatures_among_other_things) { run("json_web_crypto_test.json", {{48, kPublished}}, 48); }

}  // namespace
}  // namespace suoke::auth
