// SPDX-License-Identifier: MIT
// Against a double of the Kubernetes API server, played by the tests after its public description.
#include "discovery/kubernetes_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/far.h"
#include "testing/far_h2.h"
#include "testing/files.h"
#include "testing/found.h"

namespace suoke::discovery {
namespace {

using scene::Far;

std::string slice(const std::string& name, const std::string& host, const std::string& version) {
    return R"({"kind":"EndpointSlice","metadata":{"name":")" + name + R"(","resourceVersion":")" + version +
           R"("},"endpoints":[{"addresses":[")" + host + R"("],"conditions":{"ready":true}}],"ports":[{"name":"http","port":80}]})";
}
std::string list(const std::string& items, const std::string& version) {
    return R"({"kind":"EndpointSliceList","metadata":{"resourceVersion":")" + version + R"("},"items":[)" + items + "]}";
}
std::string event(const std::string& type, const std::string& object) { return R"({"type":")" + type + R"(","object":)" + object + "}\n"; }

class KubernetesSourceTest : public ::testing::Test {
 protected:
    KubernetesSourceTest() {
        options.host = "10.96.0.1";
        options.tls = false;
        options.ca_file.clear();
        static int count = 0;
        options.token_file = scene::own_directory() + "token" + std::to_string(++count);
        write_token("first");
        options.service = "users";
        options.service_port = "http";
    }
    void write_token(const std::string& token) { std::ofstream(options.token_file) << token << "\n"; }
    void begin() {
        std::size_t before = far.dials();
        source = std::make_unique<KubernetesSource>(far.loop, far.dialer, far.buffers, Random(7), options, found);
        EXPECT_EQ(far.dials(), before) << "inside the constructor";
        far.after(50ms);
    }
    void answer_list(const std::string& host = "10.0.0.1", const std::string& version = "100") {
        far.answer(far.next_call(), 200, list(slice("a", host, version), version));
    }
    // The watch that begins now, with the head of its answer.
    Far::Call watch() {
        Far::Call call = far.next_call();
        EXPECT_NE(call.target().find("watch=1"), std::string::npos) << call.line;
        far.send(call.connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        return call;
    }
    void send(const Far::Call& call, const std::string& bytes) {
        char size[20];
        std::snprintf(size, sizeof size, "%zx", bytes.size());
        far.send(call.connection, std::string(size) + "\r\n" + bytes + "\r\n");
    }
    void end(const Far::Call& call) {
        far.send(call.connection, "0\r\n\r\n");
        far.close(call.connection);
    }

    Far far;
    scene::Found found;
    KubernetesOptions options;
    std::unique_ptr<KubernetesSource> source;
};

TEST_F(KubernetesSourceTest, lists_and_then_watches_from_there) {
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.line, "GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dusers HTTP/1.1");
    EXPECT_EQ(call.field("Authorization"), "Bearer first");
    far.answer(call, 200, list(slice("a", "10.0.0.1", "90"), "100"));
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    call = watch();
    EXPECT_NE(call.target().find("&watch=1&resourceVersion=100&allowWatchBookmarks=true&timeoutSeconds="), std::string::npos);
    send(call, event("ADDED", slice("b", "10.0.0.2", "101")));
    EXPECT_EQ(found.last(), "10.0.0.1:80 10.0.0.2:80");
    send(call, event("DELETED", slice("a", "10.0.0.1", "102")));
    EXPECT_EQ(found.last(), "10.0.0.2:80");
    EXPECT_TRUE(found.failures.empty());
}

TEST_F(KubernetesSourceTest, events_may_come_in_any_pieces) {
    begin();
    answer_list();
    Far::Call call = watch();
    std::string events = event("ADDED", slice("b", "10.0.0.2", "101")) + "\n" + event("ADDED", slice("c", "10.0.0.3", "102"));
    for (char c : events) send(call, std::string(1, c));
    EXPECT_EQ(found.last(), "10.0.0.1:80 10.0.0.2:80 10.0.0.3:80");
    EXPECT_EQ(found.times, 3);
    send(call, event("MODIFIED", slice("b", "10.0.0.4", "103")) + event("MODIFIED", slice("c", "10.0.0.5", "104")));
    EXPECT_EQ(found.times, 4) << "what comes together is told once";
}

