// SPDX-License-Identifier: MIT
// The scans by blocks against the same question asked byte by byte.
#include "http/grammar.h"

#include <gtest/gtest.h>

#include <vector>

namespace suoke::http::grammar {
namespace {

// Every byte at every place of texts shorter and longer than a block, the text in memory of
// exactly its size.
template <class Check>
void with_a_byte_anywhere(char filler, Check check) {
    for (std::size_t size : {1, 2, 3, 15, 16, 17, 33}) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::vector<char> text(size, filler);
                text[at] = static_cast<char>(byte);
                check(text.data(), text.data() + size, text.data() + at);
                if (testing::Test::HasFailure()) return;
            }
        }
    }
}

TEST(Grammar, finds_the_first_control_character) {
    for (char filler : {'a', '\t', '\xFF'})
        with_a_byte_anywhere(filler, [](const char* p, const char* end, const char* at) {
            const char* expected = is(control, *at) ? at : end;
            ASSERT_EQ(find_control(p, end, p), expected) << int(*at);
            ASSERT_EQ(find_control(at, end, p), expected) << int(*at);
            if (at + 1 != end) {
                ASSERT_EQ(find_control(at + 1, end, p), end);
            }
        });
}

TEST(Grammar, finds_the_first_of_a_byte) {
    with_a_byte_anywhere('a', [](const char* p, const char* end, const char* at) {
        const char* expected = *at == ':' ? at : end;
        ASSERT_EQ(find_byte(p, end, ':', p), expected);
        ASSERT_EQ(find_byte(p, end, ':'), expected);
        ASSERT_EQ(find_byte(at, end, ':', p), expected);
    });
}

TEST(Grammar, tells_tokens) {
    with_a_byte_anywhere('a', [](const char* p, const char* end, const char* at) {
        const std::string_view text(p, static_cast<std::size_t>(end - p));
        ASSERT_EQ(is_token(text), is(token, *at)) << int(*at);
        ASSERT_EQ(is_token(text, end), is(token, *at)) << int(*at);
        const std::string_view first = text.substr(0, text.size() / 2 + 1);
        ASSERT_EQ(is_token(first, end), at >= p + first.size() || is(token, *at)) << int(*at);
    });
    EXPECT_FALSE(is_token(""));
    EXPECT_FALSE(is_token("", "0123456789abcdef"));
}

TEST(Grammar, skips_paths_and_queries) {
    for (Class allowed : {path, query})
        with_a_byte_anywhere('a', [allowed](const char* p, const char* end, const char* at) {
            const bool escape = *at == '%' && end - at >= 3;  // "%aa"
            ASSERT_EQ(skip_escaped(p, end, allowed), is(allowed, *at) || escape ? end : at);
        });
}

TEST(Grammar, has_the_classes_of_the_rfcs) {
    std::string tokens;
    std::string paths;
    std::string names;
    for (int c = 0x20; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        if (std::isalnum(c) && c < 0x80) {
            EXPECT_TRUE(is(token, byte) && is(path, byte) && is(query, byte) && is(reg_name, byte));
            continue;
        }
        if (is(token, byte)) tokens += byte;
        if (is(path, byte)) paths += byte;
        if (is(reg_name, byte)) names += byte;
        EXPECT_EQ(is(query, byte), is(path, byte) || byte == '?' || byte == '[' || byte == ']');
        EXPECT_EQ(is(control, byte), c == 0x7F);
    }
    EXPECT_EQ(tokens, "!#$%&'*+-.^_`|~");
    EXPECT_EQ(paths, "!$&'()*+,-./:;=@_~");
    EXPECT_EQ(names, "!$&'()*+,-.;=_~");
    for (int c = 0; c < 0x20; ++c) {
        EXPECT_EQ(is(control, static_cast<char>(c)), c != '\t');
        EXPECT_FALSE(is(token, static_cast<char>(c)) || is(query, static_cast<char>(c)));
    }
}

TEST(Grammar, takes_a_list_apart_with_its_empty_elements) {
    std::vector<std::string> seen;
    EXPECT_TRUE(each_in_list(" a,\tb c ,,", [&](std::string_view element) {
        seen.emplace_back(element);
        return true;
    }));
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "b c", "", ""}));
    EXPECT_FALSE(each_in_list("a,b", [](std::string_view element) { return element != "a"; }));
}

}  // namespace
}  // namespace suoke::http::grammar
