// SPDX-License-Identifier: MIT
#include "discovery/trust.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/files.h"

namespace suoke::discovery {
namespace {

class TrustTest : public ::testing::Test {
 protected:
    void write(const std::string& text) { std::ofstream(file) << text; }
    std::string why() {
        auto client = trust.client(file);
        return client ? "" : client.error().detail;
    }
    const std::string file = scene::own_file("authorities.pem");
    Trust trust;
};

TEST_F(TrustTest, a_file_that_is_empty_or_blank_does_not_mean_the_systems_authorities) {
    for (const char* nothing : {"", " \n\n"}) {
        write(nothing);
        EXPECT_EQ(why(), file + ": is empty");
    }
    write("no certificate");
    EXPECT_NE(why(), "");
    write(rt::make_local_certificate({"consul"}).chain);
    EXPECT_EQ(why(), "");
    write("");
    EXPECT_EQ(why(), file + ": is empty") << "though it was good before";
}

TEST_F(TrustTest, the_client_is_made_anew_only_when_the_file_has_changed) {
    write(rt::make_local_certificate({"consul"}).chain);
    auto first = trust.client(file), again = trust.client(file);
    ASSERT_TRUE(first && again);
    EXPECT_EQ(*first, *again);
    write(rt::make_local_certificate({"consul"}).chain);
    auto other = trust.client(file);
    ASSERT_TRUE(other);
    EXPECT_NE(*first, *other);
}

TEST_F(TrustTest, without_a_name_of_a_file_it_is_the_systems) {
    EXPECT_TRUE(trust.client(""));
}

}  // namespace
}  // namespace suoke::discovery
