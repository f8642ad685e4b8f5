// SPDX-License-Identifier: MIT
#include "endpoints/cache_api.h"

#include <gtest/gtest.h>

namespace suoke::endpoints {
namespace {

using Place = PurgeWish::Place;

PurgeWish wish(std::string_view body) {
    auto read = read_purge(body);
    if (auto* faults = std::get_if<Faults>(&read)) {
        ADD_FAILURE() << faults->front().field << ": " << faults->front().message;
        return {};
    }
    return std::get<PurgeWish>(read);
}
bool refused(std::string_view body) { return std::holds_alternative<Faults>(read_purge(body)); }

TEST(Purge, takes_urls_prefixes_and_tags_one_or_many) {
    PurgeWish all = wish(R"({"urls": ["https://API.suoke.life:8443/a/../b?c=1#d", "/x//y"], "prefix": "/api/users/", "tags": ["a", "b"]})");
    EXPECT_EQ(all.urls, (std::vector<Place>{{"api.suoke.life", "/b?c=1"}, {"", "/x/y"}}));
    EXPECT_EQ(all.prefixes, (std::vector<Place>{{"", "/api/users/"}}));
    EXPECT_EQ(all.tags, (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(all.all);
    EXPECT_TRUE(wish(R"({"all": true})").all);
    EXPECT_EQ(wish(R"({"url": "http://api"})").urls, (std::vector<Place>{{"api", "/"}}));
}

TEST(Purge, refuses_what_names_nothing) {
    for (const char* body : {"", "[]", "{}", R"({"all": false})", R"({"all": 1})", R"({"urls": "a/b"})", R"({"urls": [1]})", R"({"urls": [""]})", R"({"urls": ["http://user@api/"]})", R"({"tags": {}})",
                             R"({"urls": ["/..;/admin"]})"})
        EXPECT_TRUE(refused(body)) << body;
}

TEST(Purge, refuses_more_than_it_can_do_at_once) {
    std::string many = R"({"tags": ["a")";
    for (int i = 0; i < 1000; ++i) many += R"(,"a")";
    EXPECT_TRUE(refused(many + "]}"));
}

}  // namespace
}  // namespace suoke::endpoints
