// SPDX-License-Identifier: MIT
#include "cache/store.h"

#include <algorithm>

#include "cache/filling.h"

namespace suoke::cache {

Store::Store(CacheCells& cells) : cells_(cells), uncacheable_(std::make_unique<std::atomic<std::uint64_t>[]>(kUncacheable)) {}

Store::~Store() = default;

// ---- the budget

void Store::account(std::int64_t bytes) {
    used_.fetch_add(static_cast<std::uint64_t>(bytes), std::memory_order_relaxed);
    cells_.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

// Counted before it is there, so that all together never hold more than they may.
bool Store::reserve(std::uint64_t bytes) {
    for (;;) {
        std::uint64_t used = used_.load(std::memory_order_relaxed), budget = budget_.load(std::memory_order_relaxed);
        if (bytes <= budget && used <= budget - bytes) {
            if (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) continue;
            cells_.bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
            return true;
        }
        if (bytes > budget || !evict_one()) return false;
    }
}

bool Store::reserve_slow(std::uint64_t bytes) {
    std::uint64_t taken = slow_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    bool fits = taken <= budget() / 4 && reserve(bytes);
    if (!fits) slow_.fetch_sub(bytes, std::memory_order_relaxed);
    return fits;
}

void Store::release_slow(std::uint64_t bytes) {
    slow_.fetch_sub(bytes, std::memory_order_relaxed);
    release(bytes);
}

void Store::set_limits(std::uint64_t bytes, std::uint64_t entries) {
    bool less = bytes < budget_.load(std::memory_order_relaxed) || (entries > 0 && entries < entries_.load(std::memory_order_relaxed));
    budget_.store(bytes, std::memory_order_relaxed);
    most_entries_.store(entries, std::memory_order_relaxed);
    if (!less) return;
    while (used() > bytes && evict_one()) {
    }
    trim_entries();
}

void Store::trim_entries() {
    std::uint64_t most = most_entries_.load(std::memory_order_relaxed);
    while (most > 0 && entries() > most && evict_one()) {
    }
}

// ---- who goes

// One key of the shard that holds most, so that all are about as full and none has to give what is asked for often.
// False when all are empty.
bool Store::evict_one() {
    for (std::size_t tries = 0; tries < kShards; ++tries) {
        auto weight = [](const Shard& shard) { return shard.bytes.load(std::memory_order_relaxed); };
        Shard& shard = *std::ranges::max_element(shards_, {}, weight);
        std::lock_guard lock(shard.mutex);
        if (evict_from(shard)) return true;
    }
    return false;
}

bool Store::evict_from(Shard& shard) {
    bool small_is_full = shard.small_bytes * 10 >= shard.small_bytes + shard.main_bytes;
    if (small_is_full && settle_small(shard)) return true;
    return settle_main(shard) || settle_small(shard);
}

// The oldest of the small queue that nobody asked for again goes; the others move up.
bool Store::settle_small(Shard& shard) {
    while (Node* node = shard.small.first()) {
        if (node->uses <= 1) {
            std::uint32_t print = static_cast<std::uint32_t>(node->hash.high >> 32);
            shard.ghosts[node->hash.low / kShards % kGhosts] = {print == 0 ? 1 : print, shard.puts};
            throw_out(shard, *node);
            return true;
        }
        node->unlink();
        shard.small_bytes -= node->bytes;
        node->uses = 0;
        node->in_main = true;
        enlist(shard, *node);
    }
    return false;
}

// The oldest of the main queue that was not asked for since it was here last.
bool Store::settle_main(Shard& shard) {
    while (Node* node = shard.main.first()) {
        if (node->uses == 0) {
            throw_out(shard, *node);
            return true;
        }
        --node->uses;
        node->unlink();
        shard.main.push_back(*node);
    }
    return false;
}

void Store::enlist(Shard& shard, Node& node) {
    (node.in_main ? shard.main : shard.small).push_back(node);
    (node.in_main ? shard.main_bytes : shard.small_bytes) += node.bytes;
    if (node.in_main) ++shard.main_count;
    weigh(shard);
}

void Store::throw_out(Shard& shard, Node& node) {
    node.unlink();
    (node.in_main ? shard.main_bytes : shard.small_bytes) -= node.bytes;
    if (node.in_main) --shard.main_count;
    weigh(shard);
    entries_.fetch_sub(node.variants.size(), std::memory_order_relaxed);
    cells_.entries.fetch_sub(static_cast<std::int64_t>(node.variants.size()), std::memory_order_relaxed);
    cells_.evictions.fetch_add(node.variants.size(), std::memory_order_relaxed);
    account(-static_cast<std::int64_t>(node.bytes));
    Hash hash = node.hash;
    shard.nodes.erase(hash);
}

// ---- what is stored

Hash Store::selection_of(const http::Headers& request, const std::vector<std::string>& names) const {
    if (names.empty()) return {};
    std::string text;
    append_selection(text, request, names);
    return hash_of(text, seed_);
}

Found Store::find(const Key& key, const http::Headers& request) {
    Found found;
    {
        Shard& shard = shard_of(key.hash);
        std::lock_guard lock(shard.mutex);
        auto at = shard.nodes.find(key.hash);
        if (at == shard.nodes.end() || at->second->key != key.text) return found;
        Node& node = *at->second;
        node.uses = static_cast<std::uint8_t>(std::min(3, node.uses + 1));
        for (auto variant = node.variants.rbegin(); variant != node.variants.rend() && !found.entry; ++variant)
            if (selection_of(request, (*variant)->vary) == (*variant)->selection) found.entry = *variant;
        if (!found.entry && !node.variants.empty()) {
            found.known = true;
            found.vary = node.variants.back()->vary;
        }
    }
    if (!found.entry || marks_.stands(found.entry->stamp, found.entry->slots, found.entry->seen)) return found;
    remove(key, found.entry);
    return {};
}

void Store::drop_variant(Node& node, std::size_t index, std::int64_t& change) {
    change -= static_cast<std::int64_t>(node.variants[index]->cost());
    node.variants.erase(node.variants.begin() + static_cast<std::ptrdiff_t>(index));
}

// The node's bytes, its queue's and all together.
void Store::resize(Shard& shard, Node& node, std::int64_t change) {
    auto delta = static_cast<std::uint64_t>(change);   // wraps, as all of these do
    node.bytes += delta;
    (node.in_main ? shard.main_bytes : shard.small_bytes) += delta;
    weigh(shard);
}

bool Store::put(const Key& key, EntryPtr entry) {
    if (!marks_.stands(entry->stamp, entry->slots, entry->seen)) return false;
    // Its own bytes, and what a key takes that is not there yet; what is too much is given back below.
    std::uint64_t cost = entry->cost(), of_key = sizeof(Node) + key.text.size();
    if (!reserve(cost + of_key)) {
        cells_.refused.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    Shard& shard = shard_of(key.hash);
    std::int64_t change = static_cast<std::int64_t>(cost), variants = 1;
    {
        std::lock_guard lock(shard.mutex);
        ++shard.puts;
        shard.ghosts.resize(kGhosts);   // with the first one
        auto at = shard.nodes.find(key.hash);
        if (at != shard.nodes.end() && at->second->key != key.text) {
            throw_out(shard, *at->second);
            at = shard.nodes.end();
        }
        if (at == shard.nodes.end()) {
            auto node = std::make_unique<Node>();
            node->hash = key.hash;
            node->key = key.text;
            Ghost& ghost = shard.ghosts[key.hash.low / kShards % kGhosts];
            auto print = static_cast<std::uint32_t>(key.hash.high >> 32);
            bool was_here = ghost.print == (print == 0 ? 1 : print) && shard.puts - ghost.when <= std::max<std::uint64_t>(shard.main_count, 64);
            if (was_here) ghost.print = 0;
            node->in_main = was_here;
            at = shard.nodes.emplace(key.hash, std::move(node)).first;
            enlist(shard, *at->second);
            change += static_cast<std::int64_t>(of_key);
        }
        Node& node = *at->second;
        for (std::size_t i = node.variants.size(); i-- > 0;) {
            if (node.variants[i]->vary != entry->vary || node.variants[i]->selection != entry->selection) continue;
            drop_variant(node, i, change);
            --variants;
        }
        if (node.variants.size() >= kMostVariants) {
            drop_variant(node, 0, change);
            --variants;
        }
        node.variants.push_back(std::move(entry));
        resize(shard, node, change);
    }
    account(change - static_cast<std::int64_t>(cost + of_key));
    entries_.fetch_add(static_cast<std::uint64_t>(variants), std::memory_order_relaxed);
    cells_.entries.fetch_add(variants, std::memory_order_relaxed);
    trim_entries();
    return true;
}

void Store::remove(const Key& key, const EntryPtr& entry) {
    std::int64_t change = 0;
    Shard& shard = shard_of(key.hash);
    {
        std::lock_guard lock(shard.mutex);
        auto at = shard.nodes.find(key.hash);
        if (at == shard.nodes.end()) return;
        Node& node = *at->second;
        auto variant = std::ranges::find(node.variants, entry);
        if (variant == node.variants.end()) return;
        drop_variant(node, static_cast<std::size_t>(variant - node.variants.begin()), change);
        resize(shard, node, change);
    }
    account(change);
    entries_.fetch_sub(1, std::memory_order_relaxed);
    cells_.entries.fetch_sub(1, std::memory_order_relaxed);
}

// ---- single flight

Flight Store::join(const Key& key, Slot url, std::uint64_t largest) {
    Shard& shard = shard_of(key.hash);
    std::lock_guard lock(shard.mutex);
    FillingPtr& filling = shard.flights[key.hash];
    if (filling && filling->key() == key.text && filling->takes_followers()) return {filling, false};
    filling = std::make_shared<Filling>(*this, std::string(key.text), key.hash, url, largest);
    return {filling, true};
}

FillingPtr Store::alone(Slot url, std::uint64_t largest) { return std::make_shared<Filling>(*this, std::string(), Hash(), url, largest); }

void Store::land(const Filling& filling) {
    if (filling.key().empty()) return;
    Shard& shard = shard_of(filling.hash());
    FillingPtr last;   // dies outside the lock
    std::lock_guard lock(shard.mutex);
    auto at = shard.flights.find(filling.hash());
    if (at == shard.flights.end() || at->second.get() != &filling) return;
    last = std::move(at->second);
    shard.flights.erase(at);
}

// ---- what is not worth waiting for

namespace {

constexpr std::uint64_t kSecondsMask = (std::uint64_t{1} << 24) - 1;

std::uint64_t second_of(TimePoint t) {
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count()) & kSecondsMask;
}

}  // namespace

bool Store::known_uncacheable(const Key& key, TimePoint now) const {
    std::uint64_t word = uncacheable_[key.hash.low % kUncacheable].load(std::memory_order_relaxed);
    if (word >> 24 != key.hash.high >> 24) return false;
    return ((word - second_of(now)) & kSecondsMask) <= 60;   // it has not ended yet
}

void Store::note_uncacheable(const Key& key, TimePoint now) {
    constexpr std::uint64_t kFor = 10;
    std::uint64_t ends = (second_of(now) + kFor) & kSecondsMask;
    uncacheable_[key.hash.low % kUncacheable].store((key.hash.high >> 24 << 24) | ends, std::memory_order_relaxed);
}

void Store::forget_uncacheable(const Key& key) {
    std::atomic<std::uint64_t>& word = uncacheable_[key.hash.low % kUncacheable];
    if (word.load(std::memory_order_relaxed) >> 24 == key.hash.high >> 24) word.store(0, std::memory_order_relaxed);
}

}  // namespace suoke::cache
