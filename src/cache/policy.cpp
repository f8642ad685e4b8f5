// SPDX-License-Identifier: MIT
#include "cache/policy.h"

#include <algorithm>

#include "base/text.h"

namespace suoke::cache {

using http::HeaderId;

// ---- requests

RequestDirectives read_request(const http::Headers& headers) {
    RequestDirectives found;
    if (headers.has(HeaderId::cache_control)) {
        for (const http::Field& field : headers)
            if (field.id == HeaderId::cache_control) found.read(field.value);
    } else if (const auto* pragma = headers.find(HeaderId::pragma)) {
        for (std::string_view word : split_list(*pragma)) found.no_cache |= iequals(word, "no-cache");
    }
    return found;
}

// ---- answers

namespace {

// RFC 9111 §5.1: the first of several; what is no number is as if it were not there.
Duration read_age(const http::Headers& headers) {
    const std::string_view* text = headers.find(HeaderId::age);
    if (!text) return {};
    std::string_view first = trim(text->substr(0, text->find(',')), " \t");
    return parse_delta_seconds(first).value_or(Duration::zero());
}

std::string all_lines(const http::Headers& headers, std::string_view name) {
    std::string joined;
    http::HeaderId id = http::header_id(name);
    if (!headers.has(id)) return joined;
    for (const http::Field& field : headers) {
        if (field.id != id || !iequals(field.name, name)) continue;
        if (!joined.empty()) joined += ", ";
        joined.append(field.value);
    }
    return joined;
}

// RFC 9213 §2.2: the first of these fields that is one and says something counts, instead of Cache-Control.
constexpr std::array<std::string_view, 2> kTargeted = {"Suoke-Cache-Control", "CDN-Cache-Control"};

// Names in qualified directives would be views into a text of ours: such a field is taken as unqualified.
void forget_names(ResponseDirectives& directives) {
    directives.no_cache |= !directives.no_cache_fields.empty();
    directives.is_private |= !directives.private_fields.empty();
    directives.no_cache_fields.clear();
    directives.private_fields.clear();
}

bool read_targeted(ResponseFacts& facts, const http::Headers& headers) {
    for (std::string_view name : kTargeted) {
        std::string lines = all_lines(headers, name);
        ResponseDirectives found;
        if (lines.empty() || !found.read_targeted(lines)) continue;
        forget_names(found);
        facts.directives = std::move(found);
        return true;
    }
    return false;
}

bool read_surrogate(ResponseFacts& facts, const http::Headers& headers) {
    ResponseDirectives found;
    found.read_surrogate(all_lines(headers, "Surrogate-Control"), "suoke");
    bool says = found.max_age || found.no_store;
    if (says) facts.directives = std::move(found);
    return says;
}

void read_cache_control(ResponseFacts& facts, const http::Headers& headers) {
    for (const http::Field& field : headers)
        if (field.id == HeaderId::cache_control) facts.directives.read(field.value);
}

// RFC 9111 §5.3: a date that is none is in the past; of several the first would do, but they are a mistake.
void read_expires(ResponseFacts& facts, const http::Headers& headers) {
    const std::string_view* text = headers.find(HeaderId::expires);
    if (text) facts.expires = parse_http_date(*text, facts.received).value_or(0);
}

}  // namespace

ResponseFacts read_response(int status, const http::Headers& headers, WallTime now, bool surrogate) {
    ResponseFacts facts;
    facts.status = status;
    facts.received = unix_seconds(now);
    facts.targeted = read_targeted(facts, headers) || (surrogate && read_surrogate(facts, headers));
    if (!facts.targeted) {
        read_cache_control(facts, headers);
        read_expires(facts, headers);
    }
    facts.says_something = facts.targeted || headers.has(HeaderId::cache_control) || facts.expires.has_value();
    if (const auto* text = headers.find(HeaderId::date)) facts.date = parse_http_date(*text, facts.received);
    facts.age = read_age(headers);
    facts.validators = validators_of(headers, facts.date.value_or(facts.received), facts.received);
    facts.vary = vary_of(headers);
    facts.sets_cookie = headers.has(HeaderId::set_cookie);
    facts.has_trailers = headers.has(HeaderId::trailer);
    return facts;
}

namespace {

// RFC 9110 §15.1, and what RFC 9111 §4.2.2 lets be given a lifetime that nobody said.
bool is_heuristically_cacheable(int status) {
    constexpr std::array kStatuses = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
    return std::ranges::find(kStatuses, status) != kStatuses.end();
}

// Statuses whose meaning for a cache is known here, for must-understand (RFC 9111 §5.2.2.3).
bool is_understood(int status) {
    constexpr std::array kStatuses = {200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 429, 500, 501, 502, 503, 504};
    return std::ranges::find(kStatuses, status) != kStatuses.end();
}

bool is_named(const std::vector<std::string_view>& names, std::string_view name) {
    return std::ranges::any_of(names, [&](std::string_view each) { return iequals(each, name); });
}

bool hides_cookies(const ResponseDirectives& directives) {
    return is_named(directives.no_cache_fields, "set-cookie") || is_named(directives.private_fields, "set-cookie");
}

Duration seconds_between(UnixSeconds from, UnixSeconds to) {
    constexpr UnixSeconds kMost = UnixSeconds{1} << 31;
    return std::chrono::seconds(std::clamp(to - from, -kMost, kMost));
}

// RFC 9111 §4.2.2.
std::optional<Duration> heuristic_lifetime(const ResponseFacts& facts, std::uint32_t percent) {
    bool may = is_heuristically_cacheable(facts.status) || facts.directives.is_public;
    if (percent == 0 || !may || !facts.validators.modified) return std::nullopt;
    Duration since = seconds_between(*facts.validators.modified, facts.date.value_or(facts.received));
    if (since <= Duration::zero()) return std::nullopt;
    return since / 100 * percent;
}

// RFC 9111 §4.2.1, for a shared cache. Nothing: it does not say.
std::optional<Duration> explicit_lifetime(const ResponseFacts& facts) {
    if (facts.directives.s_maxage) return facts.directives.s_maxage;
    if (facts.directives.max_age) return facts.directives.max_age;
    if (facts.expires) return seconds_between(facts.date.value_or(facts.received), *facts.expires);
    return std::nullopt;
}

Duration lifetime_of(const ResponseFacts& facts, const Rules& rules) {
    bool has_rule = rules.ttl > Duration::zero();
    if (has_rule && rules.force) return rules.ttl;
    if (auto said = explicit_lifetime(facts)) return std::max(*said, Duration::zero());
    // Error answers are given no lifetime by a rule that was not made for them.
    if (has_rule && (is_heuristically_cacheable(facts.status) || facts.directives.is_public)) return rules.ttl;
    return heuristic_lifetime(facts, rules.heuristic_percent).value_or(Duration::zero());
}

// RFC 9111 §4.2.3.
Duration corrected_initial_age(const ResponseFacts& facts, Duration delay) {
    Duration apparent = seconds_between(facts.date.value_or(facts.received), facts.received);
    return std::max({apparent, facts.age + std::max(delay, Duration::zero()), Duration::zero()});
}

Life life_of(const ResponseFacts& facts, const Rules& rules, Duration delay) {
    const ResponseDirectives& said = facts.directives;
    Life life;
    life.lifetime = lifetime_of(facts, rules);
    life.initial_age = corrected_initial_age(facts, delay);
    life.while_revalidate = said.stale_while_revalidate.value_or(rules.stale_while_revalidate);
    life.if_error = said.stale_if_error.value_or(rules.stale_if_error);
    life.always_validate = said.no_cache && !rules.force;
    life.never_stale = !rules.force && (said.must_revalidate || said.proxy_revalidate || said.s_maxage);
    life.for_everyone = said.is_public || said.must_revalidate || said.s_maxage;
    return life;
}

// RFC 9111 §3, but for what a rule may set aside.
std::optional<Because> forbidden(const ResponseFacts& facts, const Rules& rules) {
    const ResponseDirectives& said = facts.directives;
    if (rules.force) return std::nullopt;
    bool understood = said.must_understand && is_understood(facts.status);
    if (said.must_understand && !understood) return Because::not_understood;
    if (said.no_store && !understood) return Because::no_store;
    if (said.is_private) return Because::only_private;
    return std::nullopt;
}

}  // namespace

Judgement may_store(const Asked& asked, const ResponseFacts& facts, const Rules& rules, Duration delay) {
    auto no = [](Because because) {
        Judgement judgement;
        judgement.because = because;
        return judgement;
    };
    if (http::is_interim(facts.status) || facts.status == 304) return no(Because::status);
    if (facts.status == 206 && !asked.takes_part) return no(Because::partial);
    if (facts.vary.any) return no(Because::star);
    if (facts.has_trailers) return no(Because::trailers);
    if (auto because = forbidden(facts, rules)) return no(*because);
    if (asked.directives.no_store) return no(Because::no_store);
    if (facts.sets_cookie && !rules.strip_cookies && !hides_cookies(facts.directives)) return no(Because::cookie);
    Judgement judged;
    judged.life = life_of(facts, rules, delay);
    const Life& life = judged.life;
    bool fresh = life.lifetime > life.initial_age;
    if (!facts.says_something && !fresh) return no(Because::nothing_said);
    bool later = life.while_revalidate > Duration::zero() || life.if_error > Duration::zero();
    if (life.always_validate ? !facts.validators.any() : !fresh && !later && !facts.validators.any()) return no(Because::useless);
    return judged;
}

std::string_view name_of(Because because) {
    constexpr std::array<std::string_view, 11> kNames = {"stored", "status", "partial", "no-store", "private", "vary", "set-cookie",
                                                         "must-understand", "trailers", "no-freshness", "no-validator"};
    return kNames[static_cast<std::size_t>(because)];
}

bool is_stored_field(const http::Field& field, const ResponseFacts& facts) {
    constexpr http::HeaderSet kNever =
        http::header_set(HeaderId::age, HeaderId::connection, HeaderId::content_length, HeaderId::keep_alive, HeaderId::proxy_authenticate,
                         HeaderId::proxy_authorization, HeaderId::proxy_connection, HeaderId::set_cookie, HeaderId::te, HeaderId::trailer,
                         HeaderId::transfer_encoding, HeaderId::upgrade);
    if (http::is_in(kNever, field.id)) return false;
    if (field.id == HeaderId::other && iequals(field.name, "Proxy-Authentication-Info")) return false;
    const ResponseDirectives& said = facts.directives;
    return !is_named(said.no_cache_fields, field.name) && !is_named(said.private_fields, field.name);
}

// ---- stored answers

Use may_use(const Life& life, const RequestDirectives& asked, Duration age) {
    if (life.always_validate || asked.no_cache) return Use::validate;
    if (asked.max_age && age > *asked.max_age) return Use::validate;
    Duration left = life.lifetime - age;
    if (asked.min_fresh && left < *asked.min_fresh) return Use::validate;
    if (left > Duration::zero()) return Use::fresh;
    if (life.never_stale) return Use::validate;
    Duration staleness = -left;
    if (staleness <= life.while_revalidate && life.while_revalidate > Duration::zero()) return Use::refresh;
    if (asked.max_stale && staleness <= *asked.max_stale) return Use::stale;
    return Use::validate;
}

bool may_use_on_error(const Life& life, Duration age) {
    if (life.always_validate || life.never_stale) return false;
    return life.if_error > Duration::zero() && age - life.lifetime <= life.if_error;
}

bool is_about(const Validators& stored, const Validators& told) {
    if (told.tag && !told.tag->weak) return stored.tag && matches_strongly(*told.tag, *stored.tag);
    if (told.tag) return !stored.tag || matches_weakly(*told.tag, *stored.tag);
    // Without a tag it answers our own condition, which named this answer and no other.
    return !told.modified || !stored.modified || *told.modified == *stored.modified;
}

bool is_updated_by_304(const http::Field& field) {
    constexpr http::HeaderSet kOfTheBytes = http::header_set(HeaderId::content_length, HeaderId::content_encoding);
    if (field.id != HeaderId::other) return !http::is_in(kOfTheBytes, field.id);
    for (std::string_view name : {"Content-Range", "Content-MD5", "Content-Digest", "Repr-Digest"})
        if (iequals(field.name, name)) return false;
    return true;
}

bool head_fits(const Validators& stored, std::uint64_t stored_size, const http::Headers& headers, const Validators& told) {
    if (told.tag && (!stored.tag || !matches_weakly(*told.tag, *stored.tag))) return false;
    if (told.modified && told.modified != stored.modified) return false;
    const std::string_view* length = headers.find(HeaderId::content_length);
    return !length || parse_u64(*length) == stored_size;
}

}  // namespace suoke::cache
