// SPDX-License-Identifier: MIT
#include "cache/second_level.h"

#include <algorithm>
#include <utility>

#include "cache/vary.h"
#include "rt/digest.h"
#include "rt/race.h"

namespace suoke::cache {
namespace {

using Reply = Result<std::vector<std::string>>;

constexpr std::size_t kOrigin = 16, kMostText = 1024;   // of a record
constexpr char kFirst = '1';                            // the kind of a log's first record

std::string hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (unsigned char c : bytes) {
        out += kDigits[c >> 4];
        out += kDigits[c & 15];
    }
    return out;
}

// Of a name it is enough to be rarely anybody else's: the whole digest is compared when it was read.
std::string short_hex(std::string_view digest) { return hex(digest.substr(0, 16)); }

std::string selection_digest(const http::Headers& request, const std::vector<std::string>& vary) {
    if (vary.empty()) return {};
    std::string text;
    append_selection(text, request, vary);
    return rt::digest_of({text});
}

Duration stale_time(const Life& life) { return life.never_stale ? Duration::zero() : std::max(life.while_revalidate, life.if_error); }

// "origin, kind, host, NUL, text". A text that is very long is cut to the path around it: more is void than was meant.
struct Record {
    std::string_view origin;
    char kind = kFirst;
    Purge what;
};
std::optional<Record> read_record(std::string_view record) {
    if (record.size() <= kOrigin) return std::nullopt;
    Record read{record.substr(0, kOrigin), record[kOrigin], {}};
    std::string_view rest = record.substr(kOrigin + 1);
    std::size_t end = std::min(rest.find('\0'), rest.size());
    read.what.host = rest.substr(0, end);
    read.what.text = rest.substr(std::min(end + 1, rest.size()));
    using Kind = Purge::Kind;
    for (Kind kind : {Kind::url, Kind::prefix, Kind::tag, Kind::all}) {
        if (read.kind != static_cast<char>(kind)) continue;
        read.what.kind = kind;
        return read;
    }
    return read.kind == kFirst ? std::optional(read) : std::nullopt;
}

}  // namespace

SecondLevel::SecondLevel(Store& store, CacheCells& cells, Remote& remote)
    : store_(store), cells_(cells), remote_(remote), origin_(hex(rt::secret_bytes(kOrigin / 2))), log_(store.marks().seed()) {}

// ---- where answers lie

// All of one URL lie together (a Cluster's slot goes by what is in braces), so that one command reads them.
std::vector<SecondLevel::Place> SecondLevel::places_of(const Names& names) {
    std::vector<Place> places;
    std::string shared = rt::digest_of({names.shared}), base = "{" + short_hex(shared) + "}";
    if (!names.own.empty()) {
        std::string own = rt::digest_of({names.own}), name = base + ":" + short_hex(own);
        places.push_back({names.own, std::move(name), std::move(own), {}, true});
    }
    places.push_back({names.shared, std::move(base), std::move(shared), {}, false});
    return places;
}

SecondLevel::Place SecondLevel::variant_of(Place place, const std::vector<std::string>& vary, const http::Headers& request) {
    place.selection = selection_digest(request, vary);
    place.name += ":" + short_hex(place.selection);
    return place;
}

// ---- asking

bool SecondLevel::usable(TimePoint now) const {
    std::int64_t at = now.time_since_epoch().count();
    return at < in_step_until_.load(std::memory_order_relaxed) && at >= paused_until_.load(std::memory_order_relaxed);
}

void SecondLevel::failed(TimePoint now) {
    count(cells_.second_errors);
    paused_until_.store((now + kPause).time_since_epoch().count(), std::memory_order_relaxed);
}

// 1. What lies under the keys. 2. Where that is only what answers are chosen by: the one for this request.
rt::Task<bool> SecondLevel::fetch(rt::Loop& loop, const Question& question) {
    std::vector<Place> places = places_of(question.names);
    for (int step = 0; step < 2 && !places.empty(); ++step) {
        std::vector<std::string> names;
        for (const Place& place : places) names.push_back(place.name);
        rt::Within<Reply> reading(loop, remote_.read(loop, std::move(names)), question.until);
        std::optional<Reply> reply = co_await reading;
        if (!reply || !*reply || (*reply)->size() != places.size()) {
            failed(loop.now());
            co_return false;
        }
        std::vector<Place> variants;
        for (std::size_t i = 0; i < places.size(); ++i) {
            std::optional<Parcel> parcel = open(places[i], (**reply)[i], loop);
            if (!parcel) continue;
            if (!parcel->entry) {
                variants.push_back(variant_of(std::move(places[i]), parcel->vary, question.request));
            } else if (take(places[i], *parcel, question, loop.now())) {
                count(cells_.second_hits);
                co_return true;
            }
        }
        places = std::move(variants);
    }
    count(cells_.second_misses);
    co_return false;
}

// What is no parcel, or is another one's, counts as a fault: nobody but gateways writes there.
std::optional<Parcel> SecondLevel::open(const Place& place, std::string_view bytes, const rt::Loop& loop) {
    if (bytes.empty()) return std::nullopt;
    std::optional<Parcel> parcel = decode(bytes, loop.clock().wall(), loop.now());
    bool names_only = parcel && !parcel->entry;
    bool sound = parcel && parcel->label.key == place.digest && parcel->label.selection == place.selection && !(names_only && !place.selection.empty());
    if (sound) return parcel;
    count(cells_.second_errors);
    return std::nullopt;
}

