// SPDX-License-Identifier: MIT
#include "app/key_sources.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "discovery/small_file.h"
#include "discovery/trust.h"
#include "rt/backoff.h"
#include "rt/pause.h"
#include "rt/process.h"
#include "rt/scope.h"
#include "store/wait_list.h"
#include "upstream/fetch.h"
#include "upstream/url.h"

namespace suoke::app {
namespace {

constexpr std::size_t kMostBytes = 256 << 10;   // of a key set, or a file
constexpr std::size_t kLongestKeyId = 256;
constexpr int kDeepest = 16;
constexpr Duration kLeastRefresh = 10s;
constexpr Duration kLeastPause = 1s;            // when jwks_max_age is shorter still

// Keys, and the text that tells them from others.
struct Keys {
    std::vector<auth::KeyPtr> all;
    std::string mark;
};

// ---- what is near

bool is_hmac(auth::Algorithm algorithm) { return algorithm <= auth::Algorithm::hs512; }

// Of those the configuration names, the ones for secrets or the ones for public keys.
std::vector<auth::Algorithm> named_algorithms(const config::JwtProvider& from, bool hmac) {
    std::vector<auth::Algorithm> named;
    for (const std::string& name : from.algorithms)
        if (auto algorithm = auth::algorithm_of(name); algorithm && is_hmac(*algorithm) == hmac) named.push_back(*algorithm);
    return named;
}

Result<auth::KeyPtr> key_of_secret(const config::JwtProvider& from) {
    std::vector<auth::Algorithm> algorithms = named_algorithms(from, true);
    if (algorithms.empty()) algorithms.push_back(auth::Algorithm::hs256);
    return auth::Key::of_secret(from.secret_key.reveal(), std::move(algorithms));
}

Error in_file(const std::string& file, const Error& error) { return {Code::invalid_config, file + ": " + error.detail}; }

Result<void> add_pem(const config::JwtProvider& from, Keys& keys) {
    auto pem = discovery::read_small_file(from.public_key_file, kMostBytes);
    if (!pem) return pem.error();
    auto key = auth::Key::of_pem(*pem, named_algorithms(from, false));
    if (!key) return in_file(from.public_key_file, key.error());
    keys.all.push_back(*key);
    keys.mark += "\npem\n" + *pem;
    return Result<void>();
}

// The same keys look the same, however their server orders and spaces them.
std::string mark_of(std::string_view jwks) {
    nlohmann::json all = nlohmann::json::parse(jwks, nullptr, false);
    if (!all.is_object() || !all.contains("keys")) return std::string(jwks);
    std::vector<std::string> each;
    for (const nlohmann::json& key : all["keys"]) each.push_back(key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    std::sort(each.begin(), each.end());
    std::string mark = "\njwks";
    for (const std::string& key : each) mark.append("\n").append(key);
    return mark;
}

Result<Keys> read_jwks(std::string_view text) {
    if (nested_deeper(text, kDeepest)) return Error(Code::invalid_config, "a key set is not that deep");
    auto set = auth::parse_jwks(text);
    if (!set) return set.error();
    return Keys{(*set)->keys, mark_of(text)};
}

Result<void> add_jwks_file(const config::JwtProvider& from, Keys& keys) {
    auto text = discovery::read_small_file(from.jwks_file, kMostBytes);
    if (!text) return text.error();
    auto set = read_jwks(*text);
    if (!set) return in_file(from.jwks_file, set.error());
    keys.all.insert(keys.all.end(), set->all.begin(), set->all.end());
    keys.mark += set->mark;
    return Result<void>();
}

Result<Keys> read_local(const config::JwtProvider& from) {
    Keys keys;
    if (!from.secret_key.empty()) {
        auto key = key_of_secret(from);
        if (!key) return key.error();
        keys.all.push_back(*key);
        keys.mark = "secret\n" + from.secret_key.reveal();
    }
    if (!from.public_key_file.empty())
        if (auto added = add_pem(from, keys); !added) return added.error();
    if (!from.jwks_file.empty())
        if (auto added = add_jwks_file(from, keys); !added) return added.error();
    return keys;
}

auth::KeySetPtr set_of(std::vector<auth::KeyPtr> keys) {
    auto set = std::make_shared<auth::KeySet>();
    set->keys = std::move(keys);
    return set;
}

// ---- what a server publishes

// Where it is; unlike other places its URL may have a query.
struct Place {
    upstream::Url url;
    std::string target;
};

Result<Place> place_of(const std::string& text) {
    std::size_t query = std::min(text.find('?'), text.size());
    auto url = upstream::parse_url(std::string_view(text).substr(0, query));
    if (!url) return url.error();
    std::size_t path = text.find('/', text.find("://") + 3);
    Place place{*url, path < query ? text.substr(path) : "/" + text.substr(query)};
    return place;
}

Result<upstream::FetchRequest> request_for(const config::JwtProvider& from, discovery::Trust& trust) {
    auto place = place_of(from.jwks_url);
    if (!place) return place.error();
    upstream::FetchRequest request;
    request.endpoint = place->url.endpoint();
    if (place->url.secure) {
        auto client = trust.client(from.jwks_ca_file);
        if (!client) return client.error();
        request.endpoint.tls = std::move(*client);
    }
    request.host = place->url.authority();
    request.target = std::move(place->target);
    request.fields.push_back({"Accept", "application/jwk-set+json, application/json"});
    request.max_body = kMostBytes;
    return request;
}

// Whoever redirects us may be anybody: where keys are is the operator's word alone.
rt::Task<Result<Keys>> ask_server(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, config::JwtProvider from,
                                  discovery::Trust& trust) {
    auto request = request_for(from, trust);
    if (!request) co_return request.error();
    auto response = co_await upstream::fetch(loop, dialer, buffers, std::move(*request), loop.now() + KeySources::kTimeout);
    if (!response) co_return response.error();
    if (response->status != 200) co_return Error(Code::upstream_status, from.jwks_url + " answered " + std::to_string(response->status));
    auto keys = read_jwks(response->body);
    if (!keys) co_return Error(Code::upstream_invalid, from.jwks_url + ": " + keys.error().detail);
    co_return std::move(*keys);
}

std::string key_of(const std::string& provider) { return provider.empty() ? "auth.jwt" : "auth.providers." + provider; }

}  // namespace

// ---- one provider

class KeySources::Source {
 public:
    // Of `heir_to`, if any, it has what that one's server has said.
    Source(KeySources& all, const std::string& name, const config::JwtProvider& from, const Source* heir_to)
        : all_(all), label_(key_of(name)), from_(from) {
        if (heir_to && heir_to->heard_) {
            published_ = heir_to->published_;
            heard_ = heir_to->heard_;
            make_set();
        }
        read_again();
        for (const std::string* file : {&from_.public_key_file, &from_.jwks_file})
            if (!file->empty()) watches_.push_back(rt::watch_file(all_.loop_, *file, [this] { file_changed(); }));
        if (!watches_.empty()) tasks_.spawn(keep_reading());
        if (is_remote()) tasks_.spawn(keep_asking());
    }

