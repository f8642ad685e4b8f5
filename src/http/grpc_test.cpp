// SPDX-License-Identifier: MIT
#include "http/grpc.h"

#include <gtest/gtest.h>

namespace suoke::http {
namespace {

TEST(GrpcType, is_read_from_the_content_type) {
    auto kind = [](std::string_view text) { return parse_grpc_type(text).kind; };
    EXPECT_EQ(kind("application/grpc"), GrpcKind::grpc);
    EXPECT_EQ(kind("Application/GRPC+proto"), GrpcKind::grpc);
    EXPECT_EQ(kind("application/grpc; charset=utf-8"), GrpcKind::grpc);
    EXPECT_EQ(kind("application/grpc-web"), GrpcKind::web);
    EXPECT_EQ(kind("application/grpc-web+proto"), GrpcKind::web);
    EXPECT_EQ(kind("application/grpc-web-text"), GrpcKind::web_text);
    EXPECT_EQ(parse_grpc_type("application/grpc-web-text+thrift").suffix, "+thrift");
    for (const char* other : {"", "application/grpcx", "application/grpc+", "application/grpc-webby",
                              "text/grpc", "application/json", "application/grpc+a b"})
        EXPECT_EQ(kind(other), GrpcKind::none) << other;
}

TEST(GrpcType, two_content_types_are_none) {
    Headers headers;
    headers.add("content-type", "application/grpc");
    EXPECT_TRUE(grpc_type(headers));
    headers.add("Content-Type", "application/grpc");
    EXPECT_FALSE(grpc_type(headers));
}

TEST(GrpcTimeout, has_up_to_eight_digits_and_a_unit) {
    EXPECT_EQ(parse_grpc_timeout("1H"), Duration(1h));
    EXPECT_EQ(parse_grpc_timeout("2M"), Duration(2min));
    EXPECT_EQ(parse_grpc_timeout("3S"), Duration(3s));
    EXPECT_EQ(parse_grpc_timeout("250m"), Duration(250ms));
    EXPECT_EQ(parse_grpc_timeout("0u"), Duration(0));
    EXPECT_EQ(parse_grpc_timeout("99999999n"), Duration(99999999));
    EXPECT_EQ(parse_grpc_timeout("99999999H"), kLongestGrpcTimeout);
    for (const char* other : {"", "S", "1", "1s", "-1S", "+1S", "1 S", " 1S", "1.5S", "123456789S", "1SS", "0x1S"})
        EXPECT_FALSE(parse_grpc_timeout(other)) << other;
}

TEST(GrpcTimeout, is_written_never_longer_than_it_is) {
    EXPECT_EQ(format_grpc_timeout(1s), "1000000u");
    EXPECT_EQ(format_grpc_timeout(99'999'999ns), "99999999n");
    EXPECT_EQ(format_grpc_timeout(100'000'001ns), "100000u");
    EXPECT_EQ(format_grpc_timeout(0s), "1n");
    EXPECT_EQ(format_grpc_timeout(-1s), "1n");
    for (Duration d : {Duration(1), Duration(1ms), Duration(99s), Duration(101s), Duration(30h), Duration(40000h), kLongestGrpcTimeout}) {
        auto back = parse_grpc_timeout(format_grpc_timeout(d));
        ASSERT_TRUE(back);
        EXPECT_LE(*back, d);
        EXPECT_GE(*back, d - d / 1000);
    }
}

TEST(GrpcMessage, is_percent_encoded) {
    EXPECT_EQ(encode_grpc_message("a b~"), "a b~");
    EXPECT_EQ(encode_grpc_message("50%\r\n\x7f"), "50%25%0D%0A%7F");
    EXPECT_EQ(encode_grpc_message("中"), "%E4%B8%AD");
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(decode_grpc_message(encode_grpc_message(all)), all);
    EXPECT_EQ(decode_grpc_message("100% %4 %zz%41"), "100% %4 %zzA");
}

TEST(GrpcStatus, of_an_answer_that_is_not_grpc_follows_the_table) {
    std::pair<int, int> table[] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14},
                                   {502, 14}, {503, 14}, {504, 14}, {200, 2},  {500, 2}};
    for (auto [http, grpc] : table) EXPECT_EQ(static_cast<int>(grpc_status_of_http(http)), grpc) << http;
}

