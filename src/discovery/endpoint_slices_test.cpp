// SPDX-License-Identifier: MIT
#include "discovery/endpoint_slices.h"

#include <gtest/gtest.h>

namespace suoke::discovery {
namespace {

std::string endpoint(const std::string& address, const std::string& conditions = "{\"ready\":true}") {
    return R"({"addresses":[")" + address + R"("],"conditions":)" + conditions +
           R"(,"zone":"eu-1a","nodeName":"node-1","targetRef":{"kind":"Pod","name":"pod-1"}})";
}
std::string slice(const std::string& name, const std::string& endpoints, const std::string& version = "1",
                  const std::string& ports = R"({"name":"http","protocol":"TCP","port":8080})") {
    return R"({"kind":"EndpointSlice","metadata":{"name":")" + name + R"(","resourceVersion":")" + version +
           R"("},"addressType":"IPv4","endpoints":[)" + endpoints + R"(],"ports":[)" + ports + "]}";
}
std::string list(const std::string& items, const std::string& version = "100") {
    return R"({"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":")" + version +
           R"("},"items":[)" + items + "]}";
}
std::string event(const std::string& type, const std::string& object) { return R"({"type":")" + type + R"(","object":)" + object + "}"; }

std::string said(const EndpointSlices& slices) {
    auto all = slices.instances();
    if (!all) return all.error().detail;
    std::string text;
    for (const balance::Instance& one : *all) {
        text += (text.empty() ? "" : " ") + one.key();
        if (!one.up) text += " (not up)";
        if (one.draining) text += " (draining)";
    }
    return text;
}
std::string listed(const std::string& items, const std::string& port = "http") {
    EndpointSlices slices(port);
    auto replaced = slices.replace(list(items));
    return replaced ? said(slices) : replaced.error().detail;
}

TEST(EndpointSlices, say_everything_of_an_endpoint) {
    EndpointSlices slices("http");
    ASSERT_TRUE(slices.replace(list(slice("a", endpoint("10.0.0.1")))));
    balance::Instance wanted;
    wanted.host = "10.0.0.1";
    wanted.port = 8080;
    wanted.zone = "eu-1a";
    wanted.metadata = {{"kubernetes.node", "node-1"}, {"kubernetes.pod", "pod-1"}};
    EXPECT_EQ(*slices.instances(), balance::Instances{wanted});
    EXPECT_EQ(slices.version(), "100");
}

TEST(EndpointSlices, conditions_mean_what_the_api_says) {
    auto with = [](const std::string& conditions) { return listed(slice("a", endpoint("a", conditions))); };
    EXPECT_EQ(with("{}"), "a:8080");
    EXPECT_EQ(with("null"), "a:8080");
    EXPECT_EQ(with(R"({"ready":null})"), "a:8080");
    EXPECT_EQ(with(R"({"ready":false})"), "a:8080 (not up)");
    EXPECT_EQ(with(R"({"ready":false,"serving":false,"terminating":false})"), "a:8080 (not up)");
    EXPECT_EQ(with(R"({"ready":false,"serving":true,"terminating":true})"), "a:8080 (draining)");
    EXPECT_EQ(with(R"({"ready":false,"serving":false,"terminating":true})"), "a:8080 (not up) (draining)");
    EXPECT_EQ(with(R"({"ready":true,"serving":false})"), "a:8080") << "publishNotReadyAddresses";
}

TEST(EndpointSlices, several_are_one_service) {
    std::string both = slice("a", endpoint("10.0.0.1")) + "," + slice("b", endpoint("2001:db8::1") + "," + endpoint("10.0.0.2"));
    EXPECT_EQ(listed(both), "10.0.0.1:8080 10.0.0.2:8080 2001:db8::1:8080");
}

TEST(EndpointSlices, an_address_in_two_of_them_is_one_instance_and_the_better_word_counts) {
    std::string gone = endpoint("10.0.0.1", R"({"ready":false})");
    EXPECT_EQ(listed(slice("a", gone) + "," + slice("b", endpoint("10.0.0.1"))), "10.0.0.1:8080");
    EXPECT_EQ(listed(slice("a", endpoint("10.0.0.1")) + "," + slice("b", gone)), "10.0.0.1:8080");
}

