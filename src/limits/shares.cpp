// SPDX-License-Identifier: MIT
#include "limits/shares.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include "base/error.h"

namespace suoke::limits {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kWhole = 65536;
constexpr Duration kLately = 50ms, kHalfLife = 250ms;

std::uint32_t parts_of(double part) { return static_cast<std::uint32_t>(std::clamp(part, 0.0, 1.0) * kWhole); }

// A wish is half as much again as what was asked for lately.
std::uint32_t wish_of(double demand) { return std::min(parts_of(1.5 * demand) + 1, kWhole); }

// The cell's arrival time, further ahead or back; whoever decides meanwhile counts.
void move(Cell& cell, std::int64_t nanoseconds, std::uint64_t now) {
    std::uint64_t arrival = cell.word.load(std::memory_order_acquire);
    auto size = static_cast<std::uint64_t>(std::abs(nanoseconds));
    for (;;) {
        std::uint64_t next = nanoseconds > 0 ? std::max(arrival, now) + size : arrival - std::min(arrival, size);
        if (cell.word.compare_exchange_weak(arrival, next, std::memory_order_acq_rel)) return;
    }
}

}  // namespace

// ---- what is known here

void Shares::take_in(TimePoint now) {
    for (Hot& hot : limiter_.take_hot()) {
        Key key;
        key.policy = std::move(hot.policy);
        key.hash = hot.hash;
        if (keys_.size() >= kMostKeys) {
            release(key);
            continue;
        }
        key.share = key.target = limiter_.usual_share(*key.policy);
        key.used = now;
        key.served = others_may_be_alone(now);
        const std::uint64_t tag = hot.hash.tag;
        keys_.insert_or_assign(tag, std::move(key));
    }
}

bool Shares::look(const Key& key, TimePoint now, Look& into) {
    Table& cells = limiter_.cells();
    const Cell* cell = cells.find(key.hash);
    if (!cell) return false;
    into.ahead = gcra::ahead(cell->word.load(std::memory_order_acquire), Limiter::nanoseconds(now));
    into.asked = cells.side_of(*cell).asked.load(std::memory_order_relaxed);
    return true;
}

// Which part of the limit its clients would use up if they went on so: by rate, or by the size of a burst.
double Shares::demand_of(const Key& key, const Look& look, TimePoint now) const {
    Duration since = key.told == kNever ? kLately : std::max<Duration>(now - key.told, kLately);
    double fresh = look.asked - key.asked;
    double by_rate = fresh * static_cast<double>(key.policy->step) / static_cast<double>(since.count());
    double by_burst = fresh / static_cast<double>(key.policy->burst);
    double before = key.demand * std::exp2(-static_cast<double>(since.count()) / static_cast<double>(kHalfLife.count()));
    return std::min(1.0, std::max({by_rate, by_burst, before}));
}

bool Shares::is_due(const Key& key, const Look& look, TimePoint now) const {
    if (key.told == kNever) return true;
    Duration since = now - key.told;
    bool asks = look.asked != key.asked;
    bool is_short = asks && look.ahead > key.policy->depth / 2 && key.share < wish_of(demand_of(key, look, now));
    if (is_short && !key.starved) return since >= (key.answers < 2 ? 5ms : 50ms);
    if (is_short || key.share > key.target || key.share > limiter_.usual_share(*key.policy)) return since >= 250ms;
    return since >= (asks || key.busy ? 1s : 3s);
}

// ---- what is told

Report Shares::report(Key& key, const Look& look, TimePoint now) {
    bool asks = look.asked != key.asked;
    key.demand = demand_of(key, look, now);
    if (asks) key.used = now;
    Report report;
    report.usual = limiter_.usual_share(*key.policy);
    report.want = asks || now - key.used < 100ms ? wish_of(key.demand) : 0;
    // Who has half of its share left needs no more of it now.
    if (look.ahead < key.policy->depth / 2) report.want = std::min(report.want, std::max(key.share, report.usual));
    if (key.booked && key.target < key.share) set_share(key, key.target, 0, now);
    report.have = key.share;
    report.ahead = static_cast<std::int64_t>(look.ahead / 1000);
    report.least = static_cast<std::uint32_t>(std::min<std::uint64_t>((kWhole * key.policy->cost + key.policy->burst - 1) / key.policy->burst, kWhole));
    report.depth = static_cast<std::int64_t>(key.policy->depth / 1000);
    report.served = key.served || key.booked;
    report.leaves = key.booked && !key.busy && look.ahead == 0 && now - key.used > 2s;
    key.asked = look.asked;
    key.told = now;
    key.under_way = true;
    return report;
}

