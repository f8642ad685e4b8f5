// SPDX-License-Identifier: MIT
#include "http/headers.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace suoke::http {
namespace {

TEST(HeaderId, knows_every_name_in_every_case) {
    for (int i = 1; i <= static_cast<int>(HeaderId::x_request_id); ++i) {
        const auto id = static_cast<HeaderId>(i);
        std::string name(canonical_name(id));
        EXPECT_EQ(header_id(name), id) << name;
        EXPECT_EQ(header_id(to_lower(name)), id) << name;
        for (char& c : name)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
        EXPECT_EQ(header_id(name), id) << name;
    }
}

TEST(HeaderId, is_other_when_any_byte_differs) {
    for (int i = 1; i <= static_cast<int>(HeaderId::x_request_id); ++i) {
        const std::string name(canonical_name(static_cast<HeaderId>(i)));
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string changed = name;
                changed[at] = static_cast<char>(byte);
                const bool same = iequals(changed, name);
                ASSERT_EQ(header_id(changed) == static_cast<HeaderId>(i), same) << changed;
            }
        }
        EXPECT_EQ(header_id(name + "x"), HeaderId::other);
        EXPECT_EQ(header_id(name.substr(1)), HeaderId::other);
    }
}

TEST(HeaderId, is_other_for_strange_names) {
    for (std::string_view name : {"", "a", "x", "content\rlength", "content_length",
                                  "contentlength", "a-name-that-is-longer-than-any-that-we-know"})
        EXPECT_EQ(header_id(name), HeaderId::other) << name;
}

Headers sample() {
    Headers h;
    h.add("Host", "api");
    h.add("x-a", "1");
    h.add("Accept", "*/*");
    h.add("X-A", "2");
    h.add("accept", "text/html");
    return h;
}

std::string text(const Headers& headers) {
    std::string out;
    for (const Field& f : headers) out.append(f.name).append("=").append(f.value).append(" ");
    return out;
}

TEST(Headers, finds_the_first_value_by_id_and_by_name_in_any_case) {
    Headers h = sample();
    EXPECT_EQ(*h.find(HeaderId::accept), "*/*");
    EXPECT_EQ(*h.find("ACCEPT"), "*/*");
    EXPECT_EQ(*h.find("x-A"), "1");
    EXPECT_EQ(h.find("x-b"), nullptr);
    EXPECT_EQ(h.find(HeaderId::cookie), nullptr);
    EXPECT_EQ(h.find(HeaderId::other), nullptr);
    EXPECT_EQ(h.count(HeaderId::accept), 2u);
    EXPECT_EQ(h.count(HeaderId::cookie), 0u);
}

TEST(Headers, set_leaves_one_field_in_the_place_of_the_first) {
    Headers h = sample();
    h.set("X-a", "3");
    h.set(HeaderId::accept, "none");
    EXPECT_EQ(text(h), "Host=api x-a=3 Accept=none ");
    h.set(HeaderId::cookie, "c");
    h.set("x-new", "n");
    EXPECT_EQ(text(h), "Host=api x-a=3 Accept=none Cookie=c x-new=n ");
}

TEST(Headers, remove_takes_every_field_of_that_name) {
    Headers h = sample();
    h.remove("x-a");
    EXPECT_EQ(text(h), "Host=api Accept=*/* accept=text/html ");
    h.remove(HeaderId::accept);
    EXPECT_EQ(text(h), "Host=api ");
    h.remove(HeaderId::other);
    h.remove("nothing");
    EXPECT_EQ(h.size(), 1u);
}

}  // namespace
}  // namespace suoke::http
