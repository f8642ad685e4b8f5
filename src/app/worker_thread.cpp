// SPDX-License-Identifier: MIT
#include "app/worker_thread.h"

#include "rt/process.h"

namespace suoke::app {

WorkerThread::WorkerThread(const WorkerSetup& setup, const Clock& clock)
    : index_(setup.index),
      pinned_(setup.pinned),
      loop_(clock),
      dialer_(loop_),
      desk_(loop_, setup.control, setup.control_tasks, setup.keys),
      worker_(setup.index, loop_, dialer_, setup.shared,
              setup.access_log ? &lines_.emplace(*setup.access_log) : nullptr, Random::from_system()),
      door_(worker_, setup.shared.metrics.workers()) {
    worker_.credentials().desk = &desk_;
    loop_.set_turn_end([this] { end_of_turn(); });
}

WorkerThread::~WorkerThread() {
    if (!thread_.joinable()) return;
    loop_.post([this] { loop_.stop(); });
    thread_.join();
}

Result<rt::Address> WorkerThread::listen(const rt::Address& address, int backlog, std::shared_ptr<rt::UnixSocket> shared) {
    if (shared) {
        take(rt::listen(loop_, std::move(shared), worker_));
        return address;
    }
    auto opened = rt::listen(loop_, address, backlog, worker_);
    if (!opened) return opened.error();
    take(std::move(*opened));
    return listener_->address();
}

void WorkerThread::take(std::unique_ptr<rt::Listener> listener) {
    if (listener_) listener_->accept_pending();
    listener_ = std::move(listener);
    pauses_told_ = 0;
}

void WorkerThread::start() {
    thread_ = std::thread([this] {
        rt::name_this_thread("worker-" + std::to_string(index_));
        if (pinned_) rt::pin_this_thread(index_);
        loop_.run();
    });
}

void WorkerThread::drain(TimePoint deadline, std::function<void()> stopped) {
    if (listener_) listener_->accept_pending();
    listener_.reset();
    door_.close();
    drain_deadline_ = deadline;
    stopped_ = std::move(stopped);
    worker_.drain(deadline - loop_.now());
}

void WorkerThread::count_pauses() {
    std::uint64_t pauses = listener_->pauses();
    worker_.cells().accept_pauses.add(pauses - pauses_told_);
    pauses_told_ = pauses;
}

void WorkerThread::cut_now() { drain_deadline_ = loop_.now(); }

void WorkerThread::end_of_turn() {
    worker_.end_of_turn();
    if (listener_) count_pauses();
    if (!stopped_) return;
    if (loop_.now() >= drain_deadline_) {
        door_.cut();
        worker_.cut();
    }
    if (!worker_.quiet() || !door_.quiet()) return;
    if (lines_) lines_->flush();
    loop_.stop();
    std::exchange(stopped_, nullptr)();
}

}  // namespace suoke::app