std::vector<Shares::Call> Shares::due(TimePoint now) {
    take_in(now);
    std::vector<Call> calls;
    auto at = keys_.find(next_);   // where the last round was full: or the last keys of very many would never have their turn
    for (std::size_t left = keys_.size(); left > 0; --left) {
        if (at == keys_.end()) at = keys_.begin();
        Key& key = at->second;
        Look seen;
        if (key.under_way || !look(key, now, seen)) {
            at = key.under_way ? std::next(at) : keys_.erase(at);   // forgotten here; there its lease ends
            continue;
        }
        if (is_due(key, seen, now)) {
            if (calls.empty() || calls.back().hashes.size() == kKeysPerCall) {
                next_ = at->first;
                if (calls.size() == kCallsPerRound) break;
                calls.emplace_back();
            }
            calls.back().hashes.push_back(key.hash);
            calls.back().reports.push_back(report(key, seen, now));
        }
        ++at;
    }
    return calls;
}

// ---- what comes back

void Shares::answered(const Call& call, const std::vector<Answer>& answers, TimePoint now) {
    CHECK(answers.size() == call.hashes.size());
    back(now);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        auto found = keys_.find(call.hashes[i].tag);
        if (found == keys_.end()) continue;
        Key& key = found->second;
        const Report& told = call.reports[i];
        const Answer& answer = answers[i];
        if (told.leaves) {
            release(key);
            keys_.erase(found);
            continue;
        }
        key.under_way = false;
        key.starved = answer.share <= told.have && answer.share < told.want;
        key.booked = true;
        key.served = false;
        key.confirmed = key.told;
        key.busy = answer.busy;
        ++key.answers;
        key.target = std::max<std::uint32_t>(answer.target, 1);
        set_share(key, answer.share, answer.further * 1000, now);
    }
}

void Shares::lost(const Call& call, TimePoint now) {
    away(now);
    for (const Hash& hash : call.hashes) {
        auto found = keys_.find(hash.tag);
        if (found == keys_.end()) continue;
        found->second.under_way = false;
        if (!found->second.booked) found->second.served = true;
    }
    for (auto& [tag, key] : keys_) {
        if (!key.booked) continue;
        bool comes_down = key.share > limiter_.usual_share(*key.policy);
        if (now - key.confirmed >= (comes_down ? kLease - 2s : kLease + 2s)) stand_alone(key, now);
    }
}

void Shares::away(TimePoint now) {
    if (!is_away()) away_since_ = now;
}

void Shares::back(TimePoint now) {
    if (is_away()) all_back_ = now + kReturn;
    away_since_ = kNever;
}

void Shares::forget() {
    for (const auto& [tag, key] : keys_) release(key);
    keys_.clear();
    away_since_ = kNever;
}

// What it gains by that begins used up.
void Shares::stand_alone(Key& key, TimePoint now) {
    std::uint32_t usual = limiter_.usual_share(*key.policy);
    std::int64_t further = 0;
    Look seen;
    if (usual > key.share && look(key, now, seen)) {
        double part = static_cast<double>(usual - key.share) / usual;
        further = static_cast<std::int64_t>((static_cast<double>(key.policy->depth) - static_cast<double>(seen.ahead)) * part);
    }
    set_share(key, usual, std::max<std::int64_t>(further, 0), now);
    key.target = usual;
    key.booked = false;
    key.served = true;
}

// ---- cells

// In the order in which nobody gains by what comes in between.
void Shares::set_share(Key& key, std::uint32_t share, std::int64_t further, TimePoint now) {
    key.share = std::max<std::uint32_t>(share, 1);   // in a cell nothing means the usual one
    Table& cells = limiter_.cells();
    cells.with(key.hash, [&](Cell& cell) {
        if (further > 0) move(cell, further, Limiter::nanoseconds(now));
        cells.side_of(cell).share.store(key.share | Side::kListed, std::memory_order_relaxed);
        if (further < 0) move(cell, further, Limiter::nanoseconds(now));
    });
}

void Shares::release(const Key& key) {
    Table& cells = limiter_.cells();
    cells.with(key.hash, [&](Cell& cell) {
        cells.side_of(cell).asked.store(0, std::memory_order_relaxed);
        cells.side_of(cell).share.store(0, std::memory_order_relaxed);
    });
}

}  // namespace suoke::limits
