// SPDX-License-Identifier: MIT
#include "http/uri.h"

#include <gtest/gtest.h>

#include <vector>

namespace suoke::http {
namespace {

struct Normal {
    std::string_view raw;
    std::string_view normal;
};

TEST(NormalizePath, gives_an_ordinary_path_back_without_touching_the_scratch) {
    std::string scratch = "untouched";
    for (std::string_view raw :
         {"/", "*", "/a", "/a/", "/users/7/orders", "/.well-known/jwks.json", "/...",
          "/a..b/..c/d..", "/a%20b", "/%C3%A4", "/a%2fb", "/a%2Fb", "/a%5cb", "/%2E%2e%2e",
          "/%252e%252e/", "/a;b=..", "/a%2f..b", "/a%2f.hidden", "/%2f%2fhost"}) {
        auto path = normalize_path(raw, scratch);
        ASSERT_TRUE(path) << raw;
        EXPECT_EQ(path->data(), raw.data()) << raw;
        EXPECT_EQ(path->size(), raw.size()) << raw;
    }
    EXPECT_EQ(scratch, "untouched");
}

TEST(NormalizePath, resolves_dot_segments_and_merges_slashes) {
    constexpr Normal kTable[] = {
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a/"},
        {"/a/b/.", "/a/b/"},
        {"/a/b/../", "/a/"},
        {"/.", "/"},
        {"/..", "/"},
        {"/./", "/"},
        {"/../../etc/passwd", "/etc/passwd"},
        {"/a/../../../b", "/b"},
        {"//", "/"},
        {"//evil.example/x", "/evil.example/x"},
        {"/a///b//", "/a/b/"},
        {"/a//../b", "/b"},  // merged first, as nginx does
        {"/a/%2e/b", "/a/b"},
        {"/a/%2e%2E/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a/..//..//b", "/b"},
        {"/x/a%2fb/../c", "/x/c"},
        {"/a/./%C3%a4/%20", "/a/%C3%a4/%20"},  // other escapes keep their spelling
        {"/a/.../b/.", "/a/.../b/"},
    };
    for (const Normal& row : kTable) {
        std::string scratch = "old";
        auto path = normalize_path(row.raw, scratch);
        ASSERT_TRUE(path) << row.raw;
        EXPECT_EQ(*path, row.normal) << row.raw;
        std::string again;
        EXPECT_EQ(*normalize_path(row.normal, again), row.normal) << "not idempotent";
    }
}

TEST(NormalizePath, refuses_what_is_a_dot_segment_only_to_others) {
    for (std::string_view raw : {"/..%2fadmin", "/a%2f..", "/a%2F%2e%2e%2Fb", "/a%5c..%5cb",
                                 "/..%5C", "/%2e%2e%5cx", "/x/..;/y", "/x/.;/y", "/x/%2e%2e;a=b/y",
                                 "/..%3bx/", "/a%2f..;/b", "/a%2f%2e./", "/%2f.."}) {
        std::string scratch;
        auto path = normalize_path(raw, scratch);
        ASSERT_FALSE(path) << raw;
        EXPECT_EQ(path.error().code, Code::malformed_request);
    }
}

TEST(NormalizePath, refuses_what_is_no_path) {
    for (std::string_view raw :
         {std::string_view(""), std::string_view("a/b"), std::string_view("**"),
          std::string_view("/a\\b"), std::string_view("/a\0b", 4), std::string_view("/a%00"),
          std::string_view("/a%"), std::string_view("/a%4"), std::string_view("/a%zz"),
          std::string_view("/%%41")}) {
        std::string scratch;
        EXPECT_FALSE(normalize_path(raw, scratch)) << raw;
    }
}

TEST(PercentDecode, decodes_only_when_there_is_something_to_decode) {
    std::string out = "old";
    std::string_view plain = "a+b";
    EXPECT_EQ(percent_decode(plain, out)->data(), plain.data());
    EXPECT_EQ(out, "old");
    EXPECT_EQ(*percent_decode("%41%62c%2f%C3%a4%25", out), "Abc/\xC3\xA4%");
}

TEST(PercentDecode, refuses_malformed_escapes_and_nul) {
    std::string out;
    for (std::string_view text : {"%", "a%", "%4", "%4g", "%g4", "%00", "%%41", "%-1", "% 1"}) {
        EXPECT_EQ(percent_decode(text, out).error().code, Code::malformed_request) << text;
    }
}

TEST(PercentEncode, escapes_everything_but_unreserved_and_is_undone_by_decoding) {
    std::string all;
    for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
    std::string encoded = "x=";
    append_percent_encoded(encoded, all);
    EXPECT_EQ(encoded.substr(0, 8), "x=%01%02");
    for (char c : encoded.substr(2))
        EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || std::strchr("-._~%", c));
    std::string decoded;
    EXPECT_EQ(*percent_decode(encoded.substr(2), decoded), all);
}

TEST(QueryEncode, escapes_only_the_brackets) {
    std::string out = "/p?";
    append_query_encoded(out, "a[]=1&b[x]=%5b/?:@");
    EXPECT_EQ(out, "/p?a%5B%5D=1&b%5Bx%5D=%5b/?:@");
}

TEST(QueryParams, are_split_at_ampersands_and_the_first_equals_sign) {
    std::vector<std::string> seen;
    for_each_param("a=1&b&&=c&d==e&f=&", [&](std::string_view name, std::string_view value) {
        seen.push_back(std::string(name) + "|" + std::string(value));
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"a|1", "b|", "|c", "d|=e", "f|"}));
    EXPECT_EQ(count_params("a=1&b&&=c&d==e&f=&"), 5u);
    EXPECT_EQ(count_params(""), 0u);
    EXPECT_EQ(count_params("&&&"), 0u);
    EXPECT_EQ(count_params("a;b"), 1u);
}

