// SPDX-License-Identifier: MIT
#include "cache/validators.h"

#include <gtest/gtest.h>

#include "cache/ranges.h"

namespace suoke::cache {
namespace {

constexpr UnixSeconds kNow = 1'735'689'600;   // 2025-01-01T00:00:00Z

std::optional<UnixSeconds> date(std::string_view text, UnixSeconds now = kNow) { return parse_http_date(text, now); }

http::Headers fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    http::Headers headers;
    for (const auto& [name, value] : list) headers.add(name, value);
    return headers;
}

// ---- dates (RFC 9110 §5.6.7)

TEST(HttpDate, is_read_in_all_three_forms) {
    constexpr UnixSeconds kThen = 784'111'777;
    EXPECT_EQ(date("Sun, 06 Nov 1994 08:49:37 GMT"), kThen);
    EXPECT_EQ(date("Sunday, 06-Nov-94 08:49:37 GMT"), kThen);
    EXPECT_EQ(date("Sun Nov  6 08:49:37 1994"), kThen);
    EXPECT_EQ(date("Sun Nov 16 08:49:37 1994"), kThen + 10 * 86'400);
}

TEST(HttpDate, two_digits_of_a_year_are_at_most_fifty_years_ahead) {
    EXPECT_EQ(date("Thursday, 18-Aug-50 02:01:18 GMT"), date("Thu, 18 Aug 2050 02:01:18 GMT"));
    EXPECT_EQ(date("Friday, 18-Aug-78 02:01:18 GMT"), date("Fri, 18 Aug 1978 02:01:18 GMT"));
    UnixSeconds in_2080 = *date("Mon, 01 Jan 2080 00:00:00 GMT");
    EXPECT_EQ(date("Monday, 18-Aug-05 02:01:18 GMT", in_2080), date("Mon, 18 Aug 2105 02:01:18 GMT"));
}

TEST(HttpDate, far_years_are_dates_as_well) {
    EXPECT_GT(*date("Fri, 31 Dec 9999 23:59:59 GMT"), *date("Sun, 21 Nov 2286 04:46:39 GMT"));
    EXPECT_LT(*date("Sat, 01 Jan 0001 00:00:00 GMT"), 0);
}

TEST(HttpDate, what_is_none_is_nothing) {
    for (std::string_view text : {"", "0", "-1", "now", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18 GMT ", "Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT",
                                  "Thu, 18  Aug  2050 02:01:18 GMT", "Thu, 18-Aug-2050 02:01:18 GMT", "Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18 Aug 2050 02.01.18 GMT", "Thu, 31 Feb 2050 02:01:18 GMT",
                                  "Thu, 18 Aug 2050 24:01:18 GMT", "Thu, 18 AUG 2050 02:01:18 GMT"})
        EXPECT_EQ(date(text), std::nullopt) << text;
}

// ---- entity tags (RFC 9110 §8.8.3)

TEST(EntityTag, is_quoted_and_perhaps_weak) {
    EXPECT_EQ(parse_entity_tag("\"abc\""), (EntityTag{"\"abc\"", false}));
    EXPECT_EQ(parse_entity_tag("W/\"abc\""), (EntityTag{"\"abc\"", true}));
    EXPECT_EQ(parse_entity_tag("\"\""), (EntityTag{"\"\"", false}));
    EXPECT_EQ(parse_entity_tag("\"a,b\""), (EntityTag{"\"a,b\"", false}));
    for (std::string_view none : {"", "abc", "w/\"abc\"", "W\"abc\"", "\"abc", "abc\"", "\"a\"b", "\"a b\"", "\"a\", \"b\"", "*"}) EXPECT_EQ(parse_entity_tag(none), std::nullopt) << none;
}

TEST(EntityTag, is_compared_strongly_and_weakly) {   // the table of RFC 9110 §8.8.3.2
    EntityTag w1{"\"1\"", true}, w2{"\"2\"", true}, s1{"\"1\"", false};
    EXPECT_FALSE(matches_strongly(w1, w1));
    EXPECT_TRUE(matches_weakly(w1, w1));
    EXPECT_FALSE(matches_strongly(w1, w2) || matches_weakly(w1, w2));
    EXPECT_FALSE(matches_strongly(w1, s1));
    EXPECT_TRUE(matches_weakly(w1, s1));
    EXPECT_TRUE(matches_strongly(s1, s1) && matches_weakly(s1, s1));
}

// ---- conditions (RFC 9110 §13)

struct Stored {
    http::Headers headers;
    Validators validators;
    explicit Stored(std::initializer_list<std::pair<std::string_view, std::string_view>> list) : headers(fields(list)), validators(validators_of(headers, kNow, kNow)) {}
};
bool has_it(const Stored& stored, std::initializer_list<std::pair<std::string_view, std::string_view>> request) {
    return client_has_it(fields(request), stored.validators, kNow);
}

TEST(Conditions, a_tag_in_the_list_is_enough) {
    Stored stored({{"ETag", "\"abcdef\""}});
    EXPECT_TRUE(has_it(stored, {{"If-None-Match", "\"abcdef\""}}));
    EXPECT_TRUE(has_it(stored, {{"If-None-Match", "\"1234\", \"abcdef\", \"5678\""}}));
    EXPECT_TRUE(has_it(stored, {{"If-None-Match", "\"1234\""}, {"If-None-Match", "W/\"abcdef\""}})) << "compared weakly: §13.1.2";
    EXPECT_TRUE(has_it(stored, {{"If-None-Match", "*"}}));
    EXPECT_FALSE(has_it(stored, {{"If-None-Match", "\"1234\""}}));
    EXPECT_FALSE(has_it(stored, {{"If-None-Match", "abcdef"}}));
    EXPECT_FALSE(has_it(stored, {}));
}

TEST(Conditions, if_none_match_goes_before_if_modified_since) {   // §13.2.2
    Stored stored({{"ETag", "\"a\""}, {"Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"}});
    EXPECT_FALSE(has_it(stored, {{"If-None-Match", "\"b\""}, {"If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT"}}));
    EXPECT_TRUE(has_it(stored, {{"If-None-Match", "\"a\""}, {"If-Modified-Since", "Tue, 01 Jan 2019 00:00:00 GMT"}}));
}

TEST(Conditions, a_date_is_compared_as_a_date) {
    Stored stored({{"Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"}});
    EXPECT_TRUE(has_it(stored, {{"If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT"}}));
    EXPECT_TRUE(has_it(stored, {{"If-Modified-Since", "Wednesday, 01-Jan-20 00:00:00 GMT"}}));
    EXPECT_TRUE(has_it(stored, {{"If-Modified-Since", "Thu, 02 Jan 2020 00:00:00 GMT"}}));
    EXPECT_FALSE(has_it(stored, {{"If-Modified-Since", "Tue, 31 Dec 2019 23:59:59 GMT"}}));
    EXPECT_FALSE(has_it(stored, {{"If-Modified-Since", "yesterday"}}));
}

TEST(Conditions, without_last_modified_the_date_stands_for_it) {   // RFC 9111 §4.3.2
    Stored stored({});
    EXPECT_TRUE(has_it(stored, {{"If-Modified-Since", "Wed, 01 Jan 2025 00:00:00 GMT"}}));
    EXPECT_FALSE(has_it(stored, {{"If-Modified-Since", "Tue, 31 Dec 2024 23:59:59 GMT"}}));
}

TEST(Conditions, if_range_takes_strong_validators_only) {   // RFC 9110 §13.1.5
    Stored strong({{"ETag", "\"a\""}}), weak({{"ETag", "W/\"a\""}}), dated({{"Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"}}), just_now({{"Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT"}});
    auto counts = [](const Stored& stored, std::string_view value) { return range_counts(fields({{"If-Range", value}}), stored.validators, kNow); };
    EXPECT_TRUE(counts(strong, "\"a\""));
    EXPECT_FALSE(counts(strong, "\"b\"") || counts(strong, "W/\"a\"") || counts(weak, "W/\"a\""));
    EXPECT_TRUE(counts(dated, "Wed, 01 Jan 2020 00:00:00 GMT"));
    EXPECT_FALSE(counts(dated, "Thu, 02 Jan 2020 00:00:00 GMT"));
    EXPECT_FALSE(counts(just_now, "Wed, 01 Jan 2025 00:00:00 GMT")) << "it may have changed within that second";
    EXPECT_TRUE(range_counts(fields({}), strong.validators, kNow));
}

// ---- ranges (RFC 9110 §14)

TEST(Range, chooses_bytes_of_what_there_is) {
    auto part = [](std::string_view text, std::uint64_t size) {
        RangeAnswer answer = choose_range(text, size);
        return answer.kind == RangeAnswer::part ? std::optional(answer.range) : std::nullopt;
    };
    EXPECT_EQ(part("bytes=0-1", 11), (ByteRange{0, 1}));
    EXPECT_EQ(part("bytes=1-", 11), (ByteRange{1, 10}));
    EXPECT_EQ(part("bytes=-1", 11), (ByteRange{10, 10}));
    EXPECT_EQ(part("bytes=-100", 11), (ByteRange{0, 10}));
    EXPECT_EQ(part("bytes=5-100", 11), (ByteRange{5, 10}));
    EXPECT_EQ(part("bytes=0-99999999999999999999999", 11), (ByteRange{0, 10}));
    EXPECT_EQ(part("BYTES = 0-0", 11), (ByteRange{0, 0}));
}

TEST(Range, what_lies_behind_the_end_cannot_be_had) {
    for (std::string_view text : {"bytes=11-", "bytes=11-12", "bytes=-0", "bytes=99999999999999999999999-"}) EXPECT_EQ(choose_range(text, 11).kind, RangeAnswer::unsatisfiable) << text;
    EXPECT_EQ(choose_range("bytes=0-", 0).kind, RangeAnswer::unsatisfiable);
}

TEST(Range, what_it_does_not_understand_is_as_if_it_had_not_been_sent) {
    for (std::string_view text : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "bytes=0-1,3-4", "items=0-1", "bytes=1", "bytes=1--2", "bytes=0x1-2"})
        EXPECT_EQ(choose_range(text, 11).kind, RangeAnswer::whole) << text;
}

TEST(Range, what_a_part_holds_is_read_as_it_is_written) {   // RFC 9110 §14.4
    auto held = read_content_range(content_range({5, 9}, 10));
    ASSERT_TRUE(held);
    EXPECT_EQ(held->range, (ByteRange{5, 9}));
    EXPECT_EQ(held->size, 10u);
    EXPECT_TRUE(held->holds({5, 9}));
    EXPECT_TRUE(held->holds({6, 6}));
    EXPECT_FALSE(held->holds({4, 6}));
    EXPECT_FALSE(held->holds({9, 10}));
}

TEST(Range, a_part_of_something_else_is_none) {
    for (std::string_view text : {"", "bytes", "bytes ", "bytes 0-1", "bytes 0-1/*", "bytes */10", "bytes 2-1/10", "bytes 0-10/10", "bytes -1/10", "bytes 0-/10", "bytes 0/1-2", "items 0-1/10", "bytes=0-1/10", "bytes 0-1/10, 2-3/10",
                                  "bytes +0-1/10", "bytes 0-99999999999999999999999/99999999999999999999999"})
        EXPECT_FALSE(read_content_range(text)) << text;
}

}  // namespace
}  // namespace suoke::cache
