// SPDX-License-Identifier: MIT
#include "endpoints/cache_api.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cache/second_level.h"
#include "endpoints/admin.h"
#include "endpoints/request_body.h"
#include "gateway/replies.h"
#include "gateway/worker.h"
#include "http/uri.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;
using nlohmann::json;

constexpr std::size_t kMostBody = 64 * 1024;
constexpr std::size_t kMostNames = 1000;

// "https://api.suoke.life/a?b=1" or "/a?b=1", as the cache has it; nothing when it is neither.
std::optional<PurgeWish::Place> place_of(std::string_view text) {
    PurgeWish::Place place;
    if (std::size_t scheme = text.find("://"); scheme != text.npos && text.front() != '/') {
        text.remove_prefix(scheme + 3);
        std::size_t end = std::min(text.find_first_of("/?"), text.size());
        auto authority = http::split_authority(text.substr(0, end));
        if (!authority) return std::nullopt;
        place.host = to_lower(authority->host);
        text.remove_prefix(end);
    }
    text = text.substr(0, text.find('#'));
    std::size_t query = std::min(text.find('?'), text.size());
    std::string path(text.substr(0, query)), scratch;
    if (path.empty() && !place.host.empty()) path = "/";
    if (!path.starts_with('/')) return std::nullopt;
    Result<std::string_view> normal = http::normalize_path(path, scratch);
    if (!normal) return std::nullopt;
    place.path = std::string(*normal).append(text.substr(query));
    return place;
}

class Reading {
 public:
    explicit Reading(const json& object) : object_(object) {}

    // Of "urls": [...], or one under the singular name.
    std::vector<std::string> texts(const char* many, const char* one) {
        std::vector<std::string> found;
        for (const char* name : {many, one}) {
            auto member = object_.find(name);
            if (member == object_.end()) continue;
            const json list = member->is_array() ? *member : json::array({*member});
            for (const json& each : list) {
                bool good = each.is_string() && !each.get_ref<const std::string&>().empty();
                if (good) found.push_back(each.get<std::string>());
                else fault(name, "Input should be text, or a list of it");
            }
        }
        return found;
    }
    std::vector<PurgeWish::Place> places(const char* many, const char* one) {
        std::vector<PurgeWish::Place> found;
        for (const std::string& text : texts(many, one)) {
            if (auto place = place_of(text)) found.push_back(std::move(*place));
            else fault(many, "Input should be a path, or a URL with one");
        }
        return found;
    }
    void fault(const char* name, const char* message) { faults.push_back({"value_error", name, message, ""}); }
    Faults faults;

 private:
    const json& object_;
};

}  // namespace

std::variant<PurgeWish, Faults> read_purge(std::string_view body) {
    constexpr int kMostLevels = 4;
    json object = nested_deeper(body, kMostLevels) ? json() : json::parse(body, nullptr, false);
    Reading reading(object);
    if (!object.is_object()) {
        reading.faults.push_back({"json_invalid", "", "The body must be a JSON object {urls, prefixes, tags, all}", ""});
        return reading.faults;
    }
    PurgeWish wish;
    wish.urls = reading.places("urls", "url");
    wish.prefixes = reading.places("prefixes", "prefix");
    wish.tags = reading.texts("tags", "tag");
    auto all = object.find("all");
    if (all != object.end() && !all->is_boolean()) reading.fault("all", "Input should be true or false");
    wish.all = all != object.end() && all->is_boolean() && all->get<bool>();
    std::size_t names = wish.urls.size() + wish.prefixes.size() + wish.tags.size();
    if (names == 0 && !wish.all && reading.faults.empty()) reading.fault("urls", "Say what: urls, prefixes, tags, or all");
    if (names > kMostNames) reading.fault("urls", "At most 1000 at a time");
    if (!reading.faults.empty()) return reading.faults;
    return wish;
}

