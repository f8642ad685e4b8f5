// SPDX-License-Identifier: MIT
// Tunnels between bodies in memory: what passes, what each side is told when it ends.
#include "gateway/tunnel.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>

#include "rt/scope.h"

namespace suoke::gateway {
namespace {

using http::Piece;
using http::ws::Side;
namespace ws = http::ws;

std::string frame(unsigned first, std::string payload, bool masked) {
    ws::FrameHead head{.fin = (first & 0x80) != 0, .masked = masked, .opcode = static_cast<ws::Opcode>(first & 15),
                       .length = payload.size()};
    if (masked) head.mask = {0x11, 0x22, 0x33, 0x44};
    std::array<char, ws::kMaxHead> space;
    std::size_t n = ws::write_head(space, head);
    space[0] = static_cast<char>(first);
    if (masked) ws::mask_bytes(payload, payload.data(), head.mask, 0);
    return std::string(space.data(), n) + payload;
}
std::string said(std::string payload, unsigned first = 0x81) { return frame(first, std::move(payload), true); }      // by the client
std::string told(std::string payload, unsigned first = 0x81) { return frame(first, std::move(payload), false); }     // by the upstream
std::string code_of(unsigned code) { return {static_cast<char>(code >> 8), static_cast<char>(code)}; }

// One side's bytes, when the test says so.
class Voice final : public http::BodySource {
 public:
    explicit Voice(rt::Loop& loop) : bell_(loop) {}
    void says(std::string bytes) { coming_.push_back(std::move(bytes)), bell_.ring(); }
    void leaves() { left_ = true, bell_.ring(); }
    Result<Piece> next() override {
        if (coming_.empty()) return Piece{{}, left_ ? Piece::end : Piece::wait};
        now_ = std::move(coming_.front());
        coming_.pop_front();
        return Piece{now_, Piece::more};
    }
    rt::Task<void> wait() override { co_await bell_.rung(); }

 private:
    std::deque<std::string> coming_;
    std::string now_;
    bool left_ = false;
    rt::Bell bell_;
};

// What reached one side.
struct Ear {
    std::string heard;
    bool ended = false;

    // The last frame, when it is a Close: its code. Takes all that was heard.
    std::string all() { return std::exchange(heard, {}); }
};

rt::Task<void> listen(http::BodySource& body, Ear& ear) {
    for (;;) {
        Result<Piece> piece = body.next();
        if (!piece) co_return;
        ear.heard += piece->bytes;
        if (piece->state == Piece::end) break;
        if (piece->state == Piece::wait) co_await body.wait();
    }
    ear.ended = true;
}

class Play {
 public:
    explicit Play(const TunnelRules& rules, bool opens = true) : rules_(rules) {
        tunnel_ = std::make_shared<Tunnel>(Tunnel::Parts{loop_, random_, cells_, {}}, rules_);
        auto upstream = std::make_unique<Voice>(loop_);
        upstream_ = upstream.get();
        to_upstream_ = tunnel_->from_client(client_);
        to_client_ = tunnel_->from_upstream(std::move(upstream));
        readers_.spawn(listen(*to_upstream_, at_upstream));
        readers_.spawn(listen(*to_client_, at_client));
        if (opens) open({});
    }
    void open(const ws::Deflate& deflate) { tunnel_->open(deflate), loop_.settle(); }
    Play& client(std::string bytes) { return client_.says(std::move(bytes)), settle(); }
    Play& upstream(std::string bytes) { return upstream_->says(std::move(bytes)), settle(); }
    Play& client_leaves() { return client_.leaves(), settle(); }
    Play& upstream_leaves() { return upstream_->leaves(), settle(); }
    Play& after(Duration d) {
        for (TimePoint end = clock_.now() + d; clock_.now() < end;) {
            clock_.advance(std::min<Duration>(100ms, end - clock_.now()));
            loop_.settle();
        }
        return *this;
    }
    Play& closes(std::uint16_t code) { return tunnel_->close(code, "because"), settle(); }
    bool over() const { return at_client.ended && at_upstream.ended; }
    // An upstream that was told Close closes its connection (RFC 6455 §7.1.1).
    bool over_with_the_upstream() { return at_upstream.ended && !at_client.ended && upstream_leaves().over(); }

    // The Close that a side heard last, its code; 0 when there was none. Takes what was heard.
    std::uint16_t client_heard_close(const std::string& before = {}) { return close_in(at_client.all(), before, Side::upstream); }
    std::uint16_t upstream_heard_close(const std::string& before = {}) { return close_in(at_upstream.all(), before, Side::client); }

