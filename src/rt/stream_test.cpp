// SPDX-License-Identifier: MIT
// What every stream promises, told once and checked for each kind: memory, TCP, Unix socket.
#include "rt/stream.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "rt/scope.h"
#include "rt/socket.h"

namespace suoke::rt {
namespace {

struct Kept final : Acceptor {
    void accepted(StreamPtr s, const Address& p) override {
        stream = std::move(s);
        peer = p;
    }
    StreamPtr stream;
    Address peer;
};

Task<void> connect_into(Loop& loop, Address address, Result<StreamPtr>& result) {
    result = co_await connect(loop, address, kNever);
}

enum class Kind { memory, tcp, unix_socket };

class Streams : public ::testing::TestWithParam<Kind> {
 protected:
    void SetUp() override {
        if (GetParam() == Kind::memory) {
            std::tie(a, b) = memory_pair(loop);
            return;
        }
        std::string path = "unix:/tmp/suoke-stream-" + std::to_string(::getpid());
        auto address =
            GetParam() == Kind::tcp ? Address::parse("127.0.0.1", 0) : Address::parse(path, 0);
        auto listener = listen(loop, *address, 16, kept);
        ASSERT_TRUE(listener) << listener.error().detail;
        Result<StreamPtr> connected = Error(Code::internal, "not yet");
        TaskScope scope;
        scope.spawn(connect_into(loop, (*listener)->address(), connected));
        for (int i = 0; i < 1000 && (!connected || !kept.stream); ++i) loop.settle();
        ASSERT_TRUE(connected) << connected.error().detail;
        a = std::move(*connected);
        b = std::move(kept.stream);
        ASSERT_TRUE(b);
    }

    std::string read(Stream& from) {
        char space[4096];
        Io got = from.read(space);
        return got.failed() || got.blocked() ? "" : std::string(space, got.bytes);
    }

