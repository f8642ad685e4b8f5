// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "http/h1_parser.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http::h1 {
namespace {

using invariants::request_in_pieces;

// The head stays a view of `text`, which the fixture keeps.
struct Parsed {
    std::string text;
    RequestHead head;
    Result<std::size_t> length = std::size_t{0};
};

std::unique_ptr<Parsed> parse(std::string text, const Limits& limits = {}) {
    auto parsed = std::make_unique<Parsed>();
    parsed->text = std::move(text);
    Progress progress;
    parsed->length = parse_request_head(parsed->text, limits, progress, parsed->head);
    return parsed;
}

std::string with_fields(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string with_line(std::string_view line) {
    return std::string(line) + "\r\nHost: a\r\n\r\n";
}
std::string with_target(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string with_host(std::string_view host) {
    return "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}

void expect_refused(const std::string& text, Code code, const Limits& limits = {}) {
    auto parsed = parse(text, limits);
    ASSERT_FALSE(parsed->length) << "accepted or waiting: " << testing::PrintToString(text);
    EXPECT_EQ(parsed->length.error().code, code)
        << testing::PrintToString(text) << ": " << parsed->length.error().detail;
}

void expect_accepted(const std::string& text) {
    auto parsed = parse(text);
    ASSERT_TRUE(parsed->length) << testing::PrintToString(text) << ": "
                                << parsed->length.error().detail;
    EXPECT_EQ(*parsed->length, text.size()) << testing::PrintToString(text);
    EXPECT_STREQ(invariants::broken(parsed->head), nullptr) << text;
}

// ---- what is understood ----

TEST(RequestHead, is_read_into_its_parts) {
    auto r = parse(
        "POST /users/7?x=1&y[]=2 HTTP/1.1\r\nHost: Api.Example:8080\r\n"
        "content-length:5\r\nX-Thing: \t a b\tc \t \r\nempty:\r\n\r\nhello");
    ASSERT_TRUE(r->length) << r->length.error().detail;
    EXPECT_EQ(*r->length, r->text.size() - 5);
    EXPECT_EQ(r->head.method, Method::POST);
    EXPECT_EQ(r->head.method_name, "POST");
    EXPECT_EQ(r->head.target, "/users/7?x=1&y[]=2");
    EXPECT_EQ(r->head.path, "/users/7");
    EXPECT_EQ(r->head.query, "x=1&y[]=2");
    EXPECT_TRUE(r->head.has_query);
    EXPECT_EQ(r->head.authority, "Api.Example:8080");
    EXPECT_EQ(r->head.version, Version::http11);
    EXPECT_TRUE(r->head.keep_alive);
    EXPECT_FALSE(r->head.expects_continue);
    EXPECT_EQ(r->head.framing.kind, Framing::length);
    EXPECT_EQ(r->head.framing.size, 5u);
    EXPECT_EQ(*r->head.headers.find("x-thing"), "a b\tc");
    EXPECT_EQ(*r->head.headers.find("empty"), "");
    EXPECT_EQ(r->head.headers.size(), 4u);
    EXPECT_EQ(r->head.headers.begin()->name, "Host");
}

TEST(RequestHead, skips_one_empty_line_and_counts_it) {
    auto r = parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(r->length);
    EXPECT_EQ(*r->length, r->text.size());
    EXPECT_EQ(r->head.method, Method::GET);
    expect_refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Code::malformed_request);
    expect_refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Code::malformed_request);
}

TEST(RequestHead, ends_where_the_next_request_begins) {
    auto r = parse("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->text.substr(*r->length, 6), "GET /2");
    EXPECT_EQ(r->head.path, "/1");
}

TEST(RequestHead, may_be_used_again) {
    RequestHead head;
    for (std::string_view text : {"POST /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: "
                                  "100-continue\r\nContent-Length: 4\r\n\r\n",
                                  "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\n\r\n"}) {
        Progress progress;
        ASSERT_TRUE(parse_request_head(text, {}, progress, head));
    }
    EXPECT_EQ(invariants::told(head), "GET|/|b|/||0/0K1\nHost: b\n");
}

TEST(RequestHead, accepts_unknown_methods_that_are_tokens) {
    auto r = parse(with_line("M-SEARCH / HTTP/1.1"));
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->head.method, Method::other);
    EXPECT_EQ(r->head.method_name, "M-SEARCH");
}

TEST(RequestHead, accepts_obs_text_in_values) {
    expect_accepted(with_fields("X: \xC3\xA4\xFF\r\n"));
    expect_accepted(with_fields("!#$%&'*+-.^_`|~09azAZ: x\r\n"));
}

// ---- the request line ----

TEST(RequestLine, is_three_words_with_single_blanks) {
    for (std::string_view line :
         {"GET", "GET ", "GET /", "GET / ", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1",
          "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET / a HTTP/1.1",
          "GET  HTTP/1.1", "/ HTTP/1.1", " / HTTP/1.1", "GET/ HTTP/1.1", "GET /HTTP/1.1",
          "HTTP/1.1"})
        expect_refused(with_line(line), Code::malformed_request);
}

TEST(RequestLine, has_a_token_for_a_method) {
    for (std::string_view method :
         {"G ET", "G\"ET", "G(T", "G,T", "G/T", "G:T", "G@T", "G[T", "G{T", "G\x80T", "G;T"})
        expect_refused(with_line(std::string(method) + " / HTTP/1.1"), Code::malformed_request);
}

TEST(RequestLine, refuses_malformed_versions) {
    for (std::string_view version :
         {"http/1.1", "Http/1.1", "HTTP/1.10", "HTTP/11.1", "HTTP/1,1", "HTTP/1", "HTTP/1.",
          "HTTP/.1", "HTTP1.1", "HTTP/ 1.1", "HTTP/+1.1", "HTTP/a.1", "HTTP/1.a", "HTTQ/1.1",
          "HTTPS/1.1", "ICE/1.0", "HTTP/0x1.1", "HTTP/1.1\x80", "x"})
        expect_refused(with_line("GET / " + std::string(version)), Code::malformed_request);
}

TEST(RequestLine, answers_505_to_other_major_versions) {
    for (std::string_view version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"})
        expect_refused(with_line("GET / " + std::string(version)), Code::unsupported_version);
    expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Code::unsupported_version);
}

TEST(RequestLine, takes_a_higher_minor_version_for_1_1) {
    auto r = parse(with_line("GET / HTTP/1.2"));
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->head.version, Version::http11);
}

TEST(Target, accepts_what_rfc_3986_allows) {
    for (std::string_view target :
         {"/", "//", "/a/b;c=d", "/-._~!$&'()*+,;=:@", "/%41%7e%C3%A4", "/?", "/?a=b&c",
          "/a?b?c/d:e@f", "/?a[]=1&b[x]=2", "/a//b/../c"})
        expect_accepted(with_target(target));
}

TEST(Target, refuses_bytes_that_rfc_3986_forbids) {
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        const bool ends_line = byte == '\r' || byte == '\n';
        const bool good_in_path =
            std::isalnum(c) ? c < 0x80 : c && std::strchr("-._~!$&'()*+,;=:@/?", c);
        const bool good_in_query = good_in_path || byte == '[' || byte == ']';
        const std::string path = with_target(std::string("/a") + byte + "b");
        const std::string query = with_target(std::string("/?a") + byte + "b");
        if (!ends_line && good_in_path) {
            expect_accepted(path);
        } else {
            expect_refused(path, Code::malformed_request);
        }
        if (!ends_line && good_in_query) {
            expect_accepted(query);
        } else {
            expect_refused(query, Code::malformed_request);
        }
    }
}

