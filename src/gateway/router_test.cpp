// SPDX-License-Identifier: MIT
#include "gateway/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace suoke::gateway {
namespace {

using config::Condition;
using config::Problem;
using config::Route;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Route path(std::string text) {
    return {.name = text, .path = text};
}
Route prefix(std::string text) {
    return {.name = text + " and below", .prefix = text};
}
Route regex(std::string text) {
    return {.name = text, .regex = text};
}
Route for_methods(Route route, std::vector<std::string> methods) {
    route.methods = std::move(methods);
    return route;
}
Route on_hosts(Route route, std::vector<std::string> hosts) {
    route.hosts = std::move(hosts);
    return route;
}
Route named(Route route, std::string name) {
    route.name = std::move(name);
    return route;
}
Route with_priority(Route route, int priority) {
    route.priority = priority;
    return route;
}

struct Asked {
    std::string_view path = "/";
    std::string_view method = "GET";
    std::string_view host = "api.suoke.life";
    std::string_view query = "";
};

// A table of routes and the requests made of it.
class Table {
 public:
    explicit Table(std::vector<Route> routes) : routes_(std::move(routes)) {
        auto compiled = Router::compile(routes_, problems_);
        if (compiled) router_.emplace(std::move(*compiled));
        for (const Problem& problem : problems_)
            if (problem.severity == Problem::error) ADD_FAILURE() << problem.sentence;
    }

    void send(std::string_view name, std::string_view value) {
        headers_.add(http::Field{name, value});
    }
    Match match(const Asked& asked) const {
        return router_->match({asked.host, asked.path, asked.query, asked.method, headers_});
    }
    // The name of the route that wins, or what else happened.
    std::string winner(const Asked& asked) const {
        Match match = this->match(asked);
        if (match.kind == Match::no_route) return "404";
        if (match.kind == Match::method_not_allowed) return "405 " + match.allow;
        return routes_[match.route].name;
    }
    std::string winner(std::string_view path) const { return winner(Asked{.path = path}); }
    const std::vector<Problem>& problems() const { return problems_; }

