// SPDX-License-Identifier: MIT
#include "app/discoveries.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "testing/far.h"
#include "testing/files.h"
#include "testing/passing_time.h"

namespace suoke::app {
namespace {

namespace fs = std::filesystem;

class DiscoveriesTest : public ::testing::Test {
 protected:
    DiscoveriesTest() {
        config::Discovery& discovery = config.services["users"].discovery.emplace();
        discovery.file = scene::own_file("discovered.json");
    }
    void say(const std::string& text) {
        const std::string path = config.services["users"].discovery->file, next = path + ".new";
        std::ofstream(next) << text;
        fs::rename(next, path);
        far.after(200ms);
    }
    std::size_t members() {
        auto service = directory.members("users");
        return service ? service->all.size() : 0;
    }
    int told(std::string_view type) const { return count(events, type); }

    scene::Far far;
    Events events{far.clock};
    balance::Epoch epoch{1};
    balance::States states{events, epoch};
    services::Directory directory{far.loop, states};
    config::Config config;
    Discoveries discoveries{far.loop, far.dialer, far.buffers, directory, events};
};

TEST_F(DiscoveriesTest, a_source_that_fails_does_not_confirm_that_nobody_is_there) {
    say(R"(["10.0.0.1:80"])");
    discoveries.adopt(config);
    far.after(200ms);
    ASSERT_EQ(members(), 1u);
    say("[]");
    EXPECT_EQ(told("discovery.emptied"), 1);
    say("half a fi");
    EXPECT_EQ(told("discovery.failed"), 1);
    far.after(services::Directory::kEmptyGrace + 10s);
    EXPECT_EQ(members(), 1u);
    say("[]");
    far.after(services::Directory::kEmptyGrace + 1s);
    EXPECT_EQ(members(), 0u);
}

}  // namespace
}  // namespace suoke::app
