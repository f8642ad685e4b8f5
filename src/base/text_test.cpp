// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace suoke {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Text, compares_without_case_in_ascii_only) {
    EXPECT_TRUE(iequals("Content-Length", "cOnTeNt-lEnGtH"));
    EXPECT_FALSE(iequals("a", "ab"));
    EXPECT_FALSE(iequals("[", "{"));  // they differ by the case bit
    EXPECT_FALSE(iequals("\xC3\xA9", "\xC3\x89"));
}

TEST(Text, splits_lists_and_drops_what_is_empty) {
    EXPECT_THAT(split_list("a, b ,,c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_list(" , ,"), IsEmpty());
    EXPECT_THAT(split_list("a;b", ';'), ElementsAre("a", "b"));
}

TEST(Text, trims) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim("   "), "");
}

TEST(ParseU64, takes_decimals_and_nothing_else) {
    EXPECT_EQ(parse_u64("0"), 0u);
    EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
    for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x10", "1.0", "18446744073709551616"})
        EXPECT_FALSE(parse_u64(bad)) << bad;
}

TEST(ParseBytes, knows_the_units) {
    EXPECT_EQ(parse_bytes("512"), 512u);
    EXPECT_EQ(parse_bytes("8 KiB"), 8192u);
    EXPECT_EQ(parse_bytes("10MB"), 10u << 20);
    EXPECT_EQ(parse_bytes("1g"), 1u << 30);
    for (const char* bad :
         {"", "MB", "-1", "1XB", "1 2", "99999999999999999999", "18446744073709551615K"})
        EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(ParseDuration, knows_the_units) {
    EXPECT_EQ(parse_duration("30"), 30s);
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("2m"), 2min);
    EXPECT_EQ(parse_duration("1h"), 1h);
    EXPECT_EQ(parse_duration("0.5"), 500ms);
    for (const char* bad : {"", "s", "-1s", "1x", "1s2", "1.2.3", "nan", "inf", "1e400", "9223372037s"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Format, what_is_written_is_read_back) {
    Random random(5);
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t bytes = random.next() >> random.below(64);
        EXPECT_EQ(parse_bytes(format_bytes(bytes)), bytes) << format_bytes(bytes);
        auto ms = std::chrono::milliseconds(random.below(1ull << (1 + random.below(40))));
        EXPECT_EQ(parse_duration(format_duration(ms)), Duration(ms)) << format_duration(ms);
    }
}

TEST(Nearest, finds_a_slip_and_not_a_stranger) {
    constexpr std::string_view kWords[] = {"timeout", "prefix", "services"};
    EXPECT_EQ(nearest("timeot", kWords), "timeout");
    EXPECT_EQ(nearest("servcies", kWords), "services");
    EXPECT_EQ(nearest("elephant", kWords), "");
}

TEST(Dates, are_written_as_the_standards_say) {
    WallTime t{std::chrono::seconds(784111777)};
    EXPECT_EQ(http_date(t), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(iso8601(t + 5ms), "1994-11-06T08:49:37.005Z");
}

}  // namespace
}  // namespace suoke
