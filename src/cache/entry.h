// SPDX-License-Identifier: MIT
#pragma once
// A stored answer. It is made once and never changed; a 304 makes another one with the same content.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/content.h"
#include "cache/marks.h"
#include "cache/policy.h"
#include "http/headers.h"

namespace suoke::cache {

using ContentPtr = std::shared_ptr<const Content>;

// Fields that own their bytes.
class Head {
 public:
    Head() = default;
    // Those of `from` for which `keep(field)` holds.
    template <class Keep>
    static Head copy_of(const http::Headers& from, Keep keep) {
        Head head;
        std::size_t size = 0;
        for (const http::Field& field : from)
            if (keep(field)) size += field.name.size() + field.value.size();
        head.reserve(size);
        for (const http::Field& field : from)
            if (keep(field)) head.add(field);
        return head;
    }
    const http::Headers& fields() const { return fields_; }
    std::size_t bytes() const { return capacity_ + fields_.size() * sizeof(http::Field); }
    // `bytes` more than are there can be added; before the first add().
    void reserve(std::size_t bytes);
    void add(const http::Field& field);

 private:
    std::string_view keep(std::string_view text);
    std::unique_ptr<char[]> text_;
    std::size_t used_ = 0, capacity_ = 0;
    http::Headers fields_;
};

struct Entry {
    int status = 200;
    std::string reason;
    Head head;                       // what is sent with it, but for Age and framing
    ContentPtr content;              // null: it has none, or not yet
    Life life;
    TimePoint received{};            // when its life began (monotonic): response_time
    Validators validators;           // views of `head`
    std::vector<std::string> vary;   // names of the fields it was chosen by, and
    Hash selection;                  // what they said
    Stamp stamp = 0;                 // Marks::now() when it was asked for
    std::vector<Slot> slots;         // what purges it
    mutable std::atomic<Stamp> seen{0};
    mutable std::atomic<std::int64_t> refreshed{0};   // when somebody last set out to validate it; see claim_refresh()

    std::uint64_t size() const { return content ? content->size() : 0; }
    std::uint64_t cost() const { return sizeof(Entry) + head.bytes() + slots.size() * sizeof(Slot) + (content ? content->held() : 0); }
    // RFC 9111 §4.2.3.
    Duration age(TimePoint now) const { return life.initial_age + (now - received); }
    // Whether the caller shall validate it in the background: not everyone, and not again at once where it fails.
    bool claim_refresh(TimePoint now) const;
};
using EntryPtr = std::shared_ptr<const Entry>;

// RFC 9111 §3.2: the stored fields with those of a 304 instead of theirs.
Head updated_head(const Head& stored, const http::Headers& told, const ResponseFacts& facts);

// What purges answers by name: Cache-Tag ("a, b") and Surrogate-Key ("a b").
std::vector<std::string_view> tags_of(const http::Headers& headers);

}  // namespace suoke::cache
