// SPDX-License-Identifier: MIT
#include "gateway/worker.h"

#include <algorithm>

#include "base/text.h"
#include "gateway/serve.h"
#include "http/connection.h"

namespace suoke::gateway {

// No 1xx once the final head is out (RFC 9110 §15.2): an exchange may answer before its upstream does.
class OneHead final : public http::Responder {
 public:
    explicit OneHead(http::Responder& out) : out_(out) {}
    rt::Task<http::Sent> send(http::Response response) override {
        begun_ = true;
        return out_.send(std::move(response));
    }
    rt::Task<void> interim(int status, const http::Headers& headers) override {
        return begun_ ? nothing() : out_.interim(status, headers);
    }

 private:
    static rt::Task<void> nothing() { co_return; }
    http::Responder& out_;
    bool begun_ = false;
};

// An exchange from its first word to its account in log and metrics, whichever way it ends: also
// when its coroutine is destroyed because the client left or the worker was cut.
class Worker::Visit {
 public:
    Visit(Worker& worker, http::Request& request, http::Responder& responder)
        : worker_(worker), responder_(responder), ex(worker, *worker.now_, *worker.now_->site, request, responder_) {
        ++ex.local.exchanges;
        worker_.cells_.requests_active.add(1);
    }
    ~Visit() {
        worker_.cells_.requests_active.add(-1);
        worker_.finished(ex);
        worker_.let_go(ex.local);
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

 private:
    Worker& worker_;
    OneHead responder_;

 public:
    Exchange ex;
};

Worker::Worker(std::uint32_t index, rt::Loop& loop, upstream::Dialer& dialer, Shared& shared, AccessLogBuffer* access_log,
               Random random)
    : index_(index),
      loop_(loop),
      dialer_(dialer),
      buffers_(shared.budget),
      pools_(loop, dialer, buffers_),
      shared_(shared),
      cells_(shared.metrics.worker(index)),
      all_tunnels_(shared.metrics.open_tunnels("")),
      access_log_(access_log),
      random_(random),
      streams_(loop, random_) {}

Worker::~Worker() {
    connections_.cancel();
    background_.cancel();
}

// ---- sites

void Worker::adopt(SitePtr site) {
    auto local = std::make_unique<LocalSite>();
    pools_.set_limits(site->pool);
    credentials_.cache.set_capacity(site->config.auth.token_cache);
    for (const auto& service : site->services) local->services.push_back(&local_service(service->name));
    local->cells.resize(site->route_count());
    local->tunnels.resize(site->route_count());
    auto add_cells = [&](const Route& route) {
        RouteLabels labels{route.name, route.path_template, route.service ? route.service->name : ""};
        local->cells[route.index] = &shared_.metrics.route(index_, labels);
        if (route.service) local->tunnels[route.index] = &shared_.metrics.open_tunnels(route.name);
    };
    for (const auto& route : site->routes) add_cells(*route);
    for (const auto* route : {site->no_route.get(), site->wrong_method.get(), site->unreadable.get()}) add_cells(*route);
    for (const suoke::limits::PolicyPtr& policy : site->policies) local->limits.push_back(&shared_.metrics.limit(index_, policy->name));
    if (site->limits_clients) shared_.limiter.open(site->config.rate_limit.max_keys);
    local->site = std::move(site);

    now_ = local.get();
    sites_.push_back(std::move(local));
    streams_.adopt(*now_->site);
    forget_old_sites();
}

void Worker::adopt(auth::RevocationsPtr revoked) {
    credentials_.revoked = revoked;
    streams_.adopt(std::move(revoked));
}

void Worker::let_go(LocalSite& local) {
    --local.exchanges;
    if (&local != now_ && local.exchanges == 0) forget_old_sites();
}

// A site that is no longer in force goes with its last exchange.
void Worker::forget_old_sites() {
    std::erase_if(sites_, [&](const auto& site) { return site.get() != now_ && site->exchanges == 0; });
    pools_.forget_unused();
}

// ---- services

LocalService& Worker::local_service(const std::string& name) {
    auto& local = services_[name];
    if (!local) {
        local = std::make_unique<LocalService>();
        local->name = name;
    }
    return *local;
}

LocalService* Worker::service_named(std::string_view name) {
    auto found = services_.find(name);
    return found == services_.end() || !found->second->view ? nullptr : found->second.get();
}

void Worker::adopt(balance::MembersPtr members) {
    LocalService& local = local_service(members->service);
    bool is_gone = members->all.empty() && !(now_ && now_->site->service_named(members->service));
    if (is_gone) {   // nobody registers as that any more
        local.view = nullptr;
        return pools_.forget_unused();
    }
    // Each worker begins elsewhere, or all would visit the first endpoint at the same time.
    std::uint32_t start = local.view ? local.view->cursor() : static_cast<std::uint32_t>(random_.below(std::max<std::size_t>(1, members->all.size())));
    ServiceViewPtr view(new ServiceView(std::move(members), random_, start, pools_));
    if (local.view) view->keep_connections_of(*local.view);
    local.view = std::move(view);
    pools_.forget_unused();
}

// ---- connections

void Worker::accepted(rt::StreamPtr stream, const rt::Address& peer) {
    cells_.connections_accepted.add();
    if (connections_.size() >= most_connections() || comes_past_the_proxy(peer)) {
        cells_.connections_refused.add();
        stream->reset_on_close();
        return;
    }
    connections_.spawn(connection(std::move(stream), peer));
}

// Whoever may open our Unix socket is believed, as the socket's permissions say; others by network.
bool Worker::is_known_proxy(const rt::Address& peer) const {
    if (peer.is_unix()) return true;
    for (const rt::Network& network : now_->site->proxy_protocol_from)
        if (network.contains(peer)) return true;
    return false;
}

http::ProxyUse Worker::proxy_use(const rt::Address& peer) const {
    http::ProxyUse use = now_->site->proxy_protocol;
    return use == http::ProxyUse::off || !is_known_proxy(peer) ? http::ProxyUse::off : use;
}

bool Worker::comes_past_the_proxy(const rt::Address& peer) const {
    return now_->site->proxy_protocol == http::ProxyUse::required && !is_known_proxy(peer);
}

// server.max_connections is the process': each worker may hold its share.
std::size_t Worker::most_connections() const {
    std::size_t all = now_->site->config.server.max_connections;
    return all ? (all + shared_.metrics.workers() - 1) / shared_.metrics.workers() : SIZE_MAX;
}

rt::Task<void> Worker::connection(rt::StreamPtr stream, rt::Address peer) {
    struct Count {
        WorkerCells& cells;
        ~Count() { cells.connections_open.add(-1); }
    } count{cells_};
    cells_.connections_open.add(1);
    if (http::ProxyUse use = proxy_use(peer); use != http::ProxyUse::off) {
        auto told = co_await http::read_proxy_header(*stream, use, deadline_after(loop_.now(), limits().header_timeout));
        if (!told) {
            cells_.refusals.add(told.error().code);
            co_return;
        }
        if (*told) peer = **told;
    }
    http::Connection session(*stream, peer, buffers_, *this);
    sessions_.push_back(session);
    if (draining_) session.drain();
    co_await session.run();
}

void Worker::drain(Duration window) {
    draining_ = true;
    streams_.drain(window);
    sessions_.for_each([](http::Session& session) { session.drain(); });
}

// ---- exchanges

rt::Task<void> Worker::handle(http::Request& request, http::Responder& responder) {
    Visit visit(*this, request, responder);
    if (buffers_.under_pressure()) visit.ex.refusal.emplace(Code::overloaded);
    co_await serve(visit.ex);
}

rt::Task<void> Worker::refuse(http::Request& request, Error error, http::Responder& responder) {
    cells_.refusals.add(error.code);
    Visit visit(*this, request, responder);
    visit.ex.refusal = std::move(error);
    co_await serve(visit.ex);
}

std::string_view Worker::date() {
    std::int64_t tenth = loop_.now().time_since_epoch() / std::chrono::milliseconds(100);
    if (tenth != date_tenth_) {
        date_tenth_ = tenth;
        date_ = http_date(loop_.clock().wall());
    }
    return date_;
}

// What a gRPC client knows in the end: what it was told, or what it makes of a broken stream.
static std::optional<int> grpc_status_of(const Exchange& ex, std::optional<Code> error) {
    if (ex.grpc == http::GrpcKind::none) return std::nullopt;
    if (error) return row(*error).grpc;
    return ex.grpc_status.value_or(static_cast<int>(http::GrpcStatus::unknown));
}

static std::string_view logged_subject(const Exchange& ex) {
    config::LogSubject how = ex.site.config.logging.subject;
    if (!ex.who || how == config::LogSubject::off) return {};
    return how == config::LogSubject::plain ? std::string_view(ex.who->subject) : std::string_view(ex.who->told.digest);
}

// The one account of an exchange, told to log and metrics.
void Worker::finished(Exchange& ex) {
    if (!ex.route) return;
    const http::RequestHead& head = ex.request.head;
    TimePoint now = loop_.fresh_now();
    Facts facts;
    facts.duration = now - ex.request.started;
    facts.started = loop_.clock().wall() - facts.duration;
    facts.method = head.method;
    facts.method_name = head.method_name;
    facts.protocol = http::version_name(head.version);
    facts.host = ex.host;
    facts.request_id = ex.request_id;
    facts.client_ip = ex.client_ip;
    facts.user_id = logged_subject(ex);
    if (const auto* agent = head.headers.find(http::HeaderId::user_agent)) facts.user_agent = *agent;
    facts.request_bytes = ex.request_bytes();
    facts.response_bytes = ex.sent.body_bytes;
    facts.route = ex.route->name;
    facts.path = ex.route->path_template;
    facts.client_gone = !ex.sent.complete && (!ex.failure || *ex.failure == Code::client_gone);
    facts.error = facts.client_gone ? std::optional(draining_ ? Code::cancelled : Code::client_gone) : ex.failure;
    facts.status = facts.client_gone && ex.status == 0 ? row(Code::client_gone).status : ex.status;
    facts.grpc_status = grpc_status_of(ex, facts.error);
    facts.service = ex.service_name();
    if (ex.endpoint) facts.endpoint = ex.endpoint->name;
    facts.attempts = ex.attempts;
    facts.connection_reused = ex.connection_reused;
    facts.upstream_connect = ex.upstream_connect;
    facts.upstream_head = ex.upstream_head;
    if (ex.attempts > 0) facts.upstream_total = now - ex.upstream_began;
    facts.worker = index_;
    record(facts, *ex.local.cells[ex.route->index]);
    if (ex.attempts > 1) cells_.retries.add(ex.attempts - 1);
    if (access_log_ && ex.site.config.logging.access) access_log_->append(facts);
}

// What has become due waits for as long as the turn before it takes. The mean is over time, not over
// turns: many short ones weigh no more than the time they take.
void Worker::weigh_load() {
    const config::LoadShedding& rules = now_->site->config.load_shedding;
    constexpr double kMemory = 500e6;   // nanoseconds
    auto turn = static_cast<double>(loop_.last_turn().count()), gone = static_cast<double>((loop_.now() - weighed_).count()) + turn;
    weighed_ = loop_.now();
    lag_ += (turn - lag_) * gone / (gone + kMemory);
    double by_time = rules.max_loop_lag > Duration::zero() ? lag_ / static_cast<double>(rules.max_loop_lag.count()) : 0;
    double memory = buffers_.share_used() * 100;
    if (!rules.enabled || (by_time <= 1 && memory <= rules.max_memory_percent)) shed_below_ = config::Importance::low;
    else if (by_time > 4) shed_below_ = config::Importance::critical;
    else if (by_time > 2 || memory > (100 + rules.max_memory_percent) / 2.0) shed_below_ = config::Importance::high;
    else shed_below_ = config::Importance::normal;
}

void Worker::end_of_turn() {
    cells_.loop_lag.add(loop_.last_turn());
    weigh_load();
    if (loop_.now() - flushed_ < std::chrono::milliseconds(100)) return;
    flushed_ = loop_.now();
    if (access_log_) access_log_->flush();
    upstream::PoolCounts counts = pools_.counts();
    cells_.upstream_open.set(static_cast<std::int64_t>(counts.open));
    cells_.upstream_idle.set(static_cast<std::int64_t>(counts.idle));
    cells_.upstream_opened.add(counts.opened - cells_.upstream_opened.value());
    cells_.upstream_reused.add(counts.reused - cells_.upstream_reused.value());
    cells_.buffer_bytes.set(static_cast<std::int64_t>(buffers_.leased()));
}

}  // namespace suoke::gateway