TEST(Target, refuses_malformed_escapes_fragments_and_nul) {
    for (std::string_view target :
         {"/%",  "/%4",  "/%zz",  "/%4z",  "/%z4", "/%%",  "/%00",  "/a%00b",
          "/?%", "/?%4", "/?%zz", "/?%00", "/#",   "/a#b", "/?a#b", "/a%u0041",
          "a",   "a/b",  "?",     "?a",    "#",    "%2f"})
        expect_refused(with_target(target), Code::malformed_request);
}

TEST(Target, tells_an_empty_query_from_none) {
    auto with = parse(with_target("/a?"));
    EXPECT_TRUE(with->head.has_query);
    EXPECT_EQ(with->head.query, "");
    EXPECT_EQ(with->head.path, "/a");
    auto without = parse(with_target("/a"));
    EXPECT_FALSE(without->head.has_query);
}

TEST(Target, in_absolute_form_is_taken_apart) {
    struct Row {
        std::string_view target, host, authority, path, query;
    };
    constexpr Row kTable[] = {
        {"http://a/b?c", "a", "a", "/b", "c"},
        {"HTTP://A/b", "a", "A", "/b", ""},
        {"http://a", "a", "a", "/", ""},
        {"http://a?c", "a", "a", "/", "c"},
        {"http://a:80/", "a", "a:80", "/", ""},
        {"http://a/", "a:80", "a", "/", ""},
        {"http://a:/", "a:080", "a:", "/", ""},
        {"https://a/", "a:443", "a", "/", ""},
        {"http://[::1]:8080/x", "[::1]:8080", "[::1]:8080", "/x", ""},
    };
    for (const Row& row : kTable) {
        auto r = parse("GET " + std::string(row.target) +
                       " HTTP/1.1\r\nHost: " + std::string(row.host) + "\r\n\r\n");
        ASSERT_TRUE(r->length) << row.target << r->length.error().detail;
        EXPECT_EQ(r->head.authority, row.authority);
        EXPECT_EQ(r->head.path, row.path);
        EXPECT_EQ(r->head.query, row.query);
    }
}

