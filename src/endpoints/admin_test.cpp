// SPDX-License-Identifier: MIT
#include "endpoints/admin.h"

#include <gtest/gtest.h>

#include "app/compile.h"
#include "config/load.h"
#include "gateway/site.h"
#include "testing/scene.h"

namespace suoke::endpoints {
namespace {

// An exchange of a client that shows this token, or is known by these roles.
class Asks {
 public:
    explicit Asks(const std::string& yaml) : scene_(yaml) {
        auto loaded = config::load_text(yaml, "scene.yaml");
        local_.site = app::compile(loaded.config, {}, 1, loaded.problems);
        ex_.emplace(scene_.worker(), local_, *local_.site, request_, nobody_);
    }
    Asks& shows(const std::string& token) {
        authorization_ = "Bearer " + token;
        request_.head.headers.set(http::HeaderId::authorization, authorization_);
        return *this;
    }
    Asks& is(const std::vector<std::string>& roles) {
        auth::Identity who;
        who.subject = "alice";
        who.roles = roles;
        ex_->who = std::make_shared<const auth::Identity>(std::move(who));
        return *this;
    }
    std::optional<Code> refusal() {
        auto error = refuse_unless_admin(*ex_);
        EXPECT_EQ(error.has_value(), !is_admin(*ex_));
        if (!error) return std::nullopt;
        return error->code;
    }

 private:
    struct Nobody final : http::Responder {
        rt::Task<http::Sent> send(http::Response) override { co_return http::Sent(); }
        rt::Task<void> interim(int, const http::Headers&) override { co_return; }
    };
    scene::Scene scene_;
    gateway::LocalSite local_;
    http::Request request_;
    std::string authorization_;
    Nobody nobody_;
    std::optional<gateway::Exchange> ex_;
};

const std::string kToken = "registry: {admin_token: a-token-for-tests-only}\n";
const std::string kAuth = "auth: {jwt: {secret_key: 5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0}, admin_roles: [admin, operator]}\n";

TEST(Admin, the_registrys_token_is_enough) {
    EXPECT_EQ(Asks(kToken).shows("a-token-for-tests-only").refusal(), std::nullopt);
    EXPECT_EQ(Asks(kToken + kAuth).shows("a-token-for-tests-only").refusal(), std::nullopt);
    EXPECT_EQ(Asks(kToken).shows("another-token-altogether").refusal(), Code::invalid_token);
    EXPECT_EQ(Asks(kToken).refusal(), Code::missing_token);
}

TEST(Admin, so_is_one_of_the_roles) {
    EXPECT_EQ(Asks(kAuth).is({"user", "operator"}).refusal(), std::nullopt);
    EXPECT_EQ(Asks(kToken + kAuth).is({"admin"}).refusal(), std::nullopt);
    EXPECT_EQ(Asks(kAuth).is({"user"}).refusal(), Code::forbidden) << "who it is is known, and not enough";
    EXPECT_EQ(Asks(kAuth).refusal(), Code::missing_token);
}

TEST(Admin, with_neither_nobody_may) {
    EXPECT_EQ(Asks("").refusal(), Code::forbidden);
    EXPECT_EQ(Asks("").shows("").refusal(), Code::forbidden) << "an empty token is none";
    EXPECT_EQ(Asks("").shows("anything").refusal(), Code::forbidden);
}

}  // namespace
}  // namespace suoke::endpoints