 private:
    std::vector<Route> routes_;
    std::vector<Problem> problems_;
    std::optional<Router> router_;
    http::Headers headers_;
};

std::string values(const Match& match) {
    std::string text;
    for (const Param& param : match.params)
        text.append(param.name).append("=").append(param.value).append(" ");
    return text;
}

// ---- paths -----------------------------------------------------------------------------------

TEST(Router, without_routes_knows_no_route) {
    Table table({});
    EXPECT_EQ(table.winner("/"), "404");
    EXPECT_EQ(table.winner(Asked{.path = "*", .method = "OPTIONS"}), "404");
    EXPECT_EQ(table.winner(""), "404");
}

TEST(Router, matches_an_exact_path_and_nothing_near_it) {
    Table table({path("/api/users")});
    EXPECT_EQ(table.winner("/api/users"), "/api/users");
    for (auto other : {"/api/users/", "/api/users/7", "/api/user", "/api/userss", "/API/users",
                       "/api", "/", "/api%2Fusers", "*", ""})
        EXPECT_EQ(table.winner(other), "404") << other;
}

TEST(Router, tells_the_root_from_a_trailing_slash) {
    Table table({path("/"), path("/a"), path("/a/")});
    EXPECT_EQ(table.winner("/"), "/");
    EXPECT_EQ(table.winner("/a"), "/a");
    EXPECT_EQ(table.winner("/a/"), "/a/");
    EXPECT_EQ(table.winner("*"), "404");
}

TEST(Router, matches_a_prefix_at_segment_borders_only) {
    for (auto text : {"/api/users", "/api/users/"}) {
        Table table({named(prefix(text), "users")});
        for (auto below : {"/api/users", "/api/users/", "/api/users/7", "/api/users/7/photo"})
            EXPECT_EQ(table.winner(below), "users") << text << " " << below;
        for (auto other : {"/api/usersx", "/api/user", "/api", "/", "/api/usersx/7"})
            EXPECT_EQ(table.winner(other), "404") << text << " " << other;
    }
}

TEST(Router, takes_every_path_with_a_root_prefix_or_no_path_at_all) {
    for (const Route& all : {prefix("/"), Route{.name = "/ and below"}}) {
        Table table({all});
        for (auto any : {"/", "/a", "/a/b/c", "*"}) EXPECT_EQ(table.winner(any), "/ and below");
        EXPECT_EQ(table.match({.path = "/a/b"}).rest, "/a/b");
        EXPECT_EQ(table.match({.path = "/"}).rest, "/");
        EXPECT_EQ(table.match({.path = "*"}).rest, "");
    }
}

TEST(Router, gives_what_a_prefix_left_of_the_path) {
    Table table({prefix("/api/users")});
    EXPECT_EQ(table.match({.path = "/api/users"}).rest, "");
    EXPECT_EQ(table.match({.path = "/api/users/"}).rest, "/");
    EXPECT_EQ(table.match({.path = "/api/users/7/a%20b"}).rest, "/7/a%20b");
}

TEST(Router, takes_a_slash_and_the_rest_with_a_trailing_star) {
    Table table({path("/files/*")});
    EXPECT_EQ(table.winner("/files"), "404");
    EXPECT_EQ(table.match({.path = "/files/"}).rest, "/");
    EXPECT_EQ(table.match({.path = "/files/a/b"}).rest, "/a/b");
    EXPECT_EQ(Table({path("/*")}).match({.path = "/x"}).rest, "/x");
}

TEST(Router, gives_params_raw_and_in_order) {
    Table table({path("/users/{id}/photos/{photo}"), path("/files/{owner}/*")});
    EXPECT_EQ(values(table.match({.path = "/users/7/photos/a%20b"})), "id=7 photo=a%20b ");
    Match match = table.match({.path = "/files/ann/2024/x.png"});
    EXPECT_EQ(values(match), "owner=ann ");
    EXPECT_EQ(match.rest, "/2024/x.png");
}

TEST(Router, takes_no_empty_segment_for_a_param) {
    Table table({path("/users/{id}"), path("/users/{id}/x")});
    EXPECT_EQ(table.winner("/users/"), "404");
    EXPECT_EQ(table.winner("/users"), "404");
    EXPECT_EQ(table.winner("/users/7/"), "404");
}

TEST(Router, tries_the_param_when_the_literal_leads_nowhere) {
    Table table({path("/users/me"), path("/users/{id}/photo"), path("/{kind}/me/photo")});
    EXPECT_EQ(table.winner("/users/me"), "/users/me");
    EXPECT_EQ(table.winner("/users/me/photo"), "/users/{id}/photo");
    EXPECT_EQ(table.winner("/groups/me/photo"), "/{kind}/me/photo");
    EXPECT_EQ(table.winner("/groups/7/photo"), "404");
}

TEST(Router, gives_each_route_its_own_names_for_the_same_segment) {
    Table table({path("/users/{id}"), path("/users/{user}/photo")});
    EXPECT_EQ(values(table.match({.path = "/users/7"})), "id=7 ");
    EXPECT_EQ(values(table.match({.path = "/users/7/photo"})), "user=7 ");
}

TEST(Router, finds_segments_of_every_length) {
    std::vector<Route> routes;
    for (std::size_t n = 1; n <= 70; ++n) {
        routes.push_back(path("/" + std::string(n, 'x')));
        routes.push_back(path("/" + std::string(n, 'x') + "/y"));
    }
    Table table(routes);
    for (const Route& route : routes) {
        EXPECT_EQ(table.winner(route.path), route.name);
        std::string other = route.path;
        other[other.size() / 2] = 'z';
        EXPECT_EQ(table.winner(other), "404");
    }
    EXPECT_EQ(table.winner("/" + std::string(71, 'x')), "404");
    EXPECT_EQ(table.winner("/" + std::string(5000, 'x')), "404");
}

// ---- escapes ---------------------------------------------------------------------------------

TEST(Router, sees_through_escapes_of_unreserved_characters) {
    Table table({path("/api/admin-x"), prefix("/")});
    for (auto same : {"/api/admin-x", "/%61pi/admin-x", "/ap%69/%61%64%6d%69%6E%2dx"})
        EXPECT_EQ(table.winner(same), "/api/admin-x") << same;
    for (auto other : {"/api%2Fadmin-x", "/api/admin%252Dx", "/api/admin-x%00", "/%41pi/admin-x"})
        EXPECT_EQ(table.winner(other), "/ and below") << other;
}

TEST(Router, compares_escapes_in_either_case_and_bytes_as_their_escapes) {
    Table table({path("/a%2fb"), path("/健康/{id}")});
    EXPECT_EQ(table.winner("/a%2Fb"), "/a%2fb");
    EXPECT_EQ(table.winner("/a%2fb"), "/a%2fb");
    EXPECT_EQ(table.winner("/%e5%81%a5%E5%BA%B7/7"), "/健康/{id}");
    EXPECT_EQ(table.winner("/健康/7"), "/健康/{id}");
}

TEST(Router, keeps_params_and_rest_as_sent_though_the_path_had_escapes) {
    Table table({path("/users/{id}/*"), prefix("/files")});
    Match match = table.match({.path = "/%75sers/%37%2f/%78/y"});
    EXPECT_EQ(values(match), "id=%37%2f ");
    EXPECT_EQ(match.rest, "/%78/y");
    EXPECT_EQ(table.match({.path = "/file%73/%61"}).rest, "/%61");
}

TEST(Router, leaves_broken_escapes_as_they_are) {
    Table table({path("/a/{x}")});
    for (auto broken : {"/a/%", "/a/%4", "/a/%zz", "/a/%%61"})
        EXPECT_EQ(table.winner(broken), "/a/{x}") << broken;
    EXPECT_EQ(table.winner("/%"), "404");
}

TEST(Router, matches_an_escaped_path_of_any_length) {
    Table table({path("/a/*")});
    std::string long_path = "/%61/" + std::string(8000, '%');
    EXPECT_EQ(table.match({.path = long_path}).rest.size(), 8001u);
}

// ---- regexes ---------------------------------------------------------------------------------

TEST(Router, matches_a_regex_against_the_whole_path_in_one_spelling) {
    Table table({regex("/v[0-9]+/users")});
    EXPECT_EQ(table.winner("/v12/users"), "/v[0-9]+/users");
    EXPECT_EQ(table.winner("/v1/%75sers"), "/v[0-9]+/users");
    for (auto other : {"/v1/users/", "/x/v1/users", "/v/users", "/V1/users"})
        EXPECT_EQ(table.winner(other), "404") << other;
}

TEST(Router, gives_the_groups_of_a_regex_as_params_raw) {
    Table table({regex("/(?P<kind>[a-z]+)/([0-9]+)(?:/(x)?)?")});
    EXPECT_EQ(values(table.match({.path = "/users/7"})), "kind=users =7 = ");
    EXPECT_EQ(values(table.match({.path = "/%75sers/%37/x"})), "kind=%75sers =%37 =x ");
}

TEST(Router, looks_at_regexes_below_their_literal_head_only_but_misses_none) {
    for (auto text :
         {"/api/x*/y", "/api/(x|y)/y", "^/api/x/y$", "/ap.*", "/api/x/y|/other", "(?i)/API/X/Y",
          "/api\\/x/y", "/api/x/y", "/api/?x/y", "/api/x{1}/y", "/a[p]i/x/y", ".*"})
        EXPECT_EQ(Table({regex(text)}).winner("/api/x/y"), text) << text;
    EXPECT_EQ(Table({regex("/api|/other/x")}).winner("/other/x"), "/api|/other/x");
    EXPECT_EQ(Table({regex("/api/?x")}).winner("/apix"), "/api/?x");
}

TEST(Router, asks_many_regexes_at_once_and_keeps_their_order) {
    std::vector<Route> routes;
    for (int i = 0; i < 40; ++i) routes.push_back(regex("/[a-z]*" + std::to_string(i) + ".*"));
    routes.push_back(regex(".*"));
    Table table(routes);
    EXPECT_EQ(table.winner("/x39"), "/[a-z]*3.*");  // 3 was declared before 39
    EXPECT_EQ(table.winner("/abc17z"), "/[a-z]*1.*");
    EXPECT_EQ(table.winner("/ABC"), ".*");
}

// ---- hosts -----------------------------------------------------------------------------------

TEST(Router, prefers_the_host_then_the_longer_wildcard_then_any) {
    Table table({named(prefix("/"), "any"), on_hosts(named(prefix("/"), "*.life"), {"*.life"}),
                 on_hosts(named(prefix("/"), "*.suoke.life"), {"*.suoke.life"}),
                 on_hosts(named(prefix("/"), "api"), {"api.suoke.life"})});
    auto winner = [&](std::string_view host) { return table.winner(Asked{.host = host}); };
    EXPECT_EQ(winner("api.suoke.life"), "api");
    EXPECT_EQ(winner("www.suoke.life"), "*.suoke.life");
    EXPECT_EQ(winner("a.b.suoke.life"), "*.suoke.life");
    EXPECT_EQ(winner("suoke.life"), "*.life");
    EXPECT_EQ(winner("life"), "any");
    EXPECT_EQ(winner(".suoke.life"), "any");
    EXPECT_EQ(winner("xsuoke.lif"), "any");
    EXPECT_EQ(winner(""), "any");
    EXPECT_EQ(winner(std::string(300, 'a') + ".suoke.life"), "any");
}

TEST(Router, ignores_case_port_and_final_dot_of_a_host) {
    Table table(
        {on_hosts(prefix("/"), {"API.Suoke.Life"}), on_hosts(prefix("/6"), {"[2001:DB8::1]"})});
    for (auto host : {"api.suoke.life", "API.SUOKE.LIFE", "api.suoke.life:8443", "Api.suoke.life.",
                      "api.suoke.life.:80"})
        EXPECT_EQ(table.winner(Asked{.host = host}), "/ and below") << host;
    for (auto host : {"[2001:db8::1]", "[2001:DB8::1]:8443"})
        EXPECT_EQ(table.winner(Asked{.path = "/6", .host = host}), "/6 and below") << host;
    for (auto host :
         {"[2001:db8::2]", "2001", "[2001:db8::1", "evil-api.suoke.life", "api.suoke.life.x"})
        EXPECT_EQ(table.winner(Asked{.path = "/6", .host = host}), "404") << host;
}

TEST(Router, falls_back_to_any_host_when_the_host_has_no_such_path) {
    Table table({on_hosts(path("/a"), {"api.suoke.life"}), path("/b")});
    EXPECT_EQ(table.winner("/b"), "/b");
    EXPECT_EQ(table.winner(Asked{.path = "/a", .host = "x"}), "404");
}

// ---- the order -------------------------------------------------------------------------------

TEST(Router, prefers_priority_to_everything) {
    Table table({on_hosts(path("/a"), {"api.suoke.life"}), with_priority(prefix("/"), 1),
                 with_priority(path("/z"), -1)});
    EXPECT_EQ(table.winner("/a"), "/ and below");
    EXPECT_EQ(table.winner("/z"), "/ and below");
}

TEST(Router, prefers_the_path_that_says_more_from_the_left) {
    Table table({prefix("/"), regex("/a/.*"), prefix("/a"), path("/a/*"), path("/{x}/b"),
                 path("/a/{x}"), path("/a/b"), path("/a/{x}/c"), prefix("/a/b")});
    EXPECT_EQ(table.winner("/a/b"), "/a/b");
    EXPECT_EQ(table.winner("/a/b/c"), "/a/b and below");
    EXPECT_EQ(table.winner("/a/x/c"), "/a/{x}/c");
    EXPECT_EQ(table.winner("/a/x"), "/a/{x}");
    EXPECT_EQ(table.winner("/a/x/y"), "/a/.*");
    EXPECT_EQ(table.winner("/x/b"), "/{x}/b");
    EXPECT_EQ(table.winner("/a"), "/a and below");
    EXPECT_EQ(table.winner("/x"), "/ and below");
}

TEST(Router, prefers_more_conditions_then_named_methods_then_the_first_declared) {
    Route plain = path("/a");
    Route posts = for_methods(named(path("/a"), "methods"), {"GET"});
    Route beta = named(path("/a"), "beta");
    beta.headers = {{.name = "X-Beta"}};
    Table table({plain, posts, named(path("/a"), "second"), beta});
    EXPECT_EQ(table.winner("/a"), "methods");
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "POST"}), "/a");
    table.send("x-beta", "");
    EXPECT_EQ(table.winner("/a"), "beta");
}

