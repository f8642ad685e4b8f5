// SPDX-License-Identifier: MIT
#include "cache/marks.h"

#include <gtest/gtest.h>

namespace suoke::cache {
namespace {

class MarksTest : public testing::Test {
 protected:
    struct Kept {
        Stamp stamp;
        std::vector<Slot> slots;
        std::atomic<Stamp> seen{0};
    };
    std::unique_ptr<Kept> keep(std::string_view host, std::string_view path, std::vector<std::string_view> tags = {}) {
        auto kept = std::make_unique<Kept>();
        kept->stamp = marks_.now();
        kept->slots = marks_.slots_of(host, path, tags);
        return kept;
    }
    bool stands(Kept& kept) { return marks_.stands(kept.stamp, kept.slots, kept.seen); }
    Marks marks_{Seed{1, 2, 3, 4}};
};

TEST_F(MarksTest, a_url_voids_itself_and_nothing_else) {
    auto a = keep("api", "/a?x=1"), other = keep("api", "/a?x=2"), elsewhere = keep("web", "/a?x=1");
    marks_.purge_url("api", "/a?x=1");
    EXPECT_FALSE(stands(*a));
    EXPECT_TRUE(stands(*other) && stands(*elsewhere));
    EXPECT_TRUE(stands(*keep("api", "/a?x=1"))) << "what was asked for afterwards";
}

TEST_F(MarksTest, a_url_without_a_host_is_that_of_every_host) {
    auto a = keep("api", "/a"), b = keep("web", "/a");
    marks_.purge_url("", "/a");
    EXPECT_FALSE(stands(*a) || stands(*b));
}

TEST_F(MarksTest, a_prefix_is_whole_segments) {
    auto in = keep("api", "/users/7?x"), itself = keep("api", "/users"), slash = keep("api", "/users/"), beside = keep("api", "/users-old/7"), above = keep("api", "/");
    marks_.purge_prefix("api", "/users/");
    EXPECT_FALSE(stands(*in) || stands(*itself) || stands(*slash));
    EXPECT_TRUE(stands(*beside) && stands(*above));
}

TEST_F(MarksTest, a_prefix_deeper_than_is_kept_voids_its_branch) {
    std::string deep;
    for (int i = 0; i < 30; ++i) deep += "/s" + std::to_string(i);
    auto in = keep("api", deep + "/x");
    marks_.purge_prefix("api", deep);
    EXPECT_FALSE(stands(*in));
}

TEST_F(MarksTest, a_tag_voids_whatever_has_it) {
    auto tagged = keep("api", "/a", {"red", "blue"}), other = keep("api", "/b", {"green"});
    marks_.purge_tag("blue");
    EXPECT_FALSE(stands(*tagged));
    EXPECT_TRUE(stands(*other));
}

TEST_F(MarksTest, everything_is_voided_at_once) {
    auto a = keep("api", "/a");
    EXPECT_TRUE(stands(*a));
    marks_.purge_all();
    EXPECT_FALSE(stands(*a));
    EXPECT_TRUE(stands(*keep("api", "/a")));
}

TEST_F(MarksTest, what_was_looked_at_is_looked_at_again_when_more_is_purged) {
    auto a = keep("api", "/a");
    marks_.purge_url("api", "/b");
    EXPECT_TRUE(stands(*a));
    EXPECT_EQ(a->seen.load(), marks_.now());
    marks_.purge_url("api", "/a");
    EXPECT_FALSE(stands(*a));
}

TEST_F(MarksTest, what_shares_a_slot_with_one_that_was_purged_stands) {
    std::vector<std::unique_ptr<Kept>> kept;
    for (int i = 0; i < 2000; ++i) kept.push_back(keep("api", "/kept/" + std::to_string(i)));
    for (int i = 0; i < 1000; ++i) marks_.purge_url("api", "/other/" + std::to_string(i));
    int standing = 0;
    for (auto& each : kept) standing += stands(*each);
    EXPECT_GE(standing, 1980);
    for (int i = 0; i < 2000; ++i) marks_.purge_url("api", "/kept/" + std::to_string(i));
    for (auto& each : kept) EXPECT_FALSE(stands(*each));
}

TEST_F(MarksTest, an_answer_that_was_on_its_way_is_void) {
    Stamp asked = marks_.now();
    marks_.purge_url("api", "/a");
    auto kept = keep("api", "/a");
    kept->stamp = asked;
    EXPECT_FALSE(stands(*kept));
    EXPECT_FALSE(marks_.stands(asked, marks_.slot_of_url("api", "/a")));
    EXPECT_TRUE(marks_.stands(marks_.now(), marks_.slot_of_url("api", "/a")));
}

TEST_F(MarksTest, a_herald_is_told_of_what_is_purged_here_before_it_is_void) {
    auto a = keep("api", "/a");
    struct Told final : Marks::Herald {
        void purged(const Purge& what) override {
            text = std::string(1, static_cast<char>(what.kind)).append(what.host).append(what.text);
            stood = marks->stands(kept->stamp, kept->slots, kept->seen);
        }
        const Marks* marks = nullptr;
        Kept* kept = nullptr;
        std::string text;
        bool stood = false;
    } told;
    told.marks = &marks_;
    told.kept = a.get();
    marks_.set_herald(&told);
    marks_.purge_url("api", "/a");
    EXPECT_EQ(told.text, "uapi/a");
    EXPECT_TRUE(told.stood);
    EXPECT_FALSE(stands(*a));
    auto again = keep("api", "/a", {"red"});
    marks_.heed({Purge::Kind::tag, {}, "red"});   // told by somebody else
    EXPECT_EQ(told.text, "uapi/a");
    EXPECT_FALSE(stands(*again));
}

TEST_F(MarksTest, a_table_can_have_the_stamps_of_somebody_else) {
    auto a = keep("api", "/users/7", {"red"});
    a->stamp = 1000;
    marks_.heed({Purge::Kind::tag, {}, "red"}, 900);
    EXPECT_TRUE(stands(*a));
    marks_.heed({Purge::Kind::tag, {}, "blue"}, 1100);
    EXPECT_TRUE(stands(*a));
    marks_.heed({Purge::Kind::prefix, "api", "/users"}, 1200);
    EXPECT_FALSE(stands(*a));
    a->stamp = 1200;
    EXPECT_TRUE(stands(*a));
    marks_.heed({}, 1200);
    EXPECT_TRUE(stands(*a));
    marks_.heed({}, 1300);
    EXPECT_FALSE(stands(*a));
}

}  // namespace
}  // namespace suoke::cache
