// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

void is_let_in(Scene& s, const std::string& address, bool expected) {
    s.comes_from(address);
    s.client(address) << get("/users");
    if (!expected) {
        s.client(address) >> response(403).saying("address_denied").saying(address);
        return;
    }
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client(address) >> response(200, "all");
}

TEST(Access, lets_in_listed_networks_and_denied_ones_never) {
    Scene s(one_service("users", {.rest = "security: {ip_whitelist: [192.0.2.0/24, '2001:db8::/32'], ip_blacklist: [192.0.2.7]}\n"}));
    is_let_in(s, "192.0.2.1", true);
    is_let_in(s, "192.0.2.7", false);
    is_let_in(s, "198.51.100.1", false);
    is_let_in(s, "2001:db8::1", true);
    is_let_in(s, "2001:db9::1", false);
    is_let_in(s, "::ffff:192.0.2.2", true);
}

TEST(Access, a_route_may_want_more_but_not_less) {
    Scene s(one_service("users", {.route = "access: {allow: [10.0.0.0/8], deny: [10.9.0.0/16]}", .rest = "security: {ip_blacklist: [10.8.0.0/16]}\n"}));
    is_let_in(s, "10.1.1.1", true);
    is_let_in(s, "10.9.1.1", false);
    is_let_in(s, "10.8.1.1", false);
    is_let_in(s, "192.0.2.1", false);
    s.client("192.0.2.1") << get("/nowhere");
    s.client("192.0.2.1") >> response(404);
}

TEST(Access, the_address_that_counts_is_the_clients_and_nobody_can_make_it_up) {
    Scene s(one_service("users", {.rest = "server: {trusted_proxies: [192.0.2.9]}\nsecurity: {ip_blacklist: [203.0.113.0/24, 192.0.2.9]}\n"}));
    s.comes_from("192.0.2.9");
    s.client("proxy") << get("/users", "x-forwarded-for: 203.0.113.5\r\n");
    s.client("proxy") >> response(403).saying("203.0.113.5 may not ask this");
    s.client("proxy") << get("/users", "x-forwarded-for: 198.51.100.1\r\n");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client("proxy") >> response(200, "all");
    s.comes_from("203.0.113.5");
    s.client("liar") << get("/users", "x-forwarded-for: 198.51.100.1\r\n");
    s.client("liar") >> response(403);
}

}  // namespace
}  // namespace suoke::scene
