// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "http/h1_parser.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http::h1 {
namespace {

using invariants::response_in_pieces;

struct Parsed {
    std::string text;
    ResponseHead head;
    Result<std::size_t> length = std::size_t{0};
};

std::unique_ptr<Parsed> parse(std::string text, Method request = Method::GET,
                              const Limits& limits = {}) {
    auto parsed = std::make_unique<Parsed>();
    parsed->text = std::move(text);
    Progress progress;
    parsed->length = parse_response_head(parsed->text, limits, progress, request, parsed->head);
    return parsed;
}

std::string ok_with(std::string_view fields) {
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
}

void expect_refused(const std::string& text, Method request = Method::GET,
                    const Limits& limits = {}) {
    auto parsed = parse(text, request, limits);
    ASSERT_FALSE(parsed->length) << "accepted or waiting: " << testing::PrintToString(text);
    EXPECT_EQ(parsed->length.error().code, Code::upstream_invalid);
    EXPECT_FALSE(parsed->length.error().detail.empty());
}

TEST(ResponseHead, is_read_into_its_parts) {
    auto r = parse("HTTP/1.1 404 Not \xC3\xA4 \tFound\r\nContent-Length: 3\r\nX:\r\n\r\nabc");
    ASSERT_TRUE(r->length) << r->length.error().detail;
    EXPECT_EQ(*r->length, r->text.size() - 3);
    EXPECT_EQ(r->head.status, 404);
    EXPECT_EQ(r->head.reason, "Not \xC3\xA4 \tFound");
    EXPECT_EQ(r->head.version, Version::http11);
    EXPECT_EQ(r->head.framing.kind, Framing::length);
    EXPECT_EQ(r->head.framing.size, 3u);
    EXPECT_TRUE(r->head.keep_alive);
    EXPECT_EQ(r->head.headers.size(), 2u);
}

TEST(StatusLine, may_lack_the_reason) {
    EXPECT_EQ(parse("HTTP/1.1 200\r\n\r\n")->head.reason, "");
    EXPECT_EQ(parse("HTTP/1.1 200 \r\n\r\n")->head.reason, "");
    EXPECT_EQ(parse("HTTP/1.0 599 x\r\n\r\n")->head.status, 599);
    EXPECT_TRUE(parse("HTTP/1.7 100\r\n\r\n")->length);
}

TEST(StatusLine, is_refused_when_malformed) {
    for (std::string_view line :
         {"HTTP/1.1",         "HTTP/1.1 ",        "HTTP/1.1 20",      "HTTP/1.1 20 OK",
          "HTTP/1.1 2000 OK", "HTTP/1.1 200OK",   "HTTP/1.1  200 OK", "HTTP/1.1 +20 OK",
          "HTTP/1.1 2x0 OK",  "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", " HTTP/1.1 200 OK",
          "http/1.1 200 OK",  "HTTP/2.0 200 OK",  "HTTP/0.9 200 OK",  "HTTP/1.10 200 OK",
          "HTTP/1 200 OK",    "ICY 200 OK",       "200 OK",           "HTTP/1.1 000 x",
          "HTTP/1.1 099 x",   "HTTP/1.1 600 x",   "HTTP/1.1 999 x",   "HTTP/1.1 -00 x"})
        expect_refused(std::string(line) + "\r\n\r\n");
    expect_refused("\r\nHTTP/1.1 200 OK\r\n\r\n");
    expect_refused("HTTP/1.1 200 O\rK\r\n\r\n");
    expect_refused("HTTP/1.1 200 O\x01K\r\n\r\n");
    expect_refused(std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20));
}

TEST(ResponseFields, are_as_strict_as_a_request_s) {
    for (std::string_view fields :
         {"X\r\n", ": v\r\n", "X : v\r\n", " X: v\r\n", "X: v\r\n folded\r\n", "X: v\n",
          "X: v\rY: z\r\n", "X Y: z\r\n", "X: \x01\r\n", "X: \x7F\r\n", "X\x80: v\r\n",
          "Connection: a b\r\n"})
        expect_refused(ok_with(fields));
    expect_refused("HTTP/1.1 200 OK\nX: v\n\n");
    expect_refused("HTTP/1.1 200 OK\n");
    EXPECT_TRUE(parse(ok_with("X: \xFF\t.\r\n"))->length);
}

