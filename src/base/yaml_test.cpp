// SPDX-License-Identifier: MIT
#include "base/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace suoke::yaml {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "line:column sentence"
std::vector<std::string> troubles(const std::string& text) {
    std::vector<std::string> all;
    for (const Trouble& trouble : parse(text).troubles)
        all.push_back(std::to_string(trouble.line) + ":" + std::to_string(trouble.column) + " " + trouble.sentence);
    return all;
}

TEST(Yaml, an_alias_bomb_is_refused) {
    std::string text = "x-0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
    for (int i = 1; i < 10; ++i) {
        std::string before = "*a" + std::to_string(i - 1);
        text += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int k = 0; k < 9; ++k) text += "," + before;
        text += "]\n";
    }
    EXPECT_THAT(troubles(text), ElementsAre(HasSubstr("more than 500000 values, counting what aliases repeat")));
}

TEST(Yaml, an_alias_of_itself_is_refused) {
    EXPECT_THAT(troubles("x-a: &a [*a]\n"), ElementsAre("1:10 this alias refers to the node it stands in"));
}

TEST(Yaml, deep_nesting_is_refused) {
    EXPECT_THAT(troubles("x-a: " + std::string(100, '[') + std::string(100, ']')), ElementsAre(HasSubstr("nested deeper than 64 levels")));
    EXPECT_FALSE(parse(std::string(100'000, '[')).troubles.empty());
}

TEST(Yaml, a_huge_file_is_refused) { EXPECT_THAT(troubles(std::string((16 << 20) + 1, '#')), ElementsAre("0:0 larger than 16 MB")); }

}  // namespace
}  // namespace suoke::yaml
