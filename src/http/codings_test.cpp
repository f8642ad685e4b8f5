// SPDX-License-Identifier: MIT
#include "http/codings.h"

#include <gtest/gtest.h>

#include <array>

namespace suoke::http {
namespace {

constexpr std::array kOurs = {Coding::brotli, Coding::zstd, Coding::gzip};

std::string_view chosen(std::initializer_list<std::string_view> accept_encoding) {
    Headers headers;
    headers.add("Host", "api");
    for (std::string_view line : accept_encoding) headers.add("accept-encoding", line);
    return coding_name(choose_coding(headers, kOurs));
}
std::string_view chosen(std::string_view accept_encoding) { return chosen({accept_encoding}); }

TEST(Codings, who_says_nothing_gets_the_plain_answer) {
    EXPECT_EQ(chosen(std::initializer_list<std::string_view>{}), "identity");
    EXPECT_EQ(chosen(""), "identity");
    EXPECT_EQ(chosen("deflate, compress"), "identity");
}

TEST(Codings, of_what_the_client_likes_equally_our_first_is_taken) {
    EXPECT_EQ(chosen("gzip, deflate, br, zstd"), "br");
    EXPECT_EQ(chosen("gzip, zstd"), "zstd");
    EXPECT_EQ(chosen("*"), "br");
    EXPECT_EQ(chosen("br;q=0, *"), "zstd");
}

TEST(Codings, a_higher_weight_goes_before_our_preference) {
    EXPECT_EQ(chosen("gzip;q=1.0, br;q=0.9"), "gzip");
    EXPECT_EQ(chosen("gzip;q=0.001, br;q=0.002"), "br");
    EXPECT_EQ(chosen("gzip ; q=0.8 , zstd;Q=0.9"), "zstd");
    EXPECT_EQ(chosen("*;q=0.5, gzip;q=0.6"), "gzip");
}

TEST(Codings, a_weight_of_nothing_is_no) {
    EXPECT_EQ(chosen("gzip;q=0"), "identity");
    EXPECT_EQ(chosen("gzip;q=0.000, br;q=0.0"), "identity");
    EXPECT_EQ(chosen("*;q=0"), "identity");
    EXPECT_EQ(chosen("identity;q=0, *;q=0"), "identity");
}

TEST(Codings, identity_may_be_liked_better) {
    EXPECT_EQ(chosen("identity;q=1, gzip;q=0.5"), "identity");
    EXPECT_EQ(chosen("identity;q=0.5, gzip;q=0.5"), "gzip");
    EXPECT_EQ(chosen("identity;q=0, gzip;q=0.1"), "gzip");
}

TEST(Codings, what_cannot_be_read_is_not_taken) {
    EXPECT_EQ(chosen("gzip;q=2"), "identity");
    EXPECT_EQ(chosen("gzip;q=1.5"), "identity");
    EXPECT_EQ(chosen("gzip;q=0.1234"), "identity");
    EXPECT_EQ(chosen("gzip;q="), "identity");
    EXPECT_EQ(chosen("gzip;q=-1"), "identity");
    EXPECT_EQ(chosen(", ,gzip;x=y"), "gzip");
}

TEST(Codings, names_have_any_case_and_several_lines_are_one_list) {
    EXPECT_EQ(chosen("GZip"), "gzip");
    EXPECT_EQ(chosen("x-gzip"), "gzip");
    EXPECT_EQ(chosen({"deflate", "zstd;q=0.3", "gzip;q=0.2"}), "zstd");
}

TEST(Codings, an_encoded_message_says_so) {
    Headers plain, identity, encoded, twice;
    identity.add(HeaderId::content_encoding, "Identity");
    encoded.add(HeaderId::content_encoding, "gzip");
    twice.add(HeaderId::content_encoding, "identity");
    twice.add(HeaderId::content_encoding, "br");
    EXPECT_FALSE(is_encoded(plain));
    EXPECT_FALSE(is_encoded(identity));
    EXPECT_TRUE(is_encoded(encoded));
    EXPECT_TRUE(is_encoded(twice));
}

}  // namespace
}  // namespace suoke::http
