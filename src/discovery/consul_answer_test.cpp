// SPDX-License-Identifier: MIT
#include "discovery/consul_answer.h"

#include <gtest/gtest.h>

namespace suoke::discovery {
namespace {

// As the API's documentation shows an entry, with what the tests need to differ.
std::string entry(const std::string& id, const std::string& service = R"("Address": "10.0.0.1", "Port": 8080)",
                  const std::string& checks = R"({"CheckID": "service:web", "Status": "passing"})") {
    return R"({"Node": {"ID": "40e4a748", "Node": "foobar", "Address": "10.1.10.12", "Datacenter": "dc1", "Meta": {"rack": "7"}},
        "Service": {"ID": ")" + id + R"(", "Service": "users", "Tags": ["primary"], "Meta": {"version": "2", "zone": "eu-1a"},
        "Weights": {"Passing": 10, "Warning": 1}, "EnableTagOverride": false, )" + service + R"(}, "Checks": [)" + checks + "]}";
}
Result<balance::Instances> read(const std::string& one) { return read_consul_health("[" + one + "]"); }

TEST(ConsulAnswer, has_everything_of_an_instance) {
    auto all = read(entry("users-1"));
    ASSERT_TRUE(all) << all.error().detail;
    balance::Instance wanted;
    wanted.id = "users-1";
    wanted.host = "10.0.0.1";
    wanted.port = 8080;
    wanted.weight = 10;
    wanted.tags = {"primary"};
    wanted.metadata = {{"rack", "7"}, {"version", "2"}, {"zone", "eu-1a"}};
    wanted.zone = "eu-1a";
    wanted.version = "2";
    EXPECT_EQ(*all, balance::Instances{wanted});
}

TEST(ConsulAnswer, without_an_address_of_its_own_it_is_at_its_nodes) {
    EXPECT_EQ(read(entry("u", R"("Address": "", "Port": 80)"))->front().host, "10.1.10.12");
    EXPECT_EQ(read(entry("u", R"("Port": 80)"))->front().host, "10.1.10.12");
}

TEST(ConsulAnswer, the_worst_check_counts) {
    auto with = [](const std::string& checks) { return read(entry("u", R"("Port": 80)", checks))->front(); };
    const std::string passing = R"({"CheckID": "a", "Status": "passing"})", warning = R"({"CheckID": "b", "Status": "warning"})",
                      critical = R"({"CheckID": "c", "Status": "critical"})";
    EXPECT_TRUE(with("").up);
    EXPECT_EQ(with(passing).weight, 10u);
    EXPECT_TRUE(with(passing + "," + warning).up);
    EXPECT_EQ(with(passing + "," + warning).weight, 1u);
    EXPECT_FALSE(with(warning + "," + critical + "," + passing).up);
    EXPECT_FALSE(with(critical).draining);
    EXPECT_FALSE(with(R"({"CheckID": "d", "Status": "something new"})").up);
}

TEST(ConsulAnswer, maintenance_drains) {
    for (const char* id : {"_node_maintenance", "_service_maintenance:users-1"}) {
        auto one = read(entry("u", R"("Port": 80)", R"({"CheckID": ")" + std::string(id) + R"(", "Status": "critical"})"))->front();
        EXPECT_FALSE(one.up);
        EXPECT_TRUE(one.draining);
    }
}

TEST(ConsulAnswer, an_id_of_two_nodes_is_two_instances) {
    auto all = read(entry("web", R"("Address": "10.0.0.1", "Port": 80)") + "," + entry("web", R"("Address": "10.0.0.2", "Port": 80)"));
    ASSERT_TRUE(all);
    EXPECT_EQ((*all)[0].id, "web@10.0.0.1:80");
    EXPECT_EQ((*all)[1].id, "web@10.0.0.2:80");
}

TEST(ConsulAnswer, what_cannot_be_used_is_left_out_but_not_all_of_it) {
    auto all = read(entry("a", R"("Port": 0)") + "," + entry("b", R"("Address": "a b", "Port": 80)") + "," + entry("c"));
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), 1u);
    EXPECT_FALSE(read(entry("a", R"("Port": 0)")));
    EXPECT_TRUE(read_consul_health("[]"));
}

TEST(ConsulAnswer, what_consul_would_not_say_is_refused) {
    for (const char* body : {"", "{}", "null", "[1]", "[null]", "[{}]", "[[]]", R"([{"Service": 1}])", R"([{"Service": {}}])", "[{\"Service\": {\"Port\": 8",
                             R"([{"Node": [], "Service": {"Port": 80}}])"})
        EXPECT_FALSE(read_consul_health(body)) << body;
    for (const char* service : {R"("Port": "80")", R"("Port": -1)", R"("Port": 65536)", R"("Port": 1.5)", R"("Port": 80, "Address": 1)"})
        EXPECT_FALSE(read(entry("u", service))) << service;
    EXPECT_FALSE(read(entry("u", R"("Port": 80)", R"({"Status": 1})")));
    EXPECT_FALSE(read(entry("u", R"("Port": 80)", "7")));
    EXPECT_FALSE(read(R"({"Service": {"Port": 80, "Address": "a", "Weights": {"Passing": -1}}})"));
    EXPECT_FALSE(read(R"({"Service": {"Port": 80, "Address": "a", "Tags": [1]}})"));
    EXPECT_FALSE(read(R"({"Service": {"Port": 80, "Address": "a", "Meta": {"a": 1}}})"));
    EXPECT_TRUE(read(R"({"Service": {"Port": 80, "Address": "a", "Tags": null, "Meta": null, "Weights": null}, "Checks": null})"));
}

TEST(ConsulAnswer, a_deep_one_is_no_trouble) {
    EXPECT_FALSE(read_consul_health(std::string(200'000, '[')));
    EXPECT_FALSE(read_consul_health(std::string(200'000, '[') + std::string(200'000, ']')));
}

}  // namespace
}  // namespace suoke::discovery
