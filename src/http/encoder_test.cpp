// SPDX-License-Identifier: MIT
#include "http/encoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "testing/decoded.h"

namespace suoke::http {
namespace {

using Then = Encoder::Then;

constexpr Coding kAll[] = {Coding::gzip, Coding::brotli, Coding::zstd};

class Draw {
 public:
    explicit Draw(unsigned seed) : bits_(seed) {}
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(bits_); }
    // Words that come again, and bytes that do not.
    std::string text(std::size_t size) {
        static constexpr const char* kWords[] = {"{\"name\":\"", "user", "\",\"active\":", "true", "null", "0.125", "},", "\n"};
        std::string out;
        while (out.size() < size) {
            if (below(8) == 0) out += static_cast<char>(below(256));
            else out += kWords[below(8)];
        }
        out.resize(size);
        return out;
    }

 private:
    std::mt19937 bits_;
};

// Everything that comes of one piece. Rooms of a few bytes are nobody's, and gzip would fill them with
// flushes for ever.
std::string steps(Encoder& encoder, std::string_view piece, Then then, Draw& draw) {
    std::string out;
    for (int tries = 0; tries < 100'000; ++tries) {
        std::vector<char> room(16 + draw.below(4000));
        auto step = encoder.step(piece, room, then);
        if (!step) {
            ADD_FAILURE() << coding_name(encoder.coding()) << " failed";
            return out;
        }
        out.append(room.data(), step->made);
        piece.remove_prefix(step->taken);
        if (step->done) {
            EXPECT_TRUE(piece.empty());
            return out;
        }
    }
    ADD_FAILURE() << coding_name(encoder.coding()) << " comes to no end";
    return out;
}

TEST(Encoder, any_text_in_any_pieces_comes_back) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        Draw draw(seed);
        std::string text = draw.text(draw.below(seed % 8 == 0 ? 300'000 : 20'000));
        for (Coding coding : kAll) {
            auto size = draw.below(2) ? std::optional<std::uint64_t>(text.size()) : std::nullopt;
            EncoderPtr encoder = lease_encoder(coding, 1 + static_cast<int>(draw.below(9)), size);
            ASSERT_TRUE(encoder);
            std::string out;
            for (std::string_view rest = text; !rest.empty();) {
                std::string_view piece = rest.substr(0, 1 + draw.below(draw.below(4) ? 2000 : 100'000));
                out += steps(*encoder, piece, draw.below(5) ? Then::more : Then::flush, draw);
                rest.remove_prefix(piece.size());
            }
            out += steps(*encoder, {}, Then::end, draw);
            scene::Decoded back = scene::decoded(coding_name(coding), out);
            EXPECT_TRUE(back.complete) << coding_name(coding) << ", seed " << seed;
            EXPECT_TRUE(back.text == text) << coding_name(coding) << ", seed " << seed;
        }
    }
}

TEST(Encoder, after_a_flush_all_that_was_given_can_be_read) {
    Draw draw(7);
    for (Coding coding : kAll) {
        EncoderPtr encoder = lease_encoder(coding, 3, std::nullopt);
        ASSERT_TRUE(encoder);
        std::string text, out;
        for (int i = 0; i < 20; ++i) {
            std::string piece = draw.text(1 + draw.below(3000));
            text += piece;
            out += steps(*encoder, piece, Then::flush, draw);
            scene::Decoded so_far = scene::decoded(coding_name(coding), out);
            EXPECT_TRUE(so_far.good && !so_far.complete) << coding_name(coding);
            EXPECT_TRUE(so_far.text == text) << coding_name(coding) << ", piece " << i;
        }
    }
}

TEST(Encoder, what_was_broken_off_leaves_nothing_to_the_next) {
    Draw draw(8);
    for (Coding coding : kAll) {
        {
            EncoderPtr broken = lease_encoder(coding, 6, 1'000'000);
            ASSERT_TRUE(broken);
            steps(*broken, draw.text(50'000), Then::more, draw);
        }
        EncoderPtr encoder = lease_encoder(coding, 1, 5);
        ASSERT_TRUE(encoder);
        EXPECT_EQ(scene::decoded(coding_name(coding), steps(*encoder, "seven", Then::end, draw)).text, "seven");
    }
}

TEST(Encoder, a_thread_has_only_so_many_out_at_once) {
    std::vector<EncoderPtr> out;
    for (int i = 0; i < kMostEncoders; ++i) {
        out.push_back(lease_encoder(Coding::zstd, 1, 10));
        ASSERT_TRUE(out.back());
    }
    EXPECT_FALSE(lease_encoder(Coding::zstd, 1, 10));
    EXPECT_FALSE(lease_encoder(Coding::brotli, 1, 10));
    out.pop_back();
    EXPECT_TRUE(lease_encoder(Coding::brotli, 1, 10));
}

TEST(Encoder, nobody_leases_identity) { EXPECT_FALSE(lease_encoder(Coding::identity, 1, std::nullopt)); }

}  // namespace
}  // namespace suoke::http
