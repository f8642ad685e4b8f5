// SPDX-License-Identifier: MIT
#pragma once
// A worker with its thread and its listening socket. Control talks to it by posting to its loop.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/key_desk.h"
#include "app/tls_door.h"
#include "gateway/worker.h"

namespace suoke::app {

struct WorkerSetup {
    std::uint32_t index = 0;
    bool pinned = false;
    gateway::Shared& shared;
    gateway::AccessLog* access_log = nullptr;
    // Of control, which is asked for keys that nobody has.
    rt::Loop& control;
    rt::TaskScope& control_tasks;
    KeySources& keys;
};

class WorkerThread {
 public:
    WorkerThread(const WorkerSetup& setup, const Clock& clock);
    ~WorkerThread();

    // Before start(), or in the worker's own thread.
    // `shared`: the socket of a Unix path, which the workers share; otherwise each opens its own.
    Result<rt::Address> listen(const rt::Address& address, int backlog, std::shared_ptr<rt::UnixSocket> shared);

    std::vector<gateway::StreamFacts> list_streams() { return worker_.list_streams(); }
    void keep_answers_in(gateway::AnswerStore& store) { worker_.keep_answers_in(&store); }   // before start()
    void adopt(const balance::MembersPtr& members) { worker_.adopt(members); }
    void adopt(const gateway::SessionKeys& keys) { worker_.adopt(keys); }
    void adopt(const auth::KeyRingPtr& ring) { worker_.adopt(ring); }
    void adopt(const auth::RevocationsPtr& revoked) { worker_.adopt(revoked); }
    // What a site needs comes with it: no request may find it without.
    void adopt(gateway::SitePtr site, const std::vector<balance::MembersPtr>& members, const auth::KeyRingPtr& ring) {
        door_.adopt(site);
        worker_.adopt(ring);
        for (const balance::MembersPtr& each : members) worker_.adopt(each);
        worker_.adopt(std::move(site));
    }
    // The TLS listener; closing it leaves its connections alone.
    Result<rt::Address> listen_tls(const rt::Address& address, int backlog) { return door_.listen(address, backlog); }
    void close_tls() { door_.close(); }

    void start();
    rt::Loop& loop() { return loop_; }
    // In the worker's thread: no new connections, running exchanges have until `deadline`; then the
    // thread ends and `stopped` is called from it.
    void drain(TimePoint deadline, std::function<void()> stopped);
    void cut_now();
    // Control's note that it was told `stopped`; in control's thread.
    void set_stopped() { has_stopped_ = true; }
    bool has_stopped() const { return has_stopped_; }
    void join() { thread_.join(); }

 private:
    void take(std::unique_ptr<rt::Listener> listener);
    void end_of_turn();
    void count_pauses();

    std::uint32_t index_;
    bool pinned_;
    rt::Loop loop_;
    std::optional<gateway::AccessLogBuffer> lines_;
    upstream::SocketDialer dialer_;
    KeyDesk desk_;
    gateway::Worker worker_;
    TlsDoor door_;
    std::unique_ptr<rt::Listener> listener_;
    std::function<void()> stopped_;      // set while draining
    TimePoint drain_deadline_ = kNever;
    std::uint64_t pauses_told_ = 0;      // of listener_, already in the metrics
    bool has_stopped_ = false;           // control's thread alone looks at it
    std::thread thread_;
};

}  // namespace suoke::app