TEST_F(KubernetesSourceTest, what_changes_nothing_is_not_told) {
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, event("MODIFIED", slice("a", "10.0.0.1", "101")));
    send(call, event("BOOKMARK", R"({"kind":"EndpointSlice","metadata":{"resourceVersion":"110"}})"));
    EXPECT_EQ(found.times, 1);
}

TEST_F(KubernetesSourceTest, a_watch_that_ends_is_followed_by_one_from_where_it_was) {
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, event("BOOKMARK", R"({"kind":"EndpointSlice","metadata":{"resourceVersion":"110"}})"));
    far.after(179s);
    EXPECT_TRUE(far.is_silent());
    write_token("second");
    far.after(1500ms);  // so long a silence ends it
    call = watch();
    EXPECT_NE(call.target().find("resourceVersion=110&"), std::string::npos);
    send(call, event("ADDED", slice("b", "10.0.0.2", "120")));
    end(call);
    far.after(1100ms);
    call = watch();
    EXPECT_NE(call.target().find("resourceVersion=120&"), std::string::npos);
    EXPECT_EQ(call.field("Authorization"), "Bearer second") << "the token is read again";
    EXPECT_EQ(found.times, 2);
    EXPECT_TRUE(found.failures.empty());
}

TEST_F(KubernetesSourceTest, one_that_breaks_off_in_the_middle_of_an_event_is_no_trouble) {
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, event("ADDED", slice("b", "10.0.0.2", "101")).substr(0, 40));
    far.reset(call.connection);
    far.after(1100ms);
    call = watch();
    EXPECT_NE(call.target().find("resourceVersion=100&"), std::string::npos);
    send(call, event("ADDED", slice("b", "10.0.0.2", "101")));
    EXPECT_EQ(found.last(), "10.0.0.1:80 10.0.0.2:80");
    EXPECT_TRUE(found.failures.empty());
}

TEST_F(KubernetesSourceTest, a_version_that_is_too_old_is_listed_again) {
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, event("ERROR", R"({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"})"));
    far.after(1100ms);
    answer_list("10.0.0.9", "500");
    EXPECT_EQ(found.last(), "10.0.0.9:80");
    call = far.next_call();
    EXPECT_NE(call.target().find("resourceVersion=500&"), std::string::npos);
    far.answer(call, 410, R"({"kind":"Status","code":410})");
    far.after(1100ms);
    answer_list("10.0.0.9", "600");
    EXPECT_NE(far.next_call().target().find("resourceVersion=600&"), std::string::npos);
    EXPECT_TRUE(found.failures.empty());
}

TEST_F(KubernetesSourceTest, a_server_that_ends_every_watch_at_once_is_not_hammered) {
    begin();
    answer_list();
    int watches = 0;
    for (int i = 0; i < 1000; ++i, far.after(20ms)) {
        if (far.is_silent()) continue;
        ++watches;
        end(watch());
    }
    EXPECT_LE(watches, 21);
    EXPECT_GE(watches, 15);
}

TEST_F(KubernetesSourceTest, one_that_is_too_old_at_once_is_not_hammered_either) {
    begin();
    int asked = 0;
    for (int i = 0; i < 1000; ++i, far.after(20ms)) {
        if (far.is_silent()) continue;
        ++asked;
        Far::Call call = far.next_call();
        bool watching = call.target().find("watch=1") != std::string::npos;
        far.answer(call, watching ? 410 : 200, list(slice("a", "10.0.0.1", "1"), "1"));
    }
    EXPECT_LE(asked, 42);
}

TEST_F(KubernetesSourceTest, an_event_that_is_none_is_told_and_listed_again) {
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, "what?\n");
    EXPECT_NE(found.why().find("an event of a watch"), std::string::npos);
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    far.after(1100ms);
    answer_list();
    EXPECT_EQ(found.times, 2) << "that it is well again is told";
}

