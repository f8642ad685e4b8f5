// SPDX-License-Identifier: MIT
#include "app/key_sources.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/key_desk.h"
#include "testing/far.h"
#include "testing/files.h"
#include "testing/passing_time.h"

namespace suoke::app {
namespace {

using scene::Far;

// Public keys of RFC 8037 §A.2 and RFC 8032 §7.1.
std::string jwk(const std::string& id, const std::string& x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") {
    return R"({"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":")" + id + R"(","x":")" + x + "\"}";
}
const std::string kOther = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";
std::string jwks(const std::string& keys) { return "{\"keys\":[" + keys + "]}"; }

class KeySourcesTest : public ::testing::Test {
 protected:
    KeySourcesTest() {
        sources.set_listener([this](const auth::KeyRingPtr& ring) {
            told = ring;
            ++times;
        });
    }
    // A configuration whose tokens are signed by whom this server publishes.
    void publishes_at(const std::string& url) { auth.jwt.jwks_url = url; }
    void adopt() {
        std::size_t before = far.dials();
        sources.adopt(auth);
        EXPECT_EQ(far.dials(), before) << "from within adopt()";
        far.after(50ms);
    }
    // ... and it has answered.
    void begin(const std::string& keys = jwks(jwk("one"))) {
        publishes_at("http://idp.test/keys");
        adopt();
        far.answer(far.next_call(), 200, keys);
        far.after(50ms);
    }
    // Lets time go on until it is asked again; who asks does not wait for ever.
    Far::Call next_question(Duration most) {
        for (Duration gone{}; gone < most && far.is_silent(); gone += 500ms) far.after(500ms);
        return far.next_call();
    }
    auth::ProviderKeys keys(const std::string& provider = "") const {
        auto found = sources.ring()->providers.find(provider);
        return found == sources.ring()->providers.end() ? auth::ProviderKeys() : found->second;
    }
    bool has(const std::string& id) const { return keys().keys && keys().keys->knows(id); }
    int events_of(std::string_view type) const { return count(events, type); }
    // Somebody looks for a key; `done` says when that is over.
    rt::Task<void> look(std::string id, int& done, Duration patience = 8s) {
        co_await sources.look_for("", std::move(id), far.loop.now() + patience);
        ++done;
    }

