// SPDX-License-Identifier: MIT
#pragma once
// An open tunnel, as the worker's list of streams knows it: when it ends and with which words, and what its client
// may do against that, which is to show a newer token (gateway/renewal.h).

#include "gateway/open_streams.h"
#include "gateway/renewal.h"
#include "gateway/tunnel.h"
#include "gateway/worker.h"
#include "rt/scope.h"

namespace suoke::filters {

class WebSocketStream final : public gateway::OpenStream, public gateway::Listener, rt::Timer {
 public:
    // `ex` has an open tunnel. Listens to it when its client's token can be renewed by these rules.
    WebSocketStream(gateway::Exchange& ex, const gateway::RenewalRules& renewal);

    std::string_view kind() const override { return "websocket"; }
    gateway::StreamFacts facts() const override;
    void end_gracefully(TimePoint when, gateway::EndReason why) override;

    bool may_want(std::string_view beginning) const override { return gateway::may_be_renewal(beginning); }
    bool hears(std::string_view message) override;

 private:
    void expired() override;
    void say_goodbye();
    void warn();
    void arm();
    rt::Task<void> renew(std::string token);
    void conclude(const Result<auth::IdentityPtr>& judged);
    void renewed(auth::IdentityPtr who);
    void refused(const Error& error);
    Duration left() const;

    gateway::Exchange& ex_;
    gateway::Worker& worker_;
    gateway::Tunnel& tunnel_;
    const gateway::RenewalRules renewal_;
    const bool renewable_;
    const auth::IdentityPtr first_;      // what was told of it is in the request still
    gateway::StreamEnd end_;
    TimePoint warn_at_ = kNever;
    gateway::RenewalAttempts attempts_;
    rt::TaskScope judging_;              // at most one: the newest token counts
};

}  // namespace suoke::filters
