// SPDX-License-Identifier: MIT
#include "store/redis.h"

namespace suoke::store {
namespace {

constexpr int kMostAttempts = 8;  // redirects, refusals that pass, and broken connections together
constexpr Duration kFirstPause = std::chrono::milliseconds(10);  // doubles with each refusal that may pass

std::unique_ptr<RedisRoutes> routes_of(rt::Loop& loop, upstream::Dialer& dialer, Random random, const RedisOptions& options,
                                       RedisRoutes::Owner& owner) {
    if (options.mode == RedisMode::cluster) return redis_cluster(loop, dialer, random, options, owner);
    return one_redis(loop, dialer, random, options, owner);
}

// Refusals without any effect that say something about the node, or the moment, and not about the command.
bool is_of_another_node(const RedisValue& reply) {
    std::string_view word = reply.error_word();
    return word == "READONLY" || word == "MASTERDOWN" || word == "CLUSTERDOWN" || word == "LOADING";
}
bool may_pass(const RedisValue& reply) {
    std::string_view word = reply.error_word();
    return word == "TRYAGAIN" || word == "CLUSTERDOWN";
}

// One more command that waits for a connection.
class Counted {
 public:
    explicit Counted(std::size_t& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

 private:
    std::size_t& count_;
};

}  // namespace

Redis::Redis(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options)
    : loop_(loop), options_(std::move(options)), routes_(routes_of(loop, dialer, random, options_, *this)) {}

Redis::~Redis() = default;

rt::Task<Result<RedisValue>> Redis::command(std::vector<std::string> args, Effect effect) {
    RedisRoute route;
    Result<RedisValue> reply = co_await run(std::move(route), std::move(args), effect);
    co_return reply;
}

rt::Task<Result<RedisValue>> Redis::command_for(std::string key, std::vector<std::string> args, Effect effect) {
    RedisRoute route;
    route.slot = redis_slot_of(key);
    Result<RedisValue> reply = co_await run(std::move(route), std::move(args), effect);
    co_return reply;
}

rt::Task<Result<RedisValue>> Redis::command_at(RedisNode node, std::vector<std::string> args, Effect effect) {
    RedisRoute route;
    route.node = std::move(node);
    Result<RedisValue> reply = co_await run(std::move(route), std::move(args), effect);
    co_return reply;
}

rt::Task<Result<RedisValue>> Redis::run(RedisRoute route, std::vector<std::string> args, Effect effect) {
    Result<RedisValue> reply = co_await attempt(std::move(route), std::move(args), effect);
    if (reply && reply->is_error()) reply = redis_error("", *reply);
    co_return reply;
}

rt::Task<Result<RedisValue>> Redis::script(Script script, std::vector<std::string> keys, std::vector<std::string> args, Effect effect) {
    RedisRoute route;
    if (!keys.empty()) route.slot = redis_slot_of(keys[0]);
    std::vector<std::string> command{"EVALSHA", script.sha(), std::to_string(keys.size())};
    command.insert(command.end(), keys.begin(), keys.end());
    command.insert(command.end(), args.begin(), args.end());
    Result<RedisValue> reply = co_await attempt(route, command, effect);
    // A server that was restarted has forgotten it, as has another node of a Cluster; EVAL teaches it anew.
    if (reply && reply->is_error()) {
        command[0] = "EVAL";
        command[1] = script.text();
        reply = co_await attempt(std::move(route), std::move(command), effect);
    }
    co_return reply;
}

// One command, until it is answered or there is no point in going on. The only error reply it gives as a
// value is NOSCRIPT, which script() knows an answer to.
rt::Task<Result<RedisValue>> Redis::attempt(RedisRoute route, std::vector<std::string> args, Effect effect) {
    const TimePoint deadline = deadline_after(loop_.now(), options_.command_timeout);
    const std::optional<RedisNode> wanted = route.node;
    bool asking = false;
    Duration pause = kFirstPause;
    Error last(Code::store_unavailable);
    for (int i = 0; i < kMostAttempts; ++i) {
        // 1. Send it, where it belongs as far as we know.
        RedisConnection* connection = co_await connection_for(route, deadline);
        if (!connection) co_return why_no_connection(route);
        const RedisNode node = connection->node();
        RedisOutcome outcome = co_await connection->command(args, deadline, asking);
        asking = false;

        // 2. No answer: again, if that can do no harm.
        if (!outcome.reply) {
            last = outcome.reply.error();
            bool harmless = effect == Effect::idempotent || !outcome.sent;
            if (!harmless || loop_.now() >= deadline) break;
            route.node = wanted;
            continue;
        }

        // 3. An answer.
        const RedisValue& reply = *outcome.reply;
        if (!reply.is_error() || reply.error_word() == "NOSCRIPT") co_return std::move(*outcome.reply);
        last = redis_error(node.to_string(), reply);

        // 4. It is elsewhere: there.
        std::optional<RedisRedirect> redirect;
        if (is_cluster()) redirect = parse_redirect(reply, node);
        if (redirect) {
            if (!redirect->ask) routes_->moved(*redirect);
            asking = redirect->ask;
            route.node = std::move(redirect->to);
            continue;
        }

        // 5. A refusal: again in a moment, if that may help.
        bool elsewhere = is_of_another_node(reply) && routes_->doubt(node, reply);
        if (!elsewhere && !may_pass(reply)) break;
        if (loop_.now() + pause >= deadline) break;
        co_await pause_.wait(loop_.now() + pause);
        pause *= 2;
        route.node = wanted;
    }
    co_return last;
}

rt::Task<RedisConnection*> Redis::connection_for(const RedisRoute& route, TimePoint deadline) {
    for (;;) {
        RedisLink* link = routes_->find(route);
        if (link && link->is_up()) co_return link->connection();
        TimePoint until = std::min(deadline, link ? link->worth_waiting_until() : routes_->worth_waiting_until());
        if (until <= loop_.now() || waiting_ >= options_.most_in_flight) co_return nullptr;
        Counted counted(waiting_);
        co_await changed_.wait(until);
    }
}

Error Redis::why_no_connection(const RedisRoute& route) {
    RedisLink* link = routes_->find(route);
    if (link && !link->is_up()) return link->why();
    return routes_->down().value_or(Error(Code::store_unavailable, "too many commands wait for Redis"));
}

void Redis::routes_changed() {
    changed_.tell();
    if (!told_up_ && !routes_->tried()) return;
    std::optional<Error> down = routes_->down();
    if (told_up_ == !down) return;
    told_up_ = !down;
    listeners_.for_each([&down](Listener& listener) { down ? listener.redis_down(*down) : listener.redis_up(); });
}

}  // namespace suoke::store
