// SPDX-License-Identifier: MIT
// The router against a second one that reads the documented order (router.h) literally: it looks at
// every route, one after the other, and sorts. Thousands of random tables, a fixed seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <tuple>

#include "base/random.h"
#include "base/text.h"
#include "gateway/router.h"

namespace suoke::gateway {
namespace {

using config::Problem;
using config::Route;
using Words = std::vector<std::string>;

// ---- the reference ---------------------------------------------------------------------------

struct Request {
    std::string path;  // decoded by hand: what `sent` means
    std::string sent;
    std::string host;
    std::string method;
    std::string query;                  // "" or "v=1" or "v=2"
    std::optional<std::string> header;  // x-a
};

struct Answer {
    Match::Kind kind = Match::no_route;
    std::uint32_t route = 0;
    std::vector<std::pair<std::string, std::string>> params;
    std::string rest;
    std::set<std::string> allow;
    bool operator==(const Answer&) const = default;
};

Words split(const std::string& path) {
    Words segments;
    for (std::size_t at = 0; at < path.size();) {
        std::size_t end = std::min(path.find('/', at + 1), path.size());
        segments.push_back(path.substr(at + 1, end - at - 1));
        at = end;
    }
    return segments;
}

bool is_param(const std::string& segment) {
    return segment.starts_with('{');
}

std::string without_end(const Route& route) {
    std::string text = route.path.ends_with("/*") ? route.path.substr(0, route.path.size() - 2)
                       : route.path.empty()       ? route.prefix
                                                  : route.path;
    if (route.path.empty())
        while (text.ends_with('/')) text.pop_back();
    return text;
}

// A regex and how many literal segments stand at its front.
struct Regex {
    const char* text;
    int head;
};
constexpr Regex kRegexes[] = {
    {"/a/.*", 1},      {"/a/b/[a-c]+", 2}, {"/[ab]+/.*", 0}, {".*c", 0},
    {"/(a|b)/(c)", 0}, {"/a/b", 1},        {"/.*", 0},       {"/b/?", 0},
    {"/a/b*", 1},      {"/[a-c]/a", 0},    {"/[a-c]/b", 0},  {"/[a-c]/c", 0},
    {"/a\\/b/.+", 2},  {".*/b", 0},        {"/x?a.*", 0},    {"/c+/.*", 0}};

bool regex_fits(const std::string& text, const std::string& path) {
    static std::map<std::string, std::regex> compiled;  // they are slow to build
    return std::regex_match(path, compiled.try_emplace(text, text).first->second);
}

bool path_fits(const Route& route, const Request& request) {
    if (!route.regex.empty()) return regex_fits(route.regex, request.path);
    Words pattern = split(without_end(route)), path = split(request.path);
    bool is_closed = !route.path.empty() && !route.path.ends_with("/*");
    bool is_rest = !route.path.empty() && !is_closed;
    if (path.size() < pattern.size() + is_rest) return false;
    if (is_closed && path.size() != pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i)
        if (is_param(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
    return true;
}

// Lexicographically less is earlier.
std::string path_key(const Route& route) {
    std::string key;
    for (const Regex& regex : kRegexes)
        if (route.regex == regex.text) return std::string(regex.head, 'b') + "d";
    for (const std::string& segment : split(without_end(route)))
        key += is_param(segment) ? 'c' : 'b';
    return key + (route.path.empty() ? 'f' : route.path.ends_with("/*") ? 'e' : 'a');
}

// -1 when none fits; 0 any, labels of a wildcard, 1000 a whole name.
int host_rank(const Route& route, const std::string& host) {
    if (route.hosts.empty()) return 0;
    int best = -1;
    for (const std::string& one : route.hosts) {
        if (one == host) best = 1000;
        bool fits = one.starts_with('*') && host.size() >= one.size() &&
                    host.ends_with(one.substr(1)) && !host.starts_with('.');
        if (fits) best = std::max(best, static_cast<int>(std::count(one.begin(), one.end(), '.')));
    }
    return best;
}

bool conditions_hold(const Route& route, const Request& request) {
    for (const auto& asked : route.headers)
        if (!request.header || (asked.equals && *asked.equals != *request.header)) return false;
    for (const auto& asked : route.query)
        if (request.query.empty() || (asked.equals && "v=" + *asked.equals != request.query))
            return false;
    return true;
}

std::set<std::string> methods_of(const Route& route) {
    std::set<std::string> methods(route.methods.begin(), route.methods.end());
    if (methods.contains("GET")) methods.insert("HEAD");
    return methods;
}

Answer reference(const std::vector<Route>& routes, const Request& request) {
    using Key = std::tuple<int, int, std::string, int, bool, std::uint32_t>;
    std::vector<Key> fitting;
    Answer answer;
    for (std::uint32_t i = 0; i < routes.size(); ++i) {
        const Route& route = routes[i];
        int host = host_rank(route, request.host);
        if (host < 0 || !path_fits(route, request) || !conditions_hold(route, request)) continue;
        auto methods = methods_of(route);
        if (!methods.empty() && !methods.contains(request.method)) {
            answer.allow.merge(methods);
            continue;
        }
        int conditions = static_cast<int>(route.headers.size() + route.query.size());
        fitting.emplace_back(-route.priority, -host, path_key(route), -conditions, methods.empty(),
                             i);
    }
    if (fitting.empty()) {
        answer.kind = answer.allow.empty() ? Match::no_route : Match::method_not_allowed;
        return answer;
    }
    answer = {.kind = Match::found,
              .route = std::get<5>(*std::min_element(fitting.begin(), fitting.end()))};
    const Route& route = routes[answer.route];
    if (!route.regex.empty()) return answer;
    Words pattern = split(without_end(route)), sent = split(request.sent);
    for (std::size_t i = 0; i < sent.size(); ++i) {
        if (i >= pattern.size()) answer.rest += "/" + sent[i];
        if (i < pattern.size() && is_param(pattern[i]))
            answer.params.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), sent[i]);
    }
    return answer;
}

// ---- random tables and requests --------------------------------------------------------------

class Dice {
 public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
    template <class List>
    auto of(const List& list) {
        return *(std::begin(list) + static_cast<std::ptrdiff_t>(random_.below(std::size(list))));
    }
    Words some_of(const Words& words) {
        Words some;
        for (const auto& word : words)
            if (one_in(2)) some.push_back(word);
        return some;
    }

