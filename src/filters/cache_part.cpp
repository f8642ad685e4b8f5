// SPDX-License-Identifier: MIT
#include "filters/cache_part.h"

#include <string>
#include <utility>

#include "cache/ranges.h"
#include "cache/store.h"
#include "filters/cache_answer.h"
#include "gateway/worker.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

using cache::EntryPtr;
using gateway::Exchange;
using http::HeaderId;
using http::Piece;

// Begins like no key of a whole: after this a path would have to begin without a slash.
std::string_view part_key(Exchange& ex, std::string_view whole) {
    constexpr std::string_view kPart("part\0", 5);
    return ex.arena.join({kPart, whole});
}

EntryPtr find_part(Exchange& ex, const PartAsk& ask) {
    cache::Store& store = ex.worker.cache();
    const http::Headers& request = ex.request.head.headers;
    if (ask.asked.authorized) {
        cache::Found own = store.find(store.key_of(part_key(ex, ask.own)), request);
        if (own.entry) return own.entry;
    }
    cache::Found shared = store.find(store.key_of(part_key(ex, ask.shared)), request);
    bool for_us = shared.entry && (!ask.asked.authorized || shared.entry->life.for_everyone);
    return for_us ? shared.entry : nullptr;
}

std::optional<cache::ContentRange> range_held(const http::Headers& headers) {
    const std::string_view* text = headers.find("Content-Range");
    return text ? cache::read_content_range(*text) : std::nullopt;
}

// A part on its way to its client. What was passed on is kept; when the client leaves, or the upstream breaks off,
// nothing is.
class PartOnItsWay final : public http::BodyAround, public rt::FrameAllocated {
 public:
    PartOnItsWay(http::Body inner, cache::Store& store, std::string_view key, std::shared_ptr<cache::Entry> entry, std::uint64_t size)
        : BodyAround(std::move(inner)), store_(store), key_(key), entry_(std::move(entry)), size_(size), content_(std::make_shared<cache::Content>()) {
        content_->expect(size);
    }
    ~PartOnItsWay() override { give_back(); }

    Result<Piece> next() override {
        Result<Piece> piece = inner_->next();
        if (!content_) return piece;
        bool takes = piece && take(piece->bytes);
        if (!takes) content_ = nullptr;
        else if (piece->state == Piece::end) keep();
        if (!content_) give_back();
        return piece;
    }

 private:
    bool take(std::string_view bytes) {
        std::uint64_t more = content_->needs(bytes.size());
        bool fits = content_->size() + bytes.size() <= size_ && (more == 0 || store_.reserve_slow(more));
        if (!fits) return false;
        reserved_ += more;
        content_->append(bytes);
        return true;
    }
    void keep() {
        bool all = content_->size() == size_;
        content_->trim();
        entry_->content = std::move(content_);
        give_back();
        if (all) store_.put(store_.key_of(key_), std::move(entry_));
    }
    void give_back() {
        if (reserved_ > 0) store_.release_slow(std::exchange(reserved_, 0));
    }

    cache::Store& store_;
    const std::string key_;
    std::shared_ptr<cache::Entry> entry_;
    const std::uint64_t size_;
    std::shared_ptr<cache::Content> content_;   // null: it is kept, or will not be
    std::uint64_t reserved_ = 0;                // of the store's budget
};

}  // namespace

std::optional<gateway::Answer> stored_part(Exchange& ex, const PartAsk& ask) {
    const http::RequestHead& head = ex.request.head;
    bool wants_part = head.method == http::Method::GET && head.headers.count(HeaderId::range) == 1 && !cache::is_conditional(head.headers);
    if (!wants_part) return std::nullopt;
    EntryPtr part = find_part(ex, ask);
    // RFC 9111 §4: of several the newest.
    if (!part || (ask.whole && ask.whole->received >= part->received)) return std::nullopt;
    Duration age = part->age(ex.worker.loop().now());
    bool fresh = cache::may_use(part->life, ask.asked.directives, age) == cache::Use::fresh;
    auto held = range_held(part->head.fields());
    if (!fresh || !held || !cache::range_counts(head.headers, part->validators, unix_now(ex))) return std::nullopt;
    cache::RangeAnswer wanted = cache::choose_range(*head.headers.find(HeaderId::range), held->size);
    if (wanted.kind != cache::RangeAnswer::part || !held->holds(wanted.range)) return std::nullopt;
    CacheStory story;
    story.ttl = part->life.lifetime - age;
    story.detail = "part";
    return part_answer(ex, part, wanted.range, *held, story);
}

std::optional<Duration> keep_part(Exchange& ex, const PartAsk& ask, const CacheRules& rules, const PartOrigin& origin, http::Response& answer) {
    auto held = range_held(answer.headers);
    if (!held || !answer.body || ex.failure) return std::nullopt;
    std::uint64_t size = held->range.size();
    if (size > rules.max_object || answer.body->remaining().value_or(size) != size) return std::nullopt;
    cache::Asked asked = ask.asked;
    asked.takes_part = true;
    cache::ResponseFacts facts = cache::read_response(answer.status, answer.headers, ex.worker.loop().clock().wall(), rules.surrogate);
    cache::Judgement judged = cache::may_store(asked, facts, rules.for_answer(ex.path, answer.headers), origin.delay);
    const cache::Life& life = judged.life;
    bool fresh = judged.store() && !life.always_validate && life.lifetime > life.initial_age;
    if (!fresh) return std::nullopt;
    bool is_own = asked.authorized && !life.for_everyone;
    std::string_view key = part_key(ex, is_own ? ask.own : ask.shared);
    auto entry = stored_entry(ex, origin.url, answer, facts, life, rules, origin.stamp);
    answer.body = std::make_unique<PartOnItsWay>(std::move(answer.body), ex.worker.cache(), key, std::move(entry), size);
    return life.lifetime - life.initial_age;
}

}  // namespace suoke::filters
