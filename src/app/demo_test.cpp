// SPDX-License-Identifier: MIT
#include "app/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/demo_answers.h"
#include "auth/jwt.h"
#include "config/load.h"
#include "http/session_h1.h"
#include "rt/scope.h"
#include "tools/health.h"

namespace suoke::app {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The demo services' answers over a stream in memory, under a clock that moves when told.
class Visit : public http::Handler {
 public:
    Visit() {
        auto [ours, theirs] = rt::memory_pair(loop_);
        client_ = std::move(ours);
        server_ = std::move(theirs);
        session_.emplace(*server_, rt::Address(), buffers_, *this);
        scope_.spawn(session_->run());
    }

    std::string ask(std::string_view request) {
        EXPECT_EQ(client_->write(request).bytes, request.size());
        loop_.settle();
        return read();
    }
    std::string post(std::string_view path, std::string_view body) {
        return ask("POST " + std::string(path) + " HTTP/1.1\r\nHost: demo\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    }
    std::string secret;   // of its auth-service
    std::string get(std::string_view path) {
        return ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: demo\r\n\r\n");
    }
    std::string after(Duration time) {
        clock_.advance(time);
        loop_.settle();
        return read();
    }

 private:
    std::string read() {
        std::string all;
        char space[4096];
        for (;;) {
            rt::Io got = client_->read(space);
            if (got.state != rt::Io::done) return all;
            all.append(space, got.bytes);
            loop_.settle();
        }
    }

    rt::Task<void> handle(http::Request& request, http::Responder& responder) override {
        http::Response response = co_await demo_answer(loop_, request, secret);
        co_await responder.send(std::move(response));
    }
    rt::Task<void> refuse(http::Request&, Error, http::Responder&) override { co_return; }
    const http::SessionLimits& limits() const override { return limits_; }
    std::string_view date() override { return "Thu, 01 Jan 1970 00:00:00 GMT"; }

    ManualClock clock_;
    rt::Loop loop_{clock_};
    rt::BufferBudget budget_{1 << 20};
    rt::BufferPool buffers_{budget_};
    http::SessionLimits limits_;
    rt::StreamPtr client_, server_;
    std::optional<http::H1Session> session_;
    rt::TaskScope scope_;
};

std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(Demo, login_answers_in_the_shape_the_clients_read) {
    Visit demo;
    std::string answer = demo.post("/api/v1/auth/login", R"({"email":"a@b.cn","password":"demo"})");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    auto json = nlohmann::json::parse(body_of(answer));
    EXPECT_EQ(json["token_type"], "bearer");
    EXPECT_EQ(json["username"], "a@b.cn");
    for (const char* key :
         {"access_token", "refresh_token", "expires_in", "user_id", "mfa_required"})
        EXPECT_TRUE(json.contains(key)) << key;
}

TEST(Demo, login_gives_a_token_that_whoever_has_the_key_takes) {
    Visit demo;
    demo.secret = "5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0";
    auto json = nlohmann::json::parse(body_of(demo.post("/api/v1/auth/login", R"({"username":"lishizhen","password":"demo"})")));
    const std::string text = json["access_token"];
    auto token = auth::parse_token(text);
    ASSERT_TRUE(token) << token.error().detail;
    auth::KeySet keys;
    keys.keys.push_back(*auth::Key::of_secret(demo.secret));
    auth::JwtRules rules;
    rules.algorithms = {auth::Algorithm::hs256};
    auto who = auth::verify(*token, rules, keys, ManualClock().wall());
    ASSERT_TRUE(who) << who.error().detail;
    EXPECT_EQ((*who)->subject, "1");
    EXPECT_TRUE((*who)->has_role("user"));
}

TEST(Demo, login_refuses_what_is_wrong_or_missing) {
    Visit demo;
    EXPECT_THAT(demo.post("/api/v1/auth/login", R"({"username":"a","password":"wrong"})"),
                StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(demo.post("/api/v1/auth/login", R"({"username":"a"})"), StartsWith("HTTP/1.1 422"));
    EXPECT_THAT(demo.post("/api/v1/auth/login", R"({"username":7,"password":[]})"),
                StartsWith("HTTP/1.1 422"));
    EXPECT_THAT(demo.post("/api/v1/auth/login", "not json"), StartsWith("HTTP/1.1 422"));
    EXPECT_THAT(
        demo.ask("POST /api/v1/auth/login HTTP/1.1\r\nHost: demo\r\nContent-Length: 0\r\n\r\n"),
        StartsWith("HTTP/1.1 422"));
}

TEST(Demo, refresh_takes_its_own_token_only) {
    Visit demo;
    EXPECT_THAT(demo.post("/api/v1/auth/refresh", R"({"refresh_token":"demo-refresh-token"})"),
                HasSubstr("demo-access-token"));
    EXPECT_THAT(demo.post("/api/v1/auth/refresh", R"({"refresh_token":"mine"})"),
                StartsWith("HTTP/1.1 401"));
}

TEST(Demo, users_are_found_by_their_id) {
    Visit demo;
    EXPECT_EQ(nlohmann::json::parse(body_of(demo.get("/api/v1/users")))["total"], 3);
    EXPECT_THAT(demo.get("/api/v1/users/2"), HasSubstr("孙思邈"));
    EXPECT_THAT(demo.get("/api/v1/users/me"), HasSubstr("李时珍"));
    EXPECT_THAT(demo.get("/api/v1/users/9"), StartsWith("HTTP/1.1 404"));
}

TEST(Demo, a_batch_is_a_list_or_an_object_with_items) {
    Visit demo;
    EXPECT_THAT(demo.post("/api/v1/health-data/batch", "[1,2,3]"), EndsWith(R"({"accepted":3})"));
    EXPECT_THAT(demo.post("/api/v1/health-data", R"({"items":[{}]})"),
                EndsWith(R"({"accepted":1})"));
    EXPECT_THAT(demo.post("/api/v1/health-data", "7"), StartsWith("HTTP/1.1 422"));
}

TEST(Demo, an_agent_says_a_token_every_80_ms_and_then_done) {
    Visit demo;
    std::string first = demo.post("/api/v1/chat/stream", R"({"message":"hello"})");
    EXPECT_THAT(first, HasSubstr("text/event-stream"));
    EXPECT_THAT(first, HasSubstr(R"(data: {"token":"Good "})"));
    EXPECT_THAT(first, Not(HasSubstr("day")));
    EXPECT_EQ(demo.after(std::chrono::milliseconds(70)), "");
    EXPECT_THAT(demo.after(std::chrono::milliseconds(20)), HasSubstr(R"(data: {"token":"day, "})"));
    std::string rest;
    for (int i = 0; i < 20; ++i) rest += demo.after(std::chrono::milliseconds(90));
    EXPECT_THAT(rest, HasSubstr("data: [DONE]\n\n"));
    EXPECT_THAT(rest, EndsWith("0\r\n\r\n"));
}

TEST(Demo, an_upload_is_counted_and_summed) {
    Visit demo;
    EXPECT_THAT(demo.post("/api/v1/analysis/tongue", "foobar"),
                EndsWith(R"({"analysis":"tongue","bytes":6,"fnv1a64":"85944171f73967e8"})"));
    EXPECT_THAT(demo.post("/api/v1/analysis/face", std::string(50'000, 'x')),
                HasSubstr(R"("bytes":50000)"));
}

TEST(Demo, a_slow_diagnosis_takes_as_long_as_it_is_told) {
    Visit demo;
    EXPECT_EQ(demo.get("/api/v1/diagnosis/slow?seconds=2"), "");
    EXPECT_EQ(demo.after(std::chrono::milliseconds(1900)), "");
    EXPECT_THAT(demo.after(std::chrono::milliseconds(200)),
                EndsWith(R"({"diagnosis":"balanced","seconds":2})"));
    EXPECT_THAT(demo.get("/api/v1/diagnosis/slow?seconds=301"), StartsWith("HTTP/1.1 422"));
    EXPECT_THAT(demo.get("/api/v1/diagnosis/slow?seconds=x"), StartsWith("HTTP/1.1 422"));
}

TEST(Demo, an_unknown_path_or_method_is_not_found) {
    Visit demo;
    EXPECT_THAT(demo.get("/api/v1/nothing"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(demo.get("/api/v1/auth/login"), StartsWith("HTTP/1.1 404"));
}

TEST(Demo, its_configuration_loads_without_a_word_to_say) {
    config::Sources sources;
    sources.yaml_text = demo_yaml();
    sources.environment = {{"DEMO_USER_PORT", "4711"}, {"DEMO_JWT_SECRET", "5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0"}};
    config::Loaded loaded = config::load(sources);
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    EXPECT_EQ(loaded.config.services.at("user-service").endpoints.at(0).port, 4711);
    EXPECT_EQ(loaded.config.server.host, "127.0.0.1");
}

TEST(Demo, its_services_answer_on_real_ports_and_end_with_it) {
    auto demo = std::make_unique<DemoServices>();
    demo->start();
    EXPECT_EQ(demo->variables().size(), 6u);
    auto url = tools::parse_http_url("http://127.0.0.1:" + demo->variables().at("DEMO_AUTH_PORT"));
    ASSERT_TRUE(url);
    auto answer = tools::fetch_health(*url, std::chrono::seconds(10));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, R"({"status":"healthy"})");
    demo.reset();
    auto gone = tools::fetch_health(*url, std::chrono::seconds(10));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Code::connect_failed);
}

}  // namespace
}  // namespace suoke::app