    Route route() {
        Route route;
        std::uint64_t kind = random_.below(10);
        if (kind < 3) route.path = pattern(true) + (one_in(8) ? "/" : "");
        if (kind >= 3 && kind < 5) route.path = pattern(true) + "/*";
        if (kind >= 5 && kind < 8) route.prefix = pattern(false) + (one_in(3) ? "/" : "");
        if (kind == 8) route.regex = of(kRegexes).text;
        if (route.path.empty() && kind < 3) route.path = "/";
        if (one_in(2)) route.hosts = some_of({"x.s.l", "y.s.l", "*.s.l", "*.l", "s.l"});
        if (one_in(2)) route.methods = some_of({"GET", "POST", "PUT", "HEAD", "PURGE"});
        if (one_in(4)) route.headers.push_back(condition("x-a"));
        if (one_in(4)) route.query.push_back(condition("v"));
        if (one_in(6)) route.priority = one_in(2) ? 1 : -1;
        return route;
    }

    Request request() {
        Request request;
        for (std::uint64_t i = random_.below(5); i > 0; --i) add_segment(request);
        if (request.path.empty() || one_in(8)) {
            request.path += "/";
            request.sent += "/";
        }
        request.host = of(Words{"x.s.l", "y.s.l", "z.s.l", "s.l", "a.b.s.l", "q", "", ".s.l"});
        request.method = of(Words{"GET", "POST", "HEAD", "PUT", "PURGE", "OTHER"});
        request.query = of(Words{"", "v=1", "v=2"});
        if (one_in(2)) request.header = of(Words{"1", "2"});
        return request;
    }

