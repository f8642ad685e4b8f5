// SPDX-License-Identifier: MIT
// Each rule of RFC 9111 for a shared cache, by its section.
#include "cache/policy.h"

#include <gtest/gtest.h>

#include "cache/entry.h"

namespace suoke::cache {
namespace {

using namespace std::chrono_literals;
using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};   // 2025-01-01T00:00:00Z
constexpr std::string_view kDate = "Wed, 01 Jan 2025 00:00:00 GMT";
constexpr std::string_view kInAnHour = "Wed, 01 Jan 2025 01:00:00 GMT";
constexpr std::string_view kYesterday = "Tue, 31 Dec 2024 00:00:00 GMT";

http::Headers fields(Fields list) {
    http::Headers headers;
    for (const auto& [name, value] : list) headers.add(name, value);
    return headers;
}

struct Case {
    int status = 200;
    Rules rules;
    Asked asked;
    Duration delay{};
};

Judgement judge(Fields list, const Case& with = {}) {
    http::Headers headers = fields(list);
    ResponseFacts facts = read_response(with.status, headers, kNow, with.rules.surrogate);
    return may_store(with.asked, facts, with.rules, with.delay);
}
bool stored(Fields list, const Case& with = {}) { return judge(list, with).store(); }
Duration lifetime(Fields list, const Case& with = {}) { return judge(list, with).life.lifetime; }
Duration initial_age(Fields list, const Case& with = {}) { return judge(list, with).life.initial_age; }

RequestDirectives ask(std::string_view line) {
    RequestDirectives directives;
    directives.read(line);
    return directives;
}

// ---- §3: storing

TEST(Storing, takes_what_says_how_long_it_is_fresh) {   // §3
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=60"}}));
    EXPECT_TRUE(stored({{"Cache-Control", "s-maxage=60"}}));
    EXPECT_TRUE(stored({{"Date", kDate}, {"Expires", kInAnHour}}));
}

TEST(Storing, leaves_what_says_nothing) {
    EXPECT_EQ(judge({}).because, Because::nothing_said);
    EXPECT_EQ(judge({{"ETag", "\"a\""}}).because, Because::nothing_said);
    EXPECT_EQ(judge({{"Last-Modified", kYesterday}}).because, Because::nothing_said);
}

TEST(Storing, leaves_what_could_never_be_used) {
    EXPECT_EQ(judge({{"Cache-Control", "max-age=0"}}).because, Because::useless);
    EXPECT_EQ(judge({{"Cache-Control", "no-cache"}}).because, Because::useless);
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}})) << "it can be validated";
    EXPECT_TRUE(stored({{"Cache-Control", "no-cache"}, {"Last-Modified", kYesterday}}));
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=0, stale-while-revalidate=5"}}));
}

TEST(Storing, heeds_no_store_of_either_side) {   // §5.2.1.5, §5.2.2.5
    EXPECT_EQ(judge({{"Cache-Control", "no-store, max-age=60"}}).because, Because::no_store);
    Case of_request;
    of_request.asked.directives.no_store = true;
    EXPECT_EQ(judge({{"Cache-Control", "max-age=60"}}, of_request).because, Because::no_store);
}

TEST(Storing, is_not_for_private_answers) {   // §5.2.2.7
    EXPECT_EQ(judge({{"Cache-Control", "private, max-age=60"}}).because, Because::only_private);
    EXPECT_TRUE(stored({{"Cache-Control", "private=\"x-user\", max-age=60"}})) << "only that field is";
}

TEST(Storing, never_takes_a_part_or_what_is_no_answer) {   // §3.3; RFC 9110 §15
    for (int status : {206, 304, 100, 101, 103}) EXPECT_FALSE(stored({{"Cache-Control", "max-age=60"}}, {.status = status})) << status;
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=60"}}, {.status = 206, .asked = {.takes_part = true}})) << "by who knows what it is (§3.3)";
    EXPECT_FALSE(stored({{"Cache-Control", "max-age=60"}}, {.status = 304, .asked = {.takes_part = true}}));
}

