// SPDX-License-Identifier: MIT
#include "app/shared_keys.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "rt/pause.h"

namespace suoke::app {
namespace {

// The store's value, or ours, which it has from now on.
rt::Task<Result<std::string>> agree(store::Kv& store, std::string name, std::string ours, Duration lifetime) {
    for (int tries = 0; tries < 3; ++tries) {
        auto theirs = co_await store.get(name);
        if (!theirs) co_return theirs.error();
        if (theirs->has_value()) {
            bool usable = (*theirs)->size() == ours.size();
            if (!usable) co_return Error(Code::store_unavailable, "the store's " + name + " is no key; take it out");
            co_return std::move(**theirs);
        }
        auto put = co_await store.put_if_absent(name, ours, lifetime);
        if (!put) co_return put.error();
        if (*put) co_return ours;
    }
    co_return Error(Code::store_unavailable, "the store has no " + name + " and takes none");
}

std::string bytes_of(const rt::TicketKey& key) {
    std::string out;
    auto add = [&](const auto& part) { out.append(reinterpret_cast<const char*>(part.data()), part.size()); };
    add(key.name), add(key.cipher), add(key.mac);
    return out;
}

rt::TicketKey ticket_key_of(std::string_view bytes) {   // as long as bytes_of() makes them
    rt::TicketKey key;
    auto take = [&](auto& part) {
        std::memcpy(part.data(), bytes.data(), part.size());
        bytes.remove_prefix(part.size());
    };
    take(key.name), take(key.cipher), take(key.mac);
    return key;
}

}  // namespace

SharedKeys::SharedKeys(rt::Loop& loop, Events& events, std::string session_key) : loop_(loop), events_(events), sessions_{std::move(session_key), {}} {}

void SharedKeys::adopt(Wanted wanted) {
    if (wanted == wanted_) return;
    tasks_.cancel();
    if (wanted_.tickets && !wanted.tickets) wanted_.tickets->change_alone();
    if (wanted.rotation != wanted_.rotation) tickets_.clear();
    wanted_ = wanted;
    if (wanted_.store && (wanted_.sessions || wanted_.tickets)) tasks_.spawn(keep());
}

rt::Task<void> SharedKeys::keep() {
    for (;;) {
        Result<void> agreed;
        if (wanted_.sessions) agreed = co_await agree_on_sessions();
        if (agreed && wanted_.tickets) agreed = co_await agree_on_tickets();
        if (wanted_.tickets) install_tickets();
        if (!agreed && !std::exchange(alone_, true)) events_.tell(Level::warning, "keys.alone", {{"because", agreed.error().detail}});
        if (agreed && std::exchange(alone_, false)) events_.tell(Level::info, "keys.shared", {{"store", wanted_.store->engine()}});
        Duration wait = agreed ? kAgain : kSoon;
        if (wanted_.tickets) wait = std::min(wait, wanted_.rotation / 2);
        rt::Pause pause(loop_, loop_.now() + wait);
        co_await pause;
    }
}

rt::Task<Result<void>> SharedKeys::agree_on_sessions() {
    auto key = co_await agree(*wanted_.store, "keys/sessions", sessions_.key, Duration::zero());
    if (!key) co_return key.error();
    if (*key != sessions_.key) {
        // Cookies that were made meanwhile stay good.
        sessions_ = {std::move(*key), std::move(sessions_.key)};
        changed_(sessions_);
    }
    co_return Result<void>();
}

std::int64_t SharedKeys::stretch() const { return loop_.clock().wall().time_since_epoch() / wanted_.rotation; }

// The next one is agreed on in time: another gateway's clock may be ahead.
rt::Task<Result<void>> SharedKeys::agree_on_tickets() {
    std::int64_t now = stretch();
    std::string prefix = "keys/tickets/" + std::to_string(wanted_.rotation / std::chrono::milliseconds(1)) + "/";
    std::array<std::int64_t, 3> stretches{now, now + 1, now - 1};
    for (std::int64_t at : stretches) {
        auto known = tickets_.find(at);
        rt::TicketKey ours = known == tickets_.end() ? rt::TicketKey::random() : known->second;
        auto bytes = co_await agree(*wanted_.store, prefix + std::to_string(at), bytes_of(ours), 3 * wanted_.rotation);
        if (!bytes) co_return bytes.error();
        tickets_[at] = ticket_key_of(*bytes);
    }
    co_return Result<void>();
}

// With the store or without: keys change in time, and those that are too old are gone.
void SharedKeys::install_tickets() {
    std::int64_t now = stretch();
    tickets_.erase(tickets_.begin(), tickets_.lower_bound(now - 1));
    tickets_.try_emplace(now, rt::TicketKey::random());
    std::vector<rt::TicketKey> keys{tickets_.at(now)};
    for (const auto& [at, key] : tickets_)
        if (at != now) keys.push_back(key);
    wanted_.tickets->install(std::move(keys));
}

}  // namespace suoke::app
