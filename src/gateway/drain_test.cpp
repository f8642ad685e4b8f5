// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

TEST(Drain, a_running_exchange_ends_in_peace_and_its_connection_with_it) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    s.worker().drain();
    s.after(10s);
    EXPECT_FALSE(s.worker().quiet());
    upstream << ok("all");
    s.client() >> response(200, "all").with("connection", "close") >> closed();
    EXPECT_TRUE(s.worker().quiet());
}

TEST(Drain, an_idle_connection_is_closed_after_a_moment_of_grace) {
    Scene s(one_service("users"));
    s.client();
    s.worker().drain();
    s.after(900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> closed();
    EXPECT_TRUE(s.worker().quiet());
}

TEST(Drain, a_request_that_was_already_on_its_way_is_still_answered) {
    Scene s(one_service("users"));
    s.client();
    s.worker().drain();
    s.after(500ms);
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").with("connection", "close") >> closed();
}

TEST(Drain, a_connection_that_comes_afterwards_is_served_once) {
    Scene s(one_service("users"));
    s.worker().drain();
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").with("connection", "close") >> closed();
}

TEST(Drain, an_answer_under_way_is_not_cut) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf";
    s.client() >> response(200).head_only() >> bytes("half");
    s.worker().drain();
    upstream << "full";
    s.client() >> bytes("full") >> silence();  // its head said keep-alive: a moment of grace
    s.after(1100ms);
    s.client() >> closed();
}

TEST(Drain, cutting_ends_everything_at_once) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    s.worker().drain();
    s.worker().cut();
    s.settle();
    EXPECT_TRUE(s.worker().quiet());
    EXPECT_TRUE(s.client().ended());
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(s.counted(Code::cancelled), 1u);
}

}  // namespace
}  // namespace suoke::scene
