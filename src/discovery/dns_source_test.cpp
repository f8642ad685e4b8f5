// SPDX-License-Identifier: MIT
#include "discovery/dns_source.h"

#include <gtest/gtest.h>

#include "rt/pause.h"
#include "testing/far.h"
#include "testing/found.h"

namespace suoke::discovery {
namespace {

using rt::Address;

// A DNS in memory.
class Zone final : public rt::Names {
 public:
    explicit Zone(rt::Loop& loop) : loop_(loop) {}
    rt::Task<Result<rt::Resolved>> resolve_fresh(std::string host, std::uint16_t port, TimePoint deadline) override {
        asked.push_back(host);
        if (silent) {
            rt::Pause pause(loop_, deadline);
            co_await pause;
            co_return Error(Code::dns_failed, "no DNS answer for " + host + " in time");
        }
        rt::Pause pause(loop_, loop_.now() + 10ms);
        co_await pause;
        auto known = hosts.find(host);
        if (known == hosts.end()) co_return Error(Code::dns_failed, "cannot resolve " + host);
        rt::Resolved resolved;
        resolved.ttl = ttl;
        for (const std::string& one : known->second) resolved.addresses.push_back(*Address::parse(one, port));
        co_return resolved;
    }
    rt::Task<Result<rt::SrvAnswer>> resolve_srv(std::string name, TimePoint) override {
        asked.push_back(name);
        rt::Pause pause(loop_, loop_.now() + 10ms);
        co_await pause;
        if (!services) co_return Error(Code::dns_failed, name + " has no SRV records");
        rt::SrvAnswer answer;
        answer.targets = *services;
        answer.ttl = ttl;
        co_return answer;
    }
    std::map<std::string, std::vector<std::string>> hosts;
    std::optional<std::vector<rt::SrvTarget>> services;
    Duration ttl = 30s;
    std::vector<std::string> asked;
    bool silent = false;

