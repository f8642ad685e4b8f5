// SPDX-License-Identifier: MIT
#include "limits/table.h"

#include <algorithm>
#include <bit>
#include <thread>

#include "base/error.h"
#include "base/metrics.h"

namespace suoke::limits {

// The system's fresh pages are zero, and calloc knows: a table of 64 MB takes as much as it has keys.
template <class T>
Zeros<T>::Zeros(std::size_t count) : memory_(std::calloc(count * sizeof(T) + kCacheLine, 1)) {
    CHECK(memory_);
    auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    first_ = reinterpret_cast<T*>((address + kCacheLine - 1) / kCacheLine * kCacheLine);
}

Table::Guard::Guard(std::atomic_flag& which) : flag(which) {
    while (flag.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
}

Table::Table(std::size_t cells) : mask_(std::bit_ceil(std::max(cells, kBucket) / kBucket) - 1), cells_(size()) {}

Cell* Table::claim(const Hash& hash, std::uint64_t live_from, When full) {
    Guard guard(lock_of(hash));
    Cell* bucket = cells_.begin() + kBucket * (hash.place & mask_);
    Cell* lowest = bucket;
    std::uint64_t low = UINT64_MAX;
    for (Cell* cell = bucket; cell != bucket + kBucket; ++cell) {
        std::uint64_t tag = cell->tag.load(std::memory_order_relaxed);
        if (tag == tag_of(hash)) return cell;
        std::uint64_t word = tag ? cell->word.load(std::memory_order_relaxed) : 0;
        if (word >= low) continue;
        low = word;
        lowest = cell;
    }
    const bool is_free = lowest->tag.load(std::memory_order_relaxed) == 0;
    if (!is_free && low >= live_from) {
        if (full == keep) return nullptr;
        evictions_.fetch_add(1, std::memory_order_relaxed);
        lowest->tag.store(0, std::memory_order_release);
        lowest->word.store(0, std::memory_order_release);
    }
    if (has_sides()) {
        side_of(*lowest).share.store(0, std::memory_order_relaxed);
        side_of(*lowest).asked.store(0, std::memory_order_relaxed);
    }
    lowest->tag.store(tag_of(hash), std::memory_order_release);
    return lowest;
}

void Table::open_sides() {
    static_assert(std::atomic<Side*>::is_always_lock_free);
    Guard guard(locks_.front());
    if (has_sides()) return;
    side_memory_ = std::make_unique<Zeros<Side>>(size());
    sides_.store(side_memory_->begin(), std::memory_order_release);
}

}  // namespace suoke::limits
