// SPDX-License-Identifier: MIT
#include "tools/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace suoke::tools {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

CheckReport checked(const char* yaml) {
    config::Sources sources;
    sources.yaml_text = yaml;
    return check_report(sources);
}

constexpr const char* kTwoRoutes = R"(
services:
  users: {endpoints: [{host: 127.0.0.1, port: 8006}], upstream_prefix: /v1}
routes:
  - {prefix: /users, service: users, timeout: 15s}
  - {path: /old, redirect: {to: /users, status: 308}}
)";

TEST(Check, shows_where_every_route_goes) {
    CheckReport report = checked(kTwoRoutes);
    EXPECT_TRUE(report.ok());
    EXPECT_THAT(report.summary, HasSubstr("1 services, 2 routes"));
    EXPECT_THAT(report.summary, testing::ContainsRegex("any +/users/\\* +users /v1 +15s\n"));
    EXPECT_THAT(report.summary, testing::ContainsRegex("any +/old +308 to /users +-\n"));
}

TEST(Check, tells_every_error_with_its_line_and_has_no_summary) {
    CheckReport report = checked("server:\n  port: eighty\n  hots: a\n");
    EXPECT_FALSE(report.ok());
    ASSERT_EQ(report.problems.size(), 2u);
    EXPECT_EQ(report.problems[0].place.line, 2);
    EXPECT_EQ(report.problems[1].place.line, 3);
}

TEST(Check, finds_what_only_compiling_finds) {
    CheckReport regex = checked("services: {a: {host: h}}\nroutes: [{regex: '/(', service: a}]");
    EXPECT_FALSE(regex.ok());
    CheckReport hidden = checked(
        "services: {a: {host: h}}\nroutes:\n  - {prefix: /a, service: a}\n  - {prefix: /a, "
        "service: a, name: b}\n");
    EXPECT_TRUE(hidden.ok());
    ASSERT_EQ(hidden.problems.size(), 1u);
    EXPECT_EQ(hidden.problems[0].severity, config::Problem::warning);
    EXPECT_EQ(hidden.problems[0].place.line, 4);
}

TEST(Check, a_file_that_is_not_there_is_an_error) {
    config::Sources sources;
    sources.yaml_path = "/nowhere/suoke.yaml";
    CheckReport report = check_report(sources);
    EXPECT_FALSE(report.ok());
    EXPECT_THAT(to_string(report.problems.at(0)),
                MatchesRegex("/nowhere/suoke.yaml: error: .*No such file.*"));
}

}  // namespace
}  // namespace suoke::tools