// ---- methods ---------------------------------------------------------------------------------

TEST(Router, tells_405_from_404_and_lists_what_is_allowed) {
    Table table({for_methods(path("/a"), {"GET"}), for_methods(path("/{x}"), {"DELETE", "POST"}),
                 for_methods(prefix("/b"), {"POST"})});
    auto put = [&](std::string_view path) {
        return table.winner(Asked{.path = path, .method = "PUT"});
    };
    EXPECT_EQ(put("/a"), "405 GET, HEAD, POST, DELETE");
    EXPECT_EQ(put("/x"), "405 POST, DELETE");
    EXPECT_EQ(put("/b/c"), "405 POST");
    EXPECT_EQ(put("/a/c"), "404");
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "OPTIONS"}),
              "405 GET, HEAD, POST, DELETE");
}

TEST(Router, sends_head_where_get_goes) {
    Table table({for_methods(named(path("/a"), "get"), {"GET"}),
                 for_methods(named(path("/b"), "head"), {"HEAD"})});
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "HEAD"}), "get");
    EXPECT_EQ(table.winner(Asked{.path = "/b", .method = "HEAD"}), "head");
    EXPECT_EQ(table.winner(Asked{.path = "/b", .method = "GET"}), "405 HEAD");
}

TEST(Router, knows_methods_of_ones_own_and_takes_requests_literally) {
    Table table({for_methods(path("/a"), {"PURGE", "get"}), path("/any")});
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "PURGE"}), "/a");
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "GET"}), "/a");
    EXPECT_EQ(table.winner(Asked{.path = "/a", .method = "purge"}), "405 GET, HEAD, PURGE");
    EXPECT_EQ(table.winner(Asked{.path = "/any", .method = "BREW"}), "/any");
}