    Ear at_client, at_upstream;
    TunnelCells cells_;

 private:
    Play& settle() { return loop_.settle(), *this; }
    static std::uint16_t close_in(const std::string& heard, const std::string& before, Side from) {
        EXPECT_EQ(heard.substr(0, before.size()), before);
        ws::Inspector in(from, {}, {});
        std::string_view rest = std::string_view(heard).substr(std::min(before.size(), heard.size()));
        for (;;) {
            ws::Step step = in.next(rest);
            EXPECT_NE(step.kind, ws::Step::broken) << in.violation().reason;
            if (step.kind >= ws::Step::broken || step.kind == ws::Step::need_more) break;
            rest.remove_prefix(step.consumed);
        }
        EXPECT_TRUE(in.between_frames());
        return in.close_code();
    }

    ManualClock clock_;
    rt::Loop loop_{clock_};
    Random random_{7};
    TunnelRules rules_;
    Voice client_{loop_};
    Voice* upstream_ = nullptr;
    std::shared_ptr<Tunnel> tunnel_;
    http::Body to_upstream_, to_client_;
    rt::TaskScope readers_;
};

TunnelRules inspected() { return {.inspect = true, .messages = {.max_size = 100}}; }

TEST(Tunnel, nothing_passes_before_the_101) {
    Play p({}, false);
    p.client(said("early"));
    EXPECT_EQ(p.at_upstream.heard, "");
    p.open({});
    EXPECT_EQ(p.at_upstream.heard, said("early"));
}

TEST(Tunnel, spliced_bytes_pass_as_they_come_and_are_counted) {
    Play p({});
    p.client(said("one").substr(0, 1));
    EXPECT_EQ(p.at_upstream.all(), said("one").substr(0, 1)) << "nothing is held back";
    p.client(said("one").substr(1) + said("a", 0x01) + said("b", 0x80) + said("", 0x89));
    p.upstream(told("two"));
    EXPECT_EQ(p.at_client.heard, told("two"));
    EXPECT_EQ(p.cells_.messages[0].value(), 2u);
    EXPECT_EQ(p.cells_.messages[1].value(), 1u);
    EXPECT_EQ(p.cells_.bytes[1].value(), told("two").size());
}

TEST(Tunnel, what_is_spliced_may_break_every_rule) {
    Play p({});
    p.client(told("not masked")).client("no frames at all").upstream("\xff\xff\xff\xff");
    EXPECT_EQ(p.at_upstream.heard, told("not masked") + "no frames at all");
    EXPECT_EQ(p.at_client.heard, "\xff\xff\xff\xff");
    p.closes(ws::kGoingAway);
    EXPECT_TRUE(p.over());
    EXPECT_EQ(p.at_upstream.heard, told("not masked") + "no frames at all") << "blind, so without a Close";
}

TEST(Tunnel, inspected_bytes_pass_as_they_were_sent_however_they_are_cut) {
    Play p(inspected());
    const std::string all = said("one") + said("\xe2\x82", 0x01) + said("p", 0x89) + said("\xac", 0x80) + said("", 0x82);
    for (char c : all) p.client(std::string(1, c));
    EXPECT_EQ(p.at_upstream.all(), all);
    p.client(all + all);
    EXPECT_EQ(p.at_upstream.all(), all + all);
    p.upstream(told("hello") + told("", 0x8A));
    EXPECT_EQ(p.at_client.all(), told("hello") + told("", 0x8A));
    EXPECT_FALSE(p.at_client.ended);
}

TEST(Tunnel, a_client_that_sends_too_much_is_told_so_and_the_upstream_that_it_is_gone) {
    Play p(inspected());
    p.client(said("fine") + said(std::string(101, 'x')));
    EXPECT_TRUE(p.over_with_the_upstream());
    EXPECT_EQ(p.client_heard_close(), ws::kTooBig);
    EXPECT_EQ(p.upstream_heard_close(said("fine")), ws::kGoingAway);
    EXPECT_EQ(p.cells_.closes.count(CloseCells::gateway, ws::kTooBig - 1000), 1u);
}

// Closing a socket with bytes unread would reset it, and the upstream might lose what it was sent last.
TEST(Tunnel, an_upstream_that_was_told_close_is_read_to_its_end) {
    Play p(inspected());
    p.client(said("fine") + said(std::string(101, 'x')));
    EXPECT_EQ(p.client_heard_close(), ws::kTooBig);
    p.upstream(told("fine")).upstream(told("", 0x88));
    EXPECT_EQ(p.at_client.all(), "") << "the client has heard its last word";
    EXPECT_FALSE(p.over());
    p.upstream_leaves();
    EXPECT_TRUE(p.over());
}

TEST(Tunnel, an_upstream_that_does_not_leave_is_left_after_a_while) {
    Play p(inspected());
    p.client(said(std::string(101, 'x'))).after(4s).upstream(told("still talking"));
    EXPECT_FALSE(p.over());
    p.after(2s);
    EXPECT_TRUE(p.over());
}

TEST(Tunnel, an_upstream_is_held_to_the_same_rules) {
    Play p(inspected());
    p.upstream(told("fine") + said("masked"));
    EXPECT_TRUE(p.over_with_the_upstream());
    EXPECT_EQ(p.upstream_heard_close(), ws::kProtocolError);
    EXPECT_EQ(p.client_heard_close(told("fine")), ws::kGoingAway);
}

TEST(Tunnel, a_forbidden_head_in_pieces_never_begins_on_the_other_side) {
    Play p(inspected());
    const std::string big = said(std::string(5000, 'x'));
    for (std::size_t i = 0; i < 8; ++i) p.client(big.substr(i, 1));
    EXPECT_TRUE(p.over_with_the_upstream());
    EXPECT_EQ(p.client_heard_close(), ws::kTooBig);
    EXPECT_EQ(p.upstream_heard_close(), ws::kGoingAway);
}

TEST(Tunnel, bad_text_in_one_piece_is_replaced_by_a_close) {
    Play p(inspected());
    p.client(said("ok") + said("bad \xff"));
    EXPECT_EQ(p.client_heard_close(), ws::kBadText);
    EXPECT_EQ(p.upstream_heard_close(said("ok")), ws::kGoingAway);
    EXPECT_TRUE(p.over_with_the_upstream());
}

TEST(Tunnel, a_frame_that_turns_bad_half_way_just_ends) {
    Play p(inspected());
    const std::string bad = said("good so far \xff and more");
    p.client(bad.substr(0, 12)).client(bad.substr(12));
    EXPECT_TRUE(p.over());
    EXPECT_EQ(p.client_heard_close(), ws::kBadText);
    EXPECT_EQ(p.at_upstream.all(), bad.substr(0, 12));
}

TEST(Tunnel, a_rule_broken_between_fragments_still_leaves_room_for_a_close) {
    Play p(inspected());
    p.client(said(std::string(60, 'x'), 0x01)).client(said(std::string(60, 'x'), 0x80));
    EXPECT_EQ(p.upstream_heard_close(said(std::string(60, 'x'), 0x01)), ws::kGoingAway);
    EXPECT_EQ(p.client_heard_close(), ws::kTooBig);
}

TEST(Tunnel, only_so_many_messages_a_second) {
    Play p({.inspect = true, .messages_per_second = 3});
    for (int i = 0; i < 3; ++i) p.client(said("a"));
    p.after(400ms).client(said("a")).after(1s).client(said("a") + said("b") + said("c"));
    EXPECT_FALSE(p.at_client.ended);
    p.upstream(told("1") + told("2") + told("3") + told("4") + told("5"));
    EXPECT_FALSE(p.at_client.ended) << "upstreams may talk";
    p.at_client.all();
    p.client(said("d") + said("e"));
    EXPECT_TRUE(p.over_with_the_upstream());
    EXPECT_EQ(p.client_heard_close(), ws::kPolicy);
}

TEST(Tunnel, only_so_many_bytes_a_second_and_a_large_message_is_paid_for_later) {
    Play p({.inspect = true, .bytes_per_second = 100});
    p.client(said(std::string(300, 'x')));
    EXPECT_FALSE(p.at_client.ended);
    p.after(2500ms).client(said("y"));
    EXPECT_FALSE(p.at_client.ended);
    p.client(said(std::string(300, 'x'))).client(said("y"));
    EXPECT_EQ(p.client_heard_close(), ws::kPolicy);
    EXPECT_TRUE(p.over_with_the_upstream());
}

TEST(Tunnel, only_text_or_only_binary) {
    Play p({.inspect = true, .messages = {.binary = false}});
    p.client(said("text") + said("binary", 0x82));
    EXPECT_EQ(p.client_heard_close(), ws::kPolicy);
    EXPECT_EQ(p.upstream_heard_close(said("text")), ws::kGoingAway);
}

TEST(Tunnel, silence_of_both_ends_it) {
    for (bool inspect : {false, true}) {
        Play p({.inspect = inspect, .idle = 60s});
        p.after(40s).client(said("still here")).after(40s).upstream(told("so am I")).after(59s);
        EXPECT_FALSE(p.at_client.ended);
        p.after(2s);
        EXPECT_TRUE(p.over_with_the_upstream());
        EXPECT_EQ(p.client_heard_close(told("so am I")), ws::kGoingAway);
        EXPECT_EQ(p.upstream_heard_close(said("still here")), ws::kGoingAway);
    }
}

TEST(Tunnel, asked_to_close_it_waits_for_the_end_of_the_frame) {
    for (bool inspect : {false, true}) {
        Play p({.inspect = inspect});
        const std::string half = said("a long message");
        p.client(half.substr(0, 10)).closes(ws::kRestart);
        EXPECT_FALSE(p.at_client.ended) << "the client's end waits for the upstream's";
        p.client(half.substr(10) + said("not this one"));
        EXPECT_TRUE(p.over_with_the_upstream());
        EXPECT_EQ(p.upstream_heard_close(half), ws::kRestart);
        EXPECT_EQ(p.client_heard_close(), ws::kRestart);
        EXPECT_EQ(p.cells_.closes.count(CloseCells::gateway, ws::kRestart - 1000), 1u);
    }
}

TEST(Tunnel, a_frame_that_never_ends_is_cut_after_a_while) {
    Play p({});
    p.client(said("a long message").substr(0, 10)).closes(ws::kGoingAway).after(4s);
    EXPECT_FALSE(p.over());
    p.after(2s);
    EXPECT_TRUE(p.over());
    EXPECT_EQ(p.at_upstream.all(), said("a long message").substr(0, 10));
    EXPECT_EQ(p.client_heard_close(), ws::kGoingAway);
}

TEST(Tunnel, asked_to_close_before_the_101_it_closes_right_after_it) {
    Play p({}, false);
    p.closes(ws::kGoingAway);
    p.open({});
    EXPECT_TRUE(p.over_with_the_upstream());
    EXPECT_EQ(p.client_heard_close(), ws::kGoingAway);
}

TEST(Tunnel, a_close_that_is_answered_ends_both_streams) {
    for (bool inspect : {false, true}) {
        Play p({.inspect = inspect});
        p.client(said(code_of(4321) + "bye", 0x88));
        EXPECT_FALSE(p.over());
        p.upstream(told("one more") + told(code_of(4321), 0x88));
        EXPECT_TRUE(p.over());
        EXPECT_EQ(p.at_upstream.all(), said(code_of(4321) + "bye", 0x88));
        EXPECT_EQ(p.at_client.all(), told("one more") + told(code_of(4321), 0x88));
        EXPECT_EQ(p.cells_.closes.count(CloseCells::client, CloseCells::kOther), 1u);
    }
}

TEST(Tunnel, behind_a_close_nothing_passes) {
    Play p(inspected());
    p.client(said(code_of(1000), 0x88) + said("but")).client(said("why"));
    EXPECT_EQ(p.at_upstream.all(), said(code_of(1000), 0x88));
    EXPECT_FALSE(p.at_upstream.ended);
    p.upstream_leaves();
    EXPECT_TRUE(p.at_client.ended);
}

TEST(Tunnel, a_close_with_a_code_nobody_may_send) {
    Play p(inspected());
    p.client(said(code_of(1006), 0x88));
    EXPECT_EQ(p.client_heard_close(), ws::kProtocolError);
    EXPECT_EQ(p.upstream_heard_close(), ws::kGoingAway);
}

TEST(Tunnel, who_leaves_without_a_word_is_counted_as_1006) {
    TunnelCells* cells = nullptr;
    Play p({});
    cells = &p.cells_;
    p.upstream_leaves();
    EXPECT_TRUE(p.at_client.ended);
    EXPECT_EQ(cells->closes.count(CloseCells::upstream, 6), 0u) << "counted when the tunnel goes";
}

TEST(TokenBucket, fills_with_time_and_never_above_one_second) {
    TimePoint t{};
    TokenBucket bucket(10, t);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(1, t));
    EXPECT_FALSE(bucket.take(1, t));
    EXPECT_TRUE(bucket.take(1, t + 100ms));
    EXPECT_FALSE(bucket.take(1, t + 100ms));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(1, t + 1h));
    EXPECT_FALSE(bucket.take(1, t + 1h));
    EXPECT_TRUE(TokenBucket(0, t).take(1'000'000, t));
}

}  // namespace
}  // namespace suoke::gateway