TEST(Target, in_absolute_form_must_agree_with_host) {
    for (std::string_view target :
         {"http://b/", "http://a:81/", "https://a:80/", "http://a.b/", "http://aa/"})
        expect_refused(with_target(target), Code::invalid_host);
    expect_refused("GET http://a/ HTTP/1.1\r\n\r\n", Code::invalid_host);
}

TEST(Target, in_absolute_form_is_strict) {
    for (std::string_view target : {"ftp://a/",
                                    "file:///etc/passwd",
                                    "http:/a",
                                    "http:a",
                                    "http://",
                                    "http:///",
                                    "://a/",
                                    "http://u@a/",
                                    "http://u:p@a/",
                                    "http://a:x/",
                                    "http://a:65536/",
                                    "http://a /",
                                    "http://a/#b",
                                    "http://a/|",
                                    "http://a\\b/",
                                    "http://a#b",
                                    "http://[::1/",
                                    "gopher://a",
                                    "javascript:alert",
                                    "httpx://a/"})
        expect_refused(with_target(target), Code::malformed_request);
}

TEST(Target, asterisk_is_for_options_only) {
    auto r = parse(with_line("OPTIONS * HTTP/1.1"));
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->head.path, "*");
    EXPECT_EQ(r->head.authority, "a");
    expect_refused(with_line("GET * HTTP/1.1"), Code::malformed_request);
    expect_refused(with_line("OPTIONS ** HTTP/1.1"), Code::malformed_request);
    expect_refused(with_line("OPTIONS *?a HTTP/1.1"), Code::malformed_request);
    EXPECT_EQ(parse(with_line("OPTIONS http://a HTTP/1.1"))->head.path, "*");
    EXPECT_EQ(parse(with_line("OPTIONS http://a/ HTTP/1.1"))->head.path, "/");
    EXPECT_EQ(parse(with_line("OPTIONS http://a? HTTP/1.1"))->head.path, "/");
}

TEST(Target, authority_form_is_for_connect_only) {
    auto r = parse(with_line("CONNECT b:443 HTTP/1.1"));
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->head.authority, "b:443");
    EXPECT_EQ(r->head.path, "");
    for (std::string_view target :
         {"/", "b", "b:", "http://b/", "*", ":443", "b:x", "u@b:443", "b:443/"})
        expect_refused(with_line("CONNECT " + std::string(target) + " HTTP/1.1"),
                       Code::malformed_request);
    expect_refused(with_target("a:443"), Code::malformed_request);
}

// ---- host ----

TEST(Host, is_required_once_in_1_1) {
    expect_refused("GET / HTTP/1.1\r\n\r\n", Code::invalid_host);
    expect_refused(with_fields("Host: a\r\n"), Code::invalid_host);
    expect_refused(with_fields("host: b\r\n"), Code::invalid_host);
    expect_refused("GET / HTTP/1.2\r\n\r\n", Code::invalid_host);
}

