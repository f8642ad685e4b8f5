// SPDX-License-Identifier: MIT
// What holds for filters together, whichever they are.
#include <gtest/gtest.h>

#include "auth/api_keys.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kKey = "x-api-key: sk_live_5f2b9c7e1d\r\n";

std::string labelled(const std::string& data_class) {
    return one_service("records", {.route = "data_class: " + data_class + ", auth: {mode: required}",
                                   .rest = "auth: {methods: [api_key], api_keys: {ward: {hashes: ['" + auth::api_key_hash("sk_live_5f2b9c7e1d") + "']}}}\n"
                                           "cache: {enabled: true, ttl: 60s}\nidempotency: {enabled: true}\nregistry: {service_paths: false}\n"});
}

TEST(HealthInformation, passes_filters_that_keep_what_passes_as_if_they_were_not_there) {
    Scene s(labelled("phi"));
    for (const char* answer : {"before", "after"}) {
        s.client() << get("/records", kKey);
        s.upstream("records") >> request("GET", "/records") << ok(answer, "cache-control: public, max-age=60\r\n");
        s.client() >> response(200, answer).without("x-cache").without("cache-status");
        s.client() << post("/records", "one", kKey + "idempotency-key: monday\r\n");
        s.upstream("records") >> request("POST", "/records", "one").with("idempotency-key", "monday") << ok(answer);
        s.client() >> response(200, answer).without("idempotency-replayed");
    }
}

TEST(HealthInformation, is_what_makes_that_difference) {
    Scene s(labelled("internal"));
    s.client() << get("/records", kKey);
    s.upstream("records") >> request("GET", "/records") << ok("before", "cache-control: public, max-age=60\r\n");
    s.client() >> response(200, "before");
    s.client() << get("/records", kKey);
    s.client() >> response(200, "before").having("x-cache");
    s.client() << post("/records", "one", kKey + "idempotency-key: monday\r\n");
    s.client() >> response(503).saying("store_unavailable");   // scenes have none
}

}  // namespace
}  // namespace suoke::scene
