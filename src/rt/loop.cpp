// SPDX-License-Identifier: MIT
#include "rt/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace suoke::rt {

constexpr int kEventsPerTurn = 256;

Loop::Loop(const Clock& clock) : clock_(clock), now_(clock.now()), timers_(now_) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_ < 0 || wake_ < 0)
        throw StartupError("cannot create an event loop: out of file descriptors (raise ulimit -n)");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;  // the inbox
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
    event_storage_.resize(kEventsPerTurn * sizeof(epoll_event));
}

Loop::~Loop() {
    ::close(wake_);
    ::close(epoll_);
}

void Loop::watch(int fd, std::uint32_t epoll_events, Watched& watched) {
    epoll_event event{};
    event.events = epoll_events;
    event.data.ptr = &watched;
    CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void Loop::rewatch(int fd, std::uint32_t epoll_events, Watched& watched) {
    epoll_event event{};
    event.events = epoll_events;
    event.data.ptr = &watched;
    CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Loop::unwatch(int fd, Watched& watched) {
    // Closing the descriptor takes it out of epoll; what this turn already fetched is forgotten here.
    (void)fd;
    for (int i = 0; i < event_count_; ++i)
        if (events_[i].data.ptr == &watched) events_[i].data.ptr = this;
}

void Loop::unwatch_shared(int fd, Watched& watched) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    unwatch(fd, watched);
}

void Loop::post(std::function<void()> work) {
    {
        std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(std::move(work));
    }
    if (!inbox_full_.exchange(true)) {
        std::uint64_t one = 1;
        [[maybe_unused]] auto written = ::write(wake_, &one, sizeof one);
    }
}

void Loop::drain_inbox() {
    if (!inbox_full_.exchange(false)) return;
    std::vector<std::function<void()>> work;
    {
        std::lock_guard lock(inbox_mutex_);
        work.swap(inbox_);
    }
    for (auto& item : work) item();
}

void Loop::run_deferred() {
    List<Deferred> batch;
    deferred_.splice_to(batch);
    while (Deferred* work = batch.pop_front()) work->run();
}

int Loop::wait_milliseconds() const {
    if (!deferred_.empty() || inbox_full_.load(std::memory_order_relaxed)) return 0;
    TimePoint next = timers_.next();
    if (next == kNever) return 1000;
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now_).count();
    return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 1000));
}

void Loop::dispatch(int count) {
    event_count_ = count;
    for (int i = 0; i < event_count_; ++i) {
        void* target = events_[i].data.ptr;
        if (target == this) continue;  // died earlier in this turn
        if (!target) {
            std::uint64_t drop = 0;
            [[maybe_unused]] auto got = ::read(wake_, &drop, sizeof drop);
            continue;
        }
        static_cast<Watched*>(target)->on_events(events_[i].events);
    }
    event_count_ = 0;
}

void Loop::turn(bool may_wait) {
    events_ = reinterpret_cast<epoll_event*>(event_storage_.data());
    int count = ::epoll_wait(epoll_, events_, kEventsPerTurn, may_wait ? wait_milliseconds() : 0);
    fresh_now();
    TimePoint began = now_;
    if (count > 0) dispatch(count);
    drain_inbox();
    run_deferred();
    timers_.advance(fresh_now());
    if (turn_end_) turn_end_();
    last_turn_ = now_ - began;
}

void Loop::run() {
    while (!stopped_) turn(true);
}

void Loop::settle() {
    // A turn in which nothing was ready and nothing was deferred ends it.
    for (int quiet = 0; quiet < 2;) {
        turn(false);
        bool busy = !deferred_.empty() || inbox_full_.load();
        quiet = busy ? 0 : quiet + 1;
    }
}

}  // namespace suoke::rt
