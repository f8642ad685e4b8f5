// SPDX-License-Identifier: MIT
#include "app/app.h"

#include <signal.h>

#include <fstream>
#include <sstream>

#include "app/roll_call.h"
#include "app/worker_thread.h"
#include "base/text.h"
#include "rt/hop.h"

namespace suoke::app {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

LogLevels levels_of(const config::Logging& logging) {
    LogLevels levels;
    levels.level = static_cast<Level>(logging.level);
    for (const auto& [module, level] : logging.modules) levels.modules[module] = static_cast<Level>(level);
    return levels;
}

LogFormat format_of(const config::Logging& logging) {
    return logging.format == config::LogFormat::json ? LogFormat::json : LogFormat::text;
}

LogOptions log_options(const config::Logging& logging) {
    LogOptions options;
    options.format = format_of(logging);
    options.levels = levels_of(logging);
    if (!logging.file.empty() && logging.file_enabled) {
        options.to = LogOptions::To::file;
        options.file = logging.file;
    }
    return options;
}

std::unique_ptr<gateway::AccessLog> access_log_of(const config::Logging& logging, const Clock& clock) {
    gateway::AccessLogOptions options;
    options.format = format_of(logging);
    if (logging.file_enabled) options.file = logging.file;
    return std::make_unique<gateway::AccessLog>(options, clock);
}

std::size_t workers_of(const config::Config& config) {
    return config.server.workers ? config.server.workers : rt::usable_cores();
}

std::string sentences_of(const std::vector<config::Problem>& problems) {
    std::string all;
    for (const config::Problem& problem : problems) all += (all.empty() ? "" : "\n") + to_string(problem);
    return all;
}

Result<rt::Address> listen_address(const config::Server& server) {
    auto address = rt::Address::parse(server.host == "localhost" ? "127.0.0.1" : server.host, server.port);
    if (address) return address;
    return Error(Code::invalid_config, "server.host: " + address.error().detail + " (listen on an IP address, localhost or unix:/path)");
}

// The workers' common socket when they listen on a path; nothing when each opens its own.
Result<std::shared_ptr<rt::UnixSocket>> shared_socket(const rt::Address& address, const config::Server& server) {
    if (!address.is_unix()) return std::shared_ptr<rt::UnixSocket>();
    auto mode = static_cast<unsigned>(std::stoul(server.unix_mode, nullptr, 8));  // checked when it was read
    return rt::UnixSocket::open(address, static_cast<int>(server.backlog), mode);
}

// Where the TLS listener is to be; nothing when there is none.
std::optional<rt::Address> tls_address_of(const gateway::Site& site, rt::Address plain) {
    if (!site.tls || plain.is_unix()) return std::nullopt;
    plain.set_port(site.config.server.tls.port);
    return plain;
}

std::string contents_of(const std::vector<std::string>& files) {
    std::string all;
    for (const std::string& file : files) all += read_file(file) + '\0';
    return all;
}

}  // namespace

// A configuration on its way to the workers, with what it changes of their listeners.
struct App::Reload {
    std::uint64_t generation = 0;
    TimePoint began{};
    std::size_t missing = 0;                          // workers that have not acknowledged yet
    std::optional<rt::Address> plain, secure;         // to be opened anew
    bool without_secure = false;
    int backlog = 0;
    std::shared_ptr<rt::UnixSocket> shared;           // of `plain`, when that is a path
    bool plain_failed = false, secure_failed = false;
};

