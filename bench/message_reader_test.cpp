// SPDX-License-Identifier: MIT
#include "bench/message_reader.h"

#include <gtest/gtest.h>

namespace suoke::bench {
namespace {

using Kind = MessageReader::Kind;
using Progress = MessageReader::Progress;

Progress read_all(MessageReader& reader, std::string_view bytes) {
    return reader.read(bytes);
}

TEST(MessageReader, counts_a_sized_response) {
    MessageReader reader(Kind::response);
    EXPECT_EQ(read_all(reader, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
              Progress::done);
    EXPECT_EQ(reader.status(), 200);
    EXPECT_EQ(reader.body_bytes(), 5u);
    EXPECT_TRUE(reader.keeps_alive());
}

TEST(MessageReader, counts_a_chunked_response_without_its_framing) {
    MessageReader reader(Kind::response);
    EXPECT_EQ(read_all(reader,
                       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                       "5;ext=1\r\nhello\r\n0A\r\n0123456789\r\n0\r\ntrailer: x\r\n\r\n"),
              Progress::done);
    EXPECT_EQ(reader.body_bytes(), 15u);
}

TEST(MessageReader, finds_the_same_end_byte_by_byte) {
    for (std::string message :
         {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"}) {
        MessageReader reader(Kind::response);
        for (std::size_t i = 0; i + 1 < message.size(); ++i) {
            ASSERT_EQ(read_all(reader, std::string_view(message).substr(i, 1)), Progress::more)
                << i;
        }
        EXPECT_EQ(read_all(reader, std::string_view(message).substr(message.size() - 1)),
                  Progress::done);
        EXPECT_EQ(reader.body_bytes(), 3u);
    }
}

TEST(MessageReader, leaves_the_next_message_alone) {
    MessageReader reader(Kind::request);
    std::string_view bytes =
        "POST /sink HTTP/1.1\r\ncontent-length: 2\r\n\r\nabGET /json HTTP/1.1\r\n\r\n";
    ASSERT_EQ(reader.read(bytes), Progress::done);
    EXPECT_EQ(reader.start_line(), "POST /sink HTTP/1.1");
    EXPECT_EQ(reader.body_bytes(), 2u);
    reader.next();
    ASSERT_EQ(reader.read(bytes), Progress::done);
    EXPECT_EQ(reader.start_line(), "GET /json HTTP/1.1");
    EXPECT_EQ(reader.body_bytes(), 0u);
    EXPECT_TRUE(bytes.empty());
}

TEST(MessageReader, passes_over_an_interim_response) {
    MessageReader reader(Kind::response);
    EXPECT_EQ(read_all(reader,
                       "HTTP/1.1 100 Continue\r\n\r\n"
                       "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"),
              Progress::done);
    EXPECT_EQ(reader.status(), 201);
}

TEST(MessageReader, knows_who_closes_the_connection) {
    MessageReader reader(Kind::response);
    read_all(reader, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close\r\n\r\n");
    EXPECT_FALSE(reader.keeps_alive());
    MessageReader old(Kind::request);
    read_all(old, "GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(old.keeps_alive());
}

TEST(MessageReader, is_untouched_only_between_messages) {
    MessageReader reader(Kind::response);
    EXPECT_TRUE(reader.untouched());
    read_all(reader, "HTTP/1.1 2");
    EXPECT_FALSE(reader.untouched());
}

TEST(MessageReader, refuses_what_has_no_certain_end) {
    for (std::string_view message :
         {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
          "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11111111111111111\r\n",
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
        MessageReader reader(Kind::response);
        EXPECT_EQ(read_all(reader, message), Progress::broken) << message;
    }
}

TEST(MessageReader, refuses_a_head_without_end) {
    MessageReader reader(Kind::request);
    EXPECT_EQ(read_all(reader, std::string(70'000, 'a')), Progress::broken);
}

}  // namespace
}  // namespace suoke::bench
