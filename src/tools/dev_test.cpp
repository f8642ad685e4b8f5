// SPDX-License-Identifier: MIT
#include "tools/dev.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace suoke::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DevHints, name_the_address_everywhere_and_leave_curls_own_at_sign) {
    std::string hints = dev_hints("http://localhost:9000");
    EXPECT_THAT(hints, HasSubstr("http://localhost:9000/   http://localhost:9000/health"));
    EXPECT_THAT(hints, HasSubstr("curl http://localhost:9000/api/v1/users/2\n"));
    EXPECT_THAT(hints, HasSubstr("--data-binary @-\n"));
    EXPECT_THAT(hints, Not(HasSubstr("@/")));
    EXPECT_THAT(hints, Not(HasSubstr("Bearer")));
}

TEST(DevHints, show_a_token_where_there_is_one) {
    std::string hints = dev_hints("http://localhost:9000", "a.b.c");
    EXPECT_THAT(hints, HasSubstr("        curl http://localhost:9000/api/v1/auth/me -H 'Authorization: Bearer a.b.c'\n"));
    EXPECT_THAT(hints, HasSubstr("suoke-gateway token mint"));
}

}  // namespace
}  // namespace suoke::tools
