// SPDX-License-Identifier: MIT
#pragma once
// One worker's TLS listener: finishes handshakes, then hands the connection to the worker as if it had
// just been accepted. Beyond the worker's share of server.tls.max_handshakes it accepts no more until
// one is done; the kernel holds the others.

#include <memory>

#include "gateway/worker.h"
#include "rt/scope.h"
#include "rt/tls.h"

namespace suoke::app {

class TlsDoor final : public rt::Acceptor {
 public:
    TlsDoor(gateway::Worker& worker, std::size_t workers) : worker_(worker), workers_(workers) {}

    // Later handshakes follow this site; those under way go on as they began.
    void adopt(gateway::SitePtr site);
    Result<rt::Address> listen(const rt::Address& address, int backlog);
    void close();
    bool quiet() { return handshakes_.idle(); }
    void cut() { handshakes_.cancel(); }

    // rt::Acceptor
    void accepted(rt::StreamPtr stream, const rt::Address& peer) override;

 private:
    class Place;
    std::size_t most() const;
    void go_on();  // accept again, where there is room
    rt::Task<void> handshake(rt::StreamPtr stream, rt::Address peer);

    gateway::Worker& worker_;
    const std::size_t workers_;
    gateway::SitePtr site_;
    std::unique_ptr<rt::Listener> listener_;
    std::size_t under_way_ = 0;
    bool paused_ = false;
    rt::TaskScope handshakes_;  // ends before everything above
};

}  // namespace suoke::app