    bool is_for(const config::JwtProvider& from) const { return from_ == from; }
    bool asks_where(const config::JwtProvider& from) const { return is_remote() && from_.jwks_url == from.jwks_url && from_.jwks_ca_file == from.jwks_ca_file; }
    bool is_remote() const { return !from_.jwks_url.empty(); }

    auth::ProviderKeys keys() const {
        auth::ProviderKeys keys;
        keys.keys = set_;
        if (heard_ && from_.jwks_max_age > Duration::zero()) keys.usable_until = *heard_ + from_.jwks_max_age;
        return keys;
    }
    std::string mark() const { return local_.mark + published_.mark; }
    bool knows(std::string_view key_id) const { return set_ && set_->knows(key_id); }

    // The files, now.
    void read_again() {
        auto read = read_local(from_);
        if (!read) return failed(unreadable_, read.error());
        const bool others = read->mark != local_.mark;
        local_ = std::move(*read);
        make_set();
        fine(unreadable_, others);
    }

    // ---- looking for a key

    TimePoint quiet_until() const { return quiet_until_; }
    bool was_looked_for(const std::string& key_id) const {
        auto found = unknown_.find(key_id);
        return found != unknown_.end() && all_.loop_.now() < found->second;
    }
    void ask_now(std::string key_id) {
        if (wanted_.size() < kMostUnknown) wanted_.insert(std::move(key_id));
        ask_.tell();
    }
    store::WaitList& answered() { return answered_; }
    // Whoever waits for a server that does not answer in time: nobody else shall meanwhile.
    void be_quiet() { quiet_until_ = all_.loop_.now() + kLookAgain; }

