// SPDX-License-Identifier: MIT
#include "filters/compressed_body.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "testing/decoded.h"

namespace suoke::filters {
namespace {

using http::Coding;
using http::Piece;

// A source that says what it was told to.
class Script final : public http::BodySource {
 public:
    struct Line {
        std::string bytes;
        Piece::State state = Piece::more;
        bool fails = false;
    };
    explicit Script(std::deque<Line> lines) : lines_(std::move(lines)) {}
    Result<Piece> next() override {
        said_ = std::move(lines_.front());
        lines_.pop_front();
        if (said_.fails) return Error(Code::upstream_truncated);
        return Piece{said_.bytes, said_.state};
    }
    rt::Task<void> wait() override {
        said_.bytes.clear();   // views end here
        ++waits;
        co_return;
    }
    const http::Headers* trailers() const override { return has_trailers ? &trailer : nullptr; }

    int waits = 0;
    bool has_trailers = false;
    http::Headers trailer;

 private:
    std::deque<Line> lines_;
    Line said_;
};

class Bodies : public testing::Test {
 protected:
    ManualClock clock_;
    rt::Loop loop_{clock_};
    rt::BufferBudget budget_{64 << 20};
    rt::BufferPool buffers_{budget_};

    std::unique_ptr<CompressedBody> compressed(http::Body source, Coding coding = Coding::zstd) {
        return std::make_unique<CompressedBody>(std::move(source), http::lease_encoder(coding, 3, std::nullopt), buffers_, loop_);
    }
    static http::Body script(std::deque<Script::Line> lines) { return std::make_unique<Script>(std::move(lines)); }

