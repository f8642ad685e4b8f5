// SPDX-License-Identifier: MIT
#include "upstream/pool_h2.h"

#include <algorithm>

namespace suoke::upstream {

H2Pool::H2Pool(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers, EndpointAddress endpoint)
    : loop_(loop), dialer_(dialer), buffers_(buffers), endpoint_(std::move(endpoint)), queue_(loop) {}
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

rt::Task<Result<H2Pool::Client>> H2Pool::open(TimePoint connect_deadline, TimePoint pool_deadline, bool alone) {
    // One connection serves many: who comes while it is being made waits for it.
    while ((dialing_ > 0 && !alone) || counts_.open + dialing_ >= limits_.connections) {
        if (queue_.size() >= limits_.waiting)
            co_return Error(Code::pool_exhausted, "too many requests wait for " + endpoint_.to_string());
        Queue::Turn turn(queue_, pool_deadline);
        bool called = co_await turn;
        if (!called) co_return Error(Code::pool_exhausted, "no free connection to " + endpoint_.to_string() + " in time");
        if (alone) continue;
        if (Client client = take()) {
            if (client->has_room()) queue_.call_next();  // there may be more of it
            co_return client;
        }
    }
    struct Dialing {
        H2Pool& pool;
        explicit Dialing(H2Pool& p) : pool(p) { ++pool.dialing_; }
        ~Dialing() {
            --pool.dialing_;
            pool.queue_.call_next();  // to join the new connection, or to try in turn
        }
    } dialing(*this);
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
    connections_.spawn(keep(client));
    co_return client;
}

rt::Task<void> H2Pool::keep(Client client) {
    co_await client->run();
    std::erase(clients_, client);
    --counts_.open;
    queue_.call_next();
}

void H2Pool::changed() { queue_.call_next(); }

void H2Pool::close_idle() {
    for (const Client& client : clients_) client->close();
}

}  // namespace suoke::upstream
