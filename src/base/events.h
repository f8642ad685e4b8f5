// SPDX-License-Identifier: MIT
#pragma once
// The one stream of facts about the gateway itself: an instance registered, an endpoint ejected, a
// breaker opened, a configuration applied. Every fact has a number, goes to the log, and is kept for a
// while for whoever streams them.
//
//   events.tell(Level::warning, "endpoint.ejected", {{"endpoint", name}, {"because", "connection refused"}});

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"

namespace suoke {

struct Event {
    std::uint64_t id = 0;   // 1, 2, 3 ... of this process
    WallTime at{};
    std::string type;       // "endpoint.ejected"
    std::string data;       // a JSON object
};

// Thread-safe.
class Events {
 public:
    static constexpr std::size_t kKept = 1024;
    // `log` may be null: a test's.
    explicit Events(const Clock& clock, Log* log = nullptr) : clock_(clock), log_(log) {}

    void tell(Level level, std::string_view type, std::initializer_list<LogField> fields);
    // To the log alone, at debug: what only somebody who looks for a fault wants to know, perhaps once a request.
    void explain(std::string_view type, std::initializer_list<LogField> fields);
    // Those after `id` that are still kept, the oldest first.
    std::vector<Event> after(std::uint64_t id, std::size_t most = kKept) const;
    std::uint64_t newest() const { return newest_.load(std::memory_order_acquire); }
    // Called after each event, in the thread that told it; must not block or tell. One listener.
    void set_listener(std::function<void()> listener);

 private:
    const Clock& clock_;
    Log* log_;
    mutable std::mutex mutex_;
    std::deque<Event> kept_;
    std::function<void()> listener_;
    std::atomic<std::uint64_t> newest_{0};
};

}  // namespace suoke