 private:
    // Keys that are used no longer than jwks_max_age must have come anew by then.
    Duration refresh_after() const {
        Duration refresh = std::max(from_.jwks_refresh, kLeastRefresh);
        return from_.jwks_max_age > Duration::zero() ? std::clamp(from_.jwks_max_age / 2, kLeastPause, refresh) : refresh;
    }
    // Before those who wait are told, so that whoever comes between the two finds it. A server that did not answer may have
    // the keys for all we know.
    void note_who_is_missing() {
        TimePoint now = all_.loop_.now();
        std::erase_if(unknown_, [&](const auto& each) { return each.second <= now; });
        for (const std::string& key_id : std::exchange(wanted_, {})) {
            if (knows(key_id)) continue;
            be_quiet();
            if (!unreachable_ && unknown_.size() < kMostUnknown) unknown_[key_id] = now + kUnknown;
        }
    }
    rt::Task<void> keep_asking() {
        rt::Backoff backoff(Random(all_.random_.next()), rt::BackoffRules());
        rt::Pause start(all_.loop_, all_.loop_.now() + Duration(1));   // not from within adopt()
        co_await start;
        for (;;) {
            Result<Keys> said = co_await ask_server(all_.loop_, all_.dialer_, all_.buffers_, from_, trust_);
            Duration refresh = refresh_after(), wait{};
            if (said) {
                backoff.reset();
                wait = rt::with_jitter(all_.random_, refresh, 0.1);
                heard(std::move(*said));
            } else {
                wait = std::min(backoff.next(), refresh);
                failed(unreachable_, said.error());
            }
            note_who_is_missing();
            answered_.tell();
            co_await ask_.wait(all_.loop_.now() + wait);
        }
    }
    rt::Task<void> keep_reading() {
        for (;;) {
            rt::Pause pause(all_.loop_, all_.loop_.now() + kReadAgain);
            co_await pause;
            file_changed();
        }
    }
    void file_changed() {
        read_again();
        all_.publish();
    }

    void heard(Keys said) {
        bool others = !heard_ || said.mark != published_.mark;
        heard_ = all_.loop_.clock().wall();
        stale_ = false;
        if (others) {
            published_ = std::move(said);
            unknown_.clear();
            make_set();
        }
        fine(unreachable_, others);
        all_.publish();
    }
    void make_set() {
        std::vector<auth::KeyPtr> keys = local_.all;
        keys.insert(keys.end(), published_.all.begin(), published_.all.end());
        if (!keys.empty()) set_ = set_of(std::move(keys));
    }
    // `before`: whether it went wrong the last time.
    void fine(bool& before, bool others) {
        if (std::exchange(before, false) || others)
            all_.events_.tell(Level::info, "keys.loaded", {{"provider", label_}, {"keys", set_ ? set_->keys.size() : 0}});
    }
    void failed(bool& before, const Error& why) {
        if (!std::exchange(before, true))
            all_.events_.tell(Level::warning, "keys.unreachable", {{"provider", label_}, {"because", why.detail}});
        if (heard_ && keys().usable_until <= all_.loop_.clock().wall() && !std::exchange(stale_, true))
            all_.events_.tell(Level::error, "keys.stale", {{"provider", label_}, {"because", why.detail}});
    }

