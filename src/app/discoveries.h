// SPDX-License-Identifier: MIT
#pragma once
// The sources of discovery that a configuration asks for: made, kept and ended as it changes. A source
// whose words did not change goes on undisturbed. Lives in the control loop.

#include <map>
#include <memory>
#include <string>

#include "base/events.h"
#include "base/random.h"
#include "config/config.h"
#include "discovery/source.h"
#include "rt/buffer.h"
#include "rt/dns.h"
#include "services/directory.h"
#include "upstream/dialer.h"

namespace suoke::app {

class Discoveries {
 public:
    Discoveries(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, services::Directory& directory, Events& events);
    ~Discoveries();
    void adopt(const config::Config& config);

 private:
    class Watch;
    std::unique_ptr<discovery::Source> source_of(const std::string& kind, const std::string& service, const config::Discovery& wanted,
                                                 const config::ServiceDiscovery& common, discovery::Listener& listener);

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool& buffers_;
    services::Directory& directory_;
    Events& events_;
    Random random_;
    std::unique_ptr<rt::Resolver> resolver_;   // when somebody is found by DNS
    std::map<std::pair<std::string, std::string>, std::unique_ptr<Watch>> watches_;  // by service and kind
};

}  // namespace suoke::app
