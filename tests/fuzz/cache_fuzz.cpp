// SPDX-License-Identifier: MIT
// What heads say about caching: no directive is read twice as long, no range lies outside of what there is, a date
// that is read can be written and read again, a selection is alike to itself, and what another gateway wrote is read as
// it was, or not at all.
#include "base/text.h"
#include "cache/date.h"
#include "cache/directives.h"
#include "cache/encoding.h"
#include "cache/ranges.h"
#include "cache/validators.h"
#include "cache/vary.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

constexpr cache::UnixSeconds kNow = 1'735'689'600;

void read_directives(std::string_view text) {
    cache::ResponseDirectives once, twice;
    once.read(text);
    twice.read(text);
    twice.read(text);
    if (once.max_age != twice.max_age || once.s_maxage != twice.s_maxage || once.no_store != twice.no_store) fuzz::expect("a line says something else the second time");
    if (once.max_age && (*once.max_age < Duration::zero() || *once.max_age > cache::kMostSeconds)) fuzz::expect("a lifetime that is none");
    std::string_view rest = text;
    cache::Directive directive;
    for (std::size_t before = rest.size() + 1; cache::next_directive(rest, directive); before = rest.size())
        if (rest.size() >= before || directive.name.empty()) fuzz::expect("a directive that takes nothing");
    cache::ResponseDirectives targeted, surrogate;
    if (!targeted.read_targeted(text) && (targeted.max_age || targeted.no_store)) fuzz::expect("what is no dictionary says something");
    surrogate.read_surrogate(text, "suoke");
    cache::RequestDirectives request;
    request.read(text);
}

void read_range(std::string_view text, std::uint64_t size) {
    cache::RangeAnswer answer = cache::choose_range(text, size);
    bool inside = answer.kind != cache::RangeAnswer::part || (answer.range.first <= answer.range.last && answer.range.last < size);
    if (!inside) fuzz::expect("a range outside of what there is");
}

void read_content_range(std::string_view text) {
    auto held = cache::read_content_range(text);
    if (!held) return;
    if (held->range.first > held->range.last || held->range.last >= held->size) fuzz::expect("a part outside of its whole");
    auto again = cache::read_content_range(cache::content_range(held->range, held->size));
    if (!again || again->range != held->range || again->size != held->size) fuzz::expect("a part that is written is another");
}

void read_date(std::string_view text) {
    auto date = cache::parse_http_date(text, kNow);
    if (!date || *date < 0 || *date > 4'000'000'000) return;
    auto again = cache::parse_http_date(http_date(WallTime(std::chrono::seconds(*date))), kNow);
    if (again != date) fuzz::expect("a date that is written is another");
}

void read_tags(std::string_view text) {
    std::string_view rest = text;
    cache::EntityTag tag;
    for (std::size_t before = rest.size() + 1; cache::next_entity_tag(rest, tag); before = rest.size())
        if (rest.size() >= before || tag.opaque.size() < 2) fuzz::expect("a tag that takes nothing");
    if (auto one = cache::parse_entity_tag(text); one && !cache::matches_weakly(*one, *one)) fuzz::expect("a tag that is not itself");
}

void select(std::string_view text) {
    http::Headers headers;
    headers.add("Vary", text);
    headers.add("Accept-Language", text);
    headers.add("X-Any", text);
    cache::Vary vary = cache::vary_of(headers);
    std::string a, b;
    cache::append_selection(a, headers, {"accept-language", "x-any"});
    cache::append_selection(b, headers, {"accept-language", "x-any"});
    fuzz::expect_same(a, b);
    cache::append_selection(a, headers, vary.names);
}

// Whatever can be read can be written, and is then the same.
void read_parcel(std::string_view bytes) {
    constexpr WallTime kWall{std::chrono::seconds(kNow)};
    auto parcel = cache::decode(bytes, kWall, TimePoint());
    if (!parcel || !parcel->entry) return;
    Duration age = parcel->entry->age(TimePoint());
    if (age < Duration::zero()) fuzz::expect("an answer from the future");
    for (const http::Field& field : parcel->entry->head.fields())
        if (field.value.find_first_of("\r\n") != std::string_view::npos) fuzz::expect("a field that ends its line");
    cache::Label label = parcel->label;
    label.written = kWall;
    auto again = cache::decode(cache::encode(label, *parcel->entry, age), kWall, TimePoint());
    if (!again || !again->entry || again->label != label || again->entry->size() != parcel->entry->size()) fuzz::expect("what was read is not written again");
}

// The input as what stands behind a good beginning, so that more than beginnings are tried.
void read_parcels(std::string_view bytes) {
    read_parcel(bytes);
    cache::Label label;
    label.key.assign(32, 'k');
    std::string good = cache::encode(label, cache::Entry(), std::chrono::seconds(1));
    for (std::size_t kept : {std::size_t{5}, std::size_t{61}, good.size() - 8}) read_parcel(good.substr(0, kept).append(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_directives(text);
    for (std::uint64_t whole : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{11}, ~std::uint64_t{0}}) read_range(text, whole);
    read_content_range(text);
    read_content_range("bytes " + std::string(text));
    read_date(text);
    read_tags(text);
    select(text);
    read_parcels(text);
    return 0;
}
