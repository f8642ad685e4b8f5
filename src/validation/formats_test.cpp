// SPDX-License-Identifier: MIT
#include "validation/formats.h"

#include <gtest/gtest.h>

namespace suoke::validation {
namespace {

TEST(Formats, what_is_one_and_what_is_none) {
    struct Row {
        const char* format;
        const char* text;
        bool is_one;
    };
    constexpr Row kRows[] = {
        {"date", "2024-02-29", true},
        {"date", "2024-13-01", false},
        {"date", "2024-2-9", false},
        {"time", "23:59:60Z", true},
        {"time", "12:00:00.5+08:00", true},
        {"time", "12:00:00", false},
        {"time", "12:00:00.Z", false},
        {"date-time", "2024-02-29T12:00:00Z", true},
        {"date-time", "2024-02-29T12:00:00Z ", false},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000", true},
        {"uuid", "123e4567e89b-12d3-a456-4266141740000", false},
        {"email", "ada@suoke.life", true},
        {"email", "ada", false},
        {"email", "a b@suoke.life", false},
        {"uri", "https://suoke.life/a?b#c", true},
        {"uri", "/a", false},
        {"uri", "a b:c", false},
        {"ipv4", "192.0.2.1", true},
        {"ipv4", "192.0.2.256", false},
        {"ipv4", "::1", false},
        {"ipv6", "2001:db8::1", true},
        {"ipv6", "192.0.2.1", false},
        {"phone", "anything", true},
    };
    for (const Row& row : kRows) EXPECT_EQ(has_format(row.text, row.format), row.is_one) << row.format << " " << row.text;
}

}  // namespace
}  // namespace suoke::validation