TEST(Storing, takes_any_final_status_that_says_how_long) {   // §3
    for (int status : {200, 203, 204, 299, 301, 302, 307, 308, 400, 404, 410, 499, 500, 503, 599}) EXPECT_TRUE(stored({{"Cache-Control", "max-age=60"}}, {.status = status})) << status;
}

TEST(Storing, must_understand_takes_only_known_statuses_and_overrides_no_store) {   // §5.2.2.3
    EXPECT_EQ(judge({{"Cache-Control", "max-age=60, must-understand"}}, {.status = 599}).because, Because::not_understood);
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=60, must-understand, no-store"}}));
}

TEST(Storing, never_takes_what_varies_by_everything) { EXPECT_EQ(judge({{"Cache-Control", "max-age=60"}, {"Vary", "*"}}).because, Because::star); }   // §4.1

TEST(Storing, never_shares_cookies) {   // §7.3
    EXPECT_EQ(judge({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}).because, Because::cookie);
    Rules strip;
    strip.strip_cookies = true;
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}, {.rules = strip}));
    EXPECT_TRUE(stored({{"Cache-Control", "max-age=60, no-cache=\"set-cookie\""}, {"Set-Cookie", "a=b"}})) << "the answer itself says how";
}

TEST(Storing, knows_whose_answers_are_for_everyone) {   // §3.5
    for (std::string_view said : {"max-age=60, public", "s-maxage=60", "max-age=60, must-revalidate"}) EXPECT_TRUE(judge({{"Cache-Control", said}}).life.for_everyone) << said;
    EXPECT_FALSE(judge({{"Cache-Control", "max-age=60"}}).life.for_everyone);
    EXPECT_FALSE(judge({{"Cache-Control", "max-age=60, proxy-revalidate"}}).life.for_everyone);
}

// ---- §3.1: which fields

bool keeps(std::string_view name, Fields list) {
    http::Headers headers = fields(list);
    ResponseFacts facts = read_response(200, headers, kNow, false);
    http::Headers one;
    one.add(name, "x");
    return is_stored_field(*one.begin(), facts);
}

TEST(StoredFields, are_all_but_those_of_one_hop) {   // §3.1
    for (std::string_view name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
                                  "Set-Cookie", "Age", "Content-Length", "Trailer"})
        EXPECT_FALSE(keeps(name, {})) << name;
    for (std::string_view name : {"Content-Type", "ETag", "X-Anything", "Cache-Control", "Content-Range", "Date", "Public-Key-Pins"}) EXPECT_TRUE(keeps(name, {})) << name;
}

TEST(StoredFields, are_not_those_that_qualified_directives_name) {   // §5.2.2.4, §5.2.2.7
    EXPECT_FALSE(keeps("X-A", {{"Cache-Control", "no-cache=\"x-a, b\", max-age=60"}}));
    EXPECT_FALSE(keeps("X-User", {{"Cache-Control", "private=x-user, max-age=60"}}));
    EXPECT_TRUE(keeps("C", {{"Cache-Control", "no-cache=\"x-a, b\", max-age=60"}}));
}

// ---- §4.2.1: lifetimes

TEST(Lifetime, s_maxage_goes_before_max_age_before_expires) {   // §4.2.1, §5.2.2.10, §5.3
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=1, s-maxage=3600"}}), 3600s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=3600"}, {"Cache-Control", "s-maxage=1"}}), 1s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60"}, {"Date", kDate}, {"Expires", kYesterday}}), 60s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60"}, {"Expires", "0"}}), 60s);
    EXPECT_EQ(lifetime({{"Date", kDate}, {"Expires", kInAnHour}}), 3600s);
}

