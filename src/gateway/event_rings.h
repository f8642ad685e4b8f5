// SPDX-License-Identifier: MIT
#pragma once
// The latest events of event streams, for clients that come back and name the last one they have seen
// (WHATWG HTML §9.2.4, Last-Event-ID). Shared by all workers: a client may come back to another one.
//
//   rings.record(key, this, {"7", "id: 7\ndata: a\n\n"}, limits, now);
//   auto missed = rings.after(key, "7", limits, now);      // nothing: that id is not here
//
// A key stands for one subject's stream, so nobody is given another's events.

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace suoke::gateway {

class EventRings {
 public:
    struct Limits {
        std::size_t events = 256;         // of one ring
        std::uint64_t bytes = 256 * 1024; // of one ring
        Duration keep = 5min;             // after its last event
        std::uint64_t memory = 16 << 20;  // of all rings together; the one not used longest goes first
    };
    struct Event {
        std::string id;     // that a client has seen last once it has seen this
        std::string bytes;  // as the upstream wrote it, with the blank line behind it
    };
    struct Missed {
        std::string bytes;
        std::string last_id;
    };

    // Of several streams with the same key (two pages of one person) one records, so that each event
    // is here once; when it has left, the next one goes on. `who`: the stream.
    void record(const std::string& key, const void* who, Event event, const Limits& limits, TimePoint now);
    // `who` has one that cannot be kept: what came before it is of no use to anybody.
    void gap(const std::string& key, const void* who);
    void leave(const std::string& key, const void* who);

    // Everything behind the first event that left a client with this id. Events without an id of their
    // own come again: whether the client has seen those, nobody knows.
    std::optional<Missed> after(const std::string& key, std::string_view id, const Limits& limits, TimePoint now);

    std::uint64_t bytes() const;  // held by all rings together, their own size included

 private:
    struct Ring {
        std::string key;
        std::deque<Event> events;
        std::uint64_t bytes = 0;
        const void* recorder = nullptr;
        TimePoint used{};
    };
    using Rings = std::list<Ring>;  // the one used last is the first

    Rings::iterator find(const std::string& key, const Limits& limits, TimePoint now);
    Rings::iterator open(const std::string& key, TimePoint now);
    void drop(Rings::iterator ring);
    void drop_first_event(Ring& ring);
    void make_room(const Limits& limits, TimePoint now);

    mutable std::mutex mutex_;
    Rings rings_;
    std::map<std::string, Rings::iterator, std::less<>> by_key_;
    std::uint64_t bytes_ = 0;
};

}  // namespace suoke::gateway
