// SPDX-License-Identifier: MIT
#pragma once
// One thread's event loop: edge-triggered epoll, timers, an inbox for other threads. Coroutines are
// resumed from here and nowhere else, so whatever is destroyed by an event is never running.
// A test drives the same loop by `settle()` with a ManualClock; no thread, no waiting.

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "rt/list.h"
#include "rt/timers.h"

struct epoll_event;

namespace suoke::rt {

class Loop;

// A file descriptor the loop watches. Registered once, for everything; no system call afterwards.
class Watched {
 public:
    virtual void on_events(std::uint32_t epoll_events) = 0;

 protected:
    ~Watched() = default;
};

// Something to do at loop level soon; forgotten when it dies.
class Deferred : public ListHook<Deferred> {
 public:
    virtual void run() = 0;

 protected:
    ~Deferred() = default;
};

class Loop {
 public:
    explicit Loop(const Clock& clock);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // The loop's owner thread.
    void run();                      // until stop()
    void stop() { stopped_ = true; }
    void settle();                   // everything that can happen now, without waiting
    TimePoint now() const { return now_; }          // read once per turn
    TimePoint fresh_now() { return now_ = clock_.now(); }
    const Clock& clock() const { return clock_; }
    Timers& timers() { return timers_; }
    void defer(Deferred& work) {
        if (!work.linked()) deferred_.push_back(work);
    }
    void watch(int fd, std::uint32_t epoll_events, Watched& watched);
    void rewatch(int fd, std::uint32_t epoll_events, Watched& watched);
    void unwatch(int fd, Watched& watched);         // before closing the fd
    void unwatch_shared(int fd, Watched& watched);  // ... when others keep it open
    // Called once a turn, before waiting; for flushing what a turn has gathered.
    void set_turn_end(std::function<void()> hook) { turn_end_ = std::move(hook); }
    Duration last_turn() const { return last_turn_; }  // how long the last turn's work took

    // Any thread: runs `work` in the loop's thread.
    void post(std::function<void()> work);

 private:
    void turn(bool may_wait);
    void dispatch(int count);
    void run_deferred();
    void drain_inbox();
    int wait_milliseconds() const;

    const Clock& clock_;
    TimePoint now_;
    Timers timers_;
    List<Deferred> deferred_;
    int epoll_ = -1;
    int wake_ = -1;  // eventfd
    bool stopped_ = false;
    Duration last_turn_{};
    std::function<void()> turn_end_;

    epoll_event* events_ = nullptr;  // of the turn, while they are dispatched
    int event_count_ = 0;
    std::vector<char> event_storage_;

    std::mutex inbox_mutex_;
    std::vector<std::function<void()>> inbox_;
    std::atomic<bool> inbox_full_ = false;
};

}  // namespace suoke::rt