TEST(Lifetime, of_expires_is_counted_from_date) {   // §4.2.1
    EXPECT_EQ(lifetime({{"Date", "Tue, 31 Dec 2024 23:00:00 GMT"}, {"Expires", kInAnHour}, {"ETag", "\"a\""}}), 7200s);
    EXPECT_EQ(lifetime({{"Expires", kInAnHour}}), 3600s) << "without one, from when it came";
    EXPECT_EQ(lifetime({{"Date", "foo"}, {"Expires", kInAnHour}}), 3600s);
}

TEST(Lifetime, an_expires_that_is_no_date_is_in_the_past) {   // §5.3
    EXPECT_EQ(lifetime({{"Date", kDate}, {"Expires", "0"}, {"ETag", "\"a\""}}), 0s);
    EXPECT_EQ(lifetime({{"Date", kDate}, {"Expires", kDate}, {"ETag", "\"a\""}}), 0s);
}

TEST(Lifetime, is_never_guessed_unless_somebody_says_so) {   // §4.2.2
    EXPECT_FALSE(stored({{"Date", kDate}, {"Last-Modified", kYesterday}}));
    Rules tenth;
    tenth.heuristic_percent = 10;
    EXPECT_EQ(lifetime({{"Date", kDate}, {"Last-Modified", kYesterday}}, {.rules = tenth}), 8640s);
    for (int status : {203, 204, 404, 405, 410, 414, 501}) EXPECT_TRUE(stored({{"Date", kDate}, {"Last-Modified", kYesterday}}, {.status = status, .rules = tenth})) << status;
    for (int status : {201, 202, 403, 502, 503, 504, 599}) EXPECT_FALSE(stored({{"Date", kDate}, {"Last-Modified", kYesterday}}, {.status = status, .rules = tenth})) << status;
    EXPECT_TRUE(stored({{"Date", kDate}, {"Last-Modified", kYesterday}, {"Cache-Control", "public"}}, {.status = 599, .rules = tenth})) << "§5.2.2.9";
    EXPECT_EQ(lifetime({{"Date", kDate}, {"Expires", kYesterday}, {"Last-Modified", kYesterday}}, {.rules = tenth}), 0s) << "never where there is an explicit one";
}

TEST(Lifetime, of_a_rule_is_for_answers_that_say_none) {
    Rules minute;
    minute.ttl = 60s;
    EXPECT_EQ(lifetime({}, {.rules = minute}), 60s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=5"}}, {.rules = minute}), 5s);
    EXPECT_EQ(judge({{"Cache-Control", "no-store"}}, {.rules = minute}).because, Because::no_store);
    EXPECT_EQ(judge({{"Cache-Control", "private"}}, {.rules = minute}).because, Because::only_private);
    EXPECT_FALSE(stored({}, {.status = 500, .rules = minute})) << "an error is not made to last";
    EXPECT_TRUE(stored({}, {.status = 404, .rules = minute}));
}

TEST(Lifetime, of_a_rule_with_force_counts_whatever_the_answer_says) {
    Rules forced;
    forced.ttl = 60s;
    forced.force = true;
    for (std::string_view said : {"no-store", "private", "max-age=0", "no-cache, must-revalidate"}) {
        Judgement judged = judge({{"Cache-Control", said}}, {.rules = forced});
        EXPECT_TRUE(judged.store()) << said;
        EXPECT_EQ(judged.life.lifetime, 60s) << said;
        EXPECT_EQ(may_use(judged.life, {}, 30s), Use::fresh) << said;
    }
    EXPECT_FALSE(stored({{"Set-Cookie", "a=b"}}, {.rules = forced}));
    EXPECT_FALSE(stored({{"Vary", "*"}}, {.rules = forced}));
}

// ---- RFC 9213 and Surrogate-Control

TEST(Targeted, counts_instead_of_cache_control_and_expires) {   // RFC 9213 §2.2
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=600"}, {"Cache-Control", "max-age=1"}}), 600s);
    EXPECT_TRUE(stored({{"CDN-Cache-Control", "max-age=600"}, {"Cache-Control", "no-store"}}));
    EXPECT_EQ(judge({{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "max-age=600"}, {"Expires", kInAnHour}}).because, Because::no_store);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=0"}, {"Expires", kInAnHour}, {"ETag", "\"a\""}}), 0s);
    EXPECT_EQ(lifetime({{"Suoke-Cache-Control", "max-age=5"}, {"CDN-Cache-Control", "max-age=600"}}), 5s) << "the first of the list";
}

