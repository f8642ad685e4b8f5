// SPDX-License-Identifier: MIT
#include "gateway/event_rings.h"

#include <algorithm>

namespace suoke::gateway {
namespace {

constexpr std::uint64_t kRingItself = 512;  // about what an empty ring takes, and an event besides its bytes
constexpr std::uint64_t kEventItself = 96;

std::uint64_t size_of(const EventRings::Event& event) { return event.id.size() + event.bytes.size() + kEventItself; }

}  // namespace

void EventRings::record(const std::string& key, const void* who, Event event, const Limits& limits, TimePoint now) {
    std::lock_guard lock(mutex_);
    auto ring = find(key, limits, now);
    if (ring == rings_.end()) ring = open(key, now);
    if (!ring->recorder) ring->recorder = who;
    if (ring->recorder != who) return;
    ring->used = now;
    std::uint64_t size = size_of(event);
    ring->events.push_back(std::move(event));
    ring->bytes += size;
    bytes_ += size;
    // One that is larger than the ring takes everything with it: a gap would go unnoticed.
    while (!ring->events.empty() && (ring->events.size() > limits.events || ring->bytes > limits.bytes))
        drop_first_event(*ring);
    make_room(limits, now);
}

void EventRings::gap(const std::string& key, const void* who) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end() || found->second->recorder != who) return;
    while (!found->second->events.empty()) drop_first_event(*found->second);
}

void EventRings::leave(const std::string& key, const void* who) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found != by_key_.end() && found->second->recorder == who) found->second->recorder = nullptr;
}

std::optional<EventRings::Missed> EventRings::after(const std::string& key, std::string_view id, const Limits& limits,
                                                    TimePoint now) {
    std::lock_guard lock(mutex_);
    auto ring = find(key, limits, now);
    if (ring == rings_.end()) return std::nullopt;
    auto seen = std::find_if(ring->events.begin(), ring->events.end(), [id](const Event& e) { return e.id == id; });
    if (seen == ring->events.end()) return std::nullopt;
    Missed missed{{}, ring->events.back().id};
    std::for_each(seen + 1, ring->events.end(), [&](const Event& e) { missed.bytes += e.bytes; });
    return missed;
}

std::uint64_t EventRings::bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
}

// ---- under the lock

EventRings::Rings::iterator EventRings::find(const std::string& key, const Limits& limits, TimePoint now) {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return rings_.end();
    auto ring = found->second;
    if (now >= deadline_after(ring->used, limits.keep)) {
        drop(ring);
        return rings_.end();
    }
    rings_.splice(rings_.begin(), rings_, ring);
    return ring;
}

EventRings::Rings::iterator EventRings::open(const std::string& key, TimePoint now) {
    auto ring = rings_.insert(rings_.begin(), Ring{.key = key, .events = {}, .used = now});
    by_key_.emplace(key, ring);
    bytes_ += kRingItself;
    return ring;
}

void EventRings::drop(Rings::iterator ring) {
    bytes_ -= ring->bytes + kRingItself;
    by_key_.erase(ring->key);
    rings_.erase(ring);
}

void EventRings::drop_first_event(Ring& ring) {
    std::uint64_t size = size_of(ring.events.front());
    ring.events.pop_front();
    ring.bytes -= size;
    bytes_ -= size;
}

void EventRings::make_room(const Limits& limits, TimePoint now) {
    while (!rings_.empty()) {
        Ring& oldest = rings_.back();
        bool old = now >= deadline_after(oldest.used, limits.keep);
        if (!old && bytes_ <= limits.memory) break;
        drop(std::prev(rings_.end()));
    }
}

}  // namespace suoke::gateway
