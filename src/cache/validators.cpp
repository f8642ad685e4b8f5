// SPDX-License-Identifier: MIT
#include "cache/validators.h"

#include "base/text.h"

namespace suoke::cache {
namespace {

using http::HeaderId;

bool is_etagc(char c) {  // RFC 9110 §8.8.3: no quotes, no blanks, no controls
    auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
}

void skip_between(std::string_view& list) {
    while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) list.remove_prefix(1);
}

bool any_tag_matches(const http::Headers& request, const EntityTag& stored) {
    for (const http::Field& field : request) {
        if (field.id != HeaderId::if_none_match) continue;
        std::string_view list = field.value;
        EntityTag tag;
        while (next_entity_tag(list, tag))
            if (matches_weakly(tag, stored)) return true;
    }
    return false;
}

bool says_any(const http::Headers& request) {
    const std::string_view* text = request.find(HeaderId::if_none_match);
    return text && trim(*text) == "*";
}

}  // namespace

bool next_entity_tag(std::string_view& list, EntityTag& tag) {
    skip_between(list);
    tag.weak = list.starts_with("W/");
    if (tag.weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    std::size_t end = 1;
    while (end < list.size() && is_etagc(list[end])) ++end;
    if (end == list.size() || list[end] != '"') return false;
    tag.opaque = list.substr(0, end + 1);
    list.remove_prefix(end + 1);
    return list.empty() || list.front() == ',' || list.front() == ' ' || list.front() == '\t';
}

std::optional<EntityTag> parse_entity_tag(std::string_view text) {
    EntityTag tag;
    text = trim(text, " \t");
    if (text.starts_with(',') || !next_entity_tag(text, tag) || !text.empty()) return std::nullopt;
    return tag;
}

Validators validators_of(const http::Headers& headers, UnixSeconds date, UnixSeconds now) {
    Validators found;
    found.date = date;
    if (const auto* text = headers.find(HeaderId::etag)) found.tag = parse_entity_tag(*text);
    if (const auto* text = headers.find(HeaderId::last_modified)) found.modified = parse_http_date(*text, now);
    return found;
}

bool is_conditional(const http::Headers& request) {
    constexpr http::HeaderSet kConditions = http::header_set(HeaderId::if_none_match, HeaderId::if_modified_since);
    return request.has_any(kConditions) || request.find("If-Match") || request.find("If-Unmodified-Since");
}

bool client_has_it(const http::Headers& request, const Validators& stored, UnixSeconds now) {
    if (request.has(HeaderId::if_none_match)) return says_any(request) || (stored.tag && any_tag_matches(request, *stored.tag));
    const std::string_view* text = request.find(HeaderId::if_modified_since);
    if (!text || request.count(HeaderId::if_modified_since) > 1) return false;
    std::optional<UnixSeconds> since = parse_http_date(*text, now);
    // RFC 9111 §4.3.2: without Last-Modified it is as new as its Date.
    return since && stored.modified.value_or(stored.date) <= *since;
}

bool range_counts(const http::Headers& request, const Validators& stored, UnixSeconds now) {
    const std::string_view* text = request.find(HeaderId::if_range);
    if (!text) return true;
    if (auto tag = parse_entity_tag(*text)) return stored.tag && matches_strongly(*tag, *stored.tag);
    std::optional<UnixSeconds> date = parse_http_date(*text, now);
    // A date is a strong validator when it was not the last second before the answer (RFC 9110 §8.8.2.2).
    return date && stored.modified == date && stored.date > *date;
}

}  // namespace suoke::cache
