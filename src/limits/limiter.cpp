// SPDX-License-Identifier: MIT
#include "limits/limiter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "rt/digest.h"

namespace suoke::limits {
namespace {

constexpr std::size_t kCellsPerKey = 4;              // then one key in 10,000 finds its bucket full
constexpr std::size_t kUnderWay = 64 * 1024;
constexpr std::size_t kMostHot = 100'000;            // that wait for control
constexpr double kWhole = 65536;                     // shares are parts of it
constexpr double kTooLong = 0x1p61;                  // longer than any depth (policy.cpp), and two of it are no overflow
constexpr std::uint64_t kStrikes = 2;                // beside kPenalties: how often an address was refused

Seed random_seed() {
    std::string bytes = rt::secret_bytes(sizeof(Seed));
    Seed seed;
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

Hash strikes_of(const Hash& address) { return {address.place ^ kStrikes, address.tag ^ kStrikes}; }

}  // namespace

Limiter::Limiter() {
    seeds_.push_back(std::make_unique<const Seed>(random_seed()));
    seed_.store(seeds_.back().get(), std::memory_order_release);
}

void Limiter::open(std::size_t keys) {
    std::call_once(opened_, [&] {
        table_ = std::make_unique<Table>(keys * kCellsPerKey);
        under_way_ = std::make_unique<Table>(kUnderWay);
    });
}

// ---- rates

Cell& Limiter::cell_of(const Hash& hash, std::uint64_t now) {
    Cell* cell = table_->find(hash);
    return cell ? *cell : *table_->claim(hash, now, Table::evict);
}

std::uint32_t Limiter::usual_share(const Policy& policy) const {
    // At least one request of a key that nobody has settled yet.
    std::uint64_t one = (65536 * policy.cost + policy.burst - 1) / policy.burst;
    std::uint64_t part = 65536 / gateways_.load(std::memory_order_relaxed);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max(one, part), 65536));
}

std::uint32_t Limiter::share_of(const Policy& policy, const Cell& cell) const {
    if (!policy.shared || !table_->has_sides()) return 65536;
    std::uint32_t share = table_->side_of(cell).share.load(std::memory_order_relaxed) & Side::kShare;
    return share == 0 ? usual_share(policy) : share;
}

// With a share of the limit, each token takes so much longer to come back, and the bucket is as deep in time.
Limiter::Step Limiter::step_of(const Charge& charge, std::uint32_t share) {
    const Policy& policy = *charge.policy;
    std::uint64_t all = policy.step * std::min(charge.cost, policy.burst + 1);   // what costs more is never granted anyway
    if (share >= 65536) return {all, policy.depth};
    all = static_cast<std::uint64_t>(std::min(static_cast<double>(all) * (kWhole / share), kTooLong));
    return {all, policy.depth + all / 1024};   // a third of three tokens is one, though rounded down
}

// Of a refused one. While it waits its share may come down to the usual one, and it shall get in nevertheless. With hardly
// any share it would be hours; but once the whole bucket could have filled up, there is some to be had.
std::uint64_t Limiter::wait_of(const Charge& charge, std::uint32_t share, std::uint64_t arrival, std::uint64_t now) const {
    const Policy& policy = *charge.policy;
    const Step step = step_of(charge, policy.shared ? std::min(share, usual_share(policy)) : share);
    std::uint64_t exact = gcra::wait(arrival, now, step.all, step.depth);
    return policy.shared ? std::min(exact, policy.depth) : exact;
}

Limiter::Verdict Limiter::look(const Charge& charge, std::uint64_t now) const {
    const Cell* cell = table_->find(charge.hash);
    if (!cell) return {true, now, 0};
    const std::uint32_t share = share_of(*charge.policy, *cell);
    const Step step = step_of(charge, share);
    std::uint64_t arrival = cell->word.load(std::memory_order_acquire);
    if (gcra::fits(arrival, now, step.all, step.depth)) return {true, arrival, 0};
    return {false, arrival, wait_of(charge, share, arrival, now)};
}

