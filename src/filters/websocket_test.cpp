// SPDX-License-Identifier: MIT
// What the filter says to requests for a WebSocket, and what it makes of a 101. The session is played
// by the test, the innermost filter too.
#include <gtest/gtest.h>

#include "app/compile.h"
#include "config/load.h"
#include "filters/filters.h"
#include "gateway/serve.h"
#include "gateway/site.h"
#include "gateway/tunnel.h"
#include "testing/scene.h"

namespace suoke::filters {
namespace {

class Silence final : public http::BodySource {
    Result<http::Piece> next() override { return http::Piece{{}, http::Piece::wait}; }
    rt::Task<void> wait() override { co_return; }
};

// Answers 101 like an upstream that agrees, and shows what it was asked.
class Agrees final : public Filter {
 public:
    explicit Agrees(std::string extensions) : extensions_(std::move(extensions)) {}
    mutable std::string asked;

 private:
    rt::Task<gateway::Answer> run(gateway::Exchange& ex, gateway::Next) const override {
        const std::string_view* offers = ex.request.head.headers.find("Sec-WebSocket-Extensions");
        asked = offers ? *offers : "none";
        http::Response response;
        response.status = 101;
        if (!extensions_.empty()) response.headers.add("Sec-WebSocket-Extensions", extensions_);
        response.body = std::make_unique<Silence>();
        co_return response;
    }
    std::string extensions_;
};

// One exchange on the route "users", from its chain to its answer.
class Visit {
 public:
    explicit Visit(scene::Scene& scene, const std::string& yaml, std::string extensions = {}) : scene_(scene) {
        auto loaded = config::load_text(yaml, "scene.yaml");
        local_.site = app::compile(loaded.config, {}, 1, loaded.problems);
        agrees_ = std::make_shared<Agrees>(std::move(extensions));
        route_.name = "users";
        route_.service = local_.site->services.front().get();
        route_.chain = chain_of(local_.site->config, local_.site->config.routes.front(), agrees_);
        local_.tunnels = {&count()};
        request_.head.protocol = "websocket";
        request_.head.method_name = "GET";
        request_.head.headers.add("Sec-WebSocket-Version", "13");
        request_.head.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request_.body = &body_;
        request_.peer_host = "192.0.2.1";
        peer_ = *rt::Address::parse("192.0.2.1", 1);
        request_.peer = &peer_;
    }
    http::Headers& headers() { return request_.head.headers; }
    static SharedCount& count() {
        static SharedCount open;
        return open;
    }

    gateway::Answer& goes() {
        ex_.emplace(scene_.worker(), local_, *local_.site, request_, responder_);
        ex_->route = &route_;
        scope_.spawn(run());
        return *answer_;
    }
    std::optional<Code> refusal() {
        goes();
        return *answer_ ? std::nullopt : std::optional(answer_->error().code);
    }
    gateway::Exchange& exchange() { return *ex_; }
    const std::string& asked() const { return agrees_->asked; }
    http::Response finished() {
        http::Response response = *answer_ ? std::move(**answer_) : local_.site->replies.render(*ex_, answer_->error());
        if (!*answer_) ex_->failure = answer_->error().code;
        route_.chain.finish(*ex_, response);
        return response;
    }

 private:
    struct Nobody final : http::Responder {
        rt::Task<http::Sent> send(http::Response) override { co_return http::Sent(); }
        rt::Task<void> interim(int, const http::Headers&) override { co_return; }
    };
    rt::Task<void> run() {
        answer_.emplace(co_await route_.chain.run(*ex_));
    }

