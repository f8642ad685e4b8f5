// SPDX-License-Identifier: MIT
#include "store/redis_subscriber.h"

#include <algorithm>

namespace suoke::store {

static constexpr Duration kLookAround = std::chrono::seconds(2);   // at what a Cluster's nodes are

RedisSubscriber::RedisSubscriber(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, Listener& listener)
    : loop_(loop),
      dialer_(dialer),
      backoff_(random, between_attempts(options)),
      options_(std::move(options)),
      listener_(listener) {
    scope_.spawn(keep());
    start_.tell();
}

void RedisSubscriber::subscribe(const std::string& channel) {
    if (channels_.insert(channel).second) say_subscribe(channel);
}

void RedisSubscriber::say_subscribe(const std::string& channel) {
    const std::vector<std::string> args{"SUBSCRIBE", channel};
    if (up()) connection_->say(args);  // else: when there is a connection
}

// Those that are in the Cluster first: the configured ones may have left it long ago.
RedisOptions RedisSubscriber::options_now() const {
    RedisOptions options = options_;
    if (!nodes_) return options;
    std::vector<RedisNode> nodes = nodes_();
    options.nodes.insert(options.nodes.begin(), nodes.begin(), nodes.end());
    return options;
}

// A node that has left the Cluster answers, but hears no more of what is published there.
bool RedisSubscriber::is_elsewhere() const {
    std::vector<RedisNode> nodes = nodes_ ? nodes_() : std::vector<RedisNode>();
    return !nodes.empty() && std::find(nodes.begin(), nodes.end(), connection_->node()) == nodes.end();
}

rt::Task<void> RedisSubscriber::keep() {
    co_await start_.wait(kNever);  // at loop level: the owner is still being made
    for (;;) {
        RedisConnectionResult opened = co_await open_redis(loop_, dialer_, options_now());
        if (opened) {
            connection_ = std::move(*opened);
            connection_->give_pushes_to(*this);
            for (const std::string& channel : channels_) say_subscribe(channel);
            TimePoint began = loop_.now();
            co_await listen();
            if (loop_.now() - began >= std::chrono::seconds(1)) backoff_.reset();
            if (std::exchange(moving_, false)) {   // what is missed meanwhile is read again there
                connection_.reset();
                continue;
            }
            Error why = connection_->why();
            connection_.reset();
            listener_.away(why);
        } else {
            listener_.away(opened.error());
        }
        co_await start_.wait(loop_.now() + backoff_.next());  // which nobody tells: a pause
    }
}

// Until it breaks. A subscriber has nothing to say, so only a PING finds out that its peer is gone.
rt::Task<void> RedisSubscriber::listen() {
    const std::vector<std::string> ping{"PING"};
    bool asked = false;
    while (!connection_->broken()) {
        TimePoint heard = connection_->last_heard();
        Duration patience = asked ? options_.silence : options_.ping_after;
        if (nodes_ && !asked) patience = std::min(patience, kLookAround);
        co_await connection_->ended().wait(deadline_after(loop_.now(), patience));
        if (connection_->broken()) co_return;
        moving_ = is_elsewhere();
        if (moving_) co_return;
        bool quiet = connection_->last_heard() == heard;
        if (quiet && asked)
            connection_->give_up(Error(Code::store_unavailable, "Redis at " + connection_->node().to_string() + " is silent"));
        else if (quiet) connection_->say(ping);
        asked = quiet;
    }
}

// ["message", channel, text], ["subscribe", channel, count], ["pong", ""]; and "+PONG" as long as there is
// no channel.
void RedisSubscriber::pushed(RedisValue value) {
    if (value.is_error())
        return connection_->give_up(redis_error(connection_->node().to_string(), value));  // NOPERM on a channel, most likely
    if (value.text == "PONG") return;
    if (!value.is(RedisValue::Kind::array) || value.items.size() < 2) return connection_->give_up(redis_surprise("SUBSCRIBE", value));
    const std::string& what = value.items[0].text;
    const std::string& channel = value.items[1].text;
    if (what == "subscribe" && channels_.contains(channel)) listener_.subscribed(channel);
    if (what == "message" && value.items.size() == 3 && channels_.contains(channel)) listener_.message(channel, value.items[2].text);
}

}  // namespace suoke::store
