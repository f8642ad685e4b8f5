// SPDX-License-Identifier: MIT
#include "cache/entry.h"

#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace suoke::cache {

void Head::reserve(std::size_t bytes) {
    CHECK(!text_);
    text_ = std::make_unique_for_overwrite<char[]>(bytes);
    capacity_ = bytes;
}

std::string_view Head::keep(std::string_view text) {
    CHECK(text.size() <= capacity_ - used_);
    char* at = text_.get() + used_;
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    used_ += text.size();
    return {at, text.size()};
}

void Head::add(const http::Field& field) {
    std::string_view name = keep(field.name), value = keep(field.value);
    fields_.add(http::Field{name, value, field.id});
}

bool Entry::claim_refresh(TimePoint now) const {
    constexpr std::int64_t kPause = std::chrono::nanoseconds(std::chrono::seconds(1)).count();
    std::int64_t at = now.time_since_epoch().count(), last = refreshed.load(std::memory_order_relaxed);
    if (last != 0 && at - last < kPause) return false;
    return refreshed.compare_exchange_strong(last, at, std::memory_order_relaxed);
}

namespace {

bool is_there(const http::Headers& headers, const http::Field& field) {
    if (field.id != http::HeaderId::other) return headers.has(field.id);
    return headers.find(field.name) != nullptr;
}

}  // namespace

Head updated_head(const Head& stored, const http::Headers& told, const ResponseFacts& facts) {
    auto replaces = [&](const http::Field& field) { return is_stored_field(field, facts) && is_updated_by_304(field); };
    http::Headers all;
    for (const http::Field& field : stored.fields())
        if (!is_there(told, field) || !replaces(field)) all.add(field);
    for (const http::Field& field : told)
        if (replaces(field)) all.add(field);
    return Head::copy_of(all, [](const http::Field&) { return true; });
}

std::vector<std::string_view> tags_of(const http::Headers& headers) {
    std::vector<std::string_view> tags;
    for (const http::Field& field : headers) {
        if (field.id != http::HeaderId::other) continue;
        char separator = iequals(field.name, "Cache-Tag") ? ',' : iequals(field.name, "Surrogate-Key") ? ' ' : '\0';
        if (separator == '\0') continue;
        for (std::string_view tag : split_list(field.value, separator)) tags.push_back(tag);
    }
    return tags;
}

}  // namespace suoke::cache