TEST(EndpointSlices, a_port_is_named_or_numbered_or_the_only_one) {
    std::string two = slice("a", endpoint("a"), "1", R"({"name":"http","port":8080},{"name":"admin","port":9090,"protocol":"TCP"})");
    EXPECT_EQ(listed(two, "http"), "a:8080");
    EXPECT_EQ(listed(two, "9090"), "a:9090");
    EXPECT_EQ(listed(two, "grpc"), "the service has no port grpc; it has: http (8080), admin (9090)");
    EXPECT_EQ(listed(two, "80"), "the service has no port 80; it has: http (8080), admin (9090)");
    EXPECT_EQ(listed(two, ""), "the service has not just one port; name one of: http (8080), admin (9090)");
    EXPECT_EQ(listed(slice("a", endpoint("a"), "1", R"({"port":7,"name":""},{"port":53,"protocol":"UDP"})"), ""), "a:7");
    EXPECT_EQ(listed(slice("a", endpoint("a"), "1", ""), ""), "the service has not just one port; name one of: none");
    EXPECT_EQ(listed(slice("a", "", "1", ""), ""), "") << "a service without pods has no ports either";
}

TEST(EndpointSlices, the_protocol_of_an_application_is_taken) {
    EndpointSlices slices("");
    ASSERT_TRUE(slices.replace(list(slice("a", endpoint("a"), "1", R"({"name":"x","port":80,"appProtocol":"kubernetes.io/h2c"})"))));
    EXPECT_EQ(slices.instances()->front().protocol, upstream::Protocol::h2);
}

TEST(EndpointSlices, events_change_them) {
    using Event = EndpointSlices::Event;
    EndpointSlices slices("http");
    ASSERT_TRUE(slices.replace(list(slice("a", endpoint("10.0.0.1")))));
    EXPECT_EQ(*slices.apply(event("ADDED", slice("b", endpoint("10.0.0.2"), "101"))), Event::changed);
    EXPECT_EQ(said(slices), "10.0.0.1:8080 10.0.0.2:8080");
    EXPECT_EQ(slices.version(), "101");
    EXPECT_EQ(*slices.apply(event("MODIFIED", slice("a", endpoint("10.0.0.3"), "102"))), Event::changed);
    EXPECT_EQ(said(slices), "10.0.0.2:8080 10.0.0.3:8080");
    EXPECT_EQ(*slices.apply(event("DELETED", slice("b", "", "103"))), Event::changed);
    EXPECT_EQ(said(slices), "10.0.0.3:8080");
    EXPECT_EQ(*slices.apply(event("BOOKMARK", R"({"kind":"EndpointSlice","metadata":{"resourceVersion":"150"}})")), Event::nothing);
    EXPECT_EQ(slices.version(), "150");
    EXPECT_EQ(*slices.apply(event("ERROR", R"({"kind":"Status","code":410,"reason":"Expired"})")), Event::expired);
    auto failed = slices.apply(event("ERROR", R"({"kind":"Status","code":500,"message":"etcd has gone"})"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().detail, "Kubernetes ended the watch: 500 etcd has gone");
    EXPECT_EQ(said(slices), "10.0.0.3:8080");
}

TEST(EndpointSlices, what_kubernetes_would_not_say_is_refused_and_changes_nothing) {
    EndpointSlices slices("http");
    ASSERT_TRUE(slices.replace(list(slice("a", endpoint("10.0.0.1")))));
    for (const std::string& body : {std::string("x"), std::string("[]"), std::string("null"), std::string("{}"), list("7"), list("{}"), list(slice("", "")),
                                    list(slice("b", "7")), list(slice("b", R"({"addresses":[1]})")), list(slice("b", "", "1", R"({"port":"http"})")),
                                    list(slice("b", "", "1", R"({"port":70000})")), list(slice("b", endpoint("a", R"({"ready":"yes"})"))), list("", ""),
                                    event("ADDED", slice("b", ""))})
        EXPECT_FALSE(slices.replace(body)) << body;
    for (const std::string& line : {std::string("x"), std::string("7"), std::string("{}"), event("PATCHED", slice("b", "")), event("ADDED", "7"),
                                    event("ADDED", slice("b", "7")), event("ADDED", slice("b", "", "")), event("DELETED", "{}")})
        EXPECT_FALSE(slices.apply(line)) << line;
    EXPECT_EQ(said(slices), "10.0.0.1:8080");
    EXPECT_EQ(slices.version(), "100");
}

TEST(EndpointSlices, an_endpoint_whose_address_is_none_is_left_out) {
    EXPECT_EQ(listed(slice("a", endpoint("a b") + "," + endpoint("10.0.0.1") + R"(,{"addresses":[]},{})")), "10.0.0.1:8080");
}

}  // namespace
}  // namespace suoke::discovery
