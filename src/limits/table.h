// SPDX-License-Identifier: MIT
#pragma once
// One 64-bit word a key, for all threads at once, in memory that never grows. A key lives in one of the
// eight cells of its bucket (128 bytes). Finding it takes no lock; a key that is new takes a spinlock that
// it shares with few buckets, or two threads could give it two cells.
//
// Words are times, or counts: those below `live_from` say nothing any more, so their cells are taken over
// first, the words with them. When all eight of a bucket are in use, the lowest word goes: of times, the key
// that would have been forgotten first.
//
//   Table table(4'000'000);                                    // cells: 64 MB, of which a million keys use a quarter
//   Cell* cell = table.find(hash);
//   if (!cell) cell = table.claim(hash, now, Table::evict);

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "limits/keyed_hash.h"

namespace suoke::limits {

// Whoever has changed a word looks at the tag again: the cell may be somebody else's by now.
struct Cell {
    std::atomic<std::uint64_t> tag;    // 0: nobody's
    std::atomic<std::uint64_t> word;
};

// What a key has besides, where gateways share a limit (shares.h).
struct Side {
    static constexpr std::uint32_t kListed = 1u << 31, kShare = kListed - 1;
    std::atomic<std::uint32_t> share;   // of 65536; 0: the usual one. With kListed: control knows of the key
    std::atomic<std::uint32_t> asked;   // what requests cost, granted or not
};

// Zeros that take no memory before they are touched.
template <class T>
class Zeros {
 public:
    explicit Zeros(std::size_t count);
    T* begin() const { return first_; }

 private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::unique_ptr<void, Free> memory_;
    T* first_;
};

class Table {
 public:
    static constexpr std::size_t kBucket = 8;
    enum When : std::uint8_t { evict, keep };   // all cells of a bucket are in use

    explicit Table(std::size_t cells);   // rounded up to a power of two

    Cell* find(const Hash& hash) const {
        Cell* bucket = cells_.begin() + kBucket * (hash.place & mask_);
        const std::uint64_t tag = tag_of(hash);
        for (Cell* cell = bucket; cell != bucket + kBucket; ++cell)
            if (cell->tag.load(std::memory_order_acquire) == tag) return cell;
        return nullptr;
    }
    bool is_still(const Cell& cell, const Hash& hash) const { return cell.tag.load(std::memory_order_acquire) == tag_of(hash); }
    // The key's cell, from now on. Null: the bucket is full of live ones, and they are to stay.
    Cell* claim(const Hash& hash, std::uint64_t live_from, When full);

    void open_sides();                    // any thread, once or more
    bool has_sides() const { return sides_.load(std::memory_order_acquire) != nullptr; }
    Side& side_of(const Cell& cell) const { return sides_.load(std::memory_order_acquire)[&cell - cells_.begin()]; }
    // Runs `change(cell)` when the key still has one; nobody takes that over meanwhile.
    template <class Change>
    bool with(const Hash& hash, Change change) {
        Guard guard(lock_of(hash));
        Cell* cell = find(hash);
        if (cell) change(*cell);
        return cell != nullptr;
    }

    std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }
    std::size_t size() const { return (mask_ + 1) * kBucket; }

 private:
    struct Guard {
        explicit Guard(std::atomic_flag& flag);
        ~Guard() { flag.clear(std::memory_order_release); }
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        std::atomic_flag& flag;
    };
    static std::uint64_t tag_of(const Hash& hash) { return hash.tag ? hash.tag : 1; }
    std::atomic_flag& lock_of(const Hash& hash) { return locks_[hash.place & mask_ & (locks_.size() - 1)]; }

    const std::size_t mask_;              // of buckets
    Zeros<Cell> cells_;
    std::unique_ptr<Zeros<Side>> side_memory_;
    std::atomic<Side*> sides_{nullptr};
    std::atomic<std::uint64_t> evictions_{0};
    std::array<std::atomic_flag, 256> locks_{};
};

}  // namespace suoke::limits
