// SPDX-License-Identifier: MIT
#include "cache/encoding.h"

#include <gtest/gtest.h>

namespace suoke::cache {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow{1000s};
const WallTime kWall{1'735'689'600s};

std::string digest(char c) { return std::string(32, c); }

Label label(std::string selection = {}) {
    Label made;
    made.key = digest('k');
    made.selection = std::move(selection);
    made.stamp = 77;
    made.written = kWall;
    return made;
}

std::shared_ptr<Entry> entry(std::string_view body, std::string_view name = "ETag", std::string_view value = "\"a\"") {
    auto made = std::make_shared<Entry>();
    http::Headers fields;
    fields.add("Content-Type", "text/plain");
    fields.add(name, value);
    made->reason = "OK";
    made->head = Head::copy_of(fields, [](const http::Field&) { return true; });
    made->life.lifetime = 60s;
    made->life.if_error = 5s;
    made->life.for_everyone = true;
    made->validators.date = 1'735'689'590;
    if (body.empty()) return made;
    auto content = std::make_shared<Content>();
    content->append(body);
    made->content = std::move(content);
    return made;
}

TEST(Encoding, what_was_written_is_read_again) {
    std::string body(300'000, 'x');
    auto parcel = decode(encode(label(), *entry(body), 10s), kWall + 5s, kNow);
    ASSERT_TRUE(parcel);
    EXPECT_EQ(parcel->label, label());
    const Entry& read = *parcel->entry;
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read.reason, "OK");
    EXPECT_EQ(read.size(), body.size());
    EXPECT_EQ(read.age(kNow), 15s);   // that it had, and what has passed since
    EXPECT_EQ(read.life.lifetime, 60s);
    EXPECT_EQ(read.life.if_error, 5s);
    EXPECT_TRUE(read.life.for_everyone);
    EXPECT_FALSE(read.life.never_stale);
    ASSERT_TRUE(read.validators.tag);
    EXPECT_EQ(read.validators.tag->opaque, "\"a\"");
    EXPECT_EQ(read.validators.date, 1'735'689'590);
    ASSERT_EQ(read.head.fields().size(), 2u);
    EXPECT_EQ(*read.head.fields().find(http::HeaderId::content_type), "text/plain");
}

TEST(Encoding, an_answer_without_a_body_and_names_alone_are_read_again) {
    auto empty = decode(encode(label(), *entry({}), 0s), kWall, kNow);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->entry->size(), 0u);
    std::vector<std::string> vary{"accept-language", "x-tenant"};
    auto names = decode(encode(label(), vary), kWall, kNow);
    ASSERT_TRUE(names);
    EXPECT_EQ(names->entry, nullptr);
    EXPECT_EQ(names->vary, vary);
}

TEST(Encoding, a_clock_that_is_behind_makes_nothing_younger) {
    auto parcel = decode(encode(label(), *entry("x"), 10s), kWall - 30s, kNow);
    ASSERT_TRUE(parcel);
    EXPECT_EQ(parcel->entry->age(kNow), 10s);
}

TEST(Encoding, anything_shorter_or_longer_is_nothing) {
    auto varied = entry("seven");
    varied->vary = {"accept-language"};
    for (const std::string& whole : {encode(label(), *entry("seven"), 1s), encode(label(digest('s')), *varied, 1s), encode(label(), std::vector<std::string>{"a"})}) {
        ASSERT_TRUE(decode(whole, kWall, kNow));
        for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode(std::string_view(whole).substr(0, size), kWall, kNow)) << size;
        EXPECT_FALSE(decode(whole + "x", kWall, kNow));
    }
}

TEST(Encoding, another_version_is_nothing) {
    std::string bytes = encode(label(), *entry("seven"), 1s);
    bytes[3] = 2;
    EXPECT_FALSE(decode(bytes, kWall, kNow));
}

TEST(Encoding, what_no_stored_answer_has_is_nothing) {
    auto with = [](std::string_view name, std::string_view value) { return decode(encode(label(), *entry("x", name, value), 1s), kWall, kNow).has_value(); };
    EXPECT_TRUE(with("X-Any", "a b\tc \xC3\xA4"));
    EXPECT_FALSE(with("X-Any", "a\r\nSet-Cookie: b"));
    EXPECT_FALSE(with("X-Any", std::string_view("a\0b", 3)));
    EXPECT_FALSE(with("X Any", "a"));
    EXPECT_FALSE(with("Set-Cookie", "a=b"));
    EXPECT_FALSE(with("Content-Length", "5"));
    EXPECT_FALSE(with("Transfer-Encoding", "chunked"));
    auto odd = entry("x");
    odd->status = 206;
    EXPECT_FALSE(decode(encode(label(), *odd, 1s), kWall, kNow));
    odd->status = 101;
    EXPECT_FALSE(decode(encode(label(), *odd, 1s), kWall, kNow));
}

TEST(Encoding, an_answer_for_some_requests_says_for_which) {
    auto varied = entry("x");
    varied->vary = {"accept-language"};
    EXPECT_FALSE(decode(encode(label(), *varied, 1s), kWall, kNow));
    EXPECT_FALSE(decode(encode(label(digest('s')), *entry("x"), 1s), kWall, kNow));
    EXPECT_TRUE(decode(encode(label(digest('s')), *varied, 1s), kWall, kNow));
}

}  // namespace
}  // namespace suoke::cache