TEST(Targeted, that_is_none_is_ignored) {   // RFC 9213 §2.1
    EXPECT_EQ(judge({{"CDN-Cache-Control", "max-age=10000, &&&&&"}, {"Cache-Control", "no-store"}}).because, Because::no_store);
    EXPECT_EQ(judge({{"CDN-Cache-Control", "max-age=\"10000\""}, {"Cache-Control", "no-store"}}).because, Because::no_store);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", ""}, {"Cache-Control", "max-age=60"}}), 60s);
}

TEST(Surrogate, counts_where_the_operator_says_so) {
    Rules heeds;
    heeds.surrogate = true;
    EXPECT_EQ(lifetime({{"Surrogate-Control", "max-age=3600"}, {"Cache-Control", "max-age=1"}}, {.rules = heeds}), 3600s);
    EXPECT_EQ(lifetime({{"Surrogate-Control", "max-age=3600"}, {"Cache-Control", "max-age=1"}}), 1s);
    EXPECT_EQ(lifetime({{"Surrogate-Control", "max-age=3600;other"}, {"Cache-Control", "max-age=1"}}, {.rules = heeds}), 1s);
}

// ---- §4.2.3: age

TEST(Age, is_the_larger_of_what_is_said_and_what_the_date_shows) {   // §4.2.3
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=3600"}}), 0s);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=3600"}, {"Date", kDate}, {"Age", "30"}}), 30s);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=90000"}, {"Date", kYesterday}}), 24h);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=90000"}, {"Date", kYesterday}, {"Age", "30"}}), 24h);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=3600"}, {"Date", kInAnHour}, {"Age", "30"}}), 30s) << "a clock that is fast";
}

TEST(Age, counts_the_time_the_answer_took) { EXPECT_EQ(initial_age({{"Cache-Control", "max-age=3600"}, {"Age", "30"}}, {.delay = 5s}), 35s); }   // §4.2.3

TEST(Age, is_the_first_of_several_and_nothing_when_it_is_no_number) {   // §5.1
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=9000"}, {"Age", "7200, 0"}}), 7200s);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=9000"}, {"Age", "0, 7200"}}), 0s);
    EXPECT_EQ(initial_age({{"Cache-Control", "max-age=9000"}, {"Age", "7200"}, {"Age", "0"}}), 7200s);
    for (std::string_view text : {"abc", "-7200", "7200.0", "7200;foo=bar"}) EXPECT_EQ(initial_age({{"Cache-Control", "max-age=9000"}, {"Age", text}}), 0s) << text;
}

TEST(Age, that_is_beyond_the_lifetime_makes_it_stale_from_the_beginning) {
    Judgement judged = judge({{"Cache-Control", "max-age=3600"}, {"Date", kDate}, {"Age", "7200"}, {"ETag", "\"a\""}});
    ASSERT_TRUE(judged.store());
    EXPECT_EQ(may_use(judged.life, {}, judged.life.initial_age), Use::validate);
}

// ---- §4: using

Life fresh_for(Duration lifetime) {
    Life life;
    life.lifetime = lifetime;
    return life;
}

TEST(Using, is_for_as_long_as_it_is_fresh) {   // §4.2
    EXPECT_EQ(may_use(fresh_for(60s), {}, 59s), Use::fresh);
    EXPECT_EQ(may_use(fresh_for(60s), {}, 60s), Use::validate) << "response_is_fresh = freshness_lifetime > current_age";
}

