// SPDX-License-Identifier: MIT
#pragma once
// All stored answers of the process, shared by its workers. Found by 128 seeded bits and then by the whole key;
// what goes when there is no room is decided by S3-FIFO (Yang et al., SOSP 2023): what is asked for once passes
// through a small queue and does not push out what is asked for often.
//
//   Key key = store.key_of(text);
//   Found found = store.find(key, request_headers);
//   if (found.entry) ...
//   store.put(key, entry);
//
// The budget holds for what is stored and for what is on its way in; what a reader still holds of an answer that
// has gone is not counted.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "cache/entry.h"
#include "cache/hash.h"
#include "cache/marks.h"
#include "rt/list.h"

namespace suoke::cache {

class Filling;
class SecondLevel;
using FillingPtr = std::shared_ptr<Filling>;

// A view of the text that was hashed.
struct Key {
    std::string_view text;
    Hash hash;
};

struct Found {
    EntryPtr entry;          // null: nothing that fits this request
    bool known = false;      // there is something under this key, for requests of another kind (Vary)
    std::vector<std::string> vary;   // what that was chosen by
};

// What a miss does: ask, or read what another one asked for.
struct Flight {
    FillingPtr filling;
    bool leads = false;
};

class Store {
 public:
    explicit Store(CacheCells& cells);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    Key key_of(std::string_view text) const { return {text, hash_of(text, seed_)}; }
    Marks& marks() { return marks_; }
    // What other gateways know; null: nobody is asked. Outlives those who ask.
    SecondLevel* second() const { return second_.load(std::memory_order_acquire); }
    void set_second(SecondLevel* second) { second_.store(second, std::memory_order_release); }

    // The newest site's word; less than before takes effect at once.
    void set_limits(std::uint64_t bytes, std::uint64_t entries);
    std::uint64_t budget() const { return budget_.load(std::memory_order_relaxed); }
    std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
    std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }

    Found find(const Key& key, const http::Headers& request);
    // Beside those for requests of another kind, instead of one for the same. False when there is no room, or when it
    // was purged while it was on its way.
    bool put(const Key& key, EntryPtr entry);
    // This one, if it is still there.
    void remove(const Key& key, const EntryPtr& entry);
    Hash selection_of(const http::Headers& request, const std::vector<std::string>& names) const;

    // Room for what is on its way in; false when the budget has none, whatever is thrown out.
    bool reserve(std::uint64_t bytes);
    void release(std::uint64_t bytes) { account(-static_cast<std::int64_t>(bytes)); }
    // The same for what comes in at a client's pace, and may take long: all of it together has a quarter of the budget,
    // so that clients who read slowly do not push out what others want.
    bool reserve_slow(std::uint64_t bytes);
    void release_slow(std::uint64_t bytes);

    // Single flight: the first to ask for a key leads, the others follow, until it lands.
    Flight join(const Key& key, Slot url, std::uint64_t largest);
    FillingPtr alone(Slot url, std::uint64_t largest);   // one that nobody finds
    void land(const Filling& filling);

    // Keys whose answers turned out not to be stored: who asks for them need not wait for one another.
    bool known_uncacheable(const Key& key, TimePoint now) const;
    void note_uncacheable(const Key& key, TimePoint now);
    void forget_uncacheable(const Key& key);

 private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kMostVariants = 32;   // of one key; the oldest goes
    static constexpr std::size_t kUncacheable = 4096;
    static constexpr std::size_t kGhosts = 4096;       // of a shard

    struct Node : rt::ListHook<Node> {
        Hash hash;
        std::string key;
        std::vector<EntryPtr> variants;   // the newest is the last
        std::uint64_t bytes = 0;
        std::uint8_t uses = 0;            // since it was put, or looked at last; at most 3
        bool in_main = false;
    };
    // What was thrown out of the small queue a while ago: its hash, and when.
    struct Ghost {
        std::uint32_t print = 0, when = 0;
    };
    struct alignas(kCacheLine) Shard {
        mutable std::mutex mutex;
        std::unordered_map<Hash, std::unique_ptr<Node>, HashOfHash> nodes;
        rt::List<Node> small, main;       // the oldest is the first
        std::uint64_t small_bytes = 0, main_bytes = 0, main_count = 0;
        std::atomic<std::uint64_t> bytes{0};   // of both, for who has no lock
        std::uint32_t puts = 0;
        std::vector<Ghost> ghosts;
        std::unordered_map<Hash, FillingPtr, HashOfHash> flights;
    };

    Shard& shard_of(const Hash& hash) { return shards_[hash.high % kShards]; }
    void account(std::int64_t bytes);
    bool evict_one();
    bool evict_from(Shard& shard);
    bool settle_small(Shard& shard);
    bool settle_main(Shard& shard);
    void throw_out(Shard& shard, Node& node);
    void enlist(Shard& shard, Node& node);
    void resize(Shard& shard, Node& node, std::int64_t change);
    static void weigh(Shard& shard) { shard.bytes.store(shard.small_bytes + shard.main_bytes, std::memory_order_relaxed); }
    static void drop_variant(Node& node, std::size_t index, std::int64_t& change);
    void trim_entries();

    const Seed seed_ = Seed::secret();
    Marks marks_{seed_};
    std::atomic<SecondLevel*> second_{nullptr};
    CacheCells& cells_;
    std::atomic<std::uint64_t> budget_{64ull << 20}, most_entries_{0};
    std::atomic<std::uint64_t> used_{0}, entries_{0};
    std::atomic<std::uint64_t> slow_{0};   // of used_, at clients' pace
    std::array<Shard, kShards> shards_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> uncacheable_;   // 40 bits of the hash, 24 of the second it ends
};

}  // namespace suoke::cache
