// SPDX-License-Identifier: MIT
// One link that everything goes through: to the server, or to the master the Sentinels name.
#include "base/text.h"
#include "store/redis_routes.h"
#include "store/redis_subscriber.h"

namespace suoke::store {
namespace {

const std::string kSwitched = "+switch-master";

// Hears from the Sentinels that the master has changed, which a link to a master that is merely cut off
// from the others would not notice by itself.
class MasterWatch final : RedisSubscriber::Listener {
 public:
    MasterWatch(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, RedisLink& link)
        : loop_(loop), dialer_(dialer), options_(std::move(options)), link_(link),
          subscriber_(loop, dialer, random, for_sentinels(options_), *this) {
        subscriber_.subscribe(kSwitched);
    }

 private:
    // "mymaster 10.0.0.1 6379 10.0.0.2 6379": from and to
    void message(const std::string&, const std::string& text) override {
        std::vector<std::string_view> words = split_list(text, ' ');
        if (words.size() != 5 || words[0] != options_.master_name) return;
        auto master = node_from(RedisValue::string(std::string(words[3])), RedisValue::string(std::string(words[4])));
        if (master) follow(*master);
    }
    // What was said while nobody listened is asked for. At the first time there is nothing to make up for.
    void subscribed(const std::string&) override {
        if (listened_before_ && checks_.idle()) checks_.spawn(check());
        listened_before_ = true;
    }
    rt::Task<void> check() {
        Result<RedisNode> master = co_await ask_sentinels(loop_, dialer_, options_);
        if (master) follow(*master);
    }
    // The link may have found the new one before the Sentinels told of it.
    void follow(const RedisNode& master) {
        if (link_.is_up() && link_.connection()->node() == master) return;
        link_.renew(Error(Code::store_unavailable, "the Sentinels switched to another Redis master"));
    }

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    const RedisOptions options_;
    RedisLink& link_;
    bool listened_before_ = false;
    RedisSubscriber subscriber_;
    rt::TaskScope checks_;
};

class One final : public RedisRoutes, RedisLink::Owner {
 public:
    One(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, RedisRoutes::Owner& owner)
        : has_sentinels_(options.mode == RedisMode::sentinel), owner_(owner), link_(loop, dialer, Random(random.next()), options, *this) {
        if (has_sentinels_) watch_.emplace(loop, dialer, random, std::move(options), link_);
    }

    RedisLink* find(const RedisRoute&) override { return &link_; }
    TimePoint worth_waiting_until() const override { return link_.worth_waiting_until(); }
    void moved(const RedisRedirect&) override {}  // the server is a Cluster's; whoever asked is told

    // A server that was demoted says READONLY. With Sentinels another one is the master by now, or soon.
    bool doubt(const RedisNode& node, const RedisValue& answer) override {
        if (!has_sentinels_) return false;
        RedisConnection* connection = link_.connection();
        if (connection && connection->node() == node) link_.renew(redis_error(node.to_string(), answer));
        return true;
    }
    bool tried() const override { return link_.tried(); }
    std::vector<RedisNode> masters() const override { return {RedisNode()}; }
    std::optional<Error> down() const override {
        if (link_.is_up()) return std::nullopt;
        return link_.why();
    }

 private:
    void link_changed() override { owner_.routes_changed(); }

    const bool has_sentinels_;
    RedisRoutes::Owner& owner_;
    RedisLink link_;
    std::optional<MasterWatch> watch_;
};

}  // namespace

std::unique_ptr<RedisRoutes> one_redis(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options,
                                       RedisRoutes::Owner& owner) {
    return std::make_unique<One>(loop, dialer, random, std::move(options), owner);
}

}  // namespace suoke::store