TEST(Router, does_not_allow_methods_of_routes_whose_conditions_fail) {
    Route beta = for_methods(path("/a"), {"POST"});
    beta.headers = {{.name = "x-beta", .equals = "1"}};
    Table table({beta});
    EXPECT_EQ(table.winner("/a"), "404");
    table.send("X-Beta", "1");
    EXPECT_EQ(table.winner("/a"), "405 POST");
}

TEST(Router, falls_to_a_later_route_when_the_method_is_not_the_firsts) {
    Table table({for_methods(path("/a"), {"POST"}), prefix("/")});
    EXPECT_EQ(table.winner("/a"), "/ and below");
}

// ---- conditions ------------------------------------------------------------------------------

Table asking(const Route& conditions) {
    Route route = conditions;
    route.name = "yes";
    return Table({route, named(prefix("/"), "no")});
}

TEST(RouteConditions, ask_headers_for_presence_value_or_regex) {
    struct Case {
        Condition asked;
        std::string_view name, value, winner;
    };
    const Case cases[] = {
        {{.name = "X-A"}, "x-a", "", "yes"},
        {{.name = "X-A"}, "x-b", "1", "no"},
        {{.name = "X-A", .equals = "1"}, "X-A", "1", "yes"},
        {{.name = "X-A", .equals = "1"}, "X-A", "11", "no"},
        {{.name = "X-A", .equals = "a"}, "X-A", "A", "no"},
        {{.name = "X-A", .regex = "[0-9]+"}, "X-A", "42", "yes"},
        {{.name = "X-A", .regex = "[0-9]+"}, "X-A", "42x", "no"},
        {{.name = "X-A", .equals = "4", .regex = "[0-9]+"}, "X-A", "42", "no"},
    };
    for (const Case& one : cases) {
        Table table = asking({.headers = {one.asked}});
        table.send(one.name, one.value);
        EXPECT_EQ(table.winner("/"), one.winner) << one.asked.name << " " << one.value;
    }
}

