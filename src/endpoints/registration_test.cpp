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
    auto said = nlohmann::json::parse(faults_json(std::get<Faults>(read), "/services/register", "id"));
    std::map<std::string, nlohmann::json> inputs;
    for (const auto& each : said["detail"]) inputs[each["loc"].back()] = each["input"];
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

}  // namespace
}  // namespace suoke::endpoints
