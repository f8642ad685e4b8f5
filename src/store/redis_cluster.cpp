// SPDX-License-Identifier: MIT
// A Cluster: a map of slots, read from whichever node answers, and a link to every master in it.
#include <algorithm>
#include <map>

#include "store/redis_routes.h"

namespace suoke::store {
namespace {

constexpr Duration kMapAge = std::chrono::minutes(1);                // then it is read again, doubts or not
constexpr Duration kBetweenReads = std::chrono::milliseconds(100);   // many doubts are one

class Cluster final : public RedisRoutes, RedisLink::Owner {
 public:
    Cluster(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, RedisRoutes::Owner& owner)
        : loop_(loop), dialer_(dialer), random_(random), backoff_(Random(random_.next()), between_attempts(options)),
          options_(std::move(options)), owner_(owner) {
        scope_.spawn(keep_map());
        doubts_.tell();
    }

    RedisLink* find(const RedisRoute& route) override {
        if (route.node) return link_to(*route.node);
        if (!map_) return nullptr;
        if (route.slot) {
            const RedisNode* node = map_->master_of(*route.slot);
            return node ? link_to(*node) : nullptr;
        }
        for (auto& [node, link] : links_)
            if (link.connection()) return &link;
        return links_.empty() ? nullptr : &links_.begin()->second;
    }

    TimePoint worth_waiting_until() const override { return tried_ ? loop_.now() : kNever; }

    void moved(const RedisRedirect& redirect) override {
        if (map_) map_->move(redirect.slot, redirect.to);
        doubt_it();
    }

    bool doubt(const RedisNode&, const RedisValue&) override {
        doubt_it();
        return true;
    }

    bool tried() const override {
        for (const auto& [node, link] : links_)
            if (!link.tried()) return false;
        return tried_;
    }

    std::vector<RedisNode> masters() const override { return map_ ? map_->masters() : std::vector<RedisNode>(); }

    std::optional<Error> down() const override {
        if (!map_) return why_;
        if (!map_->complete()) return Error(Code::store_unavailable, "some slots of the Redis Cluster belong to no node");
        for (const RedisNode& node : map_->masters()) {
            auto link = links_.find(node);
            if (link != links_.end() && !link->second.is_up()) return link->second.why();
        }
        return std::nullopt;
    }

 private:
    void doubt_it() {
        doubted_ = true;
        doubts_.tell();
    }

    // Told from inside a link, so no link is ended here.
    void link_changed() override {
        for (auto& [node, link] : links_)
            if (!link.is_up()) doubt_it();  // perhaps another node has its slots by now
        owner_.routes_changed();
    }

    // One that is not known yet is linked now: a redirect is believed, up to a number of nodes.
    RedisLink* link_to(const RedisNode& node) {
        auto known = links_.find(node);
        if (known != links_.end()) return &known->second;
        if (links_.size() >= kMostRedisNodes) return nullptr;
        auto& owner = static_cast<RedisLink::Owner&>(*this);  // a base that only this class sees
        auto made = links_.try_emplace(node, loop_, dialer_, Random(random_.next()), for_node(options_, node), owner);
        return &made.first->second;
    }

    rt::Task<void> keep_map() {
        co_await doubts_.wait(kNever);  // at loop level: the owner is still being made
        for (;;) {
            doubted_ = false;
            Result<RedisSlots> read = co_await read_map();
            tried_ = true;
            if (read) adopt(std::move(*read));
            else why_ = read.error();
            owner_.routes_changed();
            // Again when there are doubts; what a new map does not mend is asked for less and less often.
            if (map_ && !down()) backoff_.reset();
            Duration pause = std::max(kBetweenReads, backoff_.next());
            co_await pause_.wait(loop_.now() + pause);
            if (read && !doubted_) co_await doubts_.wait(loop_.now() + kMapAge);
        }
    }

    // From a node we are linked to, or else from those we were told in the beginning.
    rt::Task<Result<RedisSlots>> read_map() {
        Error last(Code::store_unavailable, "no node of the Redis Cluster is known");
        for (const RedisNode& node : masters()) {
            auto link = links_.find(node);
            if (link == links_.end() || !link->second.connection()) continue;
            Result<RedisSlots> read = co_await ask(*link->second.connection());
            if (read) co_return read;
            last = read.error();
        }
        for (const RedisNode& node : options_.nodes) {
            RedisConnectionResult connection = co_await RedisConnection::open(loop_, dialer_, node, options_);
            if (!connection) {
                last = connection.error();
                continue;
            }
            Result<RedisSlots> read = co_await ask(**connection);
            if (read) co_return read;
            last = read.error();
        }
        co_return last;
    }

    rt::Task<Result<RedisSlots>> ask(RedisConnection& connection) {
        const std::vector<std::string> question{"CLUSTER", "SLOTS"};
        RedisNode node = connection.node();  // the connection may be gone when the answer is there
        RedisOutcome outcome = co_await connection.command(question, deadline_after(loop_.now(), options_.command_timeout));
        if (!outcome.reply) co_return outcome.reply.error();
        if (outcome.reply->is_error()) co_return redis_error(node.to_string(), *outcome.reply);
        co_return RedisSlots::parse(*outcome.reply, node);
    }

    void adopt(RedisSlots map) {
        map_ = std::move(map);
        const std::vector<RedisNode>& masters = map_->masters();
        for (auto link = links_.begin(); link != links_.end();) {
            bool busy = link->second.is_up() && link->second.connection()->in_flight() > 0;
            bool stays = busy || std::find(masters.begin(), masters.end(), link->first) != masters.end();
            link = stays ? std::next(link) : links_.erase(link);
        }
        for (const RedisNode& node : masters) link_to(node);
    }

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    Random random_;
    rt::Backoff backoff_;
    const RedisOptions options_;
    RedisRoutes::Owner& owner_;
    std::optional<RedisSlots> map_;
    std::map<RedisNode, RedisLink> links_;
    bool tried_ = false, doubted_ = false;
    Error why_{Code::store_unavailable, "the map of the Redis Cluster has not been read yet"};
    WaitList doubts_{loop_}, pause_{loop_};
    rt::TaskScope scope_;
};

}  // namespace

std::unique_ptr<RedisRoutes> redis_cluster(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options,
                                           RedisRoutes::Owner& owner) {
    return std::make_unique<Cluster>(loop, dialer, random, std::move(options), owner);
}

}  // namespace suoke::store
