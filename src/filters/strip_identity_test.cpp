// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string upload(const std::string& trailers) {
    return "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("ada") + "0\r\n" + trailers + "\r\n";
}

TEST(StripIdentity, nobody_says_behind_the_body_who_they_are) {
    Scene s(one_service("users"));
    s.client() << upload("x-user-id: root\r\nx-sum: 1\r\nX_User_Roles: admin\r\nx-client-cert-subject: CN=root\r\nx-user-agent: grpc-web\r\n");
    s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("ada") + "0\r\nx-sum: 1\r\nx-user-agent: grpc-web\r\n\r\n") << ok("all");
    s.client() >> response(200, "all");
}

TEST(StripIdentity, trailers_that_say_nothing_of_it_go_through) {
    Scene s(one_service("users"));
    s.client() << upload("x-sum: 1\r\n");
    s.upstream("users") >> request("POST", "/users", "ada").in_chunks().trailing("x-sum", "1") << ok("all");
    s.client() >> response(200, "all");
    s.client() << upload("");
    s.upstream("users") >> request("POST", "/users", "ada").in_chunks() << ok("again");
    s.client() >> response(200, "again");
}

}  // namespace
}  // namespace suoke::scene