TEST(Host, may_be_missing_in_1_0_but_not_be_wrong) {
    auto r = parse("GET / HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(r->length);
    EXPECT_EQ(r->head.authority, "");
    expect_refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", Code::invalid_host);
    expect_refused("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", Code::invalid_host);
    EXPECT_EQ(parse("GET http://b/ HTTP/1.0\r\n\r\n")->head.authority, "b");
}

TEST(Host, must_be_a_host_and_an_optional_port) {
    for (std::string_view host :
         {"a", "a:", "a:80", "a.b.c:65535", "127.0.0.1:8080", "[::1]", "[::1]:80", "A-B_c.~"})
        expect_accepted(with_host(host));
    for (std::string_view host :
         {"",      ":",    ":80",   "a b", "a:65536", "a:x",       "a:80a", "a:-80",
          "a:8 0", "u@a",  "u:p@a", "a/",  "a/b",     "a?b",       "a#b",   "http://a",
          "a\\b",  "[::1", "[x]",   "::1", "a:80:80", "a%2fb",     "a%",    "a\x80",
          "a\tb",  "a|b",  "a\"",   "<a>", "a%00",    "[::1%25lo]"})
        expect_refused(with_host(host), Code::invalid_host);
}

// ---- field lines ----

TEST(Fields, refuse_names_that_are_no_tokens) {
    for (int c = 0; c < 256; ++c) {
        const auto byte = static_cast<unsigned char>(c);
        if (invariants::is_token_char(byte) || c == ':') continue;
        const std::string name = std::string("X") + static_cast<char>(c) + "Y";
        expect_refused(with_fields(name + ": v\r\n"), Code::malformed_request);
        expect_refused(with_fields(static_cast<char>(c) + std::string("X: v\r\n")),
                       Code::malformed_request);
    }
}

TEST(Fields, refuse_controls_in_values) {
    for (int c = 0; c < 256; ++c) {
        const bool good = c == '\t' || (c >= 0x20 && c != 0x7F);
        const std::string text = with_fields(std::string("X: a") + static_cast<char>(c) + "b\r\n");
        if (good) {
            expect_accepted(text);
        } else {
            expect_refused(text, Code::malformed_request);
        }
    }
}

TEST(Fields, refuse_malformed_lines) {
    for (std::string_view fields : {"X\r\n",
                                    "X\r\nY: z\r\n",
                                    ": v\r\n",
                                    "X : v\r\n",
                                    "X\t: v\r\n",
                                    " X: v\r\n",
                                    "\tX: v\r\n",
                                    "X: v\r\n folded\r\n",
                                    "X: v\r\n\tfolded\r\n",
                                    " \r\n",
                                    "X: v\n",
                                    "X: v\nY: z\r\n",
                                    "X: v\rY: z\r\n",
                                    "X: v\r\r\n",
                                    "X: v\r\n\n",
                                    "\nX: v\r\n",
                                    "Host : b\r\n",
                                    "X Y: z\r\n",
                                    "Transfer-Encoding : chunked\r\n",
                                    "Content-Length\t: 5\r\n",
                                    "\vX: v\r\n",
                                    "\"X\": v\r\n",
                                    "X(c): v\r\n",
                                    "GET / HTTP/1.1\r\n"})
        expect_refused(with_fields(fields), Code::malformed_request);
    expect_refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Code::malformed_request);
    expect_refused("GET / HTTP/1.1\r\n\tHost: a\r\nHost: a\r\n\r\n", Code::malformed_request);
    expect_refused("GET / HTTP/1.1\nHost: a\n\n", Code::malformed_request);
    expect_refused("GET / HTTP/1.1\r\nHost: a\r\n\n", Code::malformed_request);
    expect_refused("GET / HTTP/1.1\r\nHost: a\n\r\n", Code::malformed_request);
}

TEST(Fields, are_doubtful_early_when_their_lines_are) {
    for (std::string_view text :
         {"GET / HTTP/1.1\n", "\n", "\rX", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n", "GET /\rx",
          "GET / HTTP/1.1\r\nX: \x01", "GET\x7F"})
        expect_refused(std::string(text), Code::malformed_request);
    expect_refused(std::string("GET\0", 4), Code::malformed_request);
}

// ---- framing ----