 private:
    std::string pattern(bool with_params) {
        std::string text;
        std::size_t params = 0;
        for (std::uint64_t i = random_.below(4); i > 0; --i)
            text += "/" + (with_params && one_in(3) ? fmt::format("{{p{}}}", ++params)
                                                    : of(Words{"a", "b", "c", "ab"}));
        return text;
    }
    config::Condition condition(std::string name) {
        config::Condition condition{.name = std::move(name)};
        if (one_in(2)) condition.equals = of(Words{"1", "2"});
        return condition;
    }
    void add_segment(Request& request) {
        std::string segment = of(Words{"a", "b", "c", "ab", "d"});
        request.path += "/" + segment;
        request.sent += "/";
        for (char c : segment)
            request.sent +=
                one_in(10) ? fmt::format("%{:02x}", static_cast<int>(c)) : std::string(1, c);
    }
    Random random_;
};

// ---- the comparison --------------------------------------------------------------------------

Answer answer_of(const Router& router, const std::vector<Route>& routes, const Request& request) {
    http::Headers headers;
    if (request.header) headers.add(http::Field{"X-A", *request.header});
    Match match =
        router.match({request.host, request.sent, request.query, request.method, headers});
    Answer answer{.kind = match.kind, .route = match.route, .rest = std::string(match.rest)};
    if (routes.size() > match.route && routes[match.route].regex.empty())
        for (const Param& param : match.params) answer.params.emplace_back(param.name, param.value);
    for (auto method : split_list(match.allow)) answer.allow.insert(std::string(method));
    return answer;
}

std::string told(const std::vector<Route>& routes, const Request& request) {
    std::string text =
        fmt::format("{} {} host={} query={} header={}\n", request.method, request.sent,
                    request.host, request.query, request.header.value_or("-"));
    for (std::size_t i = 0; i < routes.size(); ++i)
        text += fmt::format("  {}: path={} prefix={} regex={} priority={} hosts={} methods={}\n", i,
                            routes[i].path, routes[i].prefix, routes[i].regex, routes[i].priority,
                            routes[i].hosts.size(), routes[i].methods.size());
    return text;
}

TEST(RouterOrder, agrees_with_a_reading_of_the_documented_order_route_by_route) {
    Dice dice(20240611);
    std::array<int, 3> kinds{};
    for (int table = 0; table < 1500; ++table) {
        std::vector<Route> routes(table % 3 == 0 ? 60 : 1 + table % 12);
        for (Route& route : routes) route = dice.route();
        std::vector<Problem> problems;
        auto router = Router::compile(routes, problems);
        ASSERT_TRUE(router.has_value()) << problems.at(0).sentence;
        for (int i = 0; i < 20; ++i) {
            Request request = dice.request();
            Answer expected = reference(routes, request);
            ASSERT_TRUE(answer_of(*router, routes, request) == expected)
                << "expected route " << expected.route << " kind " << expected.kind << "\n"
                << told(routes, request);
            ++kinds[expected.kind];
        }
    }
    for (int seen : kinds) EXPECT_GT(seen, 1000);  // none of the three answers is a rarity here
}

TEST(RouterOrder, never_calls_a_route_unreachable_that_wins_a_request) {
    Dice dice(7);
    int warnings = 0;
    for (int table = 0; table < 300; ++table) {
        std::vector<Route> routes(40);
        for (Route& route : routes) route = dice.route();
        std::vector<Problem> problems;
        ASSERT_TRUE(Router::compile(routes, problems).has_value());
        std::set<std::string> unreachable;
        for (const Problem& problem : problems) unreachable.insert(problem.key);
        warnings += static_cast<int>(unreachable.size());
        for (int i = 0; i < 100; ++i) {
            Request request = dice.request();
            Answer answer = reference(routes, request);
            if (answer.kind != Match::found) continue;
            ASSERT_FALSE(unreachable.contains(fmt::format("routes[{}]", answer.route)))
                << answer.route << " wins\n"
                << told(routes, request);
        }
    }
    EXPECT_GT(warnings, 1000);
}

}  // namespace
}  // namespace suoke::gateway
