// SPDX-License-Identifier: MIT
#include "app/tls_door.h"

#include <algorithm>

namespace suoke::app {

// One of the handshakes at a time; the listener rests while none is free.
class TlsDoor::Place {
 public:
    explicit Place(TlsDoor& door) : door_(door) {
        door_.worker_.cells().handshakes_active.add(1);
        if (++door_.under_way_ < door_.most() || !door_.listener_) return;
        door_.paused_ = true;
        door_.listener_->pause(true);
    }
    ~Place() {
        door_.worker_.cells().handshakes_active.add(-1);
        --door_.under_way_;
        door_.go_on();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

 private:
    TlsDoor& door_;
};

namespace {

Handshake kind_of(const rt::TlsFacts& facts) {
    if (facts.version == "TLSv1.3") return facts.resumed ? Handshake::resumed_13 : Handshake::full_13;
    return facts.resumed ? Handshake::resumed_12 : Handshake::full_12;
}

}  // namespace

void TlsDoor::adopt(gateway::SitePtr site) {
    site_ = std::move(site);
    go_on();
}

void TlsDoor::go_on() {
    if (!paused_ || under_way_ >= most()) return;
    paused_ = false;
    if (listener_) listener_->pause(false);
}

Result<rt::Address> TlsDoor::listen(const rt::Address& address, int backlog) {
    auto opened = rt::listen(worker_.loop(), address, backlog, *this);
    if (!opened) return opened.error();
    close();
    listener_ = std::move(*opened);
    return listener_->address();
}

void TlsDoor::close() {
    if (listener_ && !paused_) listener_->accept_pending();
    listener_.reset();
    paused_ = false;
}

std::size_t TlsDoor::most() const {
    std::size_t all = site_->config.server.tls.max_handshakes;
    return std::max<std::size_t>(1, (all + workers_ - 1) / workers_);
}

void TlsDoor::accepted(rt::StreamPtr stream, const rt::Address& peer) {
    if (!site_->tls) return;
    handshakes_.spawn(handshake(std::move(stream), peer));
}

rt::Task<void> TlsDoor::handshake(rt::StreamPtr stream, rt::Address peer) {
    rt::StreamPtr ready;
    {
        Place place(*this);
        TimePoint deadline = deadline_after(worker_.loop().now(), site_->config.server.tls.handshake_timeout);
        auto done = co_await rt::tls_accept(std::move(stream), site_->tls, deadline);
        Handshake became = Handshake::failed;
        if (done) became = kind_of(*(*done)->tls());
        else if (done.error().code == Code::connect_timeout) became = Handshake::timed_out;
        worker_.cells().handshakes[static_cast<std::size_t>(became)].add();
        if (!done) co_return;
        ready = std::move(*done);
    }
    worker_.accepted(std::move(ready), peer);
}

}  // namespace suoke::app
