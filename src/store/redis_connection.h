// SPDX-License-Identifier: MIT
#pragma once
// One connection to one Redis: any number of coroutines send commands, which travel together and are
// answered in order. When it breaks, everyone who waits is told, once and for all: connections are not
// mended but made anew (redis_link.h).
//
//   auto connection = co_await RedisConnection::open(loop, dialer, node, options);
//   RedisOutcome outcome = co_await (*connection)->command(args, deadline);

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "rt/scope.h"
#include "rt/stream.h"
#include "store/wait_list.h"
#include "store/redis_options.h"
#include "store/redis_reader.h"
#include "upstream/dialer.h"

namespace suoke::store {

class RedisConnection;

struct RedisOutcome {
    Result<RedisValue> reply;  // an error reply is a value here; an Error says that none came
    bool sent = true;          // false: the server cannot have seen the command, so it may be sent again
};

// Waiting for one reply. Whoever gives up waiting is not missed: the reply is dropped when it comes.
class [[nodiscard]] RedisReply final : rt::Deferred, rt::Timer {
 public:
    RedisReply(rt::Loop& loop, RedisConnection& connection, std::uint64_t ticket, TimePoint deadline);
    RedisReply(rt::Loop& loop, Error refused) : loop_(loop), outcome_(RedisOutcome{std::move(refused), false}) {}
    ~RedisReply() { leave(); }
    RedisReply(const RedisReply&) = delete;
    RedisReply& operator=(const RedisReply&) = delete;

    bool await_ready() const noexcept { return outcome_.has_value(); }
    void await_suspend(std::coroutine_handle<> waiter);
    RedisOutcome await_resume() { return std::move(*outcome_); }

 private:
    friend class RedisConnection;
    void settle(RedisOutcome outcome);
    void leave();
    void run() override { waiter_.resume(); }
    void expired() override;

    rt::Loop& loop_;
    RedisConnection* connection_ = nullptr;
    std::uint64_t ticket_ = 0;
    TimePoint deadline_ = kNever;
    std::coroutine_handle<> waiter_;
    std::optional<RedisOutcome> outcome_;
};

// Is given what a subscriber's connection says. Must not destroy the connection from inside.
class RedisPushes {
 public:
    virtual void pushed(RedisValue value) = 0;

 protected:
    ~RedisPushes() = default;
};

class RedisConnection {
 public:
    // Connects (with TLS when the options have it), logs in, chooses the database, and has heard a PONG.
    // Within options.connect_timeout; Code::store_unavailable says where it ended.
    static rt::Task<Result<std::unique_ptr<RedisConnection>>> open(rt::Loop& loop, upstream::Dialer& dialer, RedisNode node,
                                                                   RedisOptions options);
    RedisConnection(rt::Loop& loop, rt::StreamPtr stream, RedisNode node, const RedisOptions& options);
    ~RedisConnection();  // whoever waits for a reply is told that there is none
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    // Queued now, sent with all others of this turn. `asking`: with ASKING before it (Cluster). Commands
    // that block (BLPOP, XREAD BLOCK) would hold up everybody else and are not for this.
    RedisReply command(std::span<const std::string> args, TimePoint deadline, bool asking = false);
    // From now on what the server says goes to `pushes`, and say() sends what has no reply of its own.
    void give_pushes_to(RedisPushes& pushes) { pushes_ = &pushes; }
    void say(std::span<const std::string> args);

    const RedisNode& node() const { return node_; }
    bool broken() const { return why_.has_value(); }
    const Error& why() const { return *why_; }
    void give_up(Error why);            // breaks it
    WaitList& ended() { return ended_; }    // told when it breaks; look at broken() first
    TimePoint last_heard() const { return last_heard_; }
    std::size_t in_flight() const { return slots_.size(); }

 private:
    friend class RedisReply;
    struct Slot {
        RedisReply* waiter = nullptr;   // null: nobody cares any more
        std::uint64_t begins_at = 0;    // in all that was ever queued
    };
    struct Silence final : rt::Timer {
        explicit Silence(RedisConnection& c) : connection(c) {}
        void expired() override { connection.fell_silent(); }
        RedisConnection& connection;
    };

    rt::Task<Result<void>> say_hello(RedisOptions options, TimePoint deadline);
    rt::Task<void> read_all();
    rt::Task<void> write_all();
    bool understand(std::string_view bytes);
    bool deliver(RedisValue value);
    std::optional<Error> no_room(std::size_t bytes) const;
    void queue(std::span<const std::string> args);
    std::uint64_t take_slot();
    void listen_for_silence();
    void fell_silent();

    rt::Loop& loop_;
    rt::StreamPtr stream_;
    const RedisNode node_;
    const Duration silence_after_;
    const std::size_t most_in_flight_, most_queued_bytes_;
    RedisReader reader_;
    RedisPushes* pushes_ = nullptr;

    std::deque<Slot> slots_;            // in the order the replies will come
    std::uint64_t first_ticket_ = 0;    // of slots_.front()
    std::string out_;                   // queued, the first `out_done_` bytes of it are sent
    std::size_t out_done_ = 0;
    std::uint64_t queued_ = 0, sent_ = 0;  // bytes, ever
    TimePoint last_heard_;
    Silence silence_{*this};
    WaitList work_{loop_}, ended_{loop_};
    std::optional<Error> why_;
    rt::TaskScope scope_;  // the last member: its tasks use all the others
};

}  // namespace suoke::store
