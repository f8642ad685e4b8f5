// SPDX-License-Identifier: MIT
#include "discovery/news.h"

#include <gtest/gtest.h>

#include "testing/found.h"

namespace suoke::discovery {
namespace {

balance::Instance at(std::string host) {
    balance::Instance instance;
    instance.host = std::move(host);
    return instance;
}

TEST(News, in_another_order_is_none) {
    scene::Found found;
    News news(found);
    news.found({at("a"), at("b")});
    news.found({at("b"), at("a")});
    EXPECT_EQ(found.times, 1);
    news.found({at("b")});
    EXPECT_EQ(found.times, 2);
    news.found({});
    EXPECT_EQ(found.times, 3) << "none at all is an answer";
}

TEST(News, the_first_answer_is_told_even_when_it_is_empty) {
    scene::Found found;
    News news(found);
    news.found({});
    news.found({});
    EXPECT_EQ(found.times, 1);
}

TEST(News, any_difference_is_told) {
    scene::Found found;
    News news(found);
    balance::Instance one = at("a");
    news.found({one});
    one.weight = 2;
    news.found({one});
    EXPECT_EQ(found.times, 2);
}

TEST(News, after_a_failure_the_same_is_told_again) {
    scene::Found found;
    News news(found);
    news.found({at("a")});
    news.failed(Error(Code::dns_failed));
    news.failed(Error(Code::dns_failed));
    EXPECT_EQ(found.failures.size(), 2u);
    news.found({at("a")});
    EXPECT_EQ(found.times, 2) << "or nobody would know that it can be asked again";
}

TEST(News, one_key_is_one_instance_the_first) {
    scene::Found found;
    News news(found);
    balance::Instance heavy = at("a");
    heavy.weight = 7;
    news.found({at("b"), heavy, at("a"), at("a")});
    EXPECT_EQ(found.last(), "a:80*7 b:80");
}

TEST(News, too_many_instances_are_a_failure) {
    scene::Found found;
    News news(found);
    balance::Instances many;
    for (std::size_t i = 0; i <= kMostInstances; ++i) many.push_back(at("h" + std::to_string(i)));
    news.found(std::move(many));
    EXPECT_EQ(found.times, 0);
    EXPECT_EQ(found.failures.size(), 1u);
}

}  // namespace
}  // namespace suoke::discovery