    KeySources& all_;
    const std::string label_;
    const config::JwtProvider from_;
    Keys local_, published_;
    auth::KeySetPtr set_;                 // of both; null: none was ever there
    std::optional<WallTime> heard_;       // of the server, last
    bool unreadable_ = false, unreachable_ = false, stale_ = false;
    TimePoint quiet_until_{};
    std::set<std::string> wanted_;        // keys that somebody waits for
    std::map<std::string, TimePoint, std::less<>> unknown_;
    discovery::Trust trust_;
    store::WaitList ask_{all_.loop_}, answered_{all_.loop_};
    std::vector<std::unique_ptr<rt::FileWatch>> watches_;
    rt::TaskScope tasks_;                 // ends before everything above
};

// ---- all of them

KeySources::KeySources(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Events& events)
    : loop_(loop), dialer_(dialer), buffers_(buffers), events_(events), random_(Random::from_system()) {}
KeySources::~KeySources() = default;

void KeySources::adopt(const config::Auth& auth) {
    auto before = std::exchange(sources_, {});
    for (const auto& [name, provider] : key_providers(auth)) {
        std::unique_ptr<Source>& source = sources_[name];
        if (auto same = before.find(name); same != before.end() && same->second && same->second->is_for(provider)) {
            source = std::move(same->second);
            source->read_again();
            continue;
        }
        const Source* heir_to = nullptr;
        for (const auto& [other, theirs] : before)
            if (theirs && theirs->asks_where(provider)) heir_to = theirs.get();
        source = std::make_unique<Source>(*this, name, provider, heir_to);
    }
    publish();
}

KeySources::Source* KeySources::find(const std::string& provider) {
    auto found = sources_.find(provider);
    return found == sources_.end() ? nullptr : found->second.get();
}

// Verified tokens are judged anew only when there are other keys, not when the old ones are good for longer.
void KeySources::publish() {
    auto next = std::make_shared<auth::KeyRing>();
    std::map<std::string, std::string> marks;
    bool same_times = true;
    for (const auto& [name, source] : sources_) {
        auth::ProviderKeys keys = source->keys();
        auto before = ring_->providers.find(name);
        same_times = same_times && before != ring_->providers.end() && before->second.usable_until == keys.usable_until;
        next->providers.emplace(name, std::move(keys));
        marks.emplace(name, source->mark());
    }
    const bool others = marks != marks_;
    if (!others && same_times) return;
    next->generation = ring_->generation + (others ? 1 : 0);
    marks_ = std::move(marks);
    ring_ = std::move(next);
    changed_(ring_);
}

rt::Task<TimePoint> KeySources::look_for(std::string provider, std::string key_id, TimePoint deadline) {
    // 1. Is there anything that asking could change?
    Source* source = find(provider);
    if (!source || !source->is_remote() || key_id.size() > kLongestKeyId) co_return loop_.now() + kLookAgain;
    if (source->knows(key_id)) co_return loop_.now();
    if (loop_.now() < source->quiet_until()) co_return source->quiet_until();
    if (source->was_looked_for(key_id)) co_return loop_.now() + 1s;
    // 2. One question for all who want to know.
    source->ask_now(key_id);
    bool told = co_await source->answered().wait(deadline);
    // 3. The configuration may be another one by now.
    source = find(provider);
    if (!source || source->knows(key_id)) co_return loop_.now();
    if (!told) source->be_quiet();
    co_return source->quiet_until();
}

// ---- for others

std::map<std::string, config::JwtProvider> key_providers(const config::Auth& auth) {
    std::map<std::string, config::JwtProvider> all;
    if (!auth.is_on()) return all;
    if (auth.jwt.has_keys()) all[""] = auth.jwt;
    for (const auto& [name, provider] : auth.providers)
        if (provider.has_keys()) all[name] = provider;
    return all;
}

Result<auth::KeySetPtr> local_keys(const config::JwtProvider& provider) {
    auto keys = read_local(provider);
    if (!keys) return keys.error();
    return set_of(std::move(keys->all));
}

rt::Task<Result<auth::KeySetPtr>> fetch_keys(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, config::JwtProvider provider) {
    discovery::Trust trust;
    auto keys = co_await ask_server(loop, dialer, buffers, std::move(provider), trust);
    if (!keys) co_return keys.error();
    co_return set_of(std::move(keys->all));
}

void check_keys(const config::Auth& auth, std::vector<config::Problem>& problems) {
    for (const auto& [name, provider] : key_providers(auth)) {
        discovery::Trust trust;
        Result<void> good;
        if (auto keys = read_local(provider); !keys) good = keys.error();
        if (good && !provider.jwks_url.empty())
            if (auto request = request_for(provider, trust); !request) good = request.error();
        if (!good) problems.push_back({config::Problem::error, provider.place, key_of(name), good.error().detail});
    }
}

}  // namespace suoke::app
