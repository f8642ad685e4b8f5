// SPDX-License-Identifier: MIT
// Against a double of Consul's HTTP API, played by the tests after its public description.
#include "discovery/consul_source.h"

#include <gtest/gtest.h>

#include "testing/far.h"
#include "testing/found.h"

namespace suoke::discovery {
namespace {

using scene::Far;

std::string instances(const std::vector<std::string>& hosts) {
    std::string body = "[";
    for (const std::string& host : hosts) {
        if (body.size() > 1) body += ",";
        body += R"({"Node": {"Address": "10.9.9.9"}, "Service": {"ID": ")" + host + R"(", "Address": ")" + host +
                R"(", "Port": 80}, "Checks": [{"CheckID": "c", "Status": "passing"}]})";
    }
    return body + "]";
}

class ConsulSourceTest : public ::testing::Test {
 protected:
    ConsulSourceTest() {
        options.endpoint.host = "127.0.0.1";
        options.endpoint.port = 8500;
        options.service = "users";
    }
    void begin() {
        std::size_t before = far.dials();
        source = std::make_unique<ConsulSource>(far.loop, far.dialer, far.buffers, Random(7), options, found);
        EXPECT_EQ(far.dials(), before) << "inside the constructor";
        far.after(50ms);
    }
    void answer(const Far::Call& call, const std::vector<std::string>& hosts, const std::string& index) {
        far.answer(call, 200, instances(hosts), index.empty() ? "" : "X-Consul-Index: " + index + "\r\n");
    }
    // The next question, once it is time for it.
    Far::Call next() {
        far.after(1200ms);
        return far.next_call();
    }

    Far far;
    scene::Found found;
    ConsulOptions options;
    std::unique_ptr<ConsulSource> source;
};

TEST_F(ConsulSourceTest, asks_first_and_then_waits_for_changes) {
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.line, "GET /v1/health/service/users HTTP/1.1");
    EXPECT_EQ(call.field("X-Consul-Token"), std::nullopt);
    answer(call, {"10.0.0.1"}, "100");
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    call = next();
    EXPECT_EQ(call.target(), "/v1/health/service/users?index=100&wait=300000ms");
    far.after(290s);
    EXPECT_TRUE(far.is_silent()) << "the question is held";
    answer(call, {"10.0.0.1", "10.0.0.2"}, "107");
    EXPECT_EQ(found.last(), "10.0.0.1:80 10.0.0.2:80");
    far.after(50ms);
    EXPECT_EQ(far.next_call().target(), "/v1/health/service/users?index=107&wait=300000ms");
}

TEST_F(ConsulSourceTest, says_who_it_is_and_what_it_wants) {
    options.datacenter = "eu 1";
    options.tags = {"v2", "a&b"};
    options.token = Secret("0000-1111");
    options.service = "users/api";
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.target(), "/v1/health/service/users%2Fapi?dc=eu%201&tag=v2&tag=a%26b");
    EXPECT_EQ(call.field("X-Consul-Token"), "0000-1111");
}

TEST_F(ConsulSourceTest, when_its_time_is_over_the_answer_is_no_news) {
    begin();
    answer(far.next_call(), {"10.0.0.1"}, "100");
    Far::Call call = next();
    far.after(310s);  // Consul adds up to a sixteenth
    answer(call, {"10.0.0.1"}, "100");
    EXPECT_EQ(found.times, 1);
    EXPECT_TRUE(found.failures.empty());
    EXPECT_EQ(next().target(), "/v1/health/service/users?index=100&wait=300000ms");
}

TEST_F(ConsulSourceTest, an_index_that_goes_backwards_begins_again) {
    begin();
    answer(far.next_call(), {"10.0.0.1"}, "100");
    answer(next(), {"10.0.0.1"}, "50");
    EXPECT_EQ(next().target(), "/v1/health/service/users");
}

TEST_F(ConsulSourceTest, an_index_of_zero_or_none_is_not_waited_on) {
    for (const char* index : {"0", "", "x", "-1"}) {
        begin();
        answer(far.next_call(), {"10.0.0.1"}, index);
        far.after(9s);
        EXPECT_TRUE(far.is_silent()) << index;
        far.after(2s);
        EXPECT_EQ(far.next_call().target(), "/v1/health/service/users") << index;
    }
}

TEST_F(ConsulSourceTest, one_that_answers_at_once_is_not_hammered) {
    begin();
    int asked = 0;
    for (int i = 0; i < 1000; ++i, far.after(20ms)) {
        if (far.is_silent()) continue;
        ++asked;
        answer(far.next_call(), {"10.0.0.1"}, std::to_string(asked));
    }
    EXPECT_LE(asked, 21);
    EXPECT_GE(asked, 15);
}

TEST_F(ConsulSourceTest, says_why_it_cannot_be_asked_and_comes_back) {
    begin();
    answer(far.next_call(), {"10.0.0.1"}, "100");
    far.answer(next(), 403, "Permission denied");
    EXPECT_NE(found.why().find("403"), std::string::npos);
    EXPECT_NE(found.why().find("service:read"), std::string::npos);
    Far::Call call = next();
    EXPECT_EQ(call.target(), "/v1/health/service/users") << "not held, so that we know soon";
    far.answer(call, 500, "No cluster leader");
    EXPECT_EQ(found.why(), "Consul answered 500: No cluster leader");
    far.after(2s);
    answer(far.next_call(), {"10.0.0.1"}, "100");
    EXPECT_EQ(found.times, 2) << "that it is back is told";
}

TEST_F(ConsulSourceTest, failures_are_answered_with_longer_and_longer_pauses) {
    far.manner = Far::Manner::refuse;
    begin();
    far.after(300s);
    EXPECT_GE(far.dials(), 10u);
    EXPECT_LE(far.dials(), 45u);
    EXPECT_EQ(found.failures.size(), far.dials());
    EXPECT_EQ(found.failures.back().code, Code::connect_failed);
}

TEST_F(ConsulSourceTest, one_that_holds_a_question_for_ever_is_given_up) {
    begin();
    answer(far.next_call(), {"10.0.0.1"}, "100");
    Far::Call call = next();
    far.after(300s);
    EXPECT_TRUE(found.failures.empty());
    far.after(30s);
    EXPECT_EQ(found.failures.back().code, Code::upstream_timeout);
    EXPECT_TRUE(far.was_left(call.connection));
}

TEST_F(ConsulSourceTest, what_is_no_answer_of_consuls_keeps_the_last_one) {
    begin();
    answer(far.next_call(), {"10.0.0.1"}, "100");
    far.answer(next(), 200, "<html>", "X-Consul-Index: 101\r\n");
    EXPECT_EQ(found.times, 1);
    EXPECT_NE(found.why().find("not a JSON list"), std::string::npos);
}

TEST_F(ConsulSourceTest, an_answer_has_a_limit) {
    options.max_body = 100;
    begin();
    answer(far.next_call(), {"10.0.0.1", "10.0.0.2"}, "1");
    EXPECT_NE(found.why().find("longer than"), std::string::npos);
}

TEST_F(ConsulSourceTest, ends_at_any_time) {
    begin();
    far.next_call();
    source.reset();
    far.settle();
    EXPECT_EQ(far.open(), 0u);
    EXPECT_EQ(far.loop.timers().next(), kNever);
    EXPECT_EQ(far.buffers.leased(), 0u);
}

}  // namespace
}  // namespace suoke::discovery
