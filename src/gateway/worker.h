// SPDX-License-Identifier: MIT
#pragma once
// What one thread owns: its loop, its buffers, its upstream connections, its share of every counter,
// and its view of the site in force. Nothing here is touched by another thread, except the counters,
// which anyone may read.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/credentials.h"
#include "base/metrics.h"
#include "base/random.h"
#include "gateway/access_log.h"
#include "gateway/answer_store.h"
#include "gateway/open_questions.h"
#include "gateway/open_streams.h"
#include "gateway/shared.h"
#include "gateway/site.h"
#include "http/handler.h"
#include "http/session.h"
#include "rt/buffer.h"
#include "rt/scope.h"
#include "upstream/pools.h"

namespace suoke::gateway {

// A site as one worker uses it: with its pools and counters looked up once. Counted by the exchanges
// that run on it, without atomics: it never leaves its worker.
struct LocalSite {
    SitePtr site;
    std::vector<LocalService*> services;               // [service]
    std::vector<RouteCells*> cells;                    // [route]
    std::vector<SharedCount*> tunnels;                 // [route] that forwards; of all workers
    std::vector<LimitCells*> limits;                   // [policy]
    int exchanges = 0;
};

class Worker final : public http::Handler, public rt::Acceptor {
 public:
    Worker(std::uint32_t index, rt::Loop& loop, upstream::Dialer& dialer, Shared& shared, AccessLogBuffer* access_log,
           Random random);
    ~Worker();

    // From now on new exchanges see `site`; running ones end on the one they began with.
    void adopt(SitePtr site);
    // Who is in a service, from now on; running exchanges keep those they have chosen.
    void adopt(balance::MembersPtr members);
    void adopt(const SessionKeys& keys) { session_keys_ = keys; }
    // What tokens are verified with from now on, and which are void, open streams' included.
    void adopt(auth::KeyRingPtr keys) { credentials_.ring = std::move(keys); }
    void adopt(auth::RevocationsPtr revoked);
    // Every connection ends with its present exchanges; open streams end one by one within `window`.
    void drain(Duration window = Duration::zero());
    void cut() { connections_.cancel(); }
    bool quiet() { return connections_.idle(); }
    void end_of_turn();                 // once a loop turn: logs, gauges
    std::size_t connection_count() const { return connections_.size(); }

    rt::Loop& loop() { return loop_; }
    rt::BufferPool& buffers() { return buffers_; }
    upstream::Dialer& dialer() { return dialer_; }        // for the gateway's own questions
    auth::Credentials& credentials() { return credentials_; }
    OpenQuestions& questions() { return questions_; }     // about credentials
    Random& random() { return random_; }
    WorkerCells& cells() { return cells_; }
    OpenStreams& streams() { return streams_; }
    std::vector<StreamFacts> list_streams() { return streams_.list(index_); }
    SharedCount& all_tunnels() { return all_tunnels_; }   // of all workers
    EventRings& event_rings() { return shared_.event_rings; }
    suoke::limits::Limiter& limiter() { return shared_.limiter; }   // of all workers
    Events& events() { return shared_.events; }
    // For answers to requests with an Idempotency-Key; null: there is none. Set before the worker runs; outlives it.
    AnswerStore* answers() { return answers_; }
    void keep_answers_in(AnswerStore* store) { answers_ = store; }
    const SessionKeys& session_keys() const { return session_keys_; }
    config::Importance shed_below() const { return shed_below_; }

    // By name, of those that have members; null: there is none.
    LocalService* service_named(std::string_view name);
    template <class Visit>
    void each_service(Visit visit) const {   // by name
        for (const auto& [name, service] : services_)
            if (service->view || now_->site->service_named(name)) visit(*service);
    }
    rt::TaskScope& background() { return background_; }
    cache::Store& cache() { return shared_.cache; }       // of all workers
    rt::TaskScope& errands() { return errands_; }         // what is asked for on no client's time
    bool draining() const { return draining_; }

    // rt::Acceptor
    void accepted(rt::StreamPtr stream, const rt::Address& peer) override;
    // http::Handler
    rt::Task<void> handle(http::Request& request, http::Responder& responder) override;
    rt::Task<void> refuse(http::Request& request, Error error, http::Responder& responder) override;
    const http::SessionLimits& limits() const override { return now_->site->limits; }
    std::string_view date() override;

 private:
    class Visit;
    std::size_t most_connections() const;
    bool is_known_proxy(const rt::Address& peer) const;
    bool comes_past_the_proxy(const rt::Address& peer) const;
    http::ProxyUse proxy_use(const rt::Address& peer) const;
    rt::Task<void> connection(rt::StreamPtr stream, rt::Address peer);
    void finished(Exchange& ex);
    void let_go(LocalSite& local);
    void forget_old_sites();
    LocalService& local_service(const std::string& name);
    void weigh_load();

    const std::uint32_t index_;
    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool buffers_;
    upstream::Pools pools_;
    Shared& shared_;
    SessionKeys session_keys_{shared_.session_key, {}};
    AnswerStore* answers_ = nullptr;
    auth::Credentials credentials_;
    OpenQuestions questions_;
    WorkerCells& cells_;
    SharedCount& all_tunnels_;
    AccessLogBuffer* access_log_;
    Random random_;
    std::map<std::string, std::unique_ptr<LocalService>, std::less<>> services_;  // of all sites, by name
    std::vector<std::unique_ptr<LocalSite>> sites_;    // the newest is the last
    LocalSite* now_ = nullptr;
    rt::List<http::Session> sessions_;
    OpenStreams streams_;
    bool draining_ = false;
    config::Importance shed_below_ = config::Importance::low;   // less important ones are refused
    TimePoint weighed_{};
    double lag_ = 0;                                            // of the loop, smoothed, in nanoseconds
    std::string date_;
    std::int64_t date_tenth_ = -1;
    TimePoint flushed_{};
    rt::TaskScope connections_;                        // ends before everything above
    rt::TaskScope background_;                         // what no client waits for (mirrors)
    rt::TaskScope errands_;                            // what outlives the client it was begun for
};

}  // namespace suoke::gateway