    ManualClock clock;
    Loop loop{clock};
    Kept kept;
    StreamPtr a, b;
};

Task<void> read_all(Stream& from, std::string& into, Io::State& end, TimePoint deadline = kNever) {
    char space[4096];
    for (;;) {
        Io got = from.read(space);
        if (got.blocked()) {
            Wake woken = co_await from.readable(deadline);
            if (woken == Wake::timeout) {
                end = Io::would_block;
                co_return;
            }
            continue;
        }
        if (got.failed()) {
            end = got.state;
            co_return;
        }
        into.append(space, got.bytes);
    }
}

Task<void> write_all(Stream& to, std::string bytes, bool& finished) {
    std::string_view left = bytes;
    while (!left.empty()) {
        Io put = to.write(left);
        if (put.failed()) co_return;
        left.remove_prefix(put.bytes);
        if (left.empty()) break;
        Wake woken = co_await to.writable(kNever);
        if (woken == Wake::timeout) co_return;
    }
    finished = true;
}

TEST_P(Streams, carry_bytes_both_ways) {
    EXPECT_EQ(a->write("forth").bytes, 5u);
    EXPECT_EQ(b->write("back").bytes, 4u);
    loop.settle();
    EXPECT_EQ(read(*b), "forth");
    EXPECT_EQ(read(*a), "back");
    char space[8];
    EXPECT_TRUE(a->read(space).blocked());
}

Task<void> wait_for_more(Stream& stream, int& woken) {
    co_await stream.more_readable(kNever);
    ++woken;
}

TEST_P(Streams, let_a_reader_look_ahead_and_wait_for_more) {
    EXPECT_EQ(a->write("head").bytes, 4u);
    loop.settle();
    char space[64];
    for (int i = 0; i < 2; ++i) {
        Io seen = b->peek(space);
        EXPECT_EQ(std::string(space, seen.bytes), "head");
    }
    int woken = 0;
    TaskScope scope;
    scope.spawn(wait_for_more(*b, woken));
    loop.settle();
    EXPECT_EQ(woken, 0) << "what was seen is not more";
    EXPECT_EQ(a->write("+body").bytes, 5u);
    loop.settle();
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(b->read(std::span(space).first(5)).bytes, 5u);
    EXPECT_TRUE(b->maybe_readable()) << "what lies behind was told of before";
    EXPECT_EQ(read(*b), "body");
}

TEST_P(Streams, tell_a_reader_that_looks_ahead_that_the_peer_left) {
    EXPECT_EQ(a->write("he").bytes, 2u);
    a.reset();
    loop.settle();
    char space[64];
    EXPECT_EQ(b->peek(space).bytes, 2u);
    int woken = 0;
    TaskScope scope;
    scope.spawn(wait_for_more(*b, woken));
    EXPECT_EQ(woken, 1);
    EXPECT_TRUE(b->hung_up());
    EXPECT_EQ(read(*b), "he");
    EXPECT_TRUE(b->peek(space).failed());
}

TEST_P(Streams, wake_a_reader_and_tell_it_the_end_after_the_last_bytes) {
    std::string got;
    Io::State end = Io::done;
    TaskScope scope;
    scope.spawn(read_all(*b, got, end));
    a->write("first ");
    loop.settle();
    EXPECT_EQ(got, "first ");
    a->write("last");
    a->shutdown_write();
    loop.settle();
    EXPECT_EQ(got, "first last");
    EXPECT_EQ(end, Io::end);
    EXPECT_TRUE(scope.idle());
}

TEST_P(Streams, an_end_behind_unread_bytes_hides_none_of_them) {
    a->write("unread");
    a.reset();
    loop.settle();
    EXPECT_TRUE(b->hung_up());
    std::string got;
    Io::State end = Io::done;
    TaskScope scope;
    scope.spawn(read_all(*b, got, end));
    loop.settle();
    EXPECT_EQ(got, "unread");
    EXPECT_EQ(end, Io::end);
}

TEST_P(Streams, a_half_closed_side_can_still_read) {
    a->shutdown_write();
    loop.settle();
    EXPECT_TRUE(b->hung_up());
    EXPECT_EQ(b->write("still here").bytes, 10u);
    loop.settle();
    EXPECT_EQ(read(*a), "still here");
}

TEST_P(Streams, a_reset_is_not_an_end) {
    if (GetParam() == Kind::unix_socket) GTEST_SKIP() << "Unix sockets know no reset";
    std::string got;
    Io::State end = Io::done;
    TaskScope scope;
    scope.spawn(read_all(*b, got, end));
    a->reset_on_close();
    a.reset();
    loop.settle();
    EXPECT_EQ(end, Io::reset);
}

TEST_P(Streams, a_wait_ends_at_its_deadline) {
    std::string got;
    Io::State end = Io::done;
    TaskScope scope;
    scope.spawn(read_all(*b, got, end, loop.now() + 1s));
    clock.advance(900ms);
    loop.settle();
    EXPECT_EQ(end, Io::done);
    clock.advance(200ms);
    loop.settle();
    EXPECT_EQ(end, Io::would_block);
}

TEST_P(Streams, a_writer_waits_until_the_reader_has_made_room) {
    bool finished = false;
    std::string sent(16 << 20, 'x'), got;
    Io::State end = Io::done;
    TaskScope scope;
    scope.spawn(write_all(*a, sent, finished));
    loop.settle();
    EXPECT_FALSE(finished);
    scope.spawn(read_all(*b, got, end));
    for (int i = 0; i < 10'000 && !finished; ++i) loop.settle();
    loop.settle();
    EXPECT_TRUE(finished);
    EXPECT_EQ(got.size(), sent.size());
}

TEST_P(Streams, a_blocked_writer_learns_that_the_reader_has_gone) {
    bool finished = false;
    TaskScope scope;
    scope.spawn(write_all(*a, std::string(16 << 20, 'x'), finished));
    loop.settle();
    EXPECT_FALSE(scope.idle());
    b.reset();
    for (int i = 0; i < 100 && !scope.idle(); ++i) loop.settle();
    EXPECT_TRUE(scope.idle());
    EXPECT_FALSE(finished);
}

struct Told final : HangupListener {
    int times = 0;
    void on_hangup() override { ++times; }
};

TEST_P(Streams, tell_the_hangup_listener_once) {
    Told told;
    a->set_hangup_listener(&told);
    loop.settle();
    EXPECT_EQ(told.times, 0);
    b.reset();
    loop.settle();
    EXPECT_EQ(told.times, 1);
    EXPECT_TRUE(a->maybe_readable());
}

std::string name_of(const ::testing::TestParamInfo<Kind>& info) {
    constexpr const char* kNames[] = {"memory", "tcp", "unix_socket"};
    return kNames[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(AllKinds, Streams,
                         ::testing::Values(Kind::memory, Kind::tcp, Kind::unix_socket), name_of);

TEST(Connect, says_connect_failed_when_nobody_listens) {
    ManualClock clock;
    Loop loop(clock);
    Result<StreamPtr> result = Error(Code::internal);
    TaskScope scope;
    scope.spawn(connect_into(loop, *Address::parse("unix:/tmp/suoke-nobody-listens", 0), result));
    loop.settle();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::connect_failed);
}

}  // namespace
}  // namespace suoke::rt