App::App(AppOptions options, config::Loaded loaded)
    : options_(std::move(options)),
      control_(clock_),
      log_(log_options(loaded.config.logging), clock_),
      worker_count_(workers_of(loaded.config)),
      shared_(worker_count_, loaded.config.performance.buffer_budget, clock_, &log_),
      access_log_(access_log_of(loaded.config.logging, clock_)),
      tickets_(std::make_shared<rt::TicketKeys>(clock_, loaded.config.server.tls.ticket_rotation)),
      services_(control_, shared_, log_, status_, *tickets_),
      endpoint_sources_{status_, shared_.metrics, log_, access_log_.get(), control_, services_.tasks(), services_.directory()} {
    signals_ = rt::watch_signals(control_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int s) { on_signal(s); });
    ::signal(SIGPIPE, SIG_IGN);
    rt::raise_descriptor_limit();
    status_.version = options_.version;
    status_.started = clock_.wall();
    status_.started_at = clock_.now();
    file_content_ = read_file(options_.sources.yaml_path);

    tls_content_ = contents_of(tls_files(loaded.config));
    endpoint_sources_.revocations = &services_.revocations();
    std::vector<config::Problem> problems;
    auto builtins = endpoints::builtins(endpoint_sources_, loaded.config);
    site_ = compile(std::move(loaded.config), builtins, ++generation_, problems, tls_inputs());
    if (!site_) throw StartupError(sentences_of(problems));
    tell(loaded.problems);
    tell(problems);
    services_.set_listener([this](const balance::MembersPtr& members) { tell_workers(members); });
    services_.set_listener([this](const gateway::SessionKeys& keys) { tell_workers(keys); });
    services_.set_listener([this](const auth::KeyRingPtr& ring) { tell_workers(ring); });
    services_.set_listener([this](const auth::RevocationsPtr& revoked) { tell_workers(revoked); });
    endpoint_sources_.settled = [this] { return settled(); };
    endpoint_sources_.check_now = [this](std::string service) { return services_.check_now(std::move(service)); };
    std::vector<balance::MembersPtr> members = services_.adopt(*site_);
    endpoint_sources_.registry = services_.registry();
    status_.generation = generation_;
    status_.last_reload = status_.started.time_since_epoch() / std::chrono::seconds(1);

    Result<rt::Address> asked = listen_address(site_->config.server);
    if (!asked) throw StartupError(asked.error().detail);
    for (std::uint32_t i = 0; i < worker_count_; ++i) {
        WorkerSetup setup{i, site_->config.server.cpu_pinning, shared_, access_log_.get(), control_, services_.tasks(), services_.key_sources()};
        auto& worker = workers_.emplace_back(std::make_unique<WorkerThread>(setup, clock_));
        worker->adopt(site_, members, services_.key_ring());
        worker->keep_answers_in(services_.answers());
        worker->adopt(services_.session_keys());
        worker->adopt(services_.revoked());
    }
    open_listeners(*asked);
}

// Before the workers run. A port of 0 becomes a real one at the first, which the others share.
void App::open_listeners(const rt::Address& asked) {
    const config::Server& server = site_->config.server;
    plain_ = {asked, asked};
    secure_.asked = secure_.bound = tls_address_of(*site_, asked);
    auto shared = shared_socket(asked, server);
    if (!shared) throw StartupError(shared.error().detail);
    for (auto& worker : workers_) {
        auto listening = worker->listen(*plain_.bound, static_cast<int>(server.backlog), *shared);
        if (!listening) throw StartupError(listening.error().detail);
        plain_.bound = *listening;
        if (!secure_.bound) continue;
        auto tls = worker->listen_tls(*secure_.bound, static_cast<int>(server.backlog));
        if (!tls) throw StartupError(tls.error().detail);
        secure_.bound = *tls;
    }
}

App::~App() = default;

int App::run() {
    for (auto& worker : workers_) worker->start();
    running_ = workers_.size();
    if (!options_.sources.yaml_path.empty())
        file_ = rt::watch_file(control_, options_.sources.yaml_path, [this] {
            if (read_file(options_.sources.yaml_path) != file_content_) reload("file changed");
        });
    watch_tls_files();
    services_.start();
    status_.ready = true;
    if (secure_.bound) log_.info("app", "listening with TLS", {{"address", tls_address()}});
    rt::give_back_memory();
    if (const config::Auth& auth = site_->config.auth; !auth.enabled && !auth.is_on())
        log_.warning("app", "nobody is asked who they are: auth names nothing that clients could show (auth.enabled: false says that it is meant so)");
    log_.info("app", "listening", {{"address", address()}, {"workers", workers_.size()}, {"version", options_.version}});
    control_.run();
    for (auto& worker : workers_) worker->join();
    log_.info("app", "stopped");
    return 0;
}

