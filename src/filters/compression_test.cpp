// SPDX-License-Identifier: MIT
// Compression as a client and a service see it.
#include <gtest/gtest.h>

#include "testing/decoded.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kLong = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "{\"id\":" + std::to_string(i) + ",\"name\":\"somebody\"},";
    return text;
}();
const std::string kJson = "content-type: application/json\r\n";

std::string compressing(const std::string& keys = {}, const std::string& rest = {}, const std::string& route = {}) {
    return one_service("users", {.route = route, .rest = "compression: {enabled: true" + (keys.empty() ? keys : ", " + keys) + "}\n" + rest});
}

// What the client gets of an answer of the service.
Message answered(Scene& s, const std::string& fields_of_request, const std::string& answer) {
    s.client() << get("/users", fields_of_request);
    s.upstream("users") >> request("GET", "/users") << answer;
    return s.client().take_response();
}
std::string text_of(const Message& message) {
    Decoded all = decoded(message.field("content-encoding").value_or("identity"), message.body);
    EXPECT_TRUE(all.complete);
    return all.text;
}

TEST(Compression, is_for_who_takes_it) {
    Scene s(compressing());
    for (std::string coding : {"br", "zstd", "gzip"}) {
        Message message = answered(s, "accept-encoding: " + coding + "\r\n", ok(kLong, kJson));
        EXPECT_EQ(message.field("content-encoding"), coding);
        EXPECT_EQ(message.field("vary"), "Accept-Encoding");
        EXPECT_EQ(message.field("content-length"), std::to_string(message.body.size())) << "a short answer is compressed as a whole";
        EXPECT_LT(message.body.size(), kLong.size() / 4);
        EXPECT_EQ(text_of(message), kLong);
    }
    EXPECT_EQ(answered(s, "accept-encoding: gzip, deflate, br, zstd\r\n", ok(kLong, kJson)).field("content-encoding"), "br");
}

TEST(Compression, who_does_not_take_it_is_told_that_others_get_something_else) {
    Scene s(compressing());
    for (std::string fields : {"", "accept-encoding: deflate\r\n", "accept-encoding: gzip;q=0\r\n"}) {
        Message message = answered(s, fields, ok(kLong, kJson));
        EXPECT_FALSE(message.field("content-encoding"));
        EXPECT_EQ(message.field("vary"), "Accept-Encoding");
        EXPECT_EQ(message.body, kLong);
    }
    EXPECT_EQ(answered(s, "", ok(kLong, kJson + "vary: Origin, accept-encoding\r\n")).field("vary"), "Origin, accept-encoding");
}

TEST(Compression, is_off_where_nobody_asked_for_it) {
    Scene s(one_service("users"));
    Message message = answered(s, "accept-encoding: gzip\r\n", ok(kLong, kJson));
    EXPECT_EQ(message.body, kLong);
    EXPECT_FALSE(message.field("vary"));
}

TEST(Compression, what_is_said_about_the_bytes_changes_with_them) {
    Scene s(compressing());
    Message message = answered(s, "accept-encoding: gzip\r\n",
                               ok(kLong, kJson + "etag: \"v1\"\r\naccept-ranges: bytes\r\ndigest: sha-256=x\r\ncontent-digest: sha-256=:x:\r\n"));
    EXPECT_EQ(message.field("etag"), "W/\"v1\"");
    for (const char* gone : {"accept-ranges", "digest", "content-digest"}) EXPECT_FALSE(message.field(gone)) << gone;
    EXPECT_EQ(answered(s, "accept-encoding: gzip\r\n", ok(kLong, kJson + "etag: W/\"v1\"\r\n")).field("etag"), "W/\"v1\"");
    EXPECT_EQ(answered(s, "", ok(kLong, kJson + "etag: \"v1\"\r\n")).field("etag"), "\"v1\"");
}

TEST(Compression, a_304_has_the_tag_that_the_client_has) {
    Scene s(compressing());
    const std::string not_modified = "HTTP/1.1 304 Not Modified\r\netag: \"v1\"\r\n\r\n";
    EXPECT_EQ(answered(s, "accept-encoding: gzip\r\nif-none-match: W/\"v1\"\r\n", not_modified).field("etag"), "W/\"v1\"");
    EXPECT_EQ(answered(s, "accept-encoding: gzip\r\nif-none-match: \"v1\"\r\n", not_modified).field("etag"), "\"v1\"");
}

TEST(Compression, a_304_varies_as_its_answer_did) {
    Scene s(compressing());
    for (std::string vary : {"", "vary: Origin\r\n"}) {
        Message message = answered(s, "if-none-match: W/\"v1\"\r\n", "HTTP/1.1 304 Not Modified\r\netag: \"v1\"\r\n" + vary + "\r\n");
        EXPECT_EQ(message.count("vary"), vary.empty() ? 1u : 2u);
        EXPECT_NE(std::find(message.fields.begin(), message.fields.end(), std::make_pair(std::string("vary"), std::string("Accept-Encoding"))), message.fields.end()) << vary;
    }
    Message image = answered(s, "if-none-match: \"v1\"\r\n", "HTTP/1.1 304 Not Modified\r\netag: \"v1\"\r\ncontent-type: image/png\r\n\r\n");
    EXPECT_FALSE(image.field("vary")) << "it is never compressed";
}

