// SPDX-License-Identifier: MIT
#include "discovery/host.h"

#include <gtest/gtest.h>

namespace suoke::discovery {
namespace {

TEST(BareHost, is_a_name_or_an_address_without_brackets) {
    for (const char* good : {"users.internal", "10.0.0.1", "2001:db8::1", "::1"}) EXPECT_TRUE(valid_bare_host(good)) << good;
    for (const char* bad : {"", "[::1]", "users:80", "a b", "a/b", "u@host"}) EXPECT_FALSE(valid_bare_host(bad)) << bad;
}

}  // namespace
}  // namespace suoke::discovery