void App::on_signal(int signal) {
    if (signal == SIGHUP) return reload("SIGHUP");
    if (signal == SIGUSR1) {
        access_log_->reopen();
        if (auto reopened = log_.reopen(); !reopened) log_.error("app", reopened.error().detail);
        return;
    }
    drain();
}

// ---- reload

void App::reload(const char* why) {
    if (draining_) return;
    log_.info("app", "reloading", {{"because", why}});
    file_content_ = read_file(options_.sources.yaml_path);
    config::Loaded loaded = config::load(options_.sources);
    tls_content_ = contents_of(tls_files(loaded.config));
    apply(std::move(loaded));
}

// Certificates are renewed by others, who tell nobody.
void App::watch_tls_files() {
    tls_watches_.clear();
    for (const std::string& file : tls_files(site_->config))
        tls_watches_.push_back(rt::watch_file(control_, file, [this] { tls_file_changed(); }));
}

void App::tls_file_changed() {
    if (contents_of(tls_files(site_->config)) != tls_content_) reload("certificate changed");
}

// Compile first; swap on every worker; report when all have acknowledged. A bad configuration leaves
// the one in force.
void App::apply(config::Loaded loaded) {
    std::vector<config::Problem> problems = loaded.problems;
    gateway::SitePtr site;
    if (loaded.ok()) {
        auto builtins = endpoints::builtins(endpoint_sources_, loaded.config);
        site = compile(std::move(loaded.config), builtins, generation_ + 1, problems, tls_inputs());
    }
    Result<rt::Address> asked = site ? listen_address(site->config.server) : rt::Address();
    if (!asked) {
        problems.push_back({config::Problem::error, {}, "server.host", asked.error().detail});
        site = nullptr;
    }
    status_.last_reload_ok = site != nullptr;
    tell(problems);
    if (!site) {
        log_.error("app", "configuration refused; the one before it stays in force");
        return;
    }
    for (const config::Change& change : config::diff(site_->config, site->config)) {
        if (!change.live)
            log_.warning("app", "takes a restart", {{"key", change.key}, {"from", change.from}, {"to", change.to}});
    }
    log_.set_levels(levels_of(site->config.logging));
    site_ = std::move(site);
    // The members of a new site's services reach each worker together with it: no request may find a
    // service that has nobody yet.
    std::vector<balance::MembersPtr> members = services_.adopt(*site_);
    endpoint_sources_.registry = services_.registry();
    tickets_->set_rotation(site_->config.server.tls.ticket_rotation);
    // Later: one of the watches may be what brought us here. What changed while nobody watched is
    // found by looking once more.
    control_.post([this] {
        watch_tls_files();
        tls_file_changed();
    });
    ++generation_;
    auto reload = std::make_shared<Reload>(begin_reload(*asked));
    for (auto& worker : workers_) {
        worker->loop().post([this, w = worker.get(), site = site_, members, ring = services_.key_ring(), reload]() mutable {
            w->adopt(std::move(site), members, ring);
            std::string plain_fault, secure_fault;
            if (reload->without_secure) w->close_tls();
            if (reload->secure)
                if (auto listening = w->listen_tls(*reload->secure, reload->backlog); !listening) secure_fault = listening.error().detail;
            if (reload->plain)
                if (auto listening = w->listen(*reload->plain, reload->backlog, reload->shared); !listening) plain_fault = listening.error().detail;
            control_.post([this, reload, plain_fault, secure_fault] { acknowledged(*reload, plain_fault, secure_fault); });
        });
    }
}

