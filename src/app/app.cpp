// SPDX-License-Identifier: MIT
#include "app/app.h"

#include <signal.h>

#include <fstream>
#include <sstream>

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

App::App(AppOptions options, config::Loaded loaded)
    : options_(std::move(options)),
      control_(clock_),
      log_(log_options(loaded.config.logging), clock_),
      worker_count_(workers_of(loaded.config)),
      shared_(worker_count_, loaded.config.performance.buffer_budget, clock_, &log_),
      access_log_(access_log_of(loaded.config.logging, clock_)),
      services_(control_, shared_, log_, status_),
      endpoint_sources_{status_, shared_.metrics, log_, access_log_.get(), control_, services_.tasks(), services_.directory()} {
    signals_ = rt::watch_signals(control_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int s) { on_signal(s); });
    ::signal(SIGPIPE, SIG_IGN);
    rt::raise_descriptor_limit();
    status_.version = options_.version;
    status_.started = clock_.wall();
    status_.started_at = clock_.now();
    file_content_ = read_file(options_.sources.yaml_path);

    tickets_ = std::make_shared<rt::TicketKeys>(clock_, loaded.config.server.tls.ticket_rotation);
    tls_content_ = contents_of(tls_files(loaded.config));
    std::vector<config::Problem> problems;
    auto builtins = endpoints::builtins(endpoint_sources_, loaded.config);
    site_ = compile(std::move(loaded.config), builtins, ++generation_, problems, tls_inputs());
    if (!site_) throw StartupError(sentences_of(problems));
    tell(loaded.problems);
    tell(problems);
    services_.set_listener([this](const balance::MembersPtr& members) { members_changed(members); });
    endpoint_sources_.check_now = [this](std::string service) { return services_.check_now(std::move(service)); };
    std::vector<balance::MembersPtr> members = services_.adopt(*site_);
    endpoint_sources_.registry = services_.registry();
    status_.generation = generation_;
    status_.last_reload = status_.started.time_since_epoch() / std::chrono::seconds(1);

    const config::Server& server = site_->config.server;
    Result<rt::Address> asked = listen_address(server);
    if (!asked) throw StartupError(asked.error().detail);
    bound_ = asked_ = *asked;
    auto shared = shared_socket(bound_, server);
    if (!shared) throw StartupError(shared.error().detail);
    tls_bound_ = tls_address_of(*site_, *asked);
    for (std::uint32_t i = 0; i < worker_count_; ++i) {
        WorkerSetup setup{i, server.cpu_pinning, shared_, access_log_.get()};
        auto& worker = workers_.emplace_back(std::make_unique<WorkerThread>(setup, clock_));
        worker->adopt(site_, members);
        auto listening = worker->listen(bound_, static_cast<int>(server.backlog), *shared);
        if (!listening) throw StartupError(listening.error().detail);
        bound_ = *listening;  // a port of 0 was replaced by a real one: the other workers share it
        if (!tls_bound_) continue;
        auto tls = worker->listen_tls(*tls_bound_, static_cast<int>(server.backlog));
        if (!tls) throw StartupError(tls.error().detail);
        tls_bound_ = *tls;
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
    if (tls_bound_) log_.info("app", "listening with TLS", {{"address", tls_address()}});
    rt::give_back_memory();
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
    Result<rt::Address> asked = site ? listen_address(site->config.server) : asked_;
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
    awaited_ += workers_.size();
    TimePoint began = control_.fresh_now();
    // Only a listener that changed is opened anew.
    std::optional<rt::Address> address;
    if (!(*asked == asked_)) address = bound_ = asked_ = *asked;
    int backlog = static_cast<int>(site_->config.server.backlog);
    std::shared_ptr<rt::UnixSocket> shared;
    if (address) {
        auto opened = shared_socket(*address, site_->config.server);
        if (opened) shared = std::move(*opened);
        else log_.error("app", "the old listener stays open", {{"reason", opened.error().detail}});
        if (!opened) address.reset();
    }
    std::optional<rt::Address> tls_wanted = tls_address_of(*site_, *asked);
    bool tls_same = tls_wanted == tls_bound_;
    tls_bound_ = tls_wanted;
    for (auto& worker : workers_) {
        worker->loop().post([this, w = worker.get(), site = site_, members, generation = generation_, began, address, backlog, shared, tls_wanted, tls_same]() mutable {
            w->adopt(std::move(site), members);
            std::string fault;
            if (!tls_wanted) w->close_tls();
            if (tls_wanted && !tls_same)
                if (auto listening = w->listen_tls(*tls_wanted, backlog); !listening) fault = listening.error().detail;
            if (address)
                if (auto listening = w->listen(*address, backlog, std::move(shared)); !listening) fault = listening.error().detail;
            control_.post([this, generation, began, fault = std::move(fault)] {
                if (!fault.empty()) log_.error("app", "the old listener stays open", {{"reason", fault}});
                acknowledged(generation, began);
            });
        });
    }
}

void App::acknowledged(std::uint64_t generation, TimePoint began) {
    if (--awaited_ > 0) return;
    status_.generation = generation;
    status_.last_reload = clock_.wall().time_since_epoch() / std::chrono::seconds(1);
    shared_.events.tell(Level::debug, "configuration.applied", {{"generation", generation}});
    log_.info("app", "configuration applied",
              {{"generation", generation}, {"workers", workers_.size()}, {"milliseconds", milliseconds(control_.fresh_now() - began)}});
}

void App::tell(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems) {
        bool error = problem.severity == config::Problem::error;
        log_.write(error ? Level::error : Level::warning, "config", to_string(problem));
    }
}

// ---- services

void App::members_changed(const balance::MembersPtr& members) {
    for (auto& worker : workers_)
        worker->loop().post([w = worker.get(), members] { w->adopt(members); });
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
            w->drain(deadline, [this] { control_.post([this] { worker_stopped(); }); });
        });
}

void App::worker_stopped() {
    if (--running_ == 0) control_.stop();
}

}  // namespace suoke::app