    Far far;
    Events events{far.clock};
    config::Auth auth;
    auth::KeyRingPtr told;
    int times = 0;
    KeySources sources{far.loop, far.dialer, far.buffers, events};
};

// ---- what is near

TEST_F(KeySourcesTest, nothing_is_configured_and_nothing_is_told) {
    sources.adopt(auth);
    EXPECT_EQ(times, 0);
    EXPECT_TRUE(sources.ring()->providers.empty());
}

TEST_F(KeySourcesTest, a_secret_is_a_key_at_once) {
    auth.jwt.secret_key = Secret("0123456789-0123456789-0123456789");
    sources.adopt(auth);
    ASSERT_TRUE(keys().keys);
    ASSERT_EQ(keys().keys->keys.size(), 1u);
    EXPECT_TRUE(keys().keys->keys[0]->allows(auth::Algorithm::hs256));
    EXPECT_FALSE(keys().keys->keys[0]->allows(auth::Algorithm::hs512)) << "HS256, where nobody names another";
    EXPECT_EQ(keys().usable_until, WallTime::max());
    EXPECT_EQ(sources.ring()->generation, 1u);
    EXPECT_EQ(events_of("keys.loaded"), 1);
}

TEST_F(KeySourcesTest, the_same_configuration_again_is_no_news) {
    auth.jwt.secret_key = Secret("0123456789-0123456789-0123456789");
    sources.adopt(auth);
    sources.adopt(auth);
    EXPECT_EQ(times, 1);
    auth.jwt.issuers = {"somebody-else"};
    sources.adopt(auth);
    EXPECT_EQ(sources.ring()->generation, 1u) << "its rules are the site's";
    auth.jwt.secret_key = Secret("9876543210-9876543210-9876543210");
    sources.adopt(auth);
    EXPECT_EQ(sources.ring()->generation, 2u);
}

TEST_F(KeySourcesTest, whoever_is_switched_off_has_no_keys) {
    auth.jwt.secret_key = Secret("0123456789-0123456789-0123456789");
    auth.enabled = false;
    sources.adopt(auth);
    EXPECT_TRUE(sources.ring()->providers.empty());
}

TEST_F(KeySourcesTest, a_file_is_read_again_when_it_changes) {
    auth.jwt.jwks_file = scene::own_file("keys.json");
    auto say = [&](const std::string& text) {
        std::ofstream(auth.jwt.jwks_file + ".new") << text;
        std::filesystem::rename(auth.jwt.jwks_file + ".new", auth.jwt.jwks_file);
    };
    say(jwks(jwk("one")));
    adopt();
    EXPECT_TRUE(has("one"));
    say(jwks(jwk("one") + "," + jwk("two", kOther)));
    far.after(200ms);
    EXPECT_TRUE(has("two"));
    EXPECT_EQ(sources.ring()->generation, 2u);
    say("half a fi");
    far.after(200ms);
    EXPECT_TRUE(has("two")) << "the keys that were there stay";
    EXPECT_EQ(events_of("keys.unreachable"), 1);
    far.after(KeySources::kReadAgain);
    EXPECT_EQ(events_of("keys.unreachable"), 1) << "once";
}

TEST_F(KeySourcesTest, what_is_wrong_with_keys_is_said_beforehand) {
    auth.jwt.public_key_file = scene::own_file("no-such.pem");
    auth.providers["idp"].jwks_url = "ftp://idp.test/keys";
    std::vector<config::Problem> problems;
    check_keys(auth, problems);
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_EQ(problems[0].key, "auth.jwt");
    EXPECT_NE(problems[0].sentence.find("no-such.pem: cannot be read"), std::string::npos) << problems[0].sentence;
    EXPECT_EQ(problems[1].key, "auth.providers.idp");
    EXPECT_EQ(problems[1].severity, config::Problem::error);
}

// ---- what a server publishes

TEST_F(KeySourcesTest, a_server_is_asked_and_until_it_answers_there_are_no_keys) {
    publishes_at("http://idp.test:8080/realms/suoke/keys?p=sign in");
    adopt();
    auth.jwt.jwks_url = "http://idp.test:8080/realms/suoke/keys?p=signin";
    adopt();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.line, "GET /realms/suoke/keys?p=signin HTTP/1.1");
    EXPECT_EQ(call.field("Host"), "idp.test:8080");
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->providers.contains(""));
    EXPECT_FALSE(keys().keys);
    far.answer(call, 200, jwks(jwk("one")));
    far.after(50ms);
    EXPECT_TRUE(has("one"));
    EXPECT_GT(keys().usable_until, far.clock.wall() + 23h);
    EXPECT_LE(keys().usable_until, far.clock.wall() + 24h);
}

TEST_F(KeySourcesTest, it_is_asked_again_now_and_then_and_only_other_keys_are_another_generation) {
    begin(jwks(jwk("one") + "," + jwk("two", kOther)));
    std::uint64_t generation = sources.ring()->generation;
    WallTime until = keys().usable_until;
    far.after(9min);
    EXPECT_TRUE(far.is_silent());
    far.answer(next_question(2min + 30s), 200, "{ \"keys\" : [" + jwk("two", kOther) + " ,\n" + jwk("one") + "] }");
    far.after(50ms);
    EXPECT_EQ(sources.ring()->generation, generation) << "the same keys in another order";
    EXPECT_GT(keys().usable_until, until);
    far.answer(next_question(12min), 200, jwks(jwk("two", kOther)));
    far.after(50ms);
    EXPECT_EQ(sources.ring()->generation, generation + 1);
    EXPECT_FALSE(has("one"));
}

