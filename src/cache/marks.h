// SPDX-License-Identifier: MIT
#pragma once
// What was purged, in a table of fixed size: "whatever was asked for before moment G and has to do with T is
// void". A purge writes one stamp, however much it hits; an entry is looked at when it is found again, and only
// when anything was purged since it was looked at last. Two things that were purged may share a slot: then more is
// void than was asked for, never less. (Each slot remembers what was purged last, so a thing that was never purged
// is void only when two others were in its slot.)

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "cache/hash.h"

namespace suoke::cache {

using Stamp = std::uint64_t;
using Slot = std::uint64_t;   // where in the table, and what tells it from others there

// What is to be void.
struct Purge {
    enum class Kind : char { url = 'u', prefix = 'p', tag = 't', all = '*' };
    Kind kind = Kind::all;
    std::string_view host, text;   // host: without a port, in lower case; empty: of any. text: the path, or the tag
};

class Marks {
 public:
    // Is told of every purge() before it takes effect, by whichever thread purges.
    class Herald {
     public:
        virtual void purged(const Purge& what) = 0;

     protected:
        ~Herald() = default;
    };

    explicit Marks(const Seed& seed);
    const Seed& seed() const { return seed_; }
    // Null: nobody. Outlives those who purge.
    void set_herald(Herald* herald) { herald_.store(herald, std::memory_order_release); }

    // The moment a request goes to its upstream: what is purged from now on is void when its answer comes.
    Stamp now() const { return generation_.load(std::memory_order_acquire); }
    // How often anything but one URL was purged: by that, who joins a request under way knows that it is too old.
    std::uint64_t purges() const { return purges_.load(std::memory_order_relaxed); }

    void purge(const Purge& what);
    // `path`: with its query, where it has one.
    void purge_url(std::string_view host, std::string_view path) { purge({Purge::Kind::url, host, path}); }
    // Whole segments: "/api/users" is that path and everything below it.
    void purge_prefix(std::string_view host, std::string_view path) { purge({Purge::Kind::prefix, host, path}); }
    void purge_tag(std::string_view tag) { purge({Purge::Kind::tag, {}, tag}); }
    void purge_all() { purge({}); }
    // The same, of what somebody else purged: the herald is not told.
    void heed(const Purge& what);
    // Of a table whose stamps are somebody else's, each greater than those before: it was purged then.
    void heed(const Purge& what, Stamp when);

    // The slots that an answer for this URL with these tags hangs on.
    std::vector<Slot> slots_of(std::string_view host, std::string_view path_and_query, std::span<const std::string_view> tags) const;
    // Whether nothing it hangs on was purged since. `seen` remembers how far that has been looked into.
    bool stands(Stamp stamp, std::span<const Slot> slots, std::atomic<Stamp>& seen) const;
    bool stands(Stamp stamp, Slot slot) const { return last_purge(slot) <= stamp; }
    Slot slot_of_url(std::string_view host, std::string_view path) const { return slot_of('u', host, path); }
    // Where it is marked; of Kind::all nowhere.
    Slot slot_of(const Purge& what) const;

 private:
    static constexpr std::size_t kSlots = 1 << 15;
    static constexpr std::size_t kDeepest = 16;   // segments; a purge further down hits all of that branch

    static constexpr unsigned kStampBits = 40;

    // Plain words, looked at as atomics, so that the table is untouched memory until something is purged.
    struct Mark {
        std::uint64_t last;     // 24 bits of what was purged last, 40 of when
        std::uint64_t others;   // when anything else here was
    };
    struct Free {
        void operator()(Mark* marks) const { std::free(marks); }
    };
    static std::size_t place_of(Slot slot) { return slot % kSlots; }
    static std::uint64_t print_of(Slot slot) { return slot / kSlots & 0xFFFFFF; }
    Slot slot_of(char kind, std::string_view host, std::string_view text) const;
    Stamp last_purge(Slot slot) const;
    void mark(const Purge& what, Slot slot, Stamp when);   // locked
    const Seed seed_;
    std::atomic<Herald*> herald_{nullptr};
    std::atomic<Stamp> generation_{1};
    std::atomic<Stamp> all_{0};
    std::atomic<std::uint64_t> purges_{0};
    const std::unique_ptr<Mark[], Free> table_;
    std::mutex mutex_;   // of those who purge
};

}  // namespace suoke::cache