TEST(RouteConditions, are_satisfied_by_one_of_several_fields) {
    Table table = asking({.headers = {{.name = "x-a", .equals = "2"}}});
    table.send("X-A", "1");
    EXPECT_EQ(table.winner("/"), "no");
    table.send("X-A", "2");
    EXPECT_EQ(table.winner("/"), "yes");
}

TEST(RouteConditions, compare_query_parameters_decoded) {
    Table table = asking({.query = {{.name = "v er", .equals = "a&1"}}});
    for (auto query :
         {"v+er=a%261", "x=1&v%20er=a%261", "v%20er=x&v%20%65r=a%261&y", "&&v+er=%61%261"})
        EXPECT_EQ(table.winner(Asked{.query = query}), "yes") << query;
    for (auto query :
         {"", "v+er", "v+er=a&1", "v+er=a%2611", "V+er=a%261", "x=v+er=a%261", "v+er=%6"})
        EXPECT_EQ(table.winner(Asked{.query = query}), "no") << query;
}

TEST(RouteConditions, find_a_query_parameter_without_value) {
    Table table = asking({.query = {{.name = "debug"}}});
    for (auto query : {"debug", "debug=", "a=1&debug&b", "debug=1"})
        EXPECT_EQ(table.winner(Asked{.query = query}), "yes") << query;
    EXPECT_EQ(table.winner(Asked{.query = "debugger=1"}), "no");
}

