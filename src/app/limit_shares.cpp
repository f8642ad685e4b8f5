// SPDX-License-Identifier: MIT
#include "app/limit_shares.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "app/redis_options.h"
#include "base/random.h"

namespace suoke::app {
namespace {

using store::RedisValue;

std::string hex(std::uint64_t first, std::uint64_t second) { return fmt::format("{:016x}{:016x}", first, second); }

std::optional<limits::Seed> read_seed(std::string_view text) {
    limits::Seed seed;
    if (text.size() != 32) return std::nullopt;
    for (auto [word, from] : {std::pair(&seed.first, text.data()), std::pair(&seed.second, text.data() + 16)}) {
        auto [end, error] = std::from_chars(from, from + 16, *word, 16);
        if (error != std::errc() || end != from + 16) return std::nullopt;
    }
    return seed;
}

std::string own_id() {
    Random random = Random::from_system();
    std::uint64_t first = random.next();
    return hex(first, random.next());
}

Error surprise(const RedisValue& value) { return Error(Code::store_unavailable, "Redis answered a limit with " + value.to_string()); }

std::vector<std::string> arguments_of(const limits::Shares::Call& call, const std::string& id) {
    auto microseconds = [](Duration d) { return std::to_string(d / std::chrono::microseconds(1)); };
    std::vector<std::string> args{id, microseconds(limits::kLease), microseconds(limits::kReturn), ""};
    for (const limits::Report& report : call.reports) {
        for (std::int64_t number : {std::int64_t{report.have}, report.ahead, std::int64_t{report.want}, std::int64_t{report.usual},
                                    std::int64_t{report.least}, report.depth})
            args.push_back(std::to_string(number));
        args.push_back(report.served ? "1" : "0");
        args.push_back(report.leaves ? "1" : "0");
    }
    return args;
}

std::optional<std::vector<limits::Answer>> answers_in(const RedisValue& value, std::size_t keys) {
    if (!value.is(RedisValue::Kind::array) || value.items.size() != 4 * keys) return std::nullopt;
    std::vector<limits::Answer> answers;
    for (std::size_t i = 0; i < value.items.size(); i += 4) {
        auto share = value.items[i].as_integer(), target = value.items[i + 1].as_integer(), further = value.items[i + 2].as_integer(),
             busy = value.items[i + 3].as_integer();
        bool good = share && target && further && busy && *share >= 0 && *share <= 65536 && *target >= 0 && *target <= 65536;
        if (!good) return std::nullopt;
        answers.push_back({static_cast<std::uint32_t>(*share), static_cast<std::uint32_t>(*target), *further, *busy != 0});
    }
    return answers;
}

}  // namespace

LimitShares::LimitShares(rt::Loop& loop, upstream::Dialer& dialer, limits::Limiter& limiter, Events& events, endpoints::Status& status)
    : loop_(loop), dialer_(dialer), limiter_(limiter), events_(events), status_(status), id_(own_id()), greet_(limits::kGreet),
      settle_(limits::kSettle), shares_(limiter), hot_(loop) {
    limiter_.set_listener([this] { loop_.post([this] { hot_.tell(); }); });
}

LimitShares::~LimitShares() {
    limiter_.set_listener({});
    tasks_.cancel();
}

bool LimitShares::wanted(const config::Config& config) {
    const config::RateLimit& from = config.rate_limit;
    return from.storage != config::LimitStorage::memory && (!from.storage_url.empty() || config.redis.wanted());
}

// All of it is in the URL: another server is nobody to show the usual one's password to.
std::optional<store::RedisOptions> LimitShares::other_redis(const config::Config& config, std::vector<config::Problem>& problems) {
    config::Redis settings;
    settings.url = config.rate_limit.storage_url;
    settings.key_prefix = config.redis.key_prefix;
    settings.connect_timeout = config.redis.connect_timeout;
    settings.command_timeout = config.redis.command_timeout;
    std::vector<config::Problem> found;
    auto options = redis_options(settings, found);
    for (config::Problem& problem : found) {
        problem.key = "rate_limit.storage_url";
        problems.push_back(std::move(problem));
    }
    return options;
}

// Another URL takes a restart, as with the section redis.
store::Redis* LimitShares::redis_of(const config::Config& config, Stores& stores) {
    if (!wanted(config)) return nullptr;
    if (config.rate_limit.storage_url.empty()) return stores.redis();
    if (own_) return own_.get();
    std::vector<config::Problem> problems;   // compile() has told them
    auto options = other_redis(config, problems);
    if (options) own_ = std::make_unique<store::Redis>(loop_, dialer_, Random::from_system(), std::move(*options));
    return own_.get();
}

void LimitShares::adopt(const config::Config& config, Stores& stores) {
    store::Redis* redis = redis_of(config, stores);
    if (redis == redis_) return;
    tasks_.cancel();
    shares_.forget();
    redis_ = redis;
    if (!redis_) return limiter_.share_with(1);
    limiter_.open(config.rate_limit.max_keys);
    limiter_.share_with(gateways_ = config.rate_limit.gateways);
    greet_at_ = loop_.now();
    tasks_.spawn(keep());
}

// Often enough that a burst through one gateway gets the others' shares before it is over; rarely when there are
// so many keys that looking at them takes a while.
rt::Task<void> LimitShares::keep() {
    using namespace std::chrono_literals;
    for (;;) {
        bool reached = true;
        if (loop_.now() >= greet_at_) reached = co_await greet();
        std::vector<Call> calls = shares_.due(loop_.now());
        for (std::size_t i = 0; i < calls.size(); ++i) {
            bool settled = co_await settle(std::move(calls[i]));
            reached = reached && settled;
        }
        Duration wait = !reached ? 500ms : shares_.size() == 0 ? 1s : shares_.size() < 1000 ? 5ms : 50ms;
        TimePoint until = std::min(loop_.now() + wait, reached ? greet_at_ : kNever);
        co_await hot_.wait(until);
    }
}

rt::Task<bool> LimitShares::greet() {
    greet_at_ = loop_.now() + kGreeting;
    limits::Seed ours = limiter_.seed();
    std::vector<std::string> keys{base() + "gateways", base() + "seed"};
    std::vector<std::string> args{id_, std::to_string(kForgotten / std::chrono::milliseconds(1)), hex(ours.first, ours.second)};
    auto value = co_await redis_->script(greet_, std::move(keys), std::move(args), store::Effect::idempotent);
    if (!value) {
        shares_.away(loop_.now());
        tell_alone(value.error().detail);
        co_return false;
    }
    bool whole = value->is(RedisValue::Kind::array) && value->items.size() == 2;
    auto gateways = whole ? value->items[0].as_integer() : std::nullopt;
    auto seed = whole ? read_seed(value->items[1].text) : std::nullopt;
    if (!gateways || !seed) {
        tell_alone(surprise(*value).detail);
        co_return false;
    }
    limiter_.set_seed(*seed);
    shares_.back(loop_.now());
    tell_shared();
    count(static_cast<std::uint32_t>(std::clamp<std::int64_t>(*gateways, 1, 1000)));
    co_return true;
}

// After Redis gateways come back one by one, and each goes on until it does: until then they are as many as they were.
void LimitShares::count(std::uint32_t greeted) {
    if (greeted >= gateways_ || loop_.now() >= fewer_from_) gateways_ = greeted;
    limiter_.share_with(gateways_);
}

rt::Task<bool> LimitShares::settle(Call call) {
    std::vector<std::string> keys;
    for (const limits::Hash& hash : call.hashes) keys.push_back(base() + hex(hash.place, hash.tag));
    std::vector<std::string> args = arguments_of(call, id_);
    auto value = co_await redis_->script(settle_, std::move(keys), std::move(args), store::Effect::idempotent);
    auto answers = value ? answers_in(*value, call.hashes.size()) : std::nullopt;
    if (answers) {
        shares_.answered(call, *answers, loop_.now());
        tell_shared();
        co_return true;
    }
    Error why = value ? surprise(*value) : value.error();
    tell_alone(why.detail);
    shares_.lost(call, loop_.now());
    co_return false;
}

void LimitShares::tell_alone(const std::string& because) {
    status_.limits_alone = true;
    if (!std::exchange(alone_, true)) events_.tell(Level::warning, "limits.alone", {{"because", because}});
}

void LimitShares::tell_shared() {
    status_.limits_alone = false;
    if (!std::exchange(alone_, false)) return;
    fewer_from_ = loop_.now() + limits::kReturn;
    events_.tell(Level::info, "limits.shared", {{"gateway", id_}});
}

}  // namespace suoke::app
