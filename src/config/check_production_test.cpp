// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kProduction = "app: {environment: production}\n";

std::vector<std::string> problems(const std::string& yaml) {
    std::vector<std::string> out;
    for (const Problem& problem : load_text(yaml, "c.yaml").problems) out.push_back(to_string(problem));
    return out;
}

TEST(Production, is_refused_when_nobody_could_be_asked_who_they_are) {
    EXPECT_THAT(problems(kProduction), ElementsAre(HasSubstr("error: auth: this is production, and there is nothing to authenticate anybody with")));
    EXPECT_THAT(problems(kProduction + "auth: {enabled: true}\n"), testing::Contains(HasSubstr("error: auth")));
}

TEST(Production, is_served_openly_when_that_is_said_in_words) {
    EXPECT_THAT(problems(kProduction + "auth: {enabled: false}\n"), IsEmpty());
}

TEST(Production, is_served_with_any_way_to_authenticate) {
    EXPECT_THAT(problems(kProduction + "auth: {jwt: {secret_key: 8f3c1d5e7a9b2046c8d0e1f2a3b4c5d6e7f80912}}\n"), IsEmpty());
    EXPECT_THAT(problems(kProduction + "auth: {jwt: {jwks_url: 'https://idp.test/keys'}}\n"), IsEmpty());
}

TEST(Production, is_refused_with_a_token_for_managers_that_everybody_knows) {
    const std::string open = "auth: {enabled: false}\n";
    for (const char* known : {"change-me-change-me-change-me", "admin-password-1234567", "aaaaaaaaaaaaaaaaaaaaaaaa"})
        EXPECT_THAT(problems(kProduction + open + "registry: {admin_token: " + known + "}\n"),
                    ElementsAre(testing::AllOf(HasSubstr("registry.admin_token: is a placeholder"), testing::Not(HasSubstr(known)))));
    EXPECT_THAT(problems(kProduction + open + "registry: {admin_token: 8f3c1d5e7a9b2046c8d0e1f2a3b4c5d6}\n"), IsEmpty());
}

TEST(Production, is_refused_with_the_key_of_an_example) {
    const std::string key = "auth: {api_keys: {batch: {hashes: ['sha256:7f61f44cc311dbe9c8fe327a8458a0b4bf02fdfb02e2466e40381F138D918574']}}}\n";
    EXPECT_THAT(problems(kProduction + key), ElementsAre(HasSubstr("error: auth.api_keys.batch: is the key of an example")));
    EXPECT_THAT(problems(key), IsEmpty());
}

TEST(Production, elsewhere_nobody_has_to_be_asked) { EXPECT_THAT(problems("app: {environment: staging}\n"), IsEmpty()); }

}  // namespace
}  // namespace suoke::config