Framing framing_of(std::string_view fields) {
    auto r = parse(with_fields(fields));
    EXPECT_TRUE(r->length) << fields << r->length.error().detail;
    return r->head.framing;
}

TEST(Framing, is_none_a_length_or_chunked) {
    EXPECT_EQ(framing_of("").kind, Framing::none);
    EXPECT_EQ(framing_of("Content-Length: 0\r\n").kind, Framing::length);
    EXPECT_EQ(framing_of("Content-Length: 0\r\n").size, 0u);
    EXPECT_EQ(framing_of("Content-Length: 007\r\n").size, 7u);
    EXPECT_EQ(framing_of("content-length:9223372036854775807\r\n").size, 9223372036854775807u);
    EXPECT_EQ(framing_of("Transfer-Encoding: chunked\r\n").kind, Framing::chunked);
    EXPECT_EQ(framing_of("TRANSFER-ENCODING:\tChUnKeD \r\n").kind, Framing::chunked);
}

TEST(Framing, refuses_every_other_content_length) {
    for (std::string_view length : {"",
                                    " ",
                                    "+5",
                                    "-5",
                                    "5 5",
                                    "5,5",
                                    "5, 5",
                                    "5,",
                                    ",5",
                                    "0x5",
                                    "5a",
                                    "a",
                                    "5.0",
                                    "1e3",
                                    "9223372036854775808",
                                    "18446744073709551616",
                                    "99999999999999999999",
                                    "00000000000000000005",
                                    "5;",
                                    "\"5\"",
                                    "5\t5",
                                    "\xB2",
                                    "-0",
                                    "0 0"})
        expect_refused(with_fields("Content-Length: " + std::string(length) + "\r\n"),
                       Code::malformed_request);
    expect_refused(with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"),
                   Code::malformed_request);
    expect_refused(with_fields("Content-Length: 5\r\ncontent-length: 6\r\n"),
                   Code::malformed_request);
}

TEST(Framing, refuses_content_length_with_transfer_encoding) {
    expect_refused(with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
                   Code::malformed_request);
    expect_refused(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
                   Code::malformed_request);
    expect_refused(with_fields("Transfer-Encoding: gzip\r\nContent-Length: 0\r\n"),
                   Code::malformed_request);
}

TEST(Framing, refuses_codings_that_are_not_one_final_chunked) {
    for (std::string_view coding :
         {"", ",", "chunked,", ",chunked", "chunked, chunked", "chunked, gzip", "chunked,identity",
          "chunked;x", "chunked;q=1", "\"chunked\"", "chunked chunked", "chun ked", "chunked\x80",
          "chunked\"", "(chunked)", "gzip chunked", "gzip, chunked, gzip"})
        expect_refused(with_fields("Transfer-Encoding: " + std::string(coding) + "\r\n"),
                       Code::malformed_request);
    expect_refused(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                   Code::malformed_request);
    expect_refused(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
                   Code::malformed_request);
    expect_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                   Code::malformed_request);
}

