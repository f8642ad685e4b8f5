// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "http/h1_parser.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http::h1 {
namespace {

using invariants::chunked_in_pieces;

// The whole answer of a decoder, checked to be the same for several ways to cut the bytes.
std::string decoded(std::string_view bytes) {
    const std::string whole = chunked_in_pieces(bytes, 0);
    for (std::size_t step : {1, 2, 3, 7, 16})
        EXPECT_EQ(chunked_in_pieces(bytes, step), whole) << bytes;
    return whole;
}
std::string ended(std::string_view data, std::size_t at, std::string_view trailers = "") {
    return std::string(data) + "\nend at " + std::to_string(at) + "\n" + std::string(trailers);
}
void expect_refused(const std::string& bytes) {
    EXPECT_NE(decoded(bytes).find("refused: "), std::string::npos) << testing::PrintToString(bytes);
}

TEST(Chunked, gives_the_data_as_parts_of_what_it_was_given) {
    ChunkedDecoder decoder(Code::malformed_request);
    const std::string_view bytes = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /";
    auto step = decoder.next(bytes);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->consumed, 8u);
    EXPECT_EQ(step->data.data(), bytes.data() + 3);
    EXPECT_EQ(step->data, "hello");
    EXPECT_FALSE(step->end);
    step = decoder.next(bytes.substr(8));
    EXPECT_EQ(step->data, " world");
    EXPECT_EQ(step->consumed, 11u);
    step = decoder.next(bytes.substr(19));
    EXPECT_EQ(step->consumed, 7u);
    EXPECT_TRUE(step->data.empty());
    EXPECT_TRUE(step->end);
    EXPECT_TRUE(decoder.trailers().empty());
}

TEST(Chunked, says_the_end_again_and_consumes_nothing_after_it) {
    ChunkedDecoder decoder(Code::malformed_request);
    EXPECT_TRUE(decoder.next("0\r\n\r\n")->end);
    auto step = decoder.next("GET /");
    EXPECT_TRUE(step->end);
    EXPECT_EQ(step->consumed, 0u);
}

TEST(Chunked, needs_more_bytes_only_when_it_was_given_none) {
    ChunkedDecoder decoder(Code::malformed_request);
    EXPECT_EQ(decoder.next("")->consumed, 0u);
    EXPECT_EQ(decoder.next("5")->consumed, 1u);
    EXPECT_EQ(decoder.next("\r\nhe")->data, "he");
    EXPECT_FALSE(decoder.next("")->end);
}

TEST(Chunked, repeats_a_fault_and_calls_it_what_it_was_told) {
    ChunkedDecoder decoder(Code::upstream_invalid);
    EXPECT_EQ(decoder.next("x").error().code, Code::upstream_invalid);
    EXPECT_EQ(decoder.next("5").error().code, Code::upstream_invalid);
}

TEST(Chunked, accepts_what_rfc_9112_allows) {
    for (std::string_view size :
         {"5", "05", "0000000000000005", "5;a", "5;a=b", "5;a=\"b c\\\"\\\\;\xFF\"", "5 ;a",
          "5\t ; a = b ;c", "5;a;b=\"\";c=d", "5;a=b \t;c"}) {
        const std::string bytes = std::string(size) + "\r\nhello\r\n0\r\n\r\n";
        EXPECT_EQ(decoded(bytes), ended("hello", bytes.size())) << size;
    }
    EXPECT_EQ(decoded("aA\r\n" + std::string(170, 'x') + "\r\n0;last\r\n\r\n"),
              ended(std::string(170, 'x'), 186));
    EXPECT_EQ(decoded("000\r\n\r\nrest"), ended("", 7));
}

TEST(Chunked, refuses_sizes_that_are_no_plain_hexadecimal_numbers) {
    for (std::string_view size : {"",
                                  " 5",
                                  "5 ",
                                  "5\t",
                                  "+5",
                                  "-5",
                                  "0x5",
                                  "5x",
                                  "g",
                                  "5,5",
                                  "5 5",
                                  "\n5",
                                  "5\v",
                                  "5\x80",
                                  "\"5\"",
                                  ";a",
                                  "5:",
                                  "8000000000000000",
                                  "ffffffffffffffff",
                                  "00000000000000005",
                                  "10000000000000000"})
        expect_refused(std::string(size) + "\r\nhello\r\n0\r\n\r\n");
}

TEST(Chunked, accepts_the_largest_size_that_is_one) {
    ChunkedDecoder decoder(Code::malformed_request);
    EXPECT_EQ(decoder.next("7fffffffffffffff\r\nabc")->data, "abc");
}

TEST(Chunked, refuses_a_bare_cr_or_lf_in_every_place) {
    for (std::string_view bytes :
         {"5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\rhello", "5\r\nhello\n0\r\n\r\n",
          "5\r\nhello\r0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhellox\r\n0",
          "5\r\nhello\r\n\r\n0\r\n\r\n", "0\n\n", "0\r\n\n", "0\r\n\rx", "0\n\r\n",
          "5;a\nhello\r\n0\r\n\r\n", "5;\nhello", "5;a=\"\n\"\r\nhello", "5;a=\"\\\r\"\r\n",
          "0\r\nx: y\n\r\n", "0\r\nx: y\r\n\n", "0\r\nx: \ry\r\n\r\n"})
        expect_refused(std::string(bytes));
}