// Only a listener that changed is opened anew. What the workers are told counts as asked for at once, so that
// another reload that comes before their answers knows of it.
App::Reload App::begin_reload(const rt::Address& asked) {
    Reload reload;
    reload.generation = generation_;
    reload.began = control_.fresh_now();
    reload.missing = workers_.size();
    reload.backlog = static_cast<int>(site_->config.server.backlog);
    if (plain_.asked != asked) {
        auto opened = shared_socket(asked, site_->config.server);
        reload.plain_failed = !opened;
        if (opened) {
            reload.shared = std::move(*opened);
            reload.plain = plain_.asked = asked;
        } else {
            log_.error("app", "the old listener stays open", {{"reason", opened.error().detail}});
        }
    }
    std::optional<rt::Address> secure = tls_address_of(*site_, asked);
    reload.without_secure = !secure;
    if (secure != secure_.asked) reload.secure = secure_.asked = secure;
    if (!secure) secure_.bound.reset();
    return reload;
}

void App::acknowledged(Reload& reload, const std::string& plain_fault, const std::string& secure_fault) {
    for (const std::string* fault : {&plain_fault, &secure_fault})
        if (!fault->empty()) log_.error("app", "the old listener stays open", {{"reason", *fault}});
    reload.plain_failed |= !plain_fault.empty();
    reload.secure_failed |= !secure_fault.empty();
    if (--reload.missing > 0) return;
    // Some workers may be at the new address and others at the old one: the next reload asks all of them again.
    if (reload.plain && reload.plain_failed) plain_.asked.reset();
    if (reload.secure && reload.secure_failed) secure_.asked.reset();
    if (reload.plain && !reload.plain_failed) plain_.bound = reload.plain;
    if (reload.secure && !reload.secure_failed) secure_.bound = reload.secure;
    const bool failed = reload.plain_failed || reload.secure_failed;
    if (failed) status_.last_reload_ok = false;
    status_.generation = reload.generation;
    status_.last_reload = clock_.wall().time_since_epoch() / std::chrono::seconds(1);
    shared_.events.tell(Level::debug, "configuration.applied", {{"generation", reload.generation}});
    log_.write(failed ? Level::error : Level::info, "app", failed ? "configuration applied, but not to every listener" : "configuration applied",
               {{"generation", reload.generation}, {"workers", workers_.size()}, {"milliseconds", milliseconds(control_.fresh_now() - reload.began)}});
}

void App::tell(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems) {
        bool error = problem.severity == config::Problem::error;
        log_.write(error ? Level::error : Level::warning, "config", to_string(problem));
    }
}

// ---- services

template <class News>
void App::tell_workers(const News& news) {
    for (auto& worker : workers_)
        worker->loop().post([w = worker.get(), news] { w->adopt(news); });
}

// In the control loop: until every worker knows what was said before.
rt::Task<void> App::settled() {
    services_.directory().flush();
    std::vector<rt::Loop*> running;
    for (auto& worker : workers_)
        if (!worker->has_stopped()) running.push_back(&worker->loop());
    return call_the_roll(control_, std::move(running), std::chrono::seconds(1));
}

// ---- streams

rt::Task<std::vector<gateway::StreamFacts>> App::open_streams(rt::Loop& own) {
    std::vector<gateway::StreamFacts> all;
    for (auto& worker : workers_) {
        std::function<std::vector<gateway::StreamFacts>()> question = [w = worker.get()] { return w->list_streams(); };
        rt::Ask<std::vector<gateway::StreamFacts>> ask(own, worker->loop(), std::move(question));
        auto some = co_await ask;
        all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    co_return all;
}

// ---- the end

void App::drain() {
    if (std::exchange(draining_, true)) {
        log_.warning("app", "asked twice: cutting what still runs");
        for (auto& worker : workers_) worker->loop().post([w = worker.get()] { w->cut_now(); });
        return;
    }
    status_.ready = false;
    Duration patience = site_->config.server.drain_timeout;
    log_.info("app", "draining", {{"seconds", seconds(patience)}});
    TimePoint deadline = control_.fresh_now() + patience;
    for (auto& worker : workers_)
        worker->loop().post([this, w = worker.get(), deadline] {
            w->drain(deadline, [this, w] { control_.post([this, w] { worker_stopped(*w); }); });
        });
}

void App::worker_stopped(WorkerThread& worker) {
    worker.set_stopped();
    if (--running_ == 0) control_.stop();
}

}  // namespace suoke::app