TEST_F(KeySourcesTest, while_it_fails_the_old_keys_stay_until_they_are_too_old) {
    auth.jwt.jwks_max_age = 1h;
    begin();
    far.manner = Far::Manner::refuse;
    far.after(30min);
    EXPECT_TRUE(has("one"));
    EXPECT_EQ(events_of("keys.unreachable"), 1);
    EXPECT_EQ(events_of("keys.stale"), 0);
    far.after(32min);
    EXPECT_EQ(events_of("keys.stale"), 1);
    EXPECT_LE(keys().usable_until, far.clock.wall());
    far.manner = Far::Manner::accept;
    far.answer(next_question(31s), 200, jwks(jwk("one")));
    far.after(50ms);
    EXPECT_GT(keys().usable_until, far.clock.wall());
    EXPECT_EQ(events_of("keys.loaded"), 2);
}

TEST_F(KeySourcesTest, keys_that_age_fast_are_asked_for_before_they_are_too_old) {
    auth.jwt.jwks_max_age = 4s;
    begin();
    for (int i = 0; i < 5; ++i) {
        far.answer(next_question(3s), 200, jwks(jwk("one")));
        far.after(50ms);
        EXPECT_GT(keys().usable_until, far.clock.wall());
    }
}

TEST_F(KeySourcesTest, an_answer_that_is_no_key_set_changes_nothing) {
    auth.jwt.jwks_refresh = 10s;
    begin();
    std::uint64_t generation = sources.ring()->generation;
    struct Bad {
        int status;
        std::string body, fields;
    };
    std::vector<Bad> all{{200, "", ""},
                         {200, "{\"keys\":[]}", ""},
                         {200, "<html>sign in</html>", ""},
                         {500, jwks(jwk("two")), ""},
                         {302, "", "Location: http://elsewhere.test/keys\r\n"},
                         {200, R"({"keys":[{"kty":"oct","k":"c2VjcmV0LXRoYXQtaXMtcHVibGlzaGVkLWJ5LW1pc3Rha2U"}]})", ""},
                         {200, std::string(300 << 10, ' ') + jwks(jwk("two")), ""},
                         {200, std::string(10'000, '['), ""}};
    for (const Bad& bad : all) {
        far.answer(next_question(40s), bad.status, bad.body, bad.fields);
        far.after(50ms);
        EXPECT_TRUE(has("one")) << bad.body.substr(0, 60);
        EXPECT_FALSE(has("two")) << bad.body.substr(0, 60);
    }
    EXPECT_EQ(sources.ring()->generation, generation);
    for (const upstream::EndpointAddress& each : far.dialed) EXPECT_EQ(each.host, "idp.test") << "a redirect is not followed";
}

TEST_F(KeySourcesTest, a_server_that_says_nothing_is_left_after_a_while) {
    publishes_at("http://idp.test/keys");
    adopt();
    far.after(KeySources::kTimeout);
    EXPECT_TRUE(far.was_left(0));
    EXPECT_EQ(events_of("keys.unreachable"), 1);
    EXPECT_FALSE(keys().keys);
}

TEST_F(KeySourcesTest, its_keys_outlive_a_reload_with_other_rules_or_another_name) {
    begin();
    auth.jwt.issuers = {"https://idp.test"};
    auth.jwt.jwks_max_age = 1h;
    adopt();
    EXPECT_TRUE(has("one"));
    EXPECT_EQ(far.dials(), 2u) << "asked again in the background";
    auth.providers["idp"] = auth.jwt;
    auth.jwt = {};
    adopt();
    ASSERT_TRUE(keys("idp").keys);
    EXPECT_TRUE(keys("idp").keys->knows("one"));
    EXPECT_FALSE(sources.ring()->providers.contains(""));
    auth.providers["idp"].jwks_url = "http://other.test/keys";
    adopt();
    EXPECT_FALSE(keys("idp").keys) << "of another server they are not";
}

// ---- looking for a key

TEST_F(KeySourcesTest, a_key_nobody_has_is_asked_for_once_by_all_who_need_it) {
    begin();
    int done = 0;
    for (int i = 0; i < 5; ++i) far.scope.spawn(look("two", done));
    far.after(50ms);
    EXPECT_EQ(far.dials(), 2u);
    EXPECT_EQ(done, 0);
    far.answer(far.next_call(), 200, jwks(jwk("one") + "," + jwk("two", kOther)));
    far.after(50ms);
    EXPECT_EQ(done, 5);
    EXPECT_TRUE(told->providers.find("")->second.keys->knows("two")) << "it was told of before they went on";
    far.scope.spawn(look("two", done));
    far.settle();
    EXPECT_EQ(done, 6);
    EXPECT_EQ(far.dials(), 2u);
}

TEST_F(KeySourcesTest, invented_keys_cost_a_question_every_ten_seconds_at_most) {
    begin();
    int done = 0;
    far.scope.spawn(look("invented-0", done));
    far.after(50ms);
    far.answer(far.next_call(), 200, jwks(jwk("one")));
    far.after(50ms);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(far.dials(), 2u);
    for (int i = 1; i < 100; ++i) far.scope.spawn(look("invented-" + std::to_string(i), done));
    far.after(9s);
    EXPECT_EQ(done, 100);
    EXPECT_EQ(far.dials(), 2u);
    far.after(1s);
    far.scope.spawn(look("invented-0", done));
    far.after(50ms);
    EXPECT_EQ(done, 101) << "it was looked for a moment ago";
    EXPECT_EQ(far.dials(), 2u);
    far.scope.spawn(look("invented-100", done));
    far.after(50ms);
    EXPECT_EQ(far.dials(), 3u);
}

TEST_F(KeySourcesTest, whoever_looks_does_not_wait_longer_than_it_may) {
    begin();
    int done = 0;
    far.scope.spawn(look("two", done, 1s));
    far.after(900ms);
    EXPECT_EQ(done, 0);
    far.after(200ms);
    EXPECT_EQ(done, 1);
    far.scope.spawn(look("three", done));
    EXPECT_EQ(done, 2) << "and nobody else waits for a server that is that slow";
    far.answer(far.next_call(), 200, jwks(jwk("one") + "," + jwk("two", kOther)));
    far.after(50ms);
    EXPECT_TRUE(has("two"));
}

TEST_F(KeySourcesTest, a_reload_meanwhile_leaves_nobody_waiting) {
    begin();
    int done = 0;
    far.scope.spawn(look("two", done));
    far.after(50ms);
    auth.jwt = {};
    adopt();
    EXPECT_EQ(done, 1);
}

// ---- the workers' desk

TEST_F(KeySourcesTest, a_desk_asks_for_its_worker_and_remembers_that_it_was_of_no_use) {
    begin();
    rt::TaskScope tasks;
    KeyDesk desk(far.loop, far.loop, tasks, sources);
    far.scope.spawn(desk.look_for("", "two", far.loop.now() + 8s));
    far.after(50ms);
    far.answer(far.next_call(), 200, jwks(jwk("one")));
    far.after(50ms);
    EXPECT_TRUE(far.scope.idle());
    far.scope.spawn(desk.look_for("", "three", far.loop.now() + 8s));
    EXPECT_TRUE(far.scope.idle()) << "without a word to control";
    far.after(10s);
    far.scope.spawn(desk.look_for("", "three", far.loop.now() + 8s));
    far.after(50ms);
    EXPECT_EQ(far.dials(), 3u);
    far.answer(far.next_call(), 200, jwks(jwk("one") + "," + jwk("three", kOther)));
    far.after(50ms);
    EXPECT_TRUE(far.scope.idle());
    EXPECT_TRUE(has("three"));
}

}  // namespace
}  // namespace suoke::app