Limiter::Verdict Limiter::take_one(const Charge& charge, std::uint64_t now) {
    for (;;) {
        Cell& cell = cell_of(charge.hash, now);
        const std::uint32_t share = share_of(*charge.policy, cell);
        const Step step = step_of(charge, share);
        std::uint64_t arrival = cell.word.load(std::memory_order_acquire);
        for (;;) {
            if (!gcra::fits(arrival, now, step.all, step.depth)) {
                // Left by a rule that allowed more: who has used up that one has used up this one. Only what
                // other gateways have let through may be owed.
                std::uint64_t most = now + step.depth * (charge.policy->shared ? 2 : 1);
                if (arrival > most + gcra::kSlack && cell.word.compare_exchange_strong(arrival, most, std::memory_order_acq_rel)) arrival = most;
                note(charge, cell, true);
                return {false, arrival, wait_of(charge, share, arrival, now)};
            }
            std::uint64_t next = std::max(arrival, now) + step.all;
            if (!cell.word.compare_exchange_weak(arrival, next, std::memory_order_acq_rel)) continue;
            arrival = next;
            break;
        }
        if (table_->is_still(cell, charge.hash)) {
            note(charge, cell, false);
            return {true, arrival, 0};
        }
        cell.word.fetch_sub(step.all, std::memory_order_acq_rel);   // it was taken over meanwhile
    }
}

void Limiter::give_back(const Charge& charge) {
    Cell* cell = table_->find(charge.hash);
    if (cell) cell->word.fetch_sub(step_of(charge, share_of(*charge.policy, *cell)).all, std::memory_order_acq_rel);
}

Standing Limiter::standing_of(const Charge& charge, const Verdict& verdict, std::uint64_t now) {
    const Policy& policy = *charge.policy;
    std::uint64_t ahead = gcra::ahead(verdict.arrival, now);
    std::uint64_t left = ahead < policy.depth ? (policy.depth - ahead) / policy.step : 0;
    if (!verdict.granted) left = std::min(left, charge.cost - 1);   // of a share, it is less than it seems
    return {&policy, left, Duration(static_cast<Duration::rep>(verdict.granted ? ahead : verdict.wait))};
}

// Nobody is charged for what another policy refuses: all are asked first. Who loses a race after that gives back.
Outcome Limiter::take(std::span<const Charge> charges, TimePoint at) {
    const std::uint64_t now = nanoseconds(at);
    Outcome outcome;
    std::uint64_t longest = 0;
    auto refuse = [&](const Charge& charge, const Verdict& verdict) {
        outcome.granted = false;
        if (outcome.standing.policy && verdict.wait < longest) return;
        longest = verdict.wait;
        outcome.standing = standing_of(charge, verdict, now);
    };
    if (charges.size() > 1) {
        for (const Charge& charge : charges) {
            Verdict verdict = look(charge, now);
            if (verdict.granted) continue;
            refuse(charge, verdict);
            if (const Cell* cell = table_->find(charge.hash)) note(charge, *cell, true);
        }
        if (!outcome.granted) return outcome;
    }
    for (std::size_t i = 0; i < charges.size(); ++i) {
        Verdict verdict = take_one(charges[i], now);
        if (!verdict.granted) {
            refuse(charges[i], verdict);
            while (i-- > 0) give_back(charges[i]);
            return outcome;
        }
        Standing standing = standing_of(charges[i], verdict, now);
        if (!outcome.standing.policy || standing.remaining < outcome.standing.remaining) outcome.standing = standing;
    }
    return outcome;
}

// ---- what is under way

std::optional<Place> Limiter::enter(const Policy& policy, const Hash& hash) {
    for (;;) {
        Cell* cell = under_way_->find(hash);
        if (!cell) cell = under_way_->claim(hash, 1, Table::keep);
        if (!cell) return Place();   // so many keys at once: better one too many than none
        std::uint64_t before = cell->word.fetch_add(1, std::memory_order_acq_rel);
        Place place(*cell);
        if (!under_way_->is_still(*cell, hash)) continue;
        if (before >= policy.most_at_once) return std::nullopt;
        return place;
    }
}

// ---- penalties

