// SPDX-License-Identifier: MIT
#include "filters/cache_answer.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "cache/filling.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using cache::EntryPtr;
using gateway::Exchange;
using http::HeaderId;

// Writes into a piece of the exchange's arena.
class Line {
 public:
    Line(gateway::Arena& arena, std::size_t most) : begin_(arena.allocate(most)), at_(begin_), end_(begin_ + most) {}
    Line& put(std::string_view text) {
        std::size_t n = std::min<std::size_t>(text.size(), static_cast<std::size_t>(end_ - at_));
        at_ = std::copy_n(text.data(), n, at_);
        return *this;
    }
    Line& put(std::int64_t number) {
        auto [end, error] = std::to_chars(at_, end_, number);
        if (error == std::errc()) at_ = end;
        return *this;
    }
    std::string_view text() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
    char* begin_;
    char* at_;
    char* end_;
};

std::int64_t whole_seconds(Duration d) { return std::chrono::floor<std::chrono::seconds>(d).count(); }

std::string_view status_line(Exchange& ex, const CacheStory& story) {
    Line line(ex.arena, 160);
    line.put("suoke-gateway");
    if (story.forwarded.empty()) line.put("; hit");
    else line.put("; fwd=").put(story.forwarded);
    if (story.status) line.put("; fwd-status=").put(*story.status);
    if (story.stored) line.put("; stored");
    if (story.collapsed) line.put("; collapsed");
    if (story.ttl) line.put("; ttl=").put(whole_seconds(*story.ttl));
    if (!story.detail.empty()) line.put("; detail=").put(story.detail);
    return line.text();
}

constexpr std::array<std::string_view, kCacheResults> kResults = {"HIT", "STALE", "MISS", "BYPASS"};

// RFC 9110 §15.4.5: what describes the content, and is no news to who has it.
bool belongs_into_304(const http::Field& field, bool has_tag) {
    switch (field.id) {
        case HeaderId::last_modified: return !has_tag;
        case HeaderId::content_type:
        case HeaderId::content_encoding:
        case HeaderId::content_length: return false;
        case HeaderId::other: break;
        default: return true;
    }
    constexpr std::string_view kContent = "content-";
    if (field.name.size() <= kContent.size() || !iequals(field.name.substr(0, kContent.size()), kContent)) return true;
    std::string_view rest = field.name.substr(kContent.size());
    return iequals(rest, "location") || iequals(rest, "security-policy") || iequals(rest, "security-policy-report-only");
}

http::Response whole(const EntryPtr& entry) {
    http::Response response;
    response.status = entry->status;
    response.reason = entry->reason;
    add_stored_fields(*entry, response.headers);
    response.body = std::make_unique<cache::EntryBody>(entry);
    return response;
}

// `held`: what the entry's content is of the whole.
http::Response part(Exchange& ex, const EntryPtr& entry, const cache::ByteRange& range, const cache::ContentRange& held) {
    http::Response response = whole(entry);
    response.status = 206;
    response.reason = {};
    response.headers.set("Content-Range", ex.arena.copy(cache::content_range(range, held.size)));
    response.body = std::make_unique<cache::EntryBody>(entry, range.first - held.range.first, range.last + 1 - held.range.first);
    return response;
}

http::Response no_such_part(Exchange& ex, const EntryPtr& entry) {
    http::Response response;
    response.status = 416;
    response.headers.add("Content-Range", ex.arena.copy(cache::unsatisfied_range(entry->size())));
    response.headers.add(HeaderId::cache_control, "no-store");
    return response;
}

// RFC 9110 §14.2: only of a 200 to GET.
http::Response by_range(Exchange& ex, const EntryPtr& entry) {
    const http::RequestHead& head = ex.request.head;
    const std::string_view* wanted = head.headers.find(HeaderId::range);
    bool counts = wanted && head.method == http::Method::GET && entry->status == 200 && head.headers.count(HeaderId::range) == 1 &&
                  cache::range_counts(head.headers, entry->validators, unix_now(ex));
    if (!counts) return whole(entry);
    cache::RangeAnswer answer = cache::choose_range(*wanted, entry->size());
    switch (answer.kind) {
        case cache::RangeAnswer::part: return part(ex, entry, answer.range, {{0, entry->size() - 1}, entry->size()});
        case cache::RangeAnswer::unsatisfiable: return no_such_part(ex, entry);
        default: return whole(entry);
    }
}

}  // namespace

cache::UnixSeconds unix_now(const Exchange& ex) { return cache::unix_seconds(ex.worker.loop().clock().wall()); }

void tell_story(Exchange& ex, http::Headers& headers, const CacheStory& story) {
    ex.worker.cells().cache[static_cast<std::size_t>(story.result)].add();
    headers.add("Cache-Status", status_line(ex, story));
    headers.set("X-Cache", kResults[static_cast<std::size_t>(story.result)]);
}

void add_age(Exchange& ex, http::Headers& headers, Duration age) {
    Line line(ex.arena, 20);
    headers.set(HeaderId::age, line.put(std::max<std::int64_t>(0, whole_seconds(age))).text());
}

void add_stored_fields(const cache::Entry& entry, http::Headers& headers) {
    for (const http::Field& field : entry.head.fields()) headers.add(field);
}

http::Response not_modified(Exchange& ex, const EntryPtr& entry, const CacheStory& story) {
    http::Response response;
    response.status = 304;
    bool has_tag = entry->head.fields().has(HeaderId::etag);
    for (const http::Field& field : entry->head.fields())
        if (belongs_into_304(field, has_tag)) response.headers.add(field);
    response.body = std::make_unique<cache::EntryBody>(entry);   // is not sent; keeps the fields
    add_age(ex, response.headers, entry->age(ex.worker.loop().now()));
    tell_story(ex, response.headers, story);
    return response;
}

http::Response answer_from(Exchange& ex, const EntryPtr& entry, const CacheStory& story) {
    if (entry->status == 200 && cache::client_has_it(ex.request.head.headers, entry->validators, unix_now(ex))) return not_modified(ex, entry, story);
    http::Response response = by_range(ex, entry);
    add_age(ex, response.headers, entry->age(ex.worker.loop().now()));
    tell_story(ex, response.headers, story);
    return response;
}

http::Response part_answer(Exchange& ex, const EntryPtr& entry, const cache::ByteRange& range, const cache::ContentRange& held,
                           const CacheStory& story) {
    http::Response response = part(ex, entry, range, held);
    add_age(ex, response.headers, entry->age(ex.worker.loop().now()));
    tell_story(ex, response.headers, story);
    return response;
}

}  // namespace suoke::filters