TEST(RouteConditions, find_cookies_in_any_cookie_field) {
    Table table = asking({.cookies = {{.name = "beta", .equals = "on"}}});
    EXPECT_EQ(table.winner("/"), "no");
    table.send("Cookie", "alpha=1; Beta=on; xbeta=on; beta=off");
    EXPECT_EQ(table.winner("/"), "no");
    table.send("cookie", "session=x;beta=on ; z");
    EXPECT_EQ(table.winner("/"), "yes");
}

TEST(RouteConditions, must_all_hold) {
    Table table = asking({.headers = {{.name = "a"}, {.name = "b"}}, .query = {{.name = "q"}}});
    table.send("a", "");
    EXPECT_EQ(table.winner(Asked{.query = "q"}), "no");
    table.send("b", "");
    EXPECT_EQ(table.winner(Asked{.query = "q"}), "yes");
    EXPECT_EQ(table.winner(Asked{.query = ""}), "no");
}

// ---- what the operator is told ---------------------------------------------------------------

struct Refused {
    Route route;
    std::string_view key, sentence;
};

TEST(RouterCompile, refuses_what_cannot_match_and_says_where_and_why) {
    const Refused cases[] = {
        {path("/a/{id"), "routes[1].path", "without its '}'"},
        {path("/a/{id}x"), "routes[1].path", "whole segment"},
        {path("/a/v{id}"), "routes[1].path", "whole segment"},
        {path("/a/{a}{b}"), "routes[1].path", "whole segment"},
        {path("/a/{}"), "routes[1].path", "name"},
        {path("/a/{1a}"), "routes[1].path", "name"},
        {path("/a/}"), "routes[1].path", "whole segment"},
        {path("/{id}/b/{id}"), "routes[1].path", "{id} is there twice"},
        {path("/a/*/b"), "routes[1].path", "last segment"},
        {path("/a/b*"), "routes[1].path", "last segment"},
        {path("/a/**"), "routes[1].path", "last segment"},
        {path("a"), "routes[1].path", "start with '/'"},
        {path("/a//b"), "routes[1].path", "'//'"},
        {path("//*"), "routes[1].path", "'//'"},
        {path("/a/../b"), "routes[1].path", "'.' and '..'"},
        {path("/a/%2e/b"), "routes[1].path", "'.' and '..'"},
        {path("/a b"), "routes[1].path", "escape it"},
        {path("/a?b"), "routes[1].path", "escape it"},
        {path("/a#b"), "routes[1].path", "escape it"},
        {path("/100%"), "routes[1].path", "%25"},
        {path("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}"), "routes[1].path", "more than 9 params"},
        {prefix("/a/{id}"), "routes[1].prefix", "literal"},
        {prefix("/a/*"), "routes[1].prefix", "literal"},
        {prefix("a"), "routes[1].prefix", "start with '/'"},
        {regex("/a(b"), "routes[1].regex", "missing ): /a(b"},
        {regex("/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)"), "routes[1].regex", "more than 9 groups"},
        {{.path = "/a", .regex = "/a"}, "routes[1]", "only one of"},
        {on_hosts(path("/a"), {"api:80"}), "routes[1].hosts", "'api:80' is no host"},
        {on_hosts(path("/a"), {"a.*.b"}), "routes[1].hosts", "'a.*.b' is no host"},
        {on_hosts(path("/a"), {""}), "routes[1].hosts", "'' is no host"},
        {on_hosts(path("/a"), {"*."}), "routes[1].hosts", "is no host"},
        {on_hosts(path("/a"), {"::1"}), "routes[1].hosts", "is no host"},
        {on_hosts(path("/a"), {"*.[::1]"}), "routes[1].hosts", "is no host"},
        {for_methods(path("/a"), {"GET POST"}), "routes[1].methods", "'GET POST' is no method"},
        {for_methods(path("/a"), {""}), "routes[1].methods", "'' is no method"},
        {{.path = "/a", .headers = {{.name = "x", .regex = "("}}}, "routes[1]", "'x' is invalid"},
        {{.path = "/a", .cookies = {{.name = ""}}}, "routes[1]", "needs a name"},
    };
    for (Refused one : cases) {
        one.route.place = {"config/suoke.yaml", 12, 5};
        std::vector<Route> routes = {path("/fine"), one.route};
        std::vector<Problem> problems;
        EXPECT_FALSE(Router::compile(routes, problems).has_value()) << one.sentence;
        ASSERT_EQ(problems.size(), 1u) << one.sentence;
        EXPECT_EQ(problems[0].severity, Problem::error);
        EXPECT_EQ(problems[0].key, one.key);
        EXPECT_THAT(problems[0].sentence, HasSubstr(std::string(one.sentence)));
        EXPECT_EQ(problems[0].place.line, 12);
    }
}

