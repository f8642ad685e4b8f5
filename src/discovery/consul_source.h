// SPDX-License-Identifier: MIT
#pragma once
// The instances of a service as Consul's catalogue and health checks have them, by blocking queries
// (developer.hashicorp.com/consul/api-docs/features/blocking): a question is answered when something
// has changed since the index it names, or when its time is over.

#include "base/sensitive.h"
#include "discovery/news.h"
#include "discovery/trust.h"
#include "rt/backoff.h"
#include "rt/buffer.h"
#include "rt/scope.h"
#include "upstream/fetch.h"

namespace suoke::discovery {

struct ConsulOptions {
    upstream::EndpointAddress endpoint;
    bool tls = false;
    std::string ca_file;            // with tls; empty: the system's authorities
    std::string service;
    std::string datacenter;         // empty: the agent's own
    std::vector<std::string> tags;  // an instance has all of them
    Secret token;
    Duration wait = std::chrono::minutes(5);       // how long Consul may hold a question
    Duration timeout = std::chrono::seconds(10);   // of what it does not hold, and beyond that
    Duration least_pause = std::chrono::seconds(1);  // between two questions, whatever it answers
    Duration poll = std::chrono::seconds(10);      // ... when it names no index to wait on
    std::size_t max_body = 8 << 20;
    rt::BackoffRules retry = {};
};

class ConsulSource final : public Source {
 public:
    ConsulSource(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random, ConsulOptions options,
                 Listener& listener);

 private:
    struct Answer {
        balance::Instances all;
        std::uint64_t index = 0;
    };
    rt::Task<void> keep_asking();
    rt::Task<Result<Answer>> ask(std::uint64_t index);
    std::string target(std::uint64_t index) const;

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool& buffers_;
    Random random_;
    const ConsulOptions options_;
    Trust trust_;
    News news_;
    rt::TaskScope asking_;  // ends before everything above
};

}  // namespace suoke::discovery