TEST(Using, no_cache_of_either_side_takes_validation) {   // §5.2.1.4, §5.2.2.4
    Life life = fresh_for(60s);
    EXPECT_EQ(may_use(life, ask("no-cache"), 1s), Use::validate);
    life.always_validate = true;
    EXPECT_EQ(may_use(life, {}, 1s), Use::validate);
    EXPECT_EQ(may_use(life, ask("max-stale"), 1s), Use::validate);
}

TEST(Using, pragma_counts_where_there_is_no_cache_control) {   // §5.4
    EXPECT_TRUE(read_request(fields({{"Pragma", "no-cache"}})).no_cache);
    EXPECT_FALSE(read_request(fields({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}})).no_cache);
    EXPECT_FALSE(read_request(fields({{"Pragma", "foo"}})).no_cache);
}

TEST(Using, requests_may_want_it_younger_or_fresher) {   // §5.2.1.1, §5.2.1.3
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-age=10"), 10s), Use::fresh);
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-age=10"), 11s), Use::validate);
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-age=0"), 1s), Use::validate);
    EXPECT_EQ(may_use(fresh_for(60s), ask("min-fresh=20"), 40s), Use::fresh);
    EXPECT_EQ(may_use(fresh_for(60s), ask("min-fresh=20"), 41s), Use::validate);
}

TEST(Using, requests_may_take_it_stale) {   // §5.2.1.2
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-stale=10"), 70s), Use::stale);
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-stale=10"), 71s), Use::validate);
    EXPECT_EQ(may_use(fresh_for(60s), ask("max-stale"), 9999s), Use::stale);
}

TEST(Using, must_revalidate_forbids_anything_stale) {   // §4.2.4, §5.2.2.2, §5.2.2.8, §5.2.2.10
    for (std::string_view said : {"max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60"}) {
        Rules kind;
        kind.stale_if_error = kind.stale_while_revalidate = 1h;
        Life life = judge({{"Cache-Control", said}}, {.rules = kind}).life;
        EXPECT_EQ(may_use(life, {}, 59s), Use::fresh) << said;
        EXPECT_EQ(may_use(life, ask("max-stale"), 61s), Use::validate) << said;
        EXPECT_FALSE(may_use_on_error(life, 61s)) << said;
    }
}

TEST(Using, stale_while_revalidate_is_a_window) {   // RFC 5861 §3
    Life life = judge({{"Cache-Control", "max-age=60, stale-while-revalidate=30"}}).life;
    EXPECT_EQ(may_use(life, {}, 60s), Use::refresh);
    EXPECT_EQ(may_use(life, {}, 90s), Use::refresh);
    EXPECT_EQ(may_use(life, {}, 91s), Use::validate);
}

TEST(Using, stale_if_error_is_a_window) {   // RFC 5861 §4
    Life life = judge({{"Cache-Control", "max-age=60, stale-if-error=30"}}).life;
    EXPECT_TRUE(may_use_on_error(life, 90s));
    EXPECT_FALSE(may_use_on_error(life, 91s));
    EXPECT_FALSE(may_use_on_error(judge({{"Cache-Control", "max-age=60"}}).life, 61s)) << "nobody allowed it";
    EXPECT_TRUE(is_error_for_stale(500) && is_error_for_stale(502) && is_error_for_stale(503) && is_error_for_stale(504));
    EXPECT_FALSE(is_error_for_stale(501) || is_error_for_stale(404) || is_error_for_stale(200));
}

// ---- §4.3: validating

Validators validators(Fields list) {
    static std::vector<http::Headers> keep;   // what the views point into
    keep.push_back(fields(list));
    return validators_of(keep.back(), unix_seconds(kNow), unix_seconds(kNow));
}

