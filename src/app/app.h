// SPDX-License-Identifier: MIT
#pragma once
// The running gateway: one control thread (the caller's) and the workers. Owns everything.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/compile.h"
#include "app/control.h"
#include "base/log.h"
#include "config/load.h"
#include "endpoints/builtin.h"
#include "gateway/worker.h"
#include "rt/process.h"

namespace suoke::app {

struct AppOptions {
    config::Sources sources;            // read again at every reload
    std::string version;
    std::vector<rt::CertificatePem> local_certificates;  // served beside the configured ones (`dev --tls`)
};

class WorkerThread;

// Where a listener was asked to be, and where it is: they differ for port 0.
struct ListenerPlace {
    std::optional<rt::Address> asked;  // nothing: there is none, or not every worker is there: ask anew
    std::optional<rt::Address> bound;  // nothing: there is none
};

class App {
 public:
    // Compiles the configuration and opens the listeners; StartupError says what is wrong.
    App(AppOptions options, config::Loaded loaded);
    ~App();

    // Until SIGTERM or SIGINT, then drains. Returns the exit code.
    int run();
    const gateway::Site& site() const { return *site_; }
    std::string address() const { return plain_.bound->to_string(); }  // where it listens, "0.0.0.0:8000"
    std::string tls_address() const { return secure_.bound ? secure_.bound->to_string() : ""; }  // empty: none
    Log& log() { return log_; }
    // Every open stream of every worker (event streams, tunnels ...), gathered by asking each in its
    // own thread. For a coroutine that runs in `own`, while run() runs.
    rt::Task<std::vector<gateway::StreamFacts>> open_streams(rt::Loop& own);

 private:
    void on_signal(int signal);
    void reload(const char* why);
    void apply(config::Loaded loaded);
    void open_listeners(const rt::Address& asked);
    struct Reload;
    Reload begin_reload(const rt::Address& asked);
    void acknowledged(Reload& reload, const std::string& plain_fault, const std::string& secure_fault);
    void drain();
    void worker_stopped(WorkerThread& worker);
    TlsInputs tls_inputs() const { return {tickets_, options_.local_certificates}; }
    void watch_tls_files();
    void tls_file_changed();
    template <class News>
    void tell_workers(const News& news);
    rt::Task<void> settled();
    void tell(const std::vector<config::Problem>& problems);

    SystemClock clock_;
    AppOptions options_;
    rt::Loop control_;
    Log log_;
    endpoints::Status status_;
    std::size_t worker_count_;
    gateway::Shared shared_;
    std::unique_ptr<gateway::AccessLog> access_log_;
    std::shared_ptr<rt::TicketKeys> tickets_;         // outlive reloads: so do clients' sessions
    Control services_;
    endpoints::Sources endpoint_sources_;
    gateway::SitePtr site_;
    ListenerPlace plain_, secure_;
    std::uint64_t generation_ = 0;
    std::size_t running_ = 0;
    bool draining_ = false;
    std::vector<std::unique_ptr<WorkerThread>> workers_;
    std::unique_ptr<rt::SignalWatch> signals_;
    std::unique_ptr<rt::FileWatch> file_;
    std::vector<std::unique_ptr<rt::FileWatch>> tls_watches_;
    std::string tls_content_;                         // of all files of TLS, when they were last read
    std::string file_content_;                        // of the configuration in force or last refused
};

}  // namespace suoke::app
