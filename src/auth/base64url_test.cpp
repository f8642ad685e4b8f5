// SPDX-License-Identifier: MIT
#include "auth/base64url.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace suoke::auth {
namespace {

TEST(Base64Url, writes_and_reads_the_examples_of_the_RFC) {  // RFC 4648 §10, without padding
    const std::pair<const char*, const char*> examples[] = {{"", ""},          {"f", "Zg"},         {"fo", "Zm8"},          {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : examples) {
        EXPECT_EQ(to_base64url(bytes), text);
        EXPECT_EQ(from_base64url(text), bytes);
    }
    EXPECT_EQ(to_base64url("\xFB\xEF\xFF"), "--__");
    EXPECT_EQ(from_base64url("--__"), "\xFB\xEF\xFF");
}

TEST(Base64Url, knows_no_padding_no_blanks_and_no_other_alphabet) {
    for (const char* text : {"Zg==", "Zm8=", "Zm9v=", "=", "Zm 9v", " Zm9v", "Zm9v\n", "Zm9v\r\n", "++//", "Zm9+", "Zm9/", "Zm9.", "Zm9v\x80""AAA", "Zm9?"})
        EXPECT_FALSE(from_base64url(text)) << text;
    EXPECT_FALSE(from_base64url(std::string_view("Zm9\0", 4)));
}

TEST(Base64Url, has_no_text_of_one_character_more_than_a_multiple_of_four) {
    EXPECT_FALSE(from_base64url("Z"));
    EXPECT_FALSE(from_base64url("Zm9vY"));
}

TEST(Base64Url, reads_only_one_spelling_of_each_value) {
    EXPECT_EQ(from_base64url("AA"), std::string(1, '\0'));
    for (const char* twin : {"AB", "AP", "AI", "AAB", "AAC", "AAD"}) EXPECT_FALSE(from_base64url(twin)) << twin;
    int read = 0;
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) read += from_base64url(std::string{static_cast<char>(a), static_cast<char>(b)}) ? 1 : 0;
    EXPECT_EQ(read, 256) << "of two characters: one text for each byte";
}

TEST(Base64Url, brings_any_bytes_back) {
    Random random(7);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string bytes;
        while (bytes.size() < size) bytes += static_cast<char>(random.next());
        const std::string text = to_base64url(bytes);
        EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), text.npos);
        EXPECT_EQ(from_base64url(text), bytes);
    }
}

}  // namespace
}  // namespace suoke::auth
