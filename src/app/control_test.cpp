// SPDX-License-Identifier: MIT
#include "app/control.h"

#include <gtest/gtest.h>

#include "app/compile.h"
#include "config/load.h"
#include "testing/far.h"

namespace suoke::app {
namespace {

bool has_a_registry(const std::string& yaml) {
    scene::Far far;
    Log log({.levels = {.level = Level::off}}, far.clock);
    gateway::Shared shared(1, 1 << 20, far.clock);
    endpoints::Status status;
    rt::TicketKeys tickets(far.clock, 12h);
    auto loaded = config::load_text("store: {path: ''}\n" + yaml, "c.yaml");
    auto site = compile(loaded.config, {}, 1, loaded.problems);
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    CHECK(site);
    Control control(far.loop, shared, log, status, tickets);
    control.adopt(*site);
    return control.registry() != nullptr;
}

const std::string kTokens = "auth: {jwt: {secret_key: 5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0}}\n";

TEST(Control, keeps_a_registry_for_whoever_may_register_by_token_or_by_role) {
    EXPECT_TRUE(has_a_registry("registry: {admin_token: a-token-for-tests-only}\n"));
    EXPECT_TRUE(has_a_registry(kTokens));
    EXPECT_FALSE(has_a_registry(kTokens + "registry: {enabled: false}\n"));
    EXPECT_FALSE(has_a_registry("")) << "nobody may";
}

}  // namespace
}  // namespace suoke::app
