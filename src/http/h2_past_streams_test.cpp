// SPDX-License-Identifier: MIT
#include "http/h2_past_streams.h"

#include <gtest/gtest.h>

namespace suoke::http::h2 {
namespace {

TEST(H2PastStreams, what_ended_in_order_takes_no_more_frames) {
    PastStreams past(4);
    past.opened(1);
    past.opened(3);
    EXPECT_EQ(past.judge(1), ErrorCode::stream_closed);
    EXPECT_EQ(past.judge(3), ErrorCode::stream_closed);
}

TEST(H2PastStreams, a_higher_stream_is_not_past) {
    PastStreams past(4);
    EXPECT_FALSE(past.contains(1));
    past.opened(1);
    EXPECT_TRUE(past.contains(1));
    EXPECT_FALSE(past.contains(3));
    EXPECT_FALSE(past.contains(0));
}

TEST(H2PastStreams, what_we_reset_may_have_frames_on_their_way) {
    PastStreams past(4);
    past.opened(1);
    past.cut_short(1);
    EXPECT_EQ(past.judge(1), std::nullopt);
}

TEST(H2PastStreams, an_id_that_was_left_out_must_not_come_later) {
    PastStreams past(4);
    past.opened(5);
    past.opened(11);
    EXPECT_EQ(past.judge(1), ErrorCode::protocol_error);
    EXPECT_EQ(past.judge(3), ErrorCode::protocol_error);
    EXPECT_EQ(past.judge(5), ErrorCode::stream_closed);
    EXPECT_EQ(past.judge(7), ErrorCode::protocol_error);
    EXPECT_EQ(past.judge(9), ErrorCode::protocol_error);
    EXPECT_EQ(past.judge(11), ErrorCode::stream_closed);
}

TEST(H2PastStreams, only_the_latest_are_remembered) {
    PastStreams past(2);
    for (std::int32_t id : {1, 3, 5}) {
        past.opened(id);
        past.cut_short(id);
    }
    EXPECT_EQ(past.judge(1), ErrorCode::stream_closed);
    EXPECT_EQ(past.judge(3), std::nullopt);
    EXPECT_EQ(past.judge(5), std::nullopt);
}

}  // namespace
}  // namespace suoke::http::h2