TEST(ValidPath, follows_rfc_3986) {
    EXPECT_TRUE(valid_path("/"));
    EXPECT_TRUE(valid_path("/a-._~!$&'()*+,;=:@/%41"));
    for (std::string_view path :
         {"",   "a",  "*",   "/a?b", "/a#b", "/a b", "/a|b",  "/[",    "/]",  "/{",   "/}",
          "/^", "/`", "/\"", "/<",   "/>",   "/\\",  "/\x7f", "/\x80", "/%0", "/%00", "/%zz"})
        EXPECT_FALSE(valid_path(path)) << path;
    EXPECT_TRUE(valid_query("a[]=1&b=/?:@%20"));
    EXPECT_TRUE(valid_query(""));
    for (std::string_view query :
         {"a b", "a#b", "a|b", "{", "}", "^", "`", "\"", "<", ">", "\\", "%", "%0g", "%00"})
        EXPECT_FALSE(valid_query(query)) << query;
}

TEST(ValidHost, accepts_names_addresses_and_bracketed_ipv6) {
    for (std::string_view host :
         {"a", "api.example.com", "example.com.", "127.0.0.1", "[::1]", "[::]",
          "[2001:db8::ff00:42:8329]", "[::ffff:1.2.3.4]", "xn--bcher-kva.example",
          "b%C3%BCcher.example", "a_b", "a!$&'()*+,;=~"})
        EXPECT_TRUE(valid_host(host)) << host;
}

TEST(ValidHost, refuses_everything_else) {
    for (std::string_view host : {"",
                                  "a b",
                                  "a/b",
                                  "a?b",
                                  "a#b",
                                  "a@b",
                                  "a\\b",
                                  "a:80",
                                  "[",
                                  "]",
                                  "[]",
                                  "[::1",
                                  "::1",
                                  "[::1]x",
                                  "[1::2::3]",
                                  "[::g]",
                                  "[fe80::1%25eth0]",
                                  "[fe80::1%eth0]",
                                  "[v1.a]",
                                  "[127.0.0.1]",
                                  "[00001::]",
                                  "[::1.2.3]",
                                  "a\"b",
                                  "a<b",
                                  "a|b",
                                  "a%",
                                  "a%4",
                                  "a%41",
                                  "a%2fb",
                                  "a%00",
                                  "\x80",
                                  "a\tb"})
        EXPECT_FALSE(valid_host(host)) << host;
    EXPECT_FALSE(valid_host(std::string_view("[::1\0]", 6)));
}

TEST(SplitAuthority, takes_host_and_port_apart) {
    EXPECT_EQ(*split_authority("a"), (Authority{"a", std::nullopt}));
    EXPECT_EQ(*split_authority("a:"), (Authority{"a", std::nullopt}));
    EXPECT_EQ(*split_authority("a:0"), (Authority{"a", 0}));
    EXPECT_EQ(*split_authority("a.b:00080"), (Authority{"a.b", 80}));
    EXPECT_EQ(*split_authority("a:65535"), (Authority{"a", 65535}));
    EXPECT_EQ(*split_authority("[::1]:8080"), (Authority{"[::1]", 8080}));
    EXPECT_EQ(*split_authority("[::1]"), (Authority{"[::1]", std::nullopt}));
}

TEST(SplitAuthority, refuses_bad_ports_and_user_information) {
    for (std::string_view text :
         {"", ":", ":80", "a:65536", "a:99999", "a:000080", "a:-1", "a:+1", "a:8a", "a: 80",
          "a:80 ", "a:80:80", "a::", "u@a", "u:p@a:80", "[::1]80", "[::1]:x", "::1", "a:80/"})
        EXPECT_FALSE(split_authority(text)) << text;
}

}  // namespace
}  // namespace suoke::http
