// SPDX-License-Identifier: MIT
#pragma once
// One limit at several gateways. A key's bucket is cut into shares; each is a bucket of its own with that part
// of the rate and of the burst, and the gateway that holds it decides alone, without waiting for anybody:
//
//   - Cutting a bucket leaves both parts as full as it was; pouring two together gives the mean. So whatever is
//     moved, all parts together are never more than the one limit.
//   - Until a key is settled, each of N gateways holds 1/N of it. That is exact already, and costs nothing; only
//     a key that has used an eighth of its share at some gateway (or is refused) is told to Redis at all.
//   - What is not lent lies in Redis, one record a key. A gateway says what it holds, how full that is and what
//     it wants; a script there (kSettle) gives it what is free, or says to what it should come down: all wishes
//     are met up to the same level (max-min fair). It comes down first and tells then, so nothing is there twice.
//   - Calls carry up to 100 keys (about 2 ms of Redis' time). A key that is short is told 20 times a second at most, others every second, so
//     4 gateways with one hot key send about 40 commands a second, whatever the traffic.
//   - What a gateway let through before its key was settled is a debt of its share, and what does not fit in
//     there is owed by the record: paid before anything is granted again.
//
// Bound: where the gateways of a key are settled, exact. A key that turns up at a gateway while others have used
// the limit up gets what that one thought was its own: an eighth of its 1/N, and what comes until Redis has
// answered, which is never more than the 1/N. That is paid back, so it counts once: all together never more than
// rate x time + burst + (N-1)/N burst. (A limit so small that 1/N is no whole request lets one through at each.)
// The other way round, a key that sends more than 1/N of its burst through one gateway in less than about 10 ms
// may be refused though others have some left.
//
// Redis away: everybody keeps what it holds. Around the end of kLease all go back to 1/N: who has more shortly before it,
// when Redis cannot have given that to anybody else yet; who has less shortly after it, and what it gains begins used up.
// So does what is free when Redis comes back, or has lost its data, and for kReturn it is lent to nobody: gateways come
// back one after the other, and each goes on with its 1/N until it does. Nobody bursts.
//
// One gateway that alone is cut off from Redis cannot be told from one that is gone: after kLease the others have the
// whole limit, and it goes on with its 1/N.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "limits/limiter.h"

namespace suoke::limits {

// KEYS: the records. ARGV: who asks, how long what he holds is his without another word (microseconds), how long all take
// to come back after Redis has, the time (empty: Redis' own), then for each key what Report has, in order. Answers four
// numbers a key, as in Answer.
extern const char* const kSettle;
// KEYS: the gateways, the seed. ARGV: who asks, how long he counts (milliseconds), a seed if there is none.
// Answers how many gateways there are, and the seed.
extern const char* const kGreet;

constexpr Duration kLease = std::chrono::seconds(10);
constexpr Duration kReturn = std::chrono::seconds(12);   // the longest pause of store::Redis between two attempts, and some

// Shares are parts of 65536; `ahead` is how far the bucket's arrival time is ahead of now.
struct Report {
    std::uint32_t have = 0;
    std::int64_t ahead = 0;        // microseconds
    std::uint32_t want = 0;
    std::uint32_t usual = 0;       // 1/N
    std::uint32_t least = 0;       // of which a request can be granted
    std::int64_t depth = 0;        // microseconds
    bool served = false;           // while nobody had a record of it, so what is free may be used up
    bool leaves = false;           // gives everything back and forgets the key
};
struct Answer {
    std::uint32_t share = 0;       // holds this now
    std::uint32_t target = 0;      // should come down to this
    std::int64_t further = 0;      // microseconds to put its arrival time ahead, or back
    bool busy = false;             // others use it, or something is owed: do not forget it
};

// This gateway's side, without I/O. Control's; the cells are the workers' at the same time.
class Shares {
 public:
    struct Call {
        std::vector<Hash> hashes;
        std::vector<Report> reports;
    };
    static constexpr std::size_t kKeysPerCall = 100, kCallsPerRound = 4;
    static constexpr std::size_t kMostKeys = 50'000;

    explicit Shares(Limiter& limiter) : limiter_(limiter) {}

    // What is to be told now. Every call has to be answered or lost.
    std::vector<Call> due(TimePoint now);
    void answered(const Call& call, const std::vector<Answer>& answers, TimePoint now);
    void lost(const Call& call, TimePoint now);
    // What else was told to Redis, or could not be.
    void back(TimePoint now);
    void away(TimePoint now);
    void forget();     // every key; none is shared from now on
    std::size_t size() const { return keys_.size(); }
    bool is_away() const { return away_since_ != kNever; }

 private:
    struct Key {
        PolicyPtr policy;
        Hash hash;
        std::uint32_t share = 0, target = 0;
        std::uint32_t asked = 0;       // as the cell counts, when it was last told
        double demand = 0;             // part of the limit
        TimePoint told = kNever;       // kNever: not yet
        TimePoint confirmed{};         // when that was told which was answered last
        TimePoint used{};              // last seen asking
        int answers = 0;
        bool booked = false;           // Redis knows what we hold
        bool served = false;
        bool starved = false;          // it got nothing of what it wanted
        bool busy = false;
        bool under_way = false;
    };
    struct Look {                      // at a key's cell
        std::uint64_t ahead = 0;       // nanoseconds
        std::uint32_t asked = 0;
    };
    void take_in(TimePoint now);
    bool look(const Key& key, TimePoint now, Look& into);
    bool is_due(const Key& key, const Look& look, TimePoint now) const;
    Report report(Key& key, const Look& look, TimePoint now);
    double demand_of(const Key& key, const Look& look, TimePoint now) const;
    void set_share(Key& key, std::uint32_t share, std::int64_t further, TimePoint now);
    void release(const Key& key);
    void stand_alone(Key& key, TimePoint now);
    bool others_may_be_alone(TimePoint now) const { return is_away() || now < all_back_; }

    Limiter& limiter_;
    std::unordered_map<std::uint64_t, Key> keys_;   // by tag
    std::uint64_t next_ = 0;       // the key with which the next round begins
    TimePoint away_since_ = kNever;
    TimePoint all_back_{};
};

}  // namespace suoke::limits