bool SecondLevel::take(const Place& place, Parcel& parcel, const Question& question, TimePoint now) {
    Entry& entry = *parcel.entry;
    if (selection_digest(question.request, entry.vary) != parcel.label.selection) return false;
    if (question.authorized && !place.own && !entry.life.for_everyone) return false;
    Duration age = entry.age(now);
    if (age >= entry.life.lifetime + stale_time(entry.life)) return false;
    if (question.only_fresh && age >= entry.life.lifetime) return false;
    if (!stands(parcel.label.stamp, question.host, question.path, entry)) return false;
    entry.selection = store_.selection_of(question.request, entry.vary);
    entry.stamp = question.stamp;
    entry.slots = store_.marks().slots_of(question.host, question.path, tags_of(entry.head.fields()));
    return store_.put(store_.key_of(place.key), parcel.entry);
}

// First what waits, then the log: what is not in the one any more is in the other.
bool SecondLevel::stands(Stamp stamp, std::string_view host, std::string_view path, const Entry& entry) {
    std::vector<Slot> slots = log_.slots_of(host, path, tags_of(entry.head.fields()));
    {
        std::lock_guard lock(mutex_);
        for (const Pending& each : pending_)
            if (each.all || std::ranges::binary_search(slots, each.slot)) return false;
    }
    std::atomic<Stamp> seen{0};
    return log_.stands(stamp, slots, seen);
}

// ---- telling

void SecondLevel::keep(rt::Loop& loop, const Kept& kept) {
    const Entry& entry = *kept.entry;
    Duration age = entry.age(loop.now()), left = std::min(entry.life.lifetime + stale_time(entry.life) - age, kLongest);
    bool worth_it = usable(loop.now()) && !entry.life.always_validate && left >= std::chrono::seconds(1) && entry.size() <= kept.largest;
    if (!worth_it || (kept.is_own && kept.names.own.empty())) return;
    std::vector<Place> places = places_of(kept.names);
    Place& place = kept.is_own ? places.front() : places.back();
    Label label{place.digest, {}, kept.position, loop.clock().wall()};
    if (!entry.vary.empty()) {
        remote_.write(place.name, encode(label, entry.vary), kLongest);
        place = variant_of(std::move(place), entry.vary, kept.request);
        label.selection = place.selection;
    }
    remote_.write(std::move(place.name), encode(label, entry, age), left);
}

// Under both keys: whichever it lay under.
void SecondLevel::forget(const Names& names, const Entry& entry, const http::Headers& request) {
    std::vector<std::string> keys;
    for (Place& place : places_of(names)) {
        keys.push_back(place.name);
        if (!entry.vary.empty()) keys.push_back(variant_of(std::move(place), entry.vary, request).name);
    }
    remote_.erase(std::move(keys));
}

// ---- what is void

std::string SecondLevel::record_of(const Purge& what) const {
    std::string record = origin_;
    if (what.kind == Purge::Kind::all) return record + static_cast<char>(what.kind);
    bool cut = what.text.size() > kMostText && what.kind != Purge::Kind::tag;
    std::string_view text = cut ? what.text.substr(0, what.text.substr(0, kMostText).rfind('/')) : what.text;
    record += static_cast<char>(cut ? Purge::Kind::prefix : what.kind);
    return record.append(what.host).append(1, '\0').append(text);
}

std::string SecondLevel::first_record() { return std::string(kOrigin, '0') + kFirst; }

void SecondLevel::purged(const Purge& what) {
    Pending one{record_of(what), log_.slot_of(what), what.kind == Purge::Kind::all, false};
    {
        std::lock_guard lock(mutex_);
        if (pending_.size() >= kMostPending) {
            pending_.clear();
            one = {record_of({}), 0, true, false};
        }
        bool waits = std::ranges::any_of(pending_, [&](const Pending& each) { return !each.sent && each.slot == one.slot && each.record == one.record; });
        if (waits) return;
        pending_.push_back(std::move(one));
    }
    remote_.purges_wait();
}

std::vector<std::string> SecondLevel::take_purges(std::size_t most) {
    std::vector<std::string> records;
    std::lock_guard lock(mutex_);
    for (Pending& each : pending_) {
        if (each.sent || records.size() == most) continue;
        each.sent = true;
        records.push_back(each.record);
    }
    return records;
}

void SecondLevel::give_back_purges() {
    std::lock_guard lock(mutex_);
    for (Pending& each : pending_) each.sent = false;
}

void SecondLevel::read(const std::vector<News>& news, Stamp floor) {
    if (floor > 0) log_.heed(Purge{}, floor);
    // What we have not read is gone: some of it may have been about what we hold.
    if (position() > 0 && floor > position()) {
        store_.marks().heed(Purge{});
        give_back_purges();
    }
    bool anew = position() > 0 && std::ranges::any_of(news, [](const News& each) { return each.record == first_record(); });
    for (const News& each : news) read_one(each);
    if (anew) give_back_purges();   // they may have been in the one before
}

void SecondLevel::read_one(const News& news) {
    std::optional<Record> record = read_record(news.record);
    if (!record) return;
    log_.heed(record->what, news.when);
    bool is_news = record->kind != kFirst && record->origin != origin_;   // ours was heeded when it was purged
    if (is_news) store_.marks().heed(record->what);
    position_.store(news.when, std::memory_order_release);
    std::lock_guard lock(mutex_);
    std::erase_if(pending_, [&](const Pending& each) { return each.sent && each.record == news.record; });
}

void SecondLevel::begin_again() {
    position_.store(0, std::memory_order_release);
    store_.marks().heed(Purge{});
    give_back_purges();
}

}  // namespace suoke::cache