    scene::Scene& scene_;
    gateway::LocalSite local_;
    gateway::Route route_;
    std::shared_ptr<Agrees> agrees_;
    Silence body_;
    rt::Address peer_;
    http::Request request_;
    Nobody responder_;
    std::optional<gateway::Exchange> ex_;
    std::optional<gateway::Answer> answer_;
    rt::TaskScope scope_;
};

std::string users(const std::string& websocket = "{}", const std::string& rest = "") {
    return scene::one_service("users", {.route = "websocket: " + websocket, .rest = rest});
}

TEST(WebSocket, a_good_request_becomes_a_tunnel_and_both_bodies_are_watched) {
    scene::Scene s(users());
    Visit v(s, users());
    v.goes();
    http::Response response = v.finished();
    ASSERT_TRUE(v.exchange().tunnel);
    EXPECT_TRUE(v.exchange().tunnel->is_open());
    EXPECT_EQ(v.exchange().wrapped_bodies.size(), 1u) << "and no limit of bodies around it";
    EXPECT_EQ(s.worker().cells().tunnels.opened.value(), 1u);
}

TEST(WebSocket, another_version_is_told_which_one_we_speak) {
    scene::Scene s(users());
    Visit v(s, users());
    v.headers().set("Sec-WebSocket-Version", "8");
    EXPECT_EQ(v.refusal(), Code::websocket_version);
    http::Response response = v.finished();
    EXPECT_EQ(response.status, 426);
    EXPECT_EQ(*response.headers.find("Sec-WebSocket-Version"), "13");
    EXPECT_EQ(*response.headers.find("Upgrade"), "websocket");
}

TEST(WebSocket, a_bad_key_or_a_switch_refuses) {
    scene::Scene s(users());
    Visit bad(s, users());
    bad.headers().set("Sec-WebSocket-Key", "short");
    EXPECT_EQ(bad.refusal(), Code::malformed_request);
    Visit off(s, users("{}", "websocket: {enabled: false}\n"));
    EXPECT_EQ(off.refusal(), Code::websocket_off);
}

TEST(WebSocket, a_route_has_room_for_so_many_and_gets_it_back) {
    const std::string yaml = users("{max_connections: 2}");
    scene::Scene s(yaml);
    {
        Visit one(s, yaml), two(s, yaml), three(s, yaml);
        EXPECT_EQ(one.refusal(), std::nullopt);
        EXPECT_EQ(two.refusal(), std::nullopt);
        EXPECT_EQ(three.refusal(), Code::overloaded);
        EXPECT_EQ(Visit::count().value(), 2u);
    }
    EXPECT_EQ(Visit::count().value(), 0u);
}

TEST(WebSocket, the_process_has_room_for_so_many) {
    const std::string yaml = users("{}", "websocket: {max_connections: 1}\n");
    scene::Scene s(yaml);
    Visit one(s, yaml), two(s, yaml);
    EXPECT_EQ(one.refusal(), std::nullopt);
    EXPECT_EQ(two.refusal(), Code::overloaded);
}

TEST(WebSocket, an_inspected_route_offers_only_what_it_understands) {
    const std::string yaml = users("{max_message_size: 1KB}");
    scene::Scene s(yaml);
    Visit v(s, yaml, "permessage-deflate");
    v.headers().add("Sec-WebSocket-Extensions", "x-frame, permessage-deflate; client_max_window_bits");
    v.goes();
    EXPECT_EQ(v.asked(), "permessage-deflate; client_max_window_bits");
    Visit spliced(s, users());
    spliced.headers().add("Sec-WebSocket-Extensions", "x-frame");
    spliced.goes();
    EXPECT_EQ(spliced.asked(), "x-frame");
}

TEST(WebSocket, an_upstream_that_settles_on_something_else_is_left) {
    const std::string yaml = users("{max_message_size: 1KB}");
    scene::Scene s(yaml);
    Visit v(s, yaml, "x-frame");
    v.goes();
    http::Response response = v.finished();
    EXPECT_EQ(s.worker().cells().tunnels.closes.count(CloseCells::gateway, 11), 1u);
    auto piece = response.body->next();
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->bytes.substr(0, 1), "\x88");
}

}  // namespace
}  // namespace suoke::filters
