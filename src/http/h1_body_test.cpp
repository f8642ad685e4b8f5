// SPDX-License-Identifier: MIT
#include "http/h1_body.h"

#include <charconv>

#include <gtest/gtest.h>

#include "base/random.h"
#include "rt/scope.h"

namespace suoke::http {
namespace {

// A body on its way: what its reader has got so far, and how it ended.
class BodyTest : public ::testing::Test {
 protected:
    BodyTest() { std::tie(far, near) = rt::memory_pair(loop, 4096); }

    // `already`: bytes that came with the head.
    void begin(Framing framing, std::string_view already = {}) {
        rt::Buffer head = buffers.lease(rt::BufferPool::small);
        head.append("HEAD");
        head.append(already);
        head.drop(4);
        body.emplace(*near, buffers, std::move(head), framing, rules);
        scope.spawn(read());
        loop.settle();
    }
    rt::Task<void> read() {
        for (;;) {
            Result<Piece> piece = body->next();
            if (!piece) {
                fault = piece.error();
                co_return;
            }
            got += piece->bytes;
            if (piece->state == Piece::end) {
                ended = true;
                co_return;
            }
            if (piece->state == Piece::wait) co_await body->wait();
        }
    }
    void comes(std::string_view bytes) {
        while (!bytes.empty()) {
            rt::Io put = far->write(bytes);
            bytes.remove_prefix(put.bytes);
            loop.settle();
        }
    }
    void after(Duration d) {
        clock.advance(d);
        loop.settle();
    }

    ManualClock clock;
    rt::Loop loop{clock};
    rt::BufferBudget budget{1 << 20};
    rt::BufferPool buffers{budget};
    rt::StreamPtr far, near;
    H1Body::Rules rules{.malformed = Code::malformed_request,
                        .truncated = Code::body_truncated,
                        .timed_out = Code::body_timeout,
                        .idle = 10s};
    std::optional<H1Body> body;
    std::string got;
    bool ended = false;
    std::optional<Error> fault;
    rt::TaskScope scope;
};

Framing sized(std::uint64_t n) {
    return {.kind = Framing::length, .size = n};
}
constexpr Framing kChunked{.kind = Framing::chunked};
constexpr Framing kUntilClose{.kind = Framing::until_close};

TEST_F(BodyTest, of_known_length_ends_there_and_leaves_the_rest) {
    begin(sized(5), "hel");
    EXPECT_EQ(body->remaining(), 2u);
    comes("loGET /");
    EXPECT_EQ(got, "hello");
    EXPECT_TRUE(ended);
    EXPECT_EQ(body->rest(), "GET /");
    EXPECT_EQ(body->received(), 5u);
}

TEST_F(BodyTest, of_known_length_that_is_cut_is_truncated) {
    begin(sized(5), "hel");
    far.reset();
    loop.settle();
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::body_truncated);
    EXPECT_EQ(got, "hel");
}

TEST_F(BodyTest, in_chunks_gives_the_bytes_without_their_framing) {
    begin(kChunked, "3\r\nhel");
    comes("\r\n2\r\nlo\r\n0\r\nx-sum: 1\r\n\r\nrest");
    EXPECT_EQ(got, "hello");
    ASSERT_TRUE(ended);
    ASSERT_TRUE(body->trailers());
    EXPECT_EQ(*body->trailers()->find("x-sum"), "1");
    EXPECT_EQ(body->rest(), "rest");
    EXPECT_EQ(body->remaining(), std::nullopt);
}

TEST_F(BodyTest, in_chunks_that_are_not_is_malformed) {
    begin(kChunked, "5\r\nhelloX");
    comes("\r\n");
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::malformed_request);
}

TEST_F(BodyTest, until_the_end_ends_with_the_connection) {
    begin(kUntilClose, "he");
    comes("llo");
    EXPECT_FALSE(ended);
    far->shutdown_write();
    loop.settle();
    EXPECT_TRUE(ended);
    EXPECT_EQ(got, "hello");
}

TEST_F(BodyTest, until_the_end_does_not_take_a_reset_for_one) {
    begin(kUntilClose, "he");
    far->reset_on_close();
    far.reset();
    loop.settle();
    EXPECT_FALSE(ended);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::body_truncated);
}

TEST_F(BodyTest, silence_longer_than_allowed_is_a_timeout) {
    begin(sized(5), "h");
    after(9s);
    comes("e");
    after(9s);
    EXPECT_FALSE(fault);
    after(2s);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::body_timeout);
}

TEST_F(BodyTest, a_drip_below_the_least_rate_is_a_timeout) {
    rules.min_rate = 100;
    begin(sized(5000));
    for (int i = 0; i < 9; ++i) {
        comes("x");
        after(1s);
    }
    EXPECT_FALSE(fault);
    for (int i = 0; i < 3; ++i) {
        comes("x");
        after(1s);
    }
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::body_timeout);
}

TEST_F(BodyTest, a_steady_stream_above_it_may_take_as_long_as_it_needs) {
    rules.min_rate = 100;
    begin(sized(200 * 60));
    for (int i = 0; i < 60; ++i) {
        comes(std::string(200, 'x'));
        after(1s);
    }
    EXPECT_TRUE(ended);
}

TEST_F(BodyTest, the_deadline_of_the_exchange_is_a_fault_of_its_own) {
    rules.deadline = loop.now() + 3s;
    begin(sized(5), "h");
    after(4s);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->code, Code::deadline_exceeded);
}

TEST_F(BodyTest, is_the_same_however_it_is_cut) {
    Random random(11);
    for (int round = 0; round < 200; ++round) {
        std::string sent, framed;
        for (int chunks = 0; chunks < 6; ++chunks) {
            std::string data(1 + random.below(9000), static_cast<char>('a' + chunks));
            char size[20];
            auto end = std::to_chars(size, size + sizeof size, data.size(), 16).ptr;
            framed += std::string(size, end) + "\r\n" + data + "\r\n";
            sent += data;
        }
        framed += "0\r\n\r\nNEXT";
        scope.cancel();
        std::tie(far, near) = rt::memory_pair(loop, 64 * 1024);
        got.clear();
        ended = false;
        std::size_t with_head = random.below(2000);
        begin(kChunked, std::string_view(framed).substr(0, with_head));
        for (std::size_t at = with_head; at < framed.size();) {
            std::size_t n = std::min<std::size_t>(1 + random.below(round % 2 ? 30 : 12'000),
                                                  framed.size() - at);
            comes(std::string_view(framed).substr(at, n));
            at += n;
        }
        ASSERT_TRUE(ended) << round;
        ASSERT_EQ(got, sent) << round;
        std::string rest(body->rest());
        while (true) {
            char space[8];
            rt::Io more = near->read(space);
            if (more.blocked()) break;
            rest.append(space, more.bytes);
        }
        ASSERT_EQ(rest, "NEXT") << round;
        body.reset();
    }
    EXPECT_EQ(buffers.leased(), 0u);
}

}  // namespace
}  // namespace suoke::http
