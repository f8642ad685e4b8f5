// SPDX-License-Identifier: MIT
#pragma once
// Answers that several gateways share, behind those that each has in memory. Somewhere else holds them (the Remote);
// it is asked by a miss for a bounded time, told in passing of what is stored, and when it is away it is as if there
// were none.
//
//   bool found = co_await second.fetch(loop, question);   // true: it lies in the Store now, look again
//   second.keep(kept);                                    // later, by somebody else
//
// What is void: all gateways write what they purge into one log, which counts it, and read it a few times a second.
// An answer remembers how far its gateway had read when it asked the service, so whoever has read further knows
// whether anything that it hangs on was purged since. What was purged here and is not in the log yet is void at once.

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "cache/encoding.h"
#include "cache/store.h"
#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::cache {

class SecondLevel final : public Marks::Herald {
 public:
    // Lives in a loop of its own and is called from any.
    class Remote {
     public:
        // What lies under each key; empty: nothing. For who runs in `own`.
        virtual rt::Task<Result<std::vector<std::string>>> read(rt::Loop& own, std::vector<std::string> keys) = 0;
        // Later, or not at all.
        virtual void write(std::string key, std::string value, Duration lifetime) = 0;
        virtual void erase(std::vector<std::string> keys) = 0;
        // There is something for take_purges().
        virtual void purges_wait() = 0;

     protected:
        ~Remote() = default;
    };
    static constexpr Duration kLongest = std::chrono::hours(24);   // that anything lies there
    static constexpr Duration kInStep = std::chrono::seconds(2);   // after that the log has to be read again
    static constexpr Duration kPause = std::chrono::seconds(1);    // after it failed somebody

    SecondLevel(Store& store, CacheCells& cells, Remote& remote);
    SecondLevel(const SecondLevel&) = delete;
    SecondLevel& operator=(const SecondLevel&) = delete;

    // ---- those who want answers

    // As Store has it: `own` is of who asked, empty: nobody, or no gateway but this one would know it by that.
    struct Names {
        std::string_view shared, own;
    };
    struct Question {
        Names names;
        bool authorized = false;          // what lies under `shared` must be for everyone
        bool only_fresh = false;
        std::string_view host, path;      // what purges it
        const http::Headers& request;
        Stamp stamp = 0;                  // Marks::now() of the store, when it was asked for
        TimePoint until{};
    };
    struct Kept {
        Names names;
        bool is_own = false;
        EntryPtr entry;
        const http::Headers& request;
        Stamp position = 0;               // position(), when the service was asked
        std::uint64_t largest = 0;
    };

    bool usable(TimePoint now) const;
    // How far the log was read: whatever is purged later has a greater number.
    Stamp position() const { return position_.load(std::memory_order_acquire); }
    rt::Task<bool> fetch(rt::Loop& loop, const Question& question);
    void keep(rt::Loop& loop, const Kept& kept);
    void forget(const Names& names, const Entry& entry, const http::Headers& request);

    // Marks::Herald
    void purged(const Purge& what) override;

    // ---- who keeps the log

    struct News {
        std::string record;
        Stamp when = 0;
    };
    // The next that others do not know of yet, as records of the log; they wait until they are read there, or
    // until they are given back.
    std::vector<std::string> take_purges(std::size_t most);
    void give_back_purges();
    // What the log has, in its order. `floor`: what came before that is not in it any more.
    void read(const std::vector<News>& news, Stamp floor);
    // It was begun anew: nobody knows what was purged before.
    void begin_again();
    void in_step(TimePoint now) { in_step_until_.store((now + kInStep).time_since_epoch().count(), std::memory_order_relaxed); }
    void out_of_step() { in_step_until_.store(0, std::memory_order_relaxed); }
    // The first record of a log: what lies there is older than it, and void.
    static std::string first_record();

 private:
    static constexpr std::size_t kMostPending = 1000;   // then all is purged instead
    struct Pending {
        std::string record;
        Slot slot = 0;
        bool all = false, sent = false;
    };
    // Somewhere an answer may lie.
    struct Place {
        std::string_view key;
        std::string name, digest, selection;
        bool own = false;
    };
    static std::vector<Place> places_of(const Names& names);
    static Place variant_of(Place place, const std::vector<std::string>& vary, const http::Headers& request);
    std::optional<Parcel> open(const Place& place, std::string_view bytes, const rt::Loop& loop);
    bool take(const Place& place, Parcel& parcel, const Question& question, TimePoint now);
    bool stands(Stamp stamp, std::string_view host, std::string_view path, const Entry& entry);
    void failed(TimePoint now);
    std::string record_of(const Purge& what) const;
    void read_one(const News& news);
    void count(std::atomic<std::uint64_t>& cell) { cell.fetch_add(1, std::memory_order_relaxed); }

    Store& store_;
    CacheCells& cells_;
    Remote& remote_;
    const std::string origin_;                         // of our records
    Marks log_;                                        // what was purged, with the log's stamps
    std::atomic<Stamp> position_{0};
    std::atomic<std::int64_t> in_step_until_{0}, paused_until_{0};
    std::mutex mutex_;                                 // of pending_
    std::vector<Pending> pending_;
};

}  // namespace suoke::cache