TEST(GrpcStatus, is_a_number_up_to_16) {
    auto read = [](std::string_view text) {
        Headers headers;
        headers.add("Grpc-Status", text);
        return grpc_status(headers);
    };
    EXPECT_EQ(read("0"), 0);
    EXPECT_EQ(read("16"), 16);
    for (const char* other : {"17", "-1", "", "x", "1 ", "100"}) EXPECT_FALSE(read(other)) << other;
    EXPECT_FALSE(grpc_status(Headers()));
}

// "head flags size | payload | end" of a body that comes in pieces of `step` bytes.
std::string told(std::string_view body, std::size_t step, std::uint32_t most = 100) {
    GrpcFrames frames(most);
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += step) {
        std::string_view piece = body.substr(at, step);
        for (;;) {
            auto next = frames.next(piece);
            if (!next) return out + "error " + std::string(next.error().reason());
            using K = GrpcFrames::Step;
            if (next->kind == K::more) break;
            if (next->kind == K::head) out += "[" + std::to_string(frames.flags()) + " " + std::to_string(frames.size()) + ":";
            if (next->kind == K::payload) out += next->bytes;
            if (next->kind == K::end) out += "]";
        }
    }
    return out + (frames.between() ? "." : "...");
}

TEST(GrpcFrames, are_the_same_however_they_are_cut) {
    std::string body = grpc_frame_head(0, 5) + "hello" + grpc_frame_head(1, 0) + grpc_frame_head(0x80, 3) + "a:b";
    for (std::size_t step = 1; step <= body.size(); ++step) EXPECT_EQ(told(body, step), "[0 5:hello][1 0:][128 3:a:b].");
    EXPECT_EQ(told(grpc_frame_head(0, 5) + "hell", 3), "[0 5:hell...");
    EXPECT_EQ(told(std::string(3, '\0'), 1), "...");
}

TEST(GrpcFrames, refuse_unknown_flags_and_messages_that_are_too_long) {
    EXPECT_EQ(told(grpc_frame_head(2, 0), 1), "error malformed_request");
    EXPECT_EQ(told(grpc_frame_head(0, 101), 1), "error body_too_large");
    EXPECT_EQ(told(grpc_frame_head(0, 0xFFFFFFFF), 1), "error body_too_large");
    EXPECT_EQ(told(grpc_frame_head(0, 100), 1), "[0 100:...");
}

TEST(GrpcWeb, trailers_are_a_frame_with_names_in_lower_case) {
    Headers trailers;
    trailers.add("Grpc-Status", "0");
    trailers.add("x-Bin", "AAE=");
    EXPECT_EQ(grpc_web_trailers(trailers), std::string("\x80\0\0\0\x1d", 5) + "grpc-status: 0\r\nx-bin: AAE=\r\n");
}

std::optional<std::string> decoded(std::string_view text, std::size_t step) {
    Base64Decoder decoder;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += step)
        if (!decoder.decode(text.substr(at, step), out)) return std::nullopt;
    if (!decoder.complete()) return std::nullopt;
    return out;
}

TEST(Base64, decodes_any_pieces_with_padding_between_them) {
    std::string_view text = "YQ==YWI=YWJjYWJjZA==";
    for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(decoded(text, step), "aababcabcd");
    EXPECT_EQ(decoded("", 1), "");
}

TEST(Base64, refuses_what_is_none) {
    for (const char* bad : {"Y", "YQ", "YQ=", "=QQQ", "Y===", "YQ=a", "YW J", "YWJ\n", "Y-_a", "YR==", "YWJ=YWJ", "===="})
        for (std::size_t step : {1, 2, 100}) EXPECT_FALSE(decoded(bad, step)) << bad;
}

TEST(Base64, reads_back_what_it_wrote) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        std::string text;
        append_base64(text, bytes);
        EXPECT_EQ(decoded(text, 7), bytes);
        bytes += static_cast<char>(i * 37);
    }
}

}  // namespace
}  // namespace suoke::http