    // What comes until the source waits or ends.
    std::string until_it_waits(http::BodySource& body) {
        std::string out;
        for (;;) {
            Result<Piece> piece = body.next();
            EXPECT_TRUE(piece);
            if (!piece) return out;
            out += piece->bytes;
            over_ = piece->state == Piece::end;
            if (piece->state != Piece::more) return out;
        }
    }
    void let_it_wait(http::BodySource& body) {
        rt::Task<void> turn = body.wait();
        turn.start();
        loop_.settle();
        EXPECT_TRUE(turn.done());
    }
    std::string all_of(http::BodySource& body) {
        std::string out = until_it_waits(body);
        while (!over_) {
            let_it_wait(body);
            out += until_it_waits(body);
        }
        return out;
    }
    bool over_ = false;
};

TEST_F(Bodies, what_came_before_a_wait_can_be_read_during_it) {
    for (Coding coding : {Coding::gzip, Coding::brotli, Coding::zstd}) {
        auto body = compressed(script({{"one "}, {"two "}, {"", Piece::wait}, {"three"}, {"", Piece::wait}, {"!", Piece::end}}), coding);
        std::string_view name = http::coding_name(coding);
        std::string out = until_it_waits(*body);
        EXPECT_EQ(scene::decoded(name, out).text, "one two ");
        EXPECT_EQ(buffers_.leased(), 0u) << "a stream that waits needs no room";
        let_it_wait(*body);
        out += until_it_waits(*body);
        EXPECT_EQ(scene::decoded(name, out).text, "one two three");
        let_it_wait(*body);
        out += until_it_waits(*body);
        EXPECT_TRUE(over_ && scene::decoded(name, out).complete);
    }
}

TEST_F(Bodies, small_pieces_that_are_ready_leave_together) {
    std::deque<Script::Line> lines(1000, {"{\"id\":1},"});
    lines.push_back({"", Piece::wait});
    lines.push_back({"", Piece::end});
    auto body = compressed(script(std::move(lines)));
    Result<Piece> piece = body->next();
    ASSERT_TRUE(piece);
    EXPECT_EQ(scene::decoded("zstd", piece->bytes).text.size(), 9000u);
    EXPECT_EQ(body->next()->state, Piece::wait);
}

TEST_F(Bodies, a_wait_without_news_costs_no_flush) {
    auto body = compressed(script({{"one"}, {"", Piece::wait}, {"", Piece::wait}, {"", Piece::wait}, {"", Piece::end}}));
    EXPECT_NE(until_it_waits(*body), "");
    for (int i = 0; i < 2; ++i) {
        let_it_wait(*body);
        EXPECT_EQ(until_it_waits(*body), "");
    }
}

TEST_F(Bodies, a_source_that_never_waits_lets_the_others_have_their_turn) {
    std::deque<Script::Line> lines(40, {std::string(100'000, 'x')});   // 4 MB become a few hundred bytes
    lines.push_back({"", Piece::end});
    auto source = std::make_unique<Script>(std::move(lines));
    Script& script = *source;
    auto body = compressed(std::move(source));
    std::string out = until_it_waits(*body);
    EXPECT_FALSE(over_);
    int turns = 1;
    for (; !over_; ++turns) {
        let_it_wait(*body);
        out += until_it_waits(*body);
    }
    EXPECT_GT(turns, 10);
    EXPECT_EQ(script.waits, 0) << "the source did not wait, and nobody may have waited for it";
    EXPECT_EQ(scene::decoded("zstd", out).text.size(), 4'000'000u);
}

TEST_F(Bodies, any_pieces_come_back_whatever_fits_in_no_buffer) {
    std::mt19937 bits(5);
    for (int round = 0; round < 30; ++round) {
        std::deque<Script::Line> lines;
        std::string text;
        for (int i = 0; i < 20; ++i) {
            std::string bytes(bits() % 4 ? bits() % 3000 : bits() % 150'000, ' ');
            for (char& c : bytes) c = static_cast<char>(bits() % 3 ? 'a' + static_cast<int>(bits() % 4) : static_cast<int>(bits() % 256));
            text += bytes;
            bool waits = bits() % 3 == 0;
            lines.push_back({std::move(bytes)});
            if (waits) lines.push_back({"", Piece::wait});
        }
        lines.push_back({"", Piece::end});
        Coding coding = static_cast<Coding>(1 + round % 3);
        auto body = compressed(script(std::move(lines)), coding);
        scene::Decoded back = scene::decoded(http::coding_name(coding), all_of(*body));
        EXPECT_TRUE(back.complete && back.text == text) << http::coding_name(coding) << ", round " << round;
        EXPECT_FALSE(body->remaining());
    }
}

TEST_F(Bodies, a_source_that_breaks_breaks_it) {
    auto body = compressed(script({{"some"}, {"", Piece::more, true}}));
    Result<Piece> piece = body->next();
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().code, Code::upstream_truncated);
}

TEST_F(Bodies, trailers_pass) {
    auto source = std::make_unique<Script>(std::deque<Script::Line>{{"some", Piece::end}});
    source->has_trailers = true;
    source->trailer.add("x-sum", "1");
    auto body = compressed(std::move(source));
    all_of(*body);
    ASSERT_TRUE(body->trailers());
    EXPECT_TRUE(body->trailers()->find("x-sum"));
}

// ---- a look at the beginning

TEST_F(Bodies, a_peeked_body_gives_out_everything_all_the_same) {
    Peeked body(script({{"on"}, {"e"}, {" two"}, {"", Piece::wait}, {" three", Piece::end}}), 3);
    EXPECT_EQ(body.bytes(), "one");
    EXPECT_FALSE(body.is_all());
    EXPECT_EQ(all_of(body), "one two three");
}

TEST_F(Bodies, a_peeked_body_knows_when_it_has_seen_all) {
    Peeked pieces(script({{"on"}, {"e"}, {"", Piece::end}}), 100);
    EXPECT_TRUE(pieces.is_all());
    EXPECT_EQ(pieces.remaining(), 3u);
    EXPECT_EQ(all_of(pieces), "one");
    EXPECT_EQ(pieces.remaining(), 0u);

    Peeked one(script({{"one", Piece::end}}), 1);
    EXPECT_TRUE(one.is_all());
    EXPECT_EQ(all_of(one), "one");
}

TEST_F(Bodies, a_peeked_body_does_not_wait_for_what_is_not_there) {
    Peeked body(script({{"on"}, {"", Piece::wait}, {"e", Piece::end}}), 100);
    EXPECT_EQ(body.bytes(), "on");
    EXPECT_EQ(until_it_waits(body), "one") << "asked again, the source had more";

    Peeked empty(script({{"", Piece::wait}, {"one", Piece::end}}), 100);
    EXPECT_EQ(until_it_waits(empty), "");
    EXPECT_EQ(all_of(empty), "one");
}

TEST_F(Bodies, a_peeked_body_tells_a_failure_in_its_place) {
    Peeked at_once(script({{"", Piece::more, true}}), 10);
    EXPECT_FALSE(at_once.is_all());
    EXPECT_FALSE(at_once.next());

    Peeked later(script({{"one"}, {"", Piece::more, true}}), 10);
    Result<Piece> piece = later.next();
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->bytes, "one");
    EXPECT_FALSE(later.next());
}

TEST_F(Bodies, a_known_length_stays_known) {
    Peeked body(std::make_unique<http::TextBody>("a long text"), 3);
    EXPECT_TRUE(body.is_all());
    EXPECT_EQ(body.remaining(), 11u);
}

// ---- as a whole

TEST_F(Bodies, a_short_body_is_compressed_as_a_whole_or_not_at_all) {
    http::EncoderPtr encoder = http::lease_encoder(Coding::gzip, 6, std::nullopt);
    std::string text(2000, 'a');
    auto bytes = compress_whole(text, *encoder, buffers_);
    ASSERT_TRUE(bytes);
    CompressedWhole body(std::make_unique<http::TextBody>(text), std::move(*bytes));
    EXPECT_LT(*body.remaining(), 100u);
    EXPECT_EQ(scene::decoded("gzip", all_of(body)).text, text);
    EXPECT_EQ(body.remaining(), 0u);

    encoder = http::lease_encoder(Coding::gzip, 6, std::nullopt);
    EXPECT_FALSE(compress_whole("no shorter than this", *encoder, buffers_));
}

}  // namespace
}  // namespace suoke::filters