TEST(Validating, a_304_is_about_what_has_its_validators) {   // §4.3.4
    Validators stored = validators({{"ETag", "\"a\""}, {"Last-Modified", kYesterday}});
    EXPECT_TRUE(is_about(stored, validators({{"ETag", "\"a\""}})));
    EXPECT_FALSE(is_about(stored, validators({{"ETag", "\"b\""}})));
    EXPECT_FALSE(is_about(validators({{"ETag", "W/\"a\""}}), validators({{"ETag", "\"a\""}}))) << "strong ones match strongly";
    EXPECT_TRUE(is_about(validators({{"ETag", "W/\"a\""}}), validators({{"ETag", "W/\"a\""}})));
    EXPECT_FALSE(is_about(stored, validators({{"ETag", "W/\"b\""}})));
    EXPECT_TRUE(is_about(stored, validators({{"Last-Modified", kYesterday}})));
    EXPECT_FALSE(is_about(stored, validators({{"Last-Modified", kDate}})));
    EXPECT_TRUE(is_about(stored, validators({}))) << "it answers a condition that named this one";
}

TEST(Validating, a_304_replaces_fields_and_keeps_those_of_the_bytes) {   // §3.2
    Head stored = Head::copy_of(fields({{"X-A", "1"}, {"X-B", "1"}, {"x-b", "2"}, {"Content-Encoding", "gzip"}, {"Content-MD5", "m"}, {"Content-Type", "text/plain"}}), [](const http::Field&) { return true; });
    http::Headers told = fields({{"x-b", "3"}, {"X-C", "4"}, {"Content-Encoding", "br"}, {"Content-MD5", "n"}, {"Content-Length", "5"}, {"Content-Type", "text/html"}, {"Connection", "close"}});
    Head now = updated_head(stored, told, read_response(200, told, kNow, false));
    const http::Headers& head = now.fields();
    EXPECT_EQ(*head.find("X-A"), "1");
    EXPECT_EQ(*head.find("X-B"), "3");
    EXPECT_EQ(*head.find("X-C"), "4");
    EXPECT_EQ(*head.find("Content-Encoding"), "gzip");
    EXPECT_EQ(*head.find("Content-MD5"), "m");
    EXPECT_EQ(*head.find("Content-Type"), "text/html");
    EXPECT_EQ(head.find("Content-Length"), nullptr);
    EXPECT_EQ(head.find("Connection"), nullptr);
    EXPECT_EQ(head.size(), 6u);
}

TEST(Validating, head_fits_what_is_stored_or_makes_it_void) {   // §4.3.5
    Validators stored = validators({{"ETag", "\"a\""}});
    EXPECT_TRUE(head_fits(stored, 5, fields({{"Content-Length", "5"}}), validators({{"ETag", "\"a\""}})));
    EXPECT_TRUE(head_fits(stored, 5, fields({}), validators({})));
    EXPECT_FALSE(head_fits(stored, 5, fields({{"Content-Length", "6"}}), validators({})));
    EXPECT_FALSE(head_fits(stored, 5, fields({}), validators({{"ETag", "\"b\""}})));
    EXPECT_FALSE(head_fits(stored, 5, fields({}), validators({{"Last-Modified", kYesterday}})));
}

TEST(Invalidating, is_done_by_methods_that_are_not_known_to_be_safe) {   // §4.4
    using M = http::Method;
    for (M method : {M::POST, M::PUT, M::DELETE, M::PATCH, M::other}) EXPECT_TRUE(is_unsafe(method));
    for (M method : {M::GET, M::HEAD, M::OPTIONS, M::TRACE}) EXPECT_FALSE(is_unsafe(method));
}

TEST(Tags, are_in_two_fields_with_two_separators) {
    http::Headers headers = fields({{"Cache-Tag", "a, b"}, {"Surrogate-Key", "c d"}, {"X-Tag", "e"}});
    EXPECT_EQ(tags_of(headers), (std::vector<std::string_view>{"a", "b", "c", "d"}));
}

}  // namespace
}  // namespace suoke::cache
