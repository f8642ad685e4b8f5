// SPDX-License-Identifier: MIT
#include "cache/marks.h"

#include <algorithm>
#include <new>
#include <string>

#include "rt/digest.h"

namespace suoke::cache {
namespace {

// The borders of the first segments of a path: "/a/b/c" -> "/", "/a", "/a/b", "/a/b/c". Calls `prefix` for each.
template <class Prefix>
void each_prefix(std::string_view path, std::size_t most, Prefix prefix) {
    path = path.substr(0, path.find('?'));
    while (path.ends_with('/')) path.remove_suffix(1);
    prefix(std::string_view("/"));
    std::size_t at = 0;
    for (std::size_t depth = 0; depth < most && at < path.size(); ++depth) {
        at = std::min(path.find('/', at + 1), path.size());
        prefix(path.substr(0, at));
    }
}

}  // namespace

Seed Seed::secret() {
    Seed seed;
    std::string bytes = rt::secret_bytes(sizeof seed);
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

Marks::Marks(const Seed& seed) : seed_(seed), table_(static_cast<Mark*>(std::calloc(kSlots, sizeof(Mark)))) {
    if (!table_) throw std::bad_alloc();
}

Slot Marks::slot_of(char kind, std::string_view host, std::string_view text) const {
    std::string whole;
    whole.reserve(host.size() + text.size() + 2);
    whole.append(1, kind).append(host).append(1, '\0').append(text);
    return hash_of(whole, seed_).low;
}

// First `last`, then `others`: what is taken from the one to the other meanwhile is seen in one of them.
Stamp Marks::last_purge(Slot slot) const {
    Mark& mark = table_[place_of(slot)];
    std::uint64_t last = std::atomic_ref(mark.last).load(std::memory_order_acquire);
    Stamp others = std::atomic_ref(mark.others).load(std::memory_order_relaxed);
    return last >> kStampBits == print_of(slot) ? std::max<Stamp>(last & ((Stamp{1} << kStampBits) - 1), others) : others;
}

Slot Marks::slot_of(const Purge& what) const {
    if (what.kind == Purge::Kind::all) return 0;
    if (what.kind != Purge::Kind::prefix) return slot_of(static_cast<char>(what.kind), what.host, what.text);
    std::string_view deepest;
    each_prefix(what.text, kDeepest, [&](std::string_view prefix) { deepest = prefix; });
    return slot_of('p', what.host, deepest);
}

// The stamp is there before the generation says so: whoever sees the new generation sees the stamp.
void Marks::mark(const Purge& what, Slot slot, Stamp when) {
    if (what.kind == Purge::Kind::all) {
        all_.store(std::max(when, all_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
    } else {
        Mark& mark = table_[place_of(slot)];
        std::atomic_ref last(mark.last), others(mark.others);
        std::uint64_t before = last.load(std::memory_order_relaxed);
        if (before >> kStampBits != print_of(slot)) others.store(before & ((Stamp{1} << kStampBits) - 1), std::memory_order_relaxed);
        last.store(print_of(slot) << kStampBits | when, std::memory_order_release);
    }
    generation_.store(std::max(when, generation_.load(std::memory_order_relaxed)), std::memory_order_release);
}

// The herald is first: what it keeps from coming back cannot come back between the two.
void Marks::purge(const Purge& what) {
    if (Herald* herald = herald_.load(std::memory_order_acquire)) herald->purged(what);
    heed(what);
}

void Marks::heed(const Purge& what) {
    if (what.kind != Purge::Kind::url) purges_.fetch_add(1, std::memory_order_relaxed);
    Slot slot = slot_of(what);
    std::lock_guard lock(mutex_);
    mark(what, slot, generation_.load(std::memory_order_relaxed) + 1);
}

void Marks::heed(const Purge& what, Stamp when) {
    Slot slot = slot_of(what);
    std::lock_guard lock(mutex_);
    mark(what, slot, when);
}

std::vector<Slot> Marks::slots_of(std::string_view host, std::string_view path_and_query, std::span<const std::string_view> tags) const {
    std::vector<Slot> slots;
    for (std::string_view which : {host, std::string_view()}) {
        slots.push_back(slot_of('u', which, path_and_query));
        each_prefix(path_and_query, kDeepest, [&](std::string_view prefix) { slots.push_back(slot_of('p', which, prefix)); });
    }
    for (std::string_view tag : tags) slots.push_back(slot_of('t', {}, tag));
    std::ranges::sort(slots);
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    return slots;
}

bool Marks::stands(Stamp stamp, std::span<const Slot> slots, std::atomic<Stamp>& seen) const {
    Stamp generation = generation_.load(std::memory_order_acquire);
    if (seen.load(std::memory_order_relaxed) >= generation) return true;
    if (all_.load(std::memory_order_relaxed) > stamp) return false;
    for (Slot slot : slots)
        if (last_purge(slot) > stamp) return false;
    seen.store(generation, std::memory_order_relaxed);
    return true;
}

}  // namespace suoke::cache
