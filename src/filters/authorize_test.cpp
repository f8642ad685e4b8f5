// SPDX-License-Identifier: MIT
// Each of the two filters alone, with an exchange that others have made wrongly or for another route; the rest is in
// authenticate_test.cpp.
#include <gtest/gtest.h>

#include "app/compile.h"
#include "config/load.h"
#include "filters/filters.h"
#include "gateway/site.h"
#include "testing/scene.h"

namespace suoke::filters {
namespace {

const std::string kAuth = "auth: {jwt: {secret_key: k7Qm2vX9pLr4TzB8nWc5YdF1hJs6GaE3}, api_keys: {batch: {hashes: ['sha256:" + std::string(64, 'a') + "']}}}\n";

// An exchange on the route "users", and what a filter says to it.
class Alone {
 public:
    explicit Alone(const std::string& route_says)
        : yaml_(scene::one_service("users", {.route = route_says, .rest = kAuth + "registry: {service_paths: false}\n"})), scene_(yaml_) {
        auto loaded = config::load_text(yaml_, "scene.yaml");
        local_.site = app::compile(loaded.config, {}, 1, loaded.problems);
        ex_.emplace(scene_.worker(), local_, *local_.site, request_, nobody_);
        ex_->route = local_.site->routes.front().get();
        ex_->path = "/users";
    }
    gateway::Exchange& exchange() { return *ex_; }
    // The code it refuses with; nothing: the exchange goes on.
    std::optional<Code> refusal(CheckPtr make(const config::Config&, const config::Route&)) {
        CheckPtr check = make(local_.site->config, local_.site->config.routes.front());
        gateway::Verdict verdict = check ? check->on_request(*ex_) : gateway::go_on();
        return verdict ? std::optional(verdict->error().code) : std::nullopt;
    }

 private:
    struct Nobody final : http::Responder {
        rt::Task<http::Sent> send(http::Response) override { co_return http::Sent(); }
        rt::Task<void> interim(int, const http::Headers&) override { co_return; }
    };
    const std::string yaml_;
    scene::Scene scene_;
    gateway::LocalSite local_;
    http::Request request_;
    Nobody nobody_;
    std::optional<gateway::Exchange> ex_;
};

TEST(Authorize, nobody_passes_whose_credential_is_still_to_be_judged) {
    for (const char* route_says : {"", "auth: {roles: [doctor]}", "auth: {mode: optional}"}) {
        Alone alone(route_says);
        alone.exchange().credential_pending = true;
        EXPECT_EQ(alone.refusal(authorize), Code::internal) << route_says;
    }
    Alone open("auth: none");
    EXPECT_EQ(open.refusal(authorize), std::nullopt);
}

TEST(Authenticate, who_is_known_from_an_envelope_counts_where_that_method_is_taken) {
    auto known = std::make_shared<auth::Identity>();
    known->subject = "li";
    known->method = auth::Method::jwt;
    Alone same("");
    same.exchange().who = known;
    EXPECT_EQ(same.refusal(authenticate), std::nullopt);
    EXPECT_EQ(same.exchange().who, known);
    Alone stricter("auth: {methods: [api_key]}");
    stricter.exchange().who = known;
    EXPECT_EQ(stricter.refusal(authenticate), Code::missing_token);
    Alone stranger("auth: {mode: optional, methods: [api_key]}");
    stranger.exchange().who = known;
    EXPECT_EQ(stranger.refusal(authenticate), std::nullopt);
    EXPECT_EQ(stranger.exchange().who, nullptr);
}

}  // namespace
}  // namespace suoke::filters
