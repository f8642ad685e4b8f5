// SPDX-License-Identifier: MIT
#include "discovery/instance_file.h"

#include <gtest/gtest.h>

namespace suoke::discovery {
namespace {

Result<InstanceFile> json(std::string_view text) { return read_instance_file(text, FileFormat::json); }
Result<InstanceFile> yaml(std::string_view text) { return read_instance_file(text, FileFormat::yaml); }
std::string fault(const Result<InstanceFile>& file) { return file ? "none" : file.error().detail; }

balance::Instance everything() {
    balance::Instance one;
    one.id = "users-1";
    one.host = "10.0.0.1";
    one.port = 8080;
    one.weight = 3;
    one.priority = 1;
    one.zone = "eu-1a";
    one.version = "1.20";
    one.tags = {"canary", "blue"};
    one.metadata = {{"rack", "7"}};
    one.protocol = upstream::Protocol::h2;
    one.use_tls = true;
    one.health_path = "/healthz";
    one.draining = true;
    one.up = false;
    return one;
}

TEST(InstanceFile, says_everything_in_yaml) {
    auto file = yaml(R"(
service: users
instances:
  - id: users-1
    host: 10.0.0.1
    port: 8080
    weight: 3
    priority: 1
    zone: eu-1a
    version: 1.20
    tags: [canary, blue]
    metadata: {rack: 7}
    protocol: h2
    tls: true
    health_path: /healthz
    draining: true
    up: false
)");
    ASSERT_TRUE(file) << fault(file);
    EXPECT_EQ(file->service, "users");
    EXPECT_EQ(file->instances, balance::Instances{everything()});
}

TEST(InstanceFile, says_everything_in_json) {
    auto file = json(R"({"service": "users", "instances": [{"id": "users-1", "host": "10.0.0.1", "port": 8080, "weight": 3,
        "priority": 1, "zone": "eu-1a", "version": "1.20", "tags": ["canary", "blue"], "metadata": {"rack": "7"},
        "protocol": "h2", "tls": true, "health_path": "/healthz", "draining": true, "up": false}]})");
    ASSERT_TRUE(file) << fault(file);
    EXPECT_EQ(file->instances, balance::Instances{everything()});
}

TEST(InstanceFile, may_be_a_list_alone_and_short) {
    for (auto file : {yaml("- 10.0.0.1:80\n- '[2001:db8::1]:81'\n"), json(R"(["10.0.0.1:80", "[2001:db8::1]:81"])")}) {
        ASSERT_TRUE(file) << fault(file);
        EXPECT_EQ(file->service, "");
        ASSERT_EQ(file->instances.size(), 2u);
        EXPECT_EQ(file->instances[1].host, "2001:db8::1");
        EXPECT_EQ(file->instances[1].port, 81);
    }
    EXPECT_TRUE(yaml("[]"));
    EXPECT_TRUE(yaml("instances:\n"));
    EXPECT_TRUE(yaml("- {host: 'unix:/run/users.sock'}"));
    EXPECT_TRUE(yaml("- {host: users.internal, port: 80}"));
    EXPECT_TRUE(yaml("- {host: '2001:db8::1', port: 80}"));
}

TEST(InstanceFile, points_at_what_is_wrong) {
    EXPECT_EQ(fault(yaml("- host: a\n  port: 80\n  wieght: 2\n")), "3:3: there is no key \"wieght\"; did you mean \"weight\"?");
    EXPECT_EQ(fault(json("[{\"host\": \"a\",\n  \"wieght\": 2}]")), "2:3: there is no key \"wieght\"; did you mean \"weight\"?");
    EXPECT_EQ(fault(yaml("- host: a\n  port: 0\n")), "2:9: port must be a number from 1 to 65535");
    EXPECT_EQ(fault(yaml("- host: a\n  port: '80'\n")), "2:9: port must be a number from 1 to 65535");
    EXPECT_EQ(fault(json("[\n {\"host\": \"a\", \"port\": \"80\"}]")), "2:24: port must be a number from 1 to 65535");
    EXPECT_EQ(fault(json("[\n\n {\"host\": \"a\", \"port\": 80, \"weight\": -1}]")), "3:38: weight must be a number from 0 to 1000000");
    EXPECT_EQ(fault(yaml("- host: a\n")), "1:3: the instance has no port; add one");
    EXPECT_EQ(fault(yaml("- port: 80\n")), "1:3: the instance has no host; add one");
    EXPECT_EQ(fault(yaml("- {host: 'a:80', port: 80}\n")), "1:10: host must be a name, an address or unix:/path, without a port");
    EXPECT_EQ(fault(yaml("- {host: a, port: 80, up: maybe}\n")), "1:27: up must be true or false");
    EXPECT_EQ(fault(yaml("- {host: a, port: 80, tls: 1}\n")), "1:28: tls must be true or false");
    EXPECT_EQ(fault(yaml("- {host: a, port: 80, protocol: h3}\n")), "1:33: protocol must be h1 or h2");
    EXPECT_EQ(fault(yaml("- a\n")), "1:3: an instance is host:port, or a map with host and port");
    EXPECT_EQ(fault(yaml("service: users\n")), "1:1: the key instances is missing; add it, with a list");
    EXPECT_EQ(fault(yaml("instances: 3\n")), "1:12: the instances must be a list");
    EXPECT_EQ(fault(yaml("- a:80\n- a:80\n")), "2:3: a second instance a:80; give one of them an id");
}

TEST(InstanceFile, half_written_is_no_answer) {
    std::string whole = "[{\"host\": \"10.0.0.1\",\n \"port\": 80}]";
    ASSERT_TRUE(json(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(json(whole.substr(0, size))) << size;
    EXPECT_EQ(fault(json("[{\"host\": \"10.0.0.1\",\n \"po")).substr(0, 2), "2:");
    EXPECT_FALSE(yaml(""));
    EXPECT_FALSE(json(""));
    EXPECT_FALSE(yaml("- host: [a\n"));
    EXPECT_FALSE(yaml("- host: a\n - b\n"));
}

TEST(InstanceFile, is_one_document_without_repeated_keys) {
    EXPECT_EQ(fault(json("[{\"host\": \"a\", \"host\": \"b\", \"port\": 1}]")), "1:16: \"host\" stands here twice");
    EXPECT_EQ(fault(yaml("- host: a\n  port: 80\n  host: b\n")), "3:3: the key 'host' is given twice, first in line 1");
    EXPECT_EQ(fault(yaml("- a:80\n---\n- b:80\n")), "2:1: a second document begins here; one file is one document");
    EXPECT_EQ(fault(yaml(",- a:80\n")), "1:1: a second document begins here; one file is one document");
    EXPECT_FALSE(json("[] []"));
    EXPECT_FALSE(json("[] // comment"));
}

TEST(InstanceFile, bombs_are_refused) {
    EXPECT_FALSE(json(std::string(100'000, '[')));
    EXPECT_FALSE(json(std::string(100'000, '[') + std::string(100'000, ']')));
    EXPECT_FALSE(yaml(std::string(10'000, '[') + std::string(10'000, ']')));
    std::string bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        std::string before = std::string("*") + static_cast<char>(c - 1);
        bomb += std::string(1, c) + ": &" + c + " [" + before;
        for (int i = 0; i < 9; ++i) bomb += "," + before;
        bomb += "]\n";
    }
    EXPECT_NE(fault(yaml(bomb)).find("counting what aliases repeat"), std::string::npos);
}

}  // namespace
}  // namespace suoke::discovery
