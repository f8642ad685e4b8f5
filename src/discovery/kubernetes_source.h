// SPDX-License-Identifier: MIT
#pragma once
// The endpoints of a Kubernetes service, from its EndpointSlices: listed once, then watched. The
// gateway's service account needs the verbs list and watch on endpointslices (discovery.k8s.io) in the
// service's namespace.

#include "discovery/endpoint_slices.h"
#include "discovery/news.h"
#include "discovery/trust.h"
#include "rt/backoff.h"
#include "rt/buffer.h"
#include "rt/scope.h"
#include "upstream/fetch.h"

namespace suoke::discovery {

struct KubernetesOptions {
    // Where the API server is: inside a cluster KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
    std::string host = "kubernetes.default.svc";
    std::uint16_t port = 443;
    bool tls = true;
    std::string ca_file = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";  // empty: the system's
    std::string token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";  // empty: none
    std::string name_space = "default";
    std::string service;
    std::string service_port;  // its name in the slices, or the pods' number; empty: the only one
    Duration timeout = std::chrono::seconds(10);      // of a list, and until a watch begins
    Duration watch_for = std::chrono::minutes(5);     // then a new watch begins where the last one ended
    Duration watch_idle = std::chrono::minutes(3);    // of silence; a live server sends bookmarks
    Duration least_pause = std::chrono::seconds(1);   // between two watches
    std::size_t max_list = 16 << 20, max_event = 4 << 20;  // bytes
    rt::BackoffRules retry = {};
};

class KubernetesSource final : public Source {
 public:
    KubernetesSource(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random,
                     KubernetesOptions options, Listener& listener);

 private:
    rt::Task<void> keep_watching();
    rt::Task<Result<void>> list();
    // Until a watch has to begin from another list, or something fails.
    rt::Task<Result<void>> watch_on(rt::Backoff& backoff);
    enum class End : std::uint8_t { over, expired };
    rt::Task<Result<End>> watch_once(rt::Backoff& backoff);
    Result<End> take_events(std::string_view bytes, std::string& line);
    void tell();
    Result<upstream::FetchRequest> request(bool watching);

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool& buffers_;
    Random random_;
    const KubernetesOptions options_;
    Trust trust_;
    News news_;
    EndpointSlices slices_;
    rt::TaskScope watching_;  // ends before everything above
};

}  // namespace suoke::discovery