 private:
    rt::Loop& loop_;
};

class DnsSourceTest : public ::testing::Test {
 protected:
    DnsSourceTest() {
        options.name = "users.test";
        options.port = 8080;
        options.jitter = 0;
    }
    void begin() {
        source = std::make_unique<DnsSource>(far.loop, zone, Random(7), options, found);
        EXPECT_EQ(zone.asked.size(), 0u) << "inside the constructor";
        far.after(100ms);
    }
    scene::Far far;
    Zone zone{far.loop};
    scene::Found found;
    DnsOptions options;
    std::unique_ptr<DnsSource> source;
};

TEST_F(DnsSourceTest, tells_the_addresses_of_a_name_with_its_port) {
    zone.hosts["users.test"] = {"10.0.0.2", "10.0.0.1", "2001:db8::1"};
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:8080 10.0.0.2:8080 2001:db8::1:8080");
    EXPECT_TRUE(found.failures.empty());
}

TEST_F(DnsSourceTest, asks_again_when_the_ttl_is_over_and_not_before) {
    zone.hosts["users.test"] = {"10.0.0.1"};
    begin();
    far.after(29s);
    EXPECT_EQ(zone.asked.size(), 1u);
    zone.hosts["users.test"] = {"10.0.0.3"};
    far.after(2s);
    EXPECT_EQ(zone.asked.size(), 2u);
    EXPECT_EQ(found.last(), "10.0.0.3:8080");
}

TEST_F(DnsSourceTest, keeps_the_ttl_within_its_bounds) {
    zone.hosts["users.test"] = {"10.0.0.1"};
    options.min_refresh = 10s;
    options.max_refresh = 60s;
    zone.ttl = 0s;
    begin();
    far.after(100s);
    EXPECT_LE(zone.asked.size(), 11u);
    EXPECT_GE(zone.asked.size(), 9u);
    zone.ttl = 3600s;
    far.after(15s);
    zone.asked.clear();
    far.after(120s);
    EXPECT_GE(zone.asked.size(), 1u);
    EXPECT_LE(zone.asked.size(), 2u);
}

TEST_F(DnsSourceTest, an_answer_in_another_order_is_no_news) {
    zone.hosts["users.test"] = {"10.0.0.1", "10.0.0.2"};
    begin();
    zone.hosts["users.test"] = {"10.0.0.2", "10.0.0.1"};
    far.after(100s);
    EXPECT_GE(zone.asked.size(), 3u);
    EXPECT_EQ(found.times, 1);
}

TEST_F(DnsSourceTest, says_that_it_cannot_ask_and_goes_on_asking) {
    begin();
    EXPECT_EQ(found.why(), "cannot resolve users.test");
    EXPECT_EQ(found.times, 0);
    far.after(100s);
    EXPECT_GE(zone.asked.size(), 5u);
    EXPECT_LE(zone.asked.size(), 20u) << "with longer and longer pauses";
    zone.hosts["users.test"] = {"10.0.0.1"};
    far.after(31s);
    EXPECT_EQ(found.last(), "10.0.0.1:8080");
}

TEST_F(DnsSourceTest, a_server_that_says_nothing_is_a_failure_too) {
    zone.silent = true;
    begin();
    EXPECT_TRUE(found.failures.empty());
    far.after(5100ms);
    EXPECT_NE(found.why().find("in time"), std::string::npos);
}

TEST_F(DnsSourceTest, of_services_it_tells_priority_and_weight) {
    options.srv = true;
    zone.services = {{"a.test", 81, 1, 10}, {"b.test", 82, 2, 0}};
    zone.hosts["a.test"] = {"10.0.0.1", "10.0.0.2"};
    zone.hosts["b.test"] = {"10.0.0.3"};
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:81*10 10.0.0.2:81*10 10.0.0.3:82");
    ASSERT_EQ(found.told.back().size(), 3u);
    EXPECT_EQ(found.told.back()[0].priority, 1u);
    EXPECT_EQ(found.told.back()[2].priority, 2u);
    EXPECT_EQ(found.told.back()[2].metadata.at("dns.target"), "b.test");
}

TEST_F(DnsSourceTest, one_target_with_two_ports_is_asked_for_once) {
    options.srv = true;
    zone.services = {{"a.test", 81, 0, 1}, {"a.test", 82, 0, 1}};
    zone.hosts["a.test"] = {"10.0.0.1"};
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:81 10.0.0.1:82");
    EXPECT_EQ(zone.asked.size(), 2u);
}

TEST_F(DnsSourceTest, a_target_that_cannot_be_asked_for_keeps_its_addresses) {
    options.srv = true;
    zone.services = {{"a.test", 81, 0, 1}, {"b.test", 81, 0, 1}};
    zone.hosts["a.test"] = {"10.0.0.1"};
    zone.hosts["b.test"] = {"10.0.0.2"};
    begin();
    zone.hosts.erase("b.test");
    far.after(31s);
    EXPECT_EQ(found.times, 1);
    EXPECT_EQ(found.last(), "10.0.0.1:81 10.0.0.2:81");
    zone.hosts["b.test"] = {"10.0.0.9"};
    far.after(6s);
    EXPECT_EQ(found.last(), "10.0.0.1:81 10.0.0.9:81") << "soon, not when the TTL is over";
}

TEST_F(DnsSourceTest, a_target_that_was_never_known_is_left_out_unless_it_is_the_only_one) {
    options.srv = true;
    zone.services = {{"a.test", 81, 0, 1}, {"b.test", 81, 0, 1}};
    zone.hosts["a.test"] = {"10.0.0.1"};
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:81");
    zone.services = {{"b.test", 81, 0, 1}};
    far.after(31s);
    EXPECT_EQ(found.times, 1);
    EXPECT_EQ(found.why(), "cannot resolve b.test");
}

TEST_F(DnsSourceTest, a_service_that_is_decidedly_nowhere_has_no_instances) {
    options.srv = true;
    zone.services.emplace();
    begin();
    EXPECT_EQ(found.times, 1);
    EXPECT_EQ(found.last(), "");
}

TEST_F(DnsSourceTest, too_many_targets_are_a_failure) {
    options.srv = true;
    zone.services.emplace();
    for (int i = 0; i < 300; ++i) zone.services->push_back({"h" + std::to_string(i), 80, 0, 0});
    begin();
    EXPECT_EQ(found.failures.size(), 1u);
}

TEST_F(DnsSourceTest, ends_at_any_time) {
    options.srv = true;
    zone.services = {{"a.test", 81, 0, 1}};
    zone.silent = true;
    begin();
    source.reset();
    far.settle();
    EXPECT_EQ(far.loop.timers().next(), kNever);
}

}  // namespace
}  // namespace suoke::discovery
