// SPDX-License-Identifier: MIT
#include "upstream/pool_h2.h"

#include <algorithm>

namespace suoke::upstream {

H2Pool::H2Pool(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers, EndpointAddress endpoint)
    : loop_(loop), dialer_(dialer), buffers_(buffers), endpoint_(std::move(endpoint)), sharers_(loop), loners_(loop) {}
H2Pool::~H2Pool() = default;

// The first with room, so that exchanges gather on few connections and their frames in few writes.
H2Pool::Client H2Pool::take() {
    for (const Client& client : clients_) {
        if (!client->has_room()) continue;
        ++counts_.reused;
        return client;
    }
    return nullptr;
}

// Somebody was called, and may be gone before his turn comes. His like are called by the queue itself; when there is none
// of them, what he was called for is for the others.
class H2Pool::Call {
 public:
    Call(H2Pool& pool, Company company) : pool_(pool), company_(company) {}
    ~Call() {
        if (!came_ && pool_.queue_of(company_).size() == 0) pool_.offer_place(company_);
    }
    void came() { came_ = true; }

 private:
    H2Pool& pool_;
    const Company company_;
    bool came_ = false;
};

class H2Pool::Dialing {
 public:
    Dialing(H2Pool& pool, Company company) : pool_(pool), company_(company) { ++pool_.dialing_; }
    ~Dialing() {
        --pool_.dialing_;
        if (made_ && pool_.sharers_.call_next()) return;  // to join it
        // Where connecting fails, the two kinds try in turn.
        pool_.offer_place(company_ == Company::alone ? Company::shared : Company::alone);
    }
    void made() { made_ = true; }

 private:
    H2Pool& pool_;
    const Company company_;
    bool made_ = false;
};

rt::Task<Result<H2Pool::Client>> H2Pool::open(TimePoint connect_deadline, TimePoint pool_deadline, Company company) {
    bool alone = company == Company::alone;
    // One connection serves many: who comes while it is being made waits for it.
    while ((dialing_ > 0 && !alone) || !has_place()) {
        if (waiting() >= limits_.waiting) co_return Error(Code::pool_exhausted, "too many requests wait for " + endpoint_.to_string());
        Call call(*this, company);
        Queue::Turn turn(queue_of(company), pool_deadline);
        bool called = co_await turn;
        if (!called) co_return Error(Code::pool_exhausted, "no free connection to " + endpoint_.to_string() + " in time");
        call.came();
        if (alone) continue;
        if (Client client = take()) {
            if (client->has_room()) sharers_.call_next();  // there may be more of it
            if (has_place()) loners_.call_next();          // he may have been called for that
            co_return client;
        }
    }
    Dialing dialing(*this, company);
    Result<rt::StreamPtr> stream = co_await reach(dialer_, endpoint_, connect_deadline);
    if (!stream) {
        ++counts_.failed;
        co_return stream.error();
    }
    http::H2Client::Limits limits;
    limits.idle = limits_.idle_expiry;
    auto client = std::make_shared<http::H2Client>(std::move(*stream), buffers_, limits, *this);
    clients_.push_back(client);
    ++counts_.opened;
    ++counts_.open;
    dialing.made();
    connections_.spawn(keep(client));
    co_return client;
}

// To whoever would open a connection. Who wants one alone goes first, usually: others join him on it.
void H2Pool::offer_place(Company first) {
    if (!has_place()) return;
    Company second = first == Company::alone ? Company::shared : Company::alone;
    if (!queue_of(first).call_next()) queue_of(second).call_next();
}

rt::Task<void> H2Pool::keep(Client client) {
    co_await client->run();
    std::erase(clients_, client);
    --counts_.open;
    offer_place(Company::alone);
}

// Room on an open connection is nothing to who wants one alone; the place of one that closes is offered by keep().
void H2Pool::changed() {
    auto has_room = [](const Client& client) { return client->has_room(); };
    if (sharers_.size() > 0 && std::any_of(clients_.begin(), clients_.end(), has_room)) sharers_.call_next();
}

void H2Pool::close_idle() {
    for (const Client& client : clients_) client->close();
}

}  // namespace suoke::upstream