TEST(Compression, is_not_for_what_it_would_break_or_not_help) {
    Scene s(compressing());
    const std::string wants = "accept-encoding: gzip\r\n";
    for (const std::string& fields : {std::string("content-type: image/png\r\n"), std::string("content-type: text/event-stream\r\n"), std::string(),
                                      kJson + "content-encoding: br\r\n", kJson + "cache-control: public, no-transform\r\n",
                                      kJson + "content-range: bytes 0-99/100\r\n"}) {
        Message message = answered(s, wants, ok(kLong, fields));
        EXPECT_EQ(message.body, kLong) << fields;
        EXPECT_FALSE(message.field("vary")) << fields;
    }
    Message partial = answered(s, wants, answer(206, kLong, kJson));
    EXPECT_EQ(partial.body, kLong);
    EXPECT_EQ(answered(s, wants + "cache-control: no-transform\r\n", ok(kLong, kJson)).body, kLong);
    Message small = answered(s, wants, ok("{}", kJson));
    EXPECT_EQ(small.body, "{}");
    EXPECT_FALSE(small.field("vary")) << "nobody gets anything else";
}

TEST(Compression, types_may_be_patterns) {
    Scene s(compressing("types: [\"application/*+json\", text/plain]"));
    const std::string wants = "accept-encoding: gzip\r\n";
    for (const char* type : {"application/problem+json", "Text/Plain; charset=utf-8", "application/vnd.api+JSON;version=1"})
        EXPECT_TRUE(answered(s, wants, ok(kLong, "content-type: " + std::string(type) + "\r\n")).field("content-encoding")) << type;
    for (const char* type : {"application/json", "text/plainer", "text/html", "application/+jso"})
        EXPECT_FALSE(answered(s, wants, ok(kLong, "content-type: " + std::string(type) + "\r\n")).field("content-encoding")) << type;
}

TEST(Compression, head_is_told_the_same_without_the_work) {
    Scene s(compressing());
    s.client() << "HEAD /users HTTP/1.1\r\nhost: api\r\naccept-encoding: gzip\r\n\r\n";
    s.upstream("users") >> request("HEAD", "/users") << "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\netag: \"v1\"\r\n\r\n";
    s.client() >> response(200).to_head().with("content-encoding", "gzip").with("etag", "W/\"v1\"").with("vary", "Accept-Encoding").without("content-length");
}

// ---- streams

const std::string kChunked = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";

TEST(Compression, what_has_come_can_be_read_while_more_is_waited_for) {
    Scene s(compressing());
    for (std::string coding : {"br", "zstd", "gzip"}) {
        Peer& client = s.client(coding);
        client << get("/users", "accept-encoding: " + coding + "\r\n");
        Peer& upstream = s.upstream("users") >> request("GET", "/users");
        upstream << kChunked + chunk("{\"line\":1}\n");
        client >> response(200).head_only().in_chunks().with("content-encoding", coding);
        upstream << chunk("{\"line\":2}\n");
        // Two chunks of one flush each, and no end.
        std::string compressed;
        for (std::string_view rest = client.unread(); !rest.empty();) {
            std::size_t line = rest.find("\r\n");
            std::size_t size = std::stoul(std::string(rest.substr(0, line)), nullptr, 16);
            compressed += rest.substr(line + 2, size);
            rest.remove_prefix(line + 4 + size);
        }
        EXPECT_EQ(decoded(coding, compressed).text, "{\"line\":1}\n{\"line\":2}\n") << coding;
        client.discards();
        upstream << last_chunk;
        EXPECT_NE(client.unread().find("0\r\n\r\n"), std::string::npos);
        client.discards();
    }
}

TEST(Compression, a_chunked_answer_that_turns_out_short_is_left_as_it_is) {
    Scene s(compressing());
    Message message = answered(s, "accept-encoding: gzip\r\n", kChunked + chunk("{}") + chunk("{}\n") + std::string(last_chunk));
    EXPECT_FALSE(message.field("content-encoding"));
    EXPECT_EQ(message.body, "{}{}\n");
}