TEST(ResponseFraming, follows_rfc_9112_section_6_3) {
    struct Row {
        Method request;
        int status;
        std::string_view fields;
        Framing::Kind kind;
        bool keep_alive;
    };
    using enum Method;
    const Row kTable[] = {
        {GET, 200, "", Framing::until_close, false},
        {GET, 200, "Content-Length: 0\r\n", Framing::length, true},
        {GET, 200, "Transfer-Encoding: chunked\r\n", Framing::chunked, true},
        {GET, 200, "Content-Length: 0\r\nConnection: close\r\n", Framing::length, false},
        {HEAD, 200, "", Framing::none, true},
        {HEAD, 200, "Content-Length: 9\r\n", Framing::none, true},
        {HEAD, 200, "Transfer-Encoding: chunked\r\n", Framing::none, true},
        {GET, 100, "", Framing::none, true},
        {GET, 101, "Connection: upgrade\r\n", Framing::none, true},
        {GET, 204, "", Framing::none, true},
        {GET, 204, "Content-Length: 0\r\n", Framing::none, true},
        {GET, 204, "Content-Length: 5\r\n", Framing::none, false},
        {GET, 204, "Transfer-Encoding: chunked\r\n", Framing::none, false},
        {GET, 304, "Content-Length: 5\r\n", Framing::none, true},
        {GET, 304, "", Framing::none, true},
        {GET, 205, "", Framing::until_close, false},
        {CONNECT, 200, "", Framing::none, true},
        {CONNECT, 299, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Framing::none, true},
        {CONNECT, 403, "Content-Length: 5\r\n", Framing::length, true},
        {other, 500, "Transfer-Encoding: CHUNKED\r\n", Framing::chunked, true},
    };
    for (const Row& row : kTable) {
        auto r = parse(
            "HTTP/1.1 " + std::to_string(row.status) + " x\r\n" + std::string(row.fields) + "\r\n",
            row.request);
        ASSERT_TRUE(r->length) << row.status << row.fields << r->length.error().detail;
        EXPECT_EQ(r->head.framing.kind, row.kind) << row.status << row.fields;
        EXPECT_EQ(r->head.keep_alive, row.keep_alive) << row.status << row.fields;
    }
}

TEST(ResponseFraming, refuses_what_two_readers_could_frame_differently) {
    for (std::string_view fields :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
          "Content-Length: 5\r\nContent-Length: 6\r\n",
          "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
          "Content-Length: -1\r\n", "Content-Length:\r\n",
          "Content-Length: 9223372036854775808\r\n", "Transfer-Encoding: gzip, chunked\r\n",
          "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: identity\r\n",
          "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding:\r\n",
          "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked;x\r\n"}) {
        expect_refused(ok_with(fields));
        expect_refused(ok_with(fields), Method::HEAD);
    }
    expect_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ResponseConnection, in_1_0_is_kept_only_when_asked_for) {
    EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")->head.keep_alive);
    EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
                    ->head.keep_alive);
    EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n")->head.keep_alive);
}

TEST(ResponseLimits, are_all_the_upstream_s_fault) {
    const Limits limits{.line = 20, .head = 60, .fields = 2};
    expect_refused("HTTP/1.1 200 " + std::string(8, 'x'), Method::GET, limits);
    EXPECT_EQ(*parse("HTTP/1.1 200 " + std::string(7, 'x'), Method::GET, limits)->length, 0u);
    expect_refused("HTTP/1.1 200 OK\r\nX: " + std::string(60, 'x'), Method::GET, limits);
    expect_refused(ok_with("a:\r\nb:\r\nc:\r\n"), Method::GET, limits);
    EXPECT_TRUE(parse(ok_with("a:\r\nb:\r\n"), Method::GET, limits)->length);
}

TEST(ResponseHead, is_the_same_however_it_is_cut) {
    const Limits limits{.line = 30, .head = 80, .fields = 3};
    const std::string samples[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        "HTTP/1.1 200 " + std::string(40, 'x') + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: " + std::string(80, 'x') + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n",
    };
    for (const std::string& text : samples) {
        const std::string whole = response_in_pieces(text, Method::GET, {}, limits);
        std::vector<std::size_t> every;
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            EXPECT_EQ(response_in_pieces(text, Method::GET, {cut}, limits), whole) << cut << text;
            every.push_back(cut);
        }
        EXPECT_EQ(response_in_pieces(text, Method::GET, every, limits), whole) << text;
    }
}

}  // namespace
}  // namespace suoke::http::h1
