// SPDX-License-Identifier: MIT
// What requests that come over TLS are told to be, and those that do not.
#include <gtest/gtest.h>

#include <fstream>

#include "testing/files.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const rt::CertificatePem& authority() {
    static const rt::CertificatePem kRoot = [] {
        rt::NewCertificate wanted;
        wanted.names = {"root.test"};
        wanted.authority = true;
        return rt::make_certificate(wanted);
    }();
    return kRoot;
}

rt::CertificatePem signed_for(std::vector<std::string> names, std::vector<std::string> uris = {}) {
    rt::NewCertificate wanted;
    wanted.names = std::move(names);
    wanted.uris = std::move(uris);
    return rt::make_certificate(wanted, &authority());
}

app::TlsInputs serving() {
    app::TlsInputs inputs;
    inputs.local_certificates = {signed_for({"api"})};
    return inputs;
}

rt::TlsClientOptions anybody() {
    rt::TlsClientOptions options;
    options.ca = authority().chain;
    return options;
}

rt::TlsClientOptions device() {
    rt::TlsClientOptions options = anybody();
    options.certificates = {signed_for({"device-7"}, {"spiffe://suoke/device/7", "x:a\"b"})};
    return options;
}

std::string asking_clients(const std::string& policy) {
    std::string file = own_file("client-ca.pem");
    std::ofstream(file) << authority().chain;
    return "server: {tls: {client_auth: " + policy + ", client_ca_file: " + file + "}}\n";
}

TEST(OverTls, a_request_is_an_https_request) {
    Scene s(one_service("users"), 1, serving());
    Peer& client = s.client_over_tls("client", anybody());
    client << get("/users", "x-forwarded-proto: http\r\n");
    s.upstream("users") >> request("GET", "/users").with("x-forwarded-proto", "https") << ok("all");
    client >> response(200, "all");
    client << get("/users");
    s.upstream("users") >> request("GET", "/users").with("x-forwarded-proto", "https") << ok("again");
    client >> response(200, "again");
}

TEST(OverTls, large_answers_arrive_whole) {
    Scene s(one_service("users"), 1, serving());
    s.pipes_hold(3000);
    Peer& client = s.client_over_tls("client", anybody());
    std::string body(1 << 20, 'b');
    client << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok(body);
    client >> response(200, body);
}

TEST(OverTls, the_service_learns_who_the_client_is) {
    Scene s(one_service("users", {.rest = asking_clients("optional")}), 1, serving());
    Peer& client = s.client_over_tls("device", device());
    client << get("/users", "x-client-cert-subject: CN=root\r\nx_client_cert_san: DNS:root\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .with("x-client-cert-subject", "CN=device-7")
                                   .with("x-client-cert-san", "DNS:device-7,URI:spiffe://suoke/device/7,URI:x:a%22b")
                                   .without("x_client_cert_san")
                               << ok("all");
    client >> response(200, "all");
}

TEST(OverTls, nobody_can_say_that_he_is_somebody_else) {
    Scene s(one_service("users", {.rest = asking_clients("optional")}), 1, serving());
    Peer& client = s.client_over_tls("client", anybody());
    for (Peer* peer : {&client, &s.client("in the clear")}) {
        *peer << get("/users", "X-Client-Cert-Subject: CN=root\r\nX-Client-Cert-SAN: DNS:root\r\n");
        s.upstream("users") >> request("GET", "/users").without("x-client-cert-subject").without("x-client-cert-san")
                                   << ok("all");
        *peer >> response(200, "all");
    }
}

TEST(OverTls, a_route_may_want_a_certificate) {
    Scene s(one_service("users", {.route = "client_certificate: required", .rest = asking_clients("optional")}), 1, serving());
    Peer& client = s.client_over_tls("client", anybody());
    client << get("/users");
    client >> response(403).saying("client_certificate_required");
    s.client("in the clear") << get("/users");
    s.client("in the clear") >> response(403).saying("client_certificate_required");
    Peer& known = s.client_over_tls("device", device());
    known << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    known >> response(200, "all");
}

TEST(HttpsRedirect, sends_plain_requests_to_https_with_method_and_query) {
    Scene s(one_service("users", {.rest = "server: {tls: {redirect_http: true}, trusted_proxies: [192.0.2.9]}\n"}), 1, serving());
    s.client() << get("/users/7?a=b%20c");
    s.client() >> response(308).with("location", "https://api/users/7?a=b%20c");
    s.client() << get("/health/live");
    s.client() >> response(404);  // not redirected; the scene has no such page
    Peer& secure = s.client_over_tls("secure", anybody());
    secure << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    secure >> response(200, "all");
    s.comes_from("192.0.2.9");
    s.client("proxy") << get("/users", "x-forwarded-proto: https\r\n");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client("proxy") >> response(200, "all");
    s.client("proxy") << get("/users", "x-forwarded-proto: http\r\n");
    s.client("proxy") >> response(308);
}

TEST(HttpsRedirect, is_not_fooled_by_what_a_stranger_says) {
    Scene s(one_service("users", {.rest = "server: {tls: {redirect_http: true}}\n"}));
    s.client() << get("/users", "x-forwarded-proto: https\r\n");
    s.client() >> response(308);
}

}  // namespace
}  // namespace suoke::scene
