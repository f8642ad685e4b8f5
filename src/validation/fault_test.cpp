// SPDX-License-Identifier: MIT
#include "validation/fault.h"

#include <gtest/gtest.h>

namespace suoke::validation {
namespace {

TEST(Faults, are_told_in_the_shape_that_clients_read) {
    Faults faults{{"missing", "body", {{"a"}, {"", 0}}, "Field required"}};
    EXPECT_EQ(list_of(faults), R"([{"type":"missing","loc":["body","a",0],"msg":"Field required","pointer":"/a/0"}])");
    EXPECT_EQ(sentence_of(faults), "a.0: Field required");
}

TEST(Faults, a_pointer_escapes_what_separates_its_steps) {
    EXPECT_EQ(pointer_to({{"a/b"}, {"c~d"}, {""}}), "/a~1b/c~0d/");
    EXPECT_EQ(pointer_to({}), "");
}

TEST(Faults, the_whole_is_called_by_where_it_is) {
    EXPECT_EQ(sentence_of({{"json_invalid", "body", {}, "No"}, {"missing", "query", {{"q"}}, "Field required"}}), "body: No; q: Field required");
}

}  // namespace
}  // namespace suoke::validation