namespace {

double timestamp(const Exchange& ex) { return seconds(ex.worker.loop().clock().wall().time_since_epoch()); }

void carry_out(cache::Marks& marks, const PurgeWish& wish) {
    for (const PurgeWish::Place& url : wish.urls) marks.purge_url(url.host, url.path);
    for (const PurgeWish::Place& prefix : wish.prefixes) marks.purge_prefix(prefix.host, prefix.path);
    for (const std::string& tag : wish.tags) marks.purge_tag(tag);
    if (wish.all) marks.purge_all();
}

class Purge final : public gateway::Filter {
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto body = co_await read_body(ex, kMostBody);
        if (!body) co_return body.error();
        auto wish = read_purge(*body);
        if (auto* faults = std::get_if<Faults>(&wish)) co_return unprocessable(ex, *faults);
        const PurgeWish& what = std::get<PurgeWish>(wish);
        carry_out(ex.worker.cache().marks(), what);
        std::string out;
        JsonWriter j(out);
        j.open('{').field("message", "Purged").field("urls", std::uint64_t{what.urls.size()}).field("prefixes", std::uint64_t{what.prefixes.size()});
        j.field("tags", std::uint64_t{what.tags.size()}).field("all", what.all).field("timestamp", timestamp(ex)).close('}');
        co_return gateway::json_response(200, std::move(out));
    }
};

// The predecessor's way; its cache_type can only be what there is.
class Clear final : public gateway::Filter {
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        ex.worker.cache().marks().purge_all();
        std::string out;
        JsonWriter j(out);
        j.open('{').field("message", "Cache cleared successfully").field("cache_type", "all").field("timestamp", timestamp(ex)).close('}');
        co_return gateway::json_response(200, std::move(out));
    }
};

std::uint64_t load(const std::atomic<std::uint64_t>& cell) { return cell.load(std::memory_order_relaxed); }

// What gateways share, where they do; how much that is, is Redis' to tell.
void add_redis(JsonWriter& j, const CacheCells& cells, bool reachable) {
    j.key("redis").open('{').field("reachable", reachable).field("hits", load(cells.second_hits)).field("misses", load(cells.second_misses));
    j.field("errors", load(cells.second_errors)).field("writes", load(cells.second_writes)).close('}');
}

std::uint64_t total(const MetricsRegistry& metrics, CacheResult result) {
    std::uint64_t sum = 0;
    for (const WorkerCells& cells : metrics.worker_cells()) sum += cells.cache[static_cast<std::size_t>(result)].value();
    return sum;
}

class State final : public gateway::Filter {
 public:
    explicit State(const MetricsRegistry& metrics) : metrics_(metrics) {}
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        co_return gateway::json_response(200, state_of_cache(ex.worker.cache(), metrics_, ex.worker.loop().now(), timestamp(ex)));
    }

 private:
    const MetricsRegistry& metrics_;
};

}  // namespace

std::string state_of_cache(const cache::Store& store, const MetricsRegistry& metrics, TimePoint now, double timestamp) {
    const cache::SecondLevel* second = store.second();
    std::uint64_t stale = total(metrics, CacheResult::stale), hits = total(metrics, CacheResult::hit) + stale, misses = total(metrics, CacheResult::miss);
    double ratio = hits + misses == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(hits + misses);
    std::string out;
    JsonWriter j(out);
    // The type as cache.type has it. With redis the numbers beside it are still those of memory, which is asked first.
    j.open('{').field("type", second ? "redis" : "memory").field("entries", store.entries()).field("bytes", store.used()).field("max_bytes", store.budget());
    j.field("hits", hits).field("stale_hits", stale).field("misses", misses).field("bypassed", total(metrics, CacheResult::bypass));
    j.field("hit_ratio", ratio).field("evictions", load(metrics.cache().evictions));
    if (second) add_redis(j, metrics.cache(), second->usable(now));
    j.field("timestamp", timestamp).close('}');
    return out;
}

void add_cache(std::vector<Builtin>& all, Sources& sources) {
    const std::string base = "/api/v1/management/cache";
    all.push_back({"gateway:cache", base, std::make_shared<State>(sources.metrics)});
    all.push_back({"gateway:cache:purge", base + "/purge", std::make_shared<Purge>(), {"POST"}});
    all.push_back({"gateway:cache:clear", base + "/clear", std::make_shared<Clear>(), {"POST"}});
}

}  // namespace suoke::endpoints