TEST(Chunked, refuses_malformed_extensions) {
    for (std::string_view extension :
         {";",         "; ",     ";a ",           ";a=b ", ";a=", ";=b",  ";a b",        ";a=b c",
          ";a=\"b\"c", ";a=\"b", ";a=\"b\" ",     ";;",    ";a;", ";a,b", ";a=\"\x01\"", ";a=\x7F",
          ";\x80",     " a",     ";a=\"\\\x01\"", ";a==b"})
        expect_refused("5" + std::string(extension) + "\r\nhello\r\n0\r\n\r\n");
    expect_refused(std::string("5;a\0", 4) + "\r\nhello\r\n0\r\n\r\n");
}

TEST(Chunked, refuses_a_flood_of_extensions) {
    const std::string longest = ";" + std::string(ChunkedDecoder::kMaxExtensionPerChunk - 1, 'a');
    const std::string chunk = "1" + longest + "\r\nx\r\n";
    EXPECT_EQ(chunked_in_pieces(chunk, 0), "x\nincomplete");
    expect_refused("1" + longest + "a\r\nx\r\n");
    std::string flood;
    for (std::size_t i = 0;
         i < ChunkedDecoder::kMaxExtensionPerBody / ChunkedDecoder::kMaxExtensionPerChunk; ++i)
        flood += chunk;
    EXPECT_EQ(chunked_in_pieces(flood + "0\r\n\r\n", 0),
              ended(std::string(64, 'x'), flood.size() + 5));
    expect_refused(flood + "0;a\r\n\r\n");
}

TEST(Chunked, keeps_the_trailers) {
    const std::string bytes = "1\r\nx\r\n0\r\ngrpc-status: 0\r\nX-Sum:  a b \r\n\r\n";
    EXPECT_EQ(decoded(bytes), ended("x", bytes.size(), "grpc-status: 0\nX-Sum: a b\n"));
}

TEST(Chunked, has_trailers_that_survive_a_move) {
    ChunkedDecoder first(Code::malformed_request);
    EXPECT_TRUE(first.next("0\r\nX: y\r\n\r\n")->end);
    ChunkedDecoder second = std::move(first);
    EXPECT_EQ(*second.trailers().find("x"), "y");
}

TEST(Chunked, refuses_malformed_trailers) {
    for (std::string_view line :
         {"x", ": y", "x : y", " x: y", "x: y\r\n z", "x y: z", "x: \x01", "x\x80: y", "x: \x7F"})
        expect_refused("0\r\n" + std::string(line) + "\r\n\r\n");
}

TEST(Chunked, refuses_trailers_that_belong_into_a_head) {
    for (std::string_view name : {"Transfer-Encoding",
                                  "content-length",
                                  "Host",
                                  "Connection",
                                  "TE",
                                  "Trailer",
                                  "Upgrade",
                                  "Authorization",
                                  "Cookie",
                                  "Set-Cookie",
                                  "Expect",
                                  "Range",
                                  "Cache-Control",
                                  "Max-Forwards",
                                  "Content-Encoding",
                                  "Content-Type",
                                  "Content-Range",
                                  "If-Match",
                                  "If-None-Match",
                                  "If-Range",
                                  "X-Forwarded-For",
                                  "X-FORWARDED-HOST",
                                  "Forwarded",
                                  "Proxy-Authorization",
                                  "Proxy-Connection",
                                  "Keep-Alive",
                                  "WWW-Authenticate",
                                  "X-Real-IP"})
        expect_refused("0\r\n" + std::string(name) + ": x\r\n\r\n");
    for (std::string_view name : {"If", "Proxy", "X-Forwarded", "Contents-Type", "Hosts"})
        EXPECT_EQ(decoded("0\r\n" + std::string(name) + ": x\r\n\r\n"),
                  ended("", name.size() + 10, std::string(name) + ": x\n"));
}

TEST(Chunked, limits_the_trailers) {
    auto answer = [](std::string_view bytes) {
        ChunkedDecoder decoder(Code::malformed_request, Limits{.head = 20, .fields = 2});
        auto step = decoder.next(bytes);
        return step ? step->end : false;
    };
    EXPECT_TRUE(answer("0\r\na: 1\r\nb: 2\r\n\r\n"));
    EXPECT_FALSE(answer("0\r\na:\r\nb:\r\nc:\r\n\r\n"));
    EXPECT_TRUE(answer("0\r\na:" + std::string(16, 'x') + "\r\n\r\n"));
    EXPECT_FALSE(answer("0\r\na:" + std::string(17, 'x') + "\r\n\r\n"));
    EXPECT_FALSE(answer("0\r\na:" + std::string(30, 'x')));
}

}  // namespace
}  // namespace suoke::http::h1
