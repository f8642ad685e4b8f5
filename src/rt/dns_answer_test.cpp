// SPDX-License-Identifier: MIT
#include "rt/dns_answer.h"

#include <gtest/gtest.h>

namespace suoke::rt {
namespace {

using namespace std::string_literals;

std::string u16(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string u32(std::uint32_t n) { return u16(n >> 16) + u16(n & 0xFFFF); }

std::string name(std::string_view text) {
    std::string bytes;
    while (!text.empty()) {
        std::string_view label = text.substr(0, text.find('.'));
        bytes += static_cast<char>(label.size());
        bytes += label;
        text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    return bytes + '\0';
}
std::string record(const std::string& owner, unsigned type, std::uint32_t ttl, const std::string& rest) {
    return owner + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(rest.size())) + rest;
}
std::string srv(unsigned priority, unsigned weight, unsigned port, const std::string& target) {
    return u16(priority) + u16(weight) + u16(port) + target;
}
const std::string kName = name("_http._tcp.users.test");
const std::string kSame = "\xC0\x0C"s;  // where the question's name begins
std::string message(const std::vector<std::string>& records, unsigned flags = 0x8180, const std::string& asked = kName) {
    std::string bytes = u16(7) + u16(flags) + u16(1) + u16(static_cast<unsigned>(records.size())) + u32(0) + asked + u16(33) + u16(1);
    for (const std::string& one : records) bytes += one;
    return bytes;
}
Result<SrvAnswer> parse(const std::string& bytes) { return parse_srv_answer(bytes, "_http._tcp.users.test"); }

TEST(SrvAnswer, has_its_targets_and_the_least_ttl) {
    auto answer = parse(message({record(kSame, 33, 60, srv(1, 10, 8080, name("A.users.test"))),
                                 record(kName, 33, 30, srv(2, 0, 8081, "\1b\xC0\x17"s))}));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->ttl, 30s);
    EXPECT_EQ(answer->targets, (std::vector<SrvTarget>{{"a.users.test", 8080, 1, 10}, {"b.users.test", 8081, 2, 0}}));
}

TEST(SrvAnswer, is_that_of_the_name_in_any_case_and_with_a_dot) {
    std::string bytes = message({record(kSame, 33, 60, srv(0, 0, 1, name("a.test")))});
    EXPECT_TRUE(parse_srv_answer(bytes, "_HTTP._tcp.Users.test."));
    EXPECT_FALSE(parse_srv_answer(bytes, "_http._tcp.other.test"));
}

TEST(SrvAnswer, a_target_of_a_dot_says_that_there_is_no_such_service) {
    auto answer = parse(message({record(kSame, 33, 60, srv(0, 0, 0, name("")))}));
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->targets.empty());
}

TEST(SrvAnswer, follows_aliases_and_ignores_what_is_somebody_elses) {
    auto answer = parse(message({record(kSame, 5, 20, name("_http._tcp.real.test")), record(name("other.test"), 33, 1, srv(0, 0, 9, name("x.test"))),
                                 record(kSame, 46, 5, "signature"), record(name("_http._tcp.real.test"), 33, 60, srv(0, 5, 80, name("a.test")))}));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->ttl, 20s);
    EXPECT_EQ(answer->targets, (std::vector<SrvTarget>{{"a.test", 80, 0, 5}}));
}

TEST(SrvAnswer, aliases_in_a_circle_are_no_answer) {
    auto answer = parse(message({record(kSame, 5, 20, name("b.test")), record(name("b.test"), 5, 20, kSame)}));
    ASSERT_FALSE(answer);
}

TEST(SrvAnswer, without_records_of_its_own_it_is_none) {
    auto answer = parse(message({}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::dns_failed);
    EXPECT_EQ(answer.error().detail, "_http._tcp.users.test has no SRV records");
}

TEST(SrvAnswer, a_ttl_with_its_first_bit_set_is_none) {
    auto answer = parse(message({record(kSame, 33, 0x80000000u, srv(0, 0, 1, name("a.test")))}));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->ttl, 0s);
}

TEST(SrvAnswer, header_faults_are_refused) {
    std::vector<std::string> one = {record(kSame, 33, 60, srv(0, 0, 1, name("a.test")))};
    EXPECT_FALSE(parse(message(one, 0x0180))) << "a question";
    EXPECT_FALSE(parse(message(one, 0x8380))) << "cut short";
    EXPECT_FALSE(parse(message(one, 0x8980))) << "another opcode";
    EXPECT_FALSE(parse(message(one, 0x8183))) << "NXDOMAIN";
    EXPECT_FALSE(parse(message(one, 0x8180, name("other.test"))));
}

TEST(SrvAnswer, cut_anywhere_it_is_refused) {
    std::string whole = message({record(kSame, 33, 60, srv(1, 10, 8080, name("a.users.test")))});
    ASSERT_TRUE(parse(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

TEST(SrvAnswer, names_that_lead_nowhere_are_refused) {
    auto with_target = [](const std::string& target) { return parse(message({record(kSame, 33, 60, srv(0, 0, 1, target))})); };
    EXPECT_FALSE(with_target("\xC0\xFF"s)) << "behind the end";
    std::string before = message({record(kSame, 33, 60, srv(0, 0, 1, ""))});
    std::string itself = {static_cast<char>(0xC0 | before.size() >> 8), static_cast<char>(before.size())};
    EXPECT_FALSE(with_target(itself)) << "to itself";
    EXPECT_FALSE(with_target("\1a" + itself)) << "a circle";
    EXPECT_FALSE(with_target("\x40" + std::string(64, 'a') + '\0')) << "a label of 64";
    std::string longest;
    for (int i = 0; i < 4; ++i) longest += "\x3F" + std::string(63, 'a');
    EXPECT_FALSE(with_target(longest + '\0')) << "257 octets";
    EXPECT_FALSE(with_target("\3a.b\0"s)) << "a dot inside a label";
    EXPECT_FALSE(with_target(name("a.test") + "x")) << "more than its length says";
    EXPECT_TRUE(with_target(name("a.test")));
}

TEST(SrvAnswer, has_a_limit) {
    std::vector<std::string> many(kMostRecords + 1, record(kSame, 33, 60, srv(0, 0, 1, name("a"))));
    EXPECT_FALSE(parse(message(many)));
    many.pop_back();
    EXPECT_TRUE(parse(message(many)));
}

}  // namespace
}  // namespace suoke::rt
