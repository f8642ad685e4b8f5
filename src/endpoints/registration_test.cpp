// SPDX-License-Identifier: MIT
#include "endpoints/registration.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace suoke::endpoints {
namespace {

RegistrationRules rules() {
    RegistrationRules made;
    made.allowed.networks.push_back(*rt::Network::parse("10.0.0.0/8"));
    made.default_ttl = 30s;
    return made;
}

// "field: message" of each fault; empty: it was taken.
template <class T>
std::string faults_of(const std::variant<T, Faults>& read) {
    std::string out;
    if (auto* faults = std::get_if<Faults>(&read))
        for (const Fault& fault : *faults) out += fault.field + ": " + fault.message + "\n";
    return out;
}
std::string faults(std::string_view body) { return faults_of(read_registration(body, "", rules())); }

std::string with(const std::string& more) { return R"({"name":"users","host":"10.0.0.1","port":80)" + more + "}"; }

TEST(Registration, takes_what_the_readme_shows) {
    auto read = read_registration(R"({"id":"users-1","name":"users","host":"10.0.0.1","port":8080,"weight":1,"metadata":{"zone":"a"}})", "", rules());
    ASSERT_EQ(faults_of(read), "");
    const services::Record& record = std::get<Wanted>(read).record;
    EXPECT_EQ(record.service, "users");
    EXPECT_EQ(record.instance.id, "users-1");
    EXPECT_EQ(record.ttl, 30s);
    EXPECT_EQ(std::get<Wanted>(read).lease, "");
}

TEST(Registration, a_lease_is_one_of_ours_or_none) {
    auto read = read_registration(with(R"(,"lease":"Ab-_9")"), "", rules());
    ASSERT_EQ(faults_of(read), "");
    EXPECT_EQ(std::get<Wanted>(read).lease, "Ab-_9");
    EXPECT_EQ(faults(with(R"(,"lease":null)")), "");
    EXPECT_EQ(faults(with(R"(,"lease":")" + std::string(64, 'x') + "\"")), "");
    for (const std::string& bad : {std::string("x|10.0.0.9:1|0|1|0"), std::string("a b"), std::string("a\\n"), std::string(""), std::string(65, 'x')})
        EXPECT_TRUE(faults(with(R"(,"lease":")" + bad + "\"")).starts_with("lease: ")) << bad;
    EXPECT_TRUE(faults(with(R"(,"lease":7)")).starts_with("lease: "));
}

TEST(Registration, a_body_of_many_levels_is_refused_before_anybody_walks_through_it) {
    std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
    EXPECT_TRUE(faults(deep).starts_with(": The body must be JSON"));
    EXPECT_TRUE(faults(with(",\"metadata\":{\"a\":" + deep + "}")).starts_with(": The body must be JSON"));
    EXPECT_TRUE(faults_of(read_change(deep)).starts_with(": The body must be JSON"));
}

TEST(Registration, comments_are_no_json) {
    EXPECT_TRUE(faults(with(" /* as it was */ ")).starts_with(": The body must be JSON"));
    EXPECT_TRUE(faults(with("") + " // and so on").starts_with(": The body must be JSON"));
}

TEST(Registration, of_what_is_wrong_only_short_values_are_shown) {
    auto read = read_registration(R"({"name":"users","host":[["10.0.0.1"]],"port":"eighty","tags":{"a":[1]}})", "", rules());
    auto said = nlohmann::json::parse(list_of(std::get<Faults>(read)));
    std::map<std::string, nlohmann::json> inputs;
    for (const auto& each : said) inputs[each["loc"].back()] = each["input"];
    EXPECT_EQ(inputs.at("port"), "eighty");
    EXPECT_TRUE(inputs.at("host").is_null());
    EXPECT_TRUE(inputs.at("tags").is_null());
}

TEST(Heartbeat, may_show_a_lease) {
    EXPECT_EQ(std::get<std::string>(read_heartbeat("")), "");
    EXPECT_EQ(std::get<std::string>(read_heartbeat(" \r\n")), "");
    EXPECT_EQ(std::get<std::string>(read_heartbeat("{}")), "");
    EXPECT_EQ(std::get<std::string>(read_heartbeat(R"({"lease":"abc","status":"fine"})")), "abc");
    EXPECT_TRUE(faults_of(read_heartbeat(R"({"lease":"a|c"})")).starts_with("lease: "));
    EXPECT_NE(faults_of(read_heartbeat("alive")), "");
}

// ---- revocations

TEST(Revocation, names_a_token_or_a_subject_and_perhaps_how_long) {
    auto token = read_revocation(R"({"jti":"t-1","expires_in":"30m"})");
    ASSERT_EQ(faults_of(token), "");
    EXPECT_EQ(std::get<RevocationWish>(token).what, Revoked::token);
    EXPECT_EQ(std::get<RevocationWish>(token).id, "t-1");
    EXPECT_EQ(std::get<RevocationWish>(token).lifetime, 30min);
    auto subject = read_revocation(R"({"subject":"alice@suoke.life"})");
    ASSERT_EQ(faults_of(subject), "");
    EXPECT_EQ(std::get<RevocationWish>(subject).what, Revoked::subject);
    EXPECT_EQ(std::get<RevocationWish>(subject).id, "alice@suoke.life");
    EXPECT_EQ(std::get<RevocationWish>(subject).lifetime, std::nullopt);
    EXPECT_EQ(std::get<RevocationWish>(read_revocation(R"({"jti":"t","expires_in":90})")).lifetime, 90s);
}

TEST(Revocation, what_is_none_is_told_by_its_field) {
    auto faults = [](std::string_view body) { return faults_of(read_revocation(body)); };
    EXPECT_EQ(faults("{}"), "jti: Field required\n");
    EXPECT_EQ(faults(R"({"jti":"a","subject":"b"})"), "jti: Give one of jti and subject\n");
    EXPECT_TRUE(faults(R"({"jti":""})").starts_with("jti: "));
    EXPECT_TRUE(faults(R"({"subject":"a\nb"})").starts_with("subject: "));
    EXPECT_TRUE(faults(R"({"subject":7})").starts_with("subject: "));
    EXPECT_TRUE(faults(R"({"jti":")" + std::string(257, 'x') + "\"}").starts_with("jti: "));
    for (const char* bad : {"0", "\"0\"", "\"soon\"", "-1", "\"9000d\"", "1e12"})
        EXPECT_TRUE(faults(R"({"jti":"a","expires_in":)" + std::string(bad) + "}").starts_with("expires_in: ")) << bad;
    EXPECT_TRUE(faults("no json").starts_with(": The body must be JSON"));
}

}  // namespace
}  // namespace suoke::endpoints
