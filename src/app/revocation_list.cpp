// SPDX-License-Identifier: MIT
#include "app/revocation_list.h"

#include <algorithm>

#include "base/text.h"
#include "rt/pause.h"

namespace suoke::app {

using endpoints::Revocation;
using endpoints::Revoked;

namespace {

const std::string kAll = "revoked/", kTokens = "revoked/jti/", kSubjects = "revoked/sub/";
const std::string kChanges = "revocations/changes";   // how many there were, by all gateways

std::string key_of(Revoked what, const std::string& id) { return (what == Revoked::token ? kTokens : kSubjects) + id; }

std::int64_t milliseconds_of(WallTime at) { return at.time_since_epoch() / std::chrono::milliseconds(1); }
WallTime time_of(std::uint64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }
// As it is when it has been in the store.
WallTime to_milliseconds(WallTime at) { return std::chrono::floor<std::chrono::milliseconds>(at); }

// "<at> <expires>", in milliseconds since the epoch.
std::string value_of(const Revocation& revocation) {
    return std::to_string(milliseconds_of(revocation.at)) + " " + std::to_string(milliseconds_of(revocation.expires));
}

std::optional<Revocation> read_entry(const store::Entry& entry) {
    constexpr std::uint64_t kMostMilliseconds = 9'000'000'000'000;   // in the year 2255: what WallTime can hold
    Revocation revocation;
    revocation.what = entry.key.starts_with(kSubjects) ? Revoked::subject : Revoked::token;
    if (revocation.what == Revoked::token && !entry.key.starts_with(kTokens)) return std::nullopt;
    revocation.id = entry.key.substr(kTokens.size());
    std::size_t blank = std::min(entry.value.find(' '), entry.value.size());
    auto at = parse_u64(std::string_view(entry.value).substr(0, blank));
    auto expires = parse_u64(std::string_view(entry.value).substr(std::min(blank + 1, entry.value.size())));
    if (!at || !expires || *at > kMostMilliseconds || *expires > kMostMilliseconds) return std::nullopt;
    revocation.at = time_of(*at);
    revocation.expires = time_of(*expires);
    return revocation;
}

Error nothing_to_revoke() { return {Code::forbidden, "nobody is asked for a credential here, so there is nothing to revoke (auth)"}; }

}  // namespace

// API keys and certificates have no end that a revocation could wait for; nor have tokens that need not say `exp`.
// No other token of ours lives longer than a refresh token.
RevocationLifetimes revocation_lifetimes(const config::Auth& auth) {
    constexpr Duration kNoEnd = std::chrono::days(366);   // the most that expires_in may say, too
    auto contains = [](const auto& all, const auto& one) { return std::find(all.begin(), all.end(), one) != all.end(); };
    auto may_not_end = [&](const config::JwtProvider& from) { return from.has_keys() && !contains(from.required_claims, "exp"); };
    const bool tokens_may_not_end = may_not_end(auth.jwt) || std::any_of(auth.providers.begin(), auth.providers.end(),
                                                                         [&](const auto& named) { return may_not_end(named.second); });
    const bool machines = !auth.api_keys.empty() || contains(auth.methods, config::AuthMethod::certificate);
    Duration usual = std::max<Duration>(std::chrono::days(auth.jwt.refresh_token_expire_days), std::chrono::days(1));
    RevocationLifetimes lifetimes;
    lifetimes.token = tokens_may_not_end ? kNoEnd : usual;
    lifetimes.subject = tokens_may_not_end || machines ? kNoEnd : usual;
    return lifetimes;
}

void RevocationList::adopt(store::Kv* store, RevocationLifetimes lifetimes) {
    lifetimes_ = lifetimes;
    if (store == store_) return;
    tasks_.cancel();
    store_ = store;
    seen_.reset();
    if (store_) {
        tasks_.spawn(keep());
    } else if (!known_.empty()) {
        known_.clear();
        publish();
    }
}

// ---- what the store has

rt::Task<void> RevocationList::keep() {
    for (;;) {
        Result<void> looked = co_await look();
        if (!looked && !std::exchange(away_, true)) events_.tell(Level::warning, "revocations.away", {{"because", looked.error().detail}});
        if (looked && std::exchange(away_, false)) events_.tell(Level::info, "revocations.back", {{"revocations", known_.size()}});
        forget_old();
        rt::Pause pause(loop_, loop_.now() + kPoll);
        co_await pause;
    }
}

rt::Task<Result<void>> RevocationList::look() {
    auto count = co_await store_->get(kChanges);
    if (!count) co_return count.error();
    auto changes = static_cast<std::int64_t>(parse_u64(count->value_or("")).value_or(0));
    // A count that went back is of a store that lost its data: what we know it learns from us.
    if (seen_ && changes < *seen_) {
        auto told = co_await tell_again();
        if (!told) co_return told.error();
        seen_.reset();
    }
    if (seen_ == changes && loop_.now() - read_at_ < kReadAgain) co_return Result<void>();
    auto read = co_await read_all();
    if (!read) co_return read.error();
    seen_ = changes;
    co_return Result<void>();
}

rt::Task<Result<void>> RevocationList::read_all() {
    std::uint64_t edits = edits_;
    std::string prefix = kAll;
    auto listed = co_await store_->list(std::move(prefix), kMost + 1);
    if (!listed) co_return listed.error();
    // Something of ours came or went meanwhile: the list may be from before it, and is read again.
    if (edits != edits_) co_return Result<void>();
    read_at_ = loop_.now();
    bool full = listed->size() > kMost;
    if (full && !std::exchange(full_, true)) events_.tell(Level::error, "revocations.full", {{"most", kMost}});
    if (!full) full_ = false;
    Known known;
    for (const store::Entry& entry : *listed)
        if (auto revocation = read_entry(entry); revocation && revocation->expires > loop_.clock().wall()) known[entry.key] = std::move(*revocation);
    bool same = known.size() == known_.size() && std::equal(known.begin(), known.end(), known_.begin(), [](const auto& a, const auto& b) {
                    return a.first == b.first && a.second.at == b.second.at && a.second.expires == b.second.expires;
                });
    if (same) co_return Result<void>();
    known_ = std::move(known);
    publish();
    co_return Result<void>();
}

rt::Task<Result<void>> RevocationList::tell_again() {
    const Known ours = known_;
    for (auto at = ours.begin(); at != ours.end(); ++at) {
        Duration left = at->second.expires - loop_.clock().wall();
        if (left <= Duration::zero()) continue;
        auto put = co_await store_->put(at->first, value_of(at->second), left);
        if (!put) co_return put.error();
    }
    if (!ours.empty()) co_return co_await say_changed();
    co_return Result<void>();
}

rt::Task<Result<void>> RevocationList::say_changed() {
    if (!store_) co_return Result<void>();
    std::string key = kChanges;
    auto count = co_await store_->add(std::move(key), 1, Duration::zero());
    if (!count) co_return count.error();
    co_return Result<void>();
}

// ---- what changes it

rt::Task<Result<Revocation>> RevocationList::revoke(endpoints::RevocationWish wish) {
    if (!store_) co_return nothing_to_revoke();
    std::string key = key_of(wish.what, wish.id);
    if (known_.size() >= kMost && !known_.contains(key))
        co_return Error(Code::store_unavailable, "there are " + std::to_string(kMost) + " revocations already; revoke a subject, or change the key");
    Revocation made;
    made.what = wish.what;
    made.id = wish.id;
    made.at = to_milliseconds(loop_.clock().wall());
    Duration lifetime = wish.lifetime.value_or(wish.what == Revoked::token ? lifetimes_.token : lifetimes_.subject);
    made.expires = to_milliseconds(made.at + lifetime);
    auto put = co_await store_->put(key, value_of(made), lifetime);
    if (!put) co_return put.error();
    ++edits_;
    known_[key] = made;
    publish();
    events_.tell(Level::info, "revocations.added", {{made.what == Revoked::token ? "jti" : "subject", made.id}, {"seconds", seconds(lifetime)}});
    // The others read all of it now and then anyway, so it is revoked even if this is lost.
    co_await say_changed();
    co_return made;
}

rt::Task<Result<Revocation>> RevocationList::lift(Revoked what, std::string id) {
    if (!store_) co_return nothing_to_revoke();
    std::string key = key_of(what, id);
    auto known = known_.find(key);
    if (known == known_.end()) co_return Error(Code::not_found, "There is no such revocation");
    Revocation lifted = known->second;
    auto erased = co_await store_->erase(key);
    if (!erased) co_return erased.error();
    ++edits_;
    known_.erase(key);
    publish();
    events_.tell(Level::info, "revocations.lifted", {{what == Revoked::token ? "jti" : "subject", lifted.id}});
    co_await say_changed();
    co_return lifted;
}

std::vector<Revocation> RevocationList::all() const {
    std::vector<Revocation> all;
    for (const auto& [key, revocation] : known_) all.push_back(revocation);
    return all;
}

// What it was about has expired by itself.
void RevocationList::forget_old() {
    if (std::erase_if(known_, [now = loop_.clock().wall()](const auto& each) { return each.second.expires <= now; }) > 0) publish();
}

void RevocationList::publish() {
    auto next = std::make_shared<auth::Revocations>();
    for (const auto& [key, revocation] : known_) {
        if (revocation.what == Revoked::token) next->tokens[revocation.id] = revocation.expires;
        else next->subjects[revocation.id] = revocation.at;
    }
    next->generation = picture_->generation + 1;
    picture_ = std::move(next);
    changed_(picture_);
}

}  // namespace suoke::app