TEST(RouterCompile, refuses_a_pattern_deeper_than_any_path_needs) {
    std::string deep;
    for (int i = 0; i < 65; ++i) deep += "/a";
    std::vector<Problem> problems;
    EXPECT_TRUE(Router::compile(std::vector{path(deep)}, problems).has_error());
    EXPECT_THAT(problems.at(0).sentence, HasSubstr("more than 64 segments"));
}

TEST(RouterCompile, reports_every_problem_and_keeps_those_already_there) {
    std::vector<Problem> problems(1);
    std::vector<Route> routes = {path("/{"), path("/fine"), regex("(")};
    EXPECT_TRUE(Router::compile(routes, problems).has_error());
    ASSERT_EQ(problems.size(), 3u);
    EXPECT_EQ(problems[1].key, "routes[0].path");
    EXPECT_EQ(problems[2].key, "routes[2].regex");
}

// The keys of the routes that are said to be unreachable.
std::vector<std::string> unreachable(std::vector<Route> routes) {
    Table table(std::move(routes));
    std::vector<std::string> keys;
    for (const Problem& problem : table.problems()) {
        EXPECT_EQ(problem.severity, Problem::warning);
        EXPECT_THAT(problem.sentence, HasSubstr("unreachable: route "));
        keys.push_back(problem.key);
    }
    return keys;
}