// The word is when it ends; its lowest three bits say how often it was doubled.
Duration Limiter::shut_out(const Hash& address, TimePoint at) const {
    if (!anybody_shut_out(at)) return Duration::zero();
    const Cell* cell = table_->find(address);
    std::uint64_t end = cell ? cell->word.load(std::memory_order_acquire) : 0;
    return Duration(static_cast<Duration::rep>(gcra::ahead(end, nanoseconds(at))));
}

Duration Limiter::strike(const Hash& address, const PenaltyRules& rules, TimePoint at) {
    const std::uint64_t now = nanoseconds(at), window = static_cast<std::uint64_t>(rules.window.count());
    const std::uint64_t step = window / rules.strikes;
    Cell& strikes = cell_of(strikes_of(address), now);
    std::uint64_t arrival = strikes.word.load(std::memory_order_acquire);
    std::uint64_t next = 0;
    do {
        next = std::max(arrival, now) + step;
        if (next - now >= step * rules.strikes) next = now;   // enough: shut out, and begin anew
    } while (!strikes.word.compare_exchange_weak(arrival, next, std::memory_order_acq_rel));
    if (next != now) return Duration::zero();

    constexpr std::uint64_t kTimes = 7;
    constexpr std::uint64_t kForgotten = 3'600'000'000'000;   // an hour in peace
    Cell* known = table_->find(address);   // a cell that is new to it has somebody else's word
    std::uint64_t before = known ? known->word.load(std::memory_order_acquire) : 0;
    Cell& cell = known ? *known : cell_of(address, now);
    std::uint64_t times = before != 0 && before + kForgotten > now ? std::min((before & kTimes) + 1, kTimes) : 0;
    Duration length = std::min(rules.first * (std::int64_t{1} << times), rules.most);
    std::uint64_t end = ((now + static_cast<std::uint64_t>(length.count())) & ~kTimes) | times;
    cell.word.store(end, std::memory_order_release);
    std::uint64_t last = shut_out_until_.load(std::memory_order_relaxed);
    while (last < end && !shut_out_until_.compare_exchange_weak(last, end, std::memory_order_relaxed)) {}
    return length;
}

// ---- shares

void Limiter::share_with(std::uint32_t gateways) {
    table_->open_sides();
    gateways_.store(std::max<std::uint32_t>(gateways, 1), std::memory_order_relaxed);
}

void Limiter::set_seed(const Seed& seed) {
    if (seed == this->seed()) return;
    seeds_.push_back(std::make_unique<const Seed>(seed));
    seed_.store(seeds_.back().get(), std::memory_order_release);
}

// A key that has used an eighth of its share at this gateway, or is refused, is settled with the others. Below
// that Redis hears nothing of it.
void Limiter::note(const Charge& charge, const Cell& cell, bool refused) {
    const Policy& policy = *charge.policy;
    if (!policy.shared || !table_->has_sides() || gateways_.load(std::memory_order_relaxed) < 2) return;
    Side& side = table_->side_of(cell);
    auto cost = static_cast<std::uint32_t>(charge.cost);
    std::uint64_t asked = std::uint64_t{side.asked.fetch_add(cost, std::memory_order_relaxed)} + cost;
    std::uint32_t share = side.share.load(std::memory_order_relaxed);
    if (share & Side::kListed) return;
    if (share == 0) share = usual_share(policy);
    if (!refused && asked * 8 * 65536 < policy.burst * share) return;
    if (side.share.fetch_or(Side::kListed, std::memory_order_relaxed) & Side::kListed) return;
    bool first = false;
    {
        std::lock_guard lock(hot_mutex_);
        if (hot_.size() >= kMostHot) {   // it stays at its usual share, and is listed when it is asked again
            side.share.fetch_and(Side::kShare, std::memory_order_relaxed);
            return;
        }
        first = hot_.empty();
        hot_.push_back({policy.shared_from_this(), charge.hash});
    }
    if (first && listener_) listener_();
}

std::vector<Hot> Limiter::take_hot() {
    std::lock_guard lock(hot_mutex_);
    return std::exchange(hot_, {});
}

}  // namespace suoke::limits