TEST_F(KubernetesSourceTest, failures_after_a_list_are_answered_with_longer_pauses_too) {
    begin();
    int lists = 0;
    for (int i = 0; i < 4000; ++i, far.after(50ms)) {
        if (far.is_silent()) continue;
        Far::Call call = far.next_call();
        bool watching = call.target().find("watch=1") != std::string::npos;
        lists += watching ? 0 : 1;
        if (watching) {
            far.answer(call, 403, "");
        } else {
            far.answer(call, 200, list(slice("a", "10.0.0.1", "1"), "1"));
        }
    }
    EXPECT_LE(lists, 40) << "in 200 s";
}

TEST_F(KubernetesSourceTest, says_what_the_server_says_and_what_to_do) {
    begin();
    far.answer(far.next_call(), 403, R"({"kind":"Status","code":403,"message":"endpointslices is forbidden"})");
    EXPECT_EQ(found.why(), "the Kubernetes API answered 403: endpointslices is forbidden; let the service account list and watch "
                           "endpointslices.discovery.k8s.io there");
    far.after(1100ms);
    far.answer(far.next_call(), 401, "");
    EXPECT_NE(found.why().find("401"), std::string::npos);
    EXPECT_EQ(found.times, 0);
}

TEST_F(KubernetesSourceTest, without_its_token_nothing_is_asked) {
    options.token_file = scene::own_directory() + "no such token";
    begin();
    EXPECT_NE(found.why().find("no such token: cannot be read"), std::string::npos);
    EXPECT_EQ(far.dials(), 0u);
}

TEST_F(KubernetesSourceTest, goes_on_asking_a_server_that_is_not_there) {
    far.manner = Far::Manner::refuse;
    begin();
    far.after(300s);
    EXPECT_GE(far.dials(), 10u);
    EXPECT_LE(far.dials(), 45u);
    far.manner = Far::Manner::accept;
    for (int i = 0; i < 31 && far.is_silent(); ++i) far.after(1s);
    answer_list();
    EXPECT_EQ(found.last(), "10.0.0.1:80");
}

TEST_F(KubernetesSourceTest, events_and_lists_have_a_limit) {
    options.max_event = 1000;
    begin();
    answer_list();
    Far::Call call = watch();
    send(call, std::string(1001, 'x'));
    EXPECT_NE(found.why().find("an event of more than"), std::string::npos);
    options.max_list = 100;
    begin();
    answer_list();
    EXPECT_NE(found.why().find("longer than"), std::string::npos);
}

TEST_F(KubernetesSourceTest, a_port_nobody_has_is_a_failure_that_names_those_there_are) {
    options.service_port = "grpc";
    begin();
    answer_list();
    EXPECT_EQ(found.why(), "the service has no port grpc; it has: http (80)");
    EXPECT_EQ(found.times, 0);
    watch();
}

TEST_F(KubernetesSourceTest, over_tls_it_believes_the_clusters_ca_alone) {
    rt::CertificatePem pem = rt::make_local_certificate({"10.96.0.1"});
    rt::TlsServerOptions serving;
    serving.certificates = {pem};
    scene::FarServer server(far, [](const scene::FarRequest&) {
        scene::FarAnswer answer;
        answer.body = list(slice("a", "10.0.0.1", "1"), "1");
        return answer;
    }, *rt::TlsServer::make(serving));
    options.tls = true;
    options.ca_file = scene::own_directory() + "ca.crt";
    std::ofstream(options.ca_file) << rt::make_local_certificate({"10.96.0.1"}).chain;
    begin();
    EXPECT_EQ(found.failures.back().code, Code::tls_failed);
    std::ofstream(options.ca_file) << pem.chain;  // it is read again
    far.after(3s);
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    source.reset();
}

TEST_F(KubernetesSourceTest, ends_at_any_time) {
    begin();
    answer_list();
    Far::Call call = watch();
    source.reset();
    far.settle();
    EXPECT_TRUE(far.was_left(call.connection));
    EXPECT_EQ(far.loop.timers().next(), kNever);
    EXPECT_EQ(far.buffers.leased(), 0u);
}

}  // namespace
}  // namespace suoke::discovery