TEST(RouterCompile, names_the_route_that_always_wins_and_where_it_stands) {
    Route first = path("/users/{id}");
    first.name = "users";
    first.place = {"config/suoke.yaml", 7, 3};
    Table table({first, path("/users/{user}")});
    ASSERT_EQ(table.problems().size(), 1u);
    EXPECT_EQ(table.problems()[0].sentence,
              "unreachable: route 'users' (config/suoke.yaml:7) always wins");
    EXPECT_EQ(table.winner("/users/7"), "users");
}

TEST(RouterCompile, warns_of_routes_in_the_shadow_of_others) {
    auto a = path("/a");
    EXPECT_THAT(unreachable({a, a}), ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({path("/%61"), a}), ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({prefix("/a/"), prefix("/a")}), ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({regex("/a.*"), regex("/a.*")}), ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({a, with_priority(prefix("/"), 1)}), ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({path("/a/b"), with_priority(path("/a/{x}"), 1)}),
                ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({path("/a/{x}"), with_priority(path("/a/*"), 1)}),
                ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({regex("/a/b/.*"), with_priority(prefix("/a"), 1)}),
                ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({for_methods(a, {"GET", "POST"}), for_methods(a, {"POST"})}),
                ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({for_methods(a, {"GET"}), for_methods(a, {"HEAD"})}),
                ElementsAre("routes[1]"));
    EXPECT_THAT(unreachable({on_hosts(a, {"x.y"}), with_priority(on_hosts(a, {"*.y"}), 1)}),
                ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({on_hosts(a, {"x.y"}), with_priority(a, 1)}), ElementsAre("routes[0]"));
    EXPECT_THAT(unreachable({on_hosts(a, {"x", "y"}), on_hosts(a, {"y"}), on_hosts(a, {"x"})}),
                ElementsAre("routes[1]", "routes[2]"));
}

TEST(RouterCompile, is_silent_where_a_route_can_be_reached) {
    auto a = path("/a");
    Route beta = a;
    beta.headers = {{.name = "x-beta", .equals = "1"}};
    Route gamma = a;
    gamma.headers = {{.name = "x-beta", .equals = "2"}};
    EXPECT_THAT(unreachable({a, beta, gamma}), IsEmpty());
    EXPECT_THAT(unreachable({prefix("/"), a, path("/{x}")}), IsEmpty());
    EXPECT_THAT(unreachable({for_methods(a, {"GET"}), for_methods(a, {"GET", "POST"})}), IsEmpty());
    EXPECT_THAT(unreachable({for_methods(a, {"GET"}), a}), IsEmpty());
    EXPECT_THAT(unreachable({on_hosts(a, {"x"}), on_hosts(a, {"x", "y"})}), IsEmpty());
    EXPECT_THAT(unreachable({on_hosts(a, {"y"}), with_priority(on_hosts(a, {"*.y"}), 1)}),
                IsEmpty());
    EXPECT_THAT(unreachable({prefix("/a"), with_priority(path("/a/*"), 1)}), IsEmpty());
    EXPECT_THAT(unreachable({path("/a/"), with_priority(path("/a/{x}"), 1)}), IsEmpty());
    EXPECT_THAT(unreachable({regex("/a/.*"), with_priority(path("/a/{x}"), 1)}), IsEmpty());
}

TEST(RouterCompile, warns_when_conditions_only_narrow_a_route_that_wins) {
    Route present = path("/a");
    present.headers = {{.name = "x"}};
    present.priority = 1;
    Route equal = path("/a");
    equal.headers = {{.name = "x", .equals = "1"}, {.name = "y"}};
    EXPECT_THAT(unreachable({present, equal}), ElementsAre("routes[1]"));
    equal.headers = {{.name = "y"}, {.name = "z"}};
    EXPECT_THAT(unreachable({present, equal}), IsEmpty());
}

}  // namespace
}  // namespace suoke::gateway