TEST(Compression, a_long_answer_comes_whole_however_slowly_it_is_read) {
    Scene s(compressing());
    s.pipes_hold(4096);
    std::string text;
    for (unsigned i = 0, x = 1; i < 600'000; ++i) {   // hardly compressible
        x = x * 1103515245 + 12345;
        text += static_cast<char>('a' + (x >> 16) % 26);
    }
    for (std::string coding : {"br", "zstd", "gzip"}) {
        Peer& client = s.client(coding);
        client.stops_reading();
        client << get("/users", "accept-encoding: " + coding + "\r\n");
        s.upstream("users") >> request("GET", "/users") << ok(text, "content-type: text/plain\r\n");
        EXPECT_GT(s.upstream("users").connection(0).unsent(), 0u) << "the service waits for the client";
        client.reads_again();
        Message message = client.take_response();
        EXPECT_TRUE(message.chunked);
        EXPECT_TRUE(text_of(message) == text);
    }
}

TEST(Compression, an_answer_that_breaks_off_is_no_whole_one) {
    Scene s(compressing());
    s.client() << get("/users", "accept-encoding: gzip\r\n");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << kChunked + chunk(kLong);
    s.client() >> response(200).head_only();
    upstream << hang_up;
    EXPECT_EQ(s.client().unread().find("\r\n0\r\n"), std::string::npos);
    EXPECT_TRUE(s.client().ended());
    s.client().discards();
}

TEST(Compression, a_failure_before_the_first_byte_is_still_an_error) {
    Scene s(compressing());
    s.client() << get("/users", "accept-encoding: gzip\r\n");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << kChunked + "no chunk\r\n";
    s.client() >> response(502).without("content-encoding").saying("upstream_invalid");
}

// ---- rules

TEST(Compression, what_another_site_asks_with_the_users_cookies_keeps_its_length) {
    const std::string behind_tls = "server: {trusted_proxies: [192.0.2.0/24]}\n", https = "accept-encoding: gzip\r\nx-forwarded-proto: https\r\n";
    Scene s(compressing({}, behind_tls));
    auto is_compressed = [&](Scene& scene, const std::string& fields) {
        Message message = answered(scene, fields, ok(kLong, kJson));
        EXPECT_EQ(message.field("vary"), "Accept-Encoding");
        return message.field("content-encoding").has_value();
    };
    EXPECT_FALSE(is_compressed(s, https + "cookie: s=1\r\nsec-fetch-site: cross-site\r\n"));
    EXPECT_FALSE(is_compressed(s, https + "cookie: s=1\r\norigin: https://evil.example\r\n"));
    EXPECT_FALSE(is_compressed(s, https + "cookie: s=1\r\norigin: null\r\n"));
    EXPECT_FALSE(is_compressed(s, https + "authorization: Basic dTpw\r\nsec-fetch-site: cross-site\r\n"));
    EXPECT_TRUE(is_compressed(s, https + "authorization: Bearer t\r\nsec-fetch-site: cross-site\r\n")) << "no browser adds that by itself";
    EXPECT_TRUE(is_compressed(s, https + "cookie: s=1\r\norigin: https://api\r\n"));
    EXPECT_TRUE(is_compressed(s, https + "cookie: s=1\r\nsec-fetch-site: same-site\r\norigin: https://app.suoke.life\r\n"));
    EXPECT_TRUE(is_compressed(s, https + "cookie: s=1\r\n")) << "no browser says that nothing";
    EXPECT_TRUE(is_compressed(s, https + "sec-fetch-site: cross-site\r\n")) << "without cookies there is nobody's secret";
    EXPECT_TRUE(is_compressed(s, "accept-encoding: gzip\r\ncookie: s=1\r\nsec-fetch-site: cross-site\r\n")) << "in the clear there is no secret";

    Scene off(compressing("breach_protection: false", behind_tls));
    EXPECT_TRUE(is_compressed(off, https + "cookie: s=1\r\nsec-fetch-site: cross-site\r\n"));
}

TEST(Compression, the_service_may_be_asked_for_plain_answers) {
    Scene s(compressing("plain_upstream: true"));
    s.client() << get("/users", "accept-encoding: br;q=0.1, gzip\r\n");
    s.upstream("users") >> request("GET", "/users").with("accept-encoding", "identity") << ok(kLong, kJson);
    Message message = s.client().take_response();
    EXPECT_EQ(message.field("content-encoding"), "gzip");
    EXPECT_EQ(text_of(message), kLong);
}

TEST(Compression, a_route_has_rules_of_its_own) {
    Scene off(compressing({}, {}, "compression: false"));
    EXPECT_EQ(answered(off, "accept-encoding: gzip\r\n", ok(kLong, kJson)).body, kLong);
    Scene on(one_service("users", {.route = "compression: {algorithms: [gzip], min_size: 0}"}));
    EXPECT_EQ(answered(on, "accept-encoding: br, gzip\r\n", ok(kLong, kJson)).field("content-encoding"), "gzip");
    EXPECT_EQ(answered(on, "accept-encoding: br, gzip\r\n", ok("{}", kJson)).body, "{}") << "gzip would make it longer";
}

}  // namespace
}  // namespace suoke::scene
