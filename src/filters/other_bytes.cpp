// SPDX-License-Identifier: MIT
#include "filters/other_bytes.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace suoke::filters {
namespace {

bool is_stale(const http::Field& field) {
    constexpr std::array<std::string_view, 6> kStale = {"Content-Length", "Accept-Ranges", "Content-Digest", "Repr-Digest", "Digest", "Content-MD5"};
    return std::any_of(kStale.begin(), kStale.end(), [&](std::string_view name) { return iequals(field.name, name); });
}

void weaken(gateway::Exchange& ex, http::Headers& headers) {
    const std::string_view* tag = headers.find("ETag");
    if (tag && !tag->starts_with("W/")) headers.set("ETag", ex.arena.join({"W/", *tag}));
}

}  // namespace

void say_other_bytes(gateway::Exchange& ex, http::Headers& headers) {
    headers.remove_if(is_stale);
    weaken(ex, headers);
}

void weaken_as_asked(gateway::Exchange& ex, http::Headers& headers) {
    const std::string_view* tag = headers.find("ETag");
    const std::string_view* had = ex.request.head.headers.find("If-None-Match");
    if (!tag || !had || tag->starts_with("W/")) return;
    std::size_t at = had->find(*tag);
    if (at != had->npos && at >= 2 && had->substr(at - 2, 2) == "W/") weaken(ex, headers);
}

}  // namespace suoke::filters