TEST(Framing, answers_501_to_codings_it_does_not_know) {
    for (std::string_view coding :
         {"gzip", "gzip, chunked", "identity", "xchunked", "chunkedx", "x, y, chunked", "c"})
        expect_refused(with_fields("Transfer-Encoding: " + std::string(coding) + "\r\n"),
                       Code::unsupported_coding);
    expect_refused(with_fields("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
                   Code::unsupported_coding);
}

// ---- connection and expect ----

bool keeps_alive(std::string_view version, std::string_view fields) {
    auto r = parse("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) +
                   "\r\n");
    EXPECT_TRUE(r->length) << fields;
    return r->head.keep_alive;
}

TEST(Connection, is_kept_as_rfc_9112_says) {
    EXPECT_TRUE(keeps_alive("1.1", ""));
    EXPECT_TRUE(keeps_alive("1.1", "Connection: keep-alive\r\n"));
    EXPECT_TRUE(keeps_alive("1.1", "Connection: Upgrade\r\n"));
    EXPECT_TRUE(keeps_alive("1.1", "Connection: closed\r\n"));
    EXPECT_FALSE(keeps_alive("1.1", "Connection: Close\r\n"));
    EXPECT_FALSE(keeps_alive("1.1", "Connection: x,close ,y\r\n"));
    EXPECT_FALSE(keeps_alive("1.1", "Connection: x\r\nConnection: close\r\n"));
    EXPECT_FALSE(keeps_alive("1.1", "Connection: close, keep-alive\r\n"));
    EXPECT_FALSE(keeps_alive("1.0", ""));
    EXPECT_TRUE(keeps_alive("1.0", "Connection: Keep-Alive\r\n"));
    EXPECT_FALSE(keeps_alive("1.0", "Connection: keep-alive, close\r\n"));
    EXPECT_TRUE(keeps_alive("1.1", "Connection:\r\n"));
    EXPECT_TRUE(keeps_alive("1.1", "Connection: ,,x\r\n"));
}

TEST(Connection, must_be_a_list_of_tokens) {
    for (std::string_view value :
         {"a b", "a;b", "\"close\"", "close\x80", "a, b c", "(close)", "x=y"})
        expect_refused(with_fields("Connection: " + std::string(value) + "\r\n"),
                       Code::malformed_request);
}

TEST(Expect, is_understood_only_as_100_continue_in_1_1) {
    EXPECT_TRUE(parse(with_fields("Expect: 100-Continue\r\n"))->head.expects_continue);
    EXPECT_FALSE(parse(with_fields("Expect: 200-ok\r\n"))->head.expects_continue);
    EXPECT_FALSE(parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->head.expects_continue);
    EXPECT_EQ(*parse(with_fields("Expect: 200-ok\r\n"))->head.headers.find("expect"), "200-ok");
}

// ---- limits ----

TEST(Limits, of_the_request_line_are_known_before_it_ends) {
    const Limits limits{.line = 20, .head = 200, .fields = 3};
    const std::string fits = "GET /" + std::string(6, 'a') + " HTTP/1.1";  // 20 bytes
    EXPECT_TRUE(parse(with_line(fits), limits)->length);
    EXPECT_TRUE(parse("\r\n" + with_line(fits), limits)->length);
    expect_refused(with_line("GET /a" + std::string(6, 'a') + " HTTP/1.1"), Code::uri_too_long,
                   limits);
    expect_refused(std::string(21, 'a'), Code::uri_too_long, limits);
    EXPECT_EQ(*parse(std::string(20, 'a'), limits)->length, 0u);
    EXPECT_EQ(*parse(std::string(20, 'a') + "\r", limits)->length, 0u);
}

TEST(Limits, of_the_head_are_known_before_it_ends) {
    const Limits limits{.line = 20, .head = 60, .fields = 3};
    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::string fits = begin + std::string(60 - 4 - begin.size(), 'x');
    EXPECT_EQ(*parse(fits + "\r\n\r\n", limits)->length, 60u);
    expect_refused(fits + "x\r\n\r\n", Code::header_too_large, limits);
    expect_refused(fits + "xxx", Code::header_too_large, limits);
    expect_refused(std::string(60, 'x'), Code::uri_too_long, limits);
}

TEST(Limits, of_the_number_of_fields_hold) {
    const Limits limits{.line = 100, .head = 1000, .fields = 3};
    EXPECT_TRUE(parse(with_fields("a:1\r\nb:2\r\n"), limits)->length);
    expect_refused(with_fields("a:1\r\nb:2\r\nc:3\r\n"), Code::header_too_large, limits);
    expect_refused("GET / HTTP/1.1\r\nHost: a\r\na:1\r\nb:2\r\nc:3\r\n", Code::header_too_large,
                   limits);
}

// ---- however it arrives ----

TEST(RequestHead, is_the_same_however_it_is_cut) {
    const Limits limits{.line = 40, .head = 120, .fields = 4};
    const std::string samples[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST /a?b HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\nX-Y: "
        "z\r\n\r\n5\r\nhello",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \r \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /" + std::string(40, 'a') + "\n HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(130, 'a') + "\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\n\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y",
    };
    for (const std::string& text : samples) {
        const std::string whole = request_in_pieces(text, {}, limits);
        std::vector<std::size_t> every;
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            EXPECT_EQ(request_in_pieces(text, {cut}, limits), whole) << cut << text;
            every.push_back(cut);
        }
        EXPECT_EQ(request_in_pieces(text, every, limits), whole) << text;
    }
}

}  // namespace
}  // namespace suoke::http::h1
