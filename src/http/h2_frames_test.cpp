// SPDX-License-Identifier: MIT
#include "http/h2_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace suoke::http::h2 {
namespace {

using namespace std::literals;

// A preface of three bytes, then DATA on stream 1, an empty SETTINGS and something unknown.
const std::string kBytes = "PRI"
                           "\x00\x00\x05\x00\x01\x00\x00\x00\x01hello"
                           "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
                           "\x00\x00\x02\xee\x07\x80\x00\x01\x02??"s;

struct Cut {
    std::vector<FrameHead> heads;
    std::string bytes;
};

Cut cut_in_steps_of(std::size_t step) {
    Cut all;
    FrameCutter cutter(3);
    for (std::size_t at = 0; at < kBytes.size(); at += step) {
        std::string_view piece = std::string_view(kBytes).substr(at, step);
        while (!piece.empty()) {
            std::optional<FrameHead> begins;
            all.bytes += cutter.cut(piece, begins);
            if (begins) all.heads.push_back(*begins);
        }
    }
    return all;
}

TEST(H2Frames, are_told_apart_however_they_arrive) {
    for (std::size_t step = 1; step <= kBytes.size(); ++step) {
        SCOPED_TRACE(step);
        Cut cut = cut_in_steps_of(step);
        EXPECT_EQ(cut.bytes, kBytes) << "nothing is lost or added";
        ASSERT_EQ(cut.heads.size(), 3u);
        EXPECT_EQ(cut.heads[0].size, 5u);
        EXPECT_EQ(cut.heads[0].flags, 1);
        EXPECT_EQ(cut.heads[0].stream, 1);
        EXPECT_EQ(cut.heads[1].type, 4);
        EXPECT_EQ(cut.heads[2].type, 0xee);
        EXPECT_EQ(cut.heads[2].flags, 7);
        EXPECT_EQ(cut.heads[2].stream, 0x102) << "without the reserved bit";
    }
}

TEST(H2Frames, a_part_belongs_to_one_frame) {
    FrameCutter cutter(3);
    std::string_view bytes = kBytes;
    std::optional<FrameHead> begins;
    EXPECT_EQ(cutter.cut(bytes, begins), "PRI");
    EXPECT_FALSE(begins);
    EXPECT_EQ(cutter.cut(bytes, begins).size(), kFrameHeadSize + 5);
    EXPECT_TRUE(begins);
}

}  // namespace
}  // namespace suoke::http::h2
