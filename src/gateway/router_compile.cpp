// SPDX-License-Identifier: MIT
// Routes -> RouteTables, in five steps: read every route, put all in their total order, grow one
// trie per host, lay the tries out in the hash table, and say which routes nothing can reach.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <map>
#include <optional>

#include "base/text.h"
#include "gateway/route_tables.h"

namespace suoke::gateway {

namespace {

using config::Problem;
using End = PathPattern::End;

struct Host {
    std::string name;  // lower case; of a wildcard what follows "*."; empty: any
    bool is_wildcard = false;
    std::size_t labels = 0;  // of a wildcard

    // More specific hosts are greater; a whole name beats every wildcard.
    std::size_t specificity() const { return is_wildcard ? labels : name.empty() ? 0 : 1000; }
    std::string key() const { return is_wildcard ? "*." + name : name; }
};

// A route whose every part was understood.
struct ReadRoute {
    std::uint32_t index = 0;
    const config::Route* route = nullptr;
    PathPattern pattern;
    std::vector<Host> hosts;  // never empty
    MethodSet methods = kEveryMethod;
    std::uint32_t conditions = 0;
    std::size_t condition_count = 0;
    std::uint32_t capture = 0;
};

// A route under one of its hosts. Its rank is its place in the vector of all rules.
struct Rule {
    const ReadRoute* read;
    const Host* host;
};

// The total order of router.h.
bool comes_before(const Rule& x, const Rule& y) {
    const ReadRoute &a = *x.read, &b = *y.read;
    if (a.route->priority != b.route->priority) return a.route->priority > b.route->priority;
    if (x.host->specificity() != y.host->specificity())
        return x.host->specificity() > y.host->specificity();
    if (auto order = compare_specificity(a.pattern, b.pattern); order != 0) return order < 0;
    if (a.condition_count != b.condition_count) return a.condition_count > b.condition_count;
    if (bool any_a = a.methods == kEveryMethod, any_b = b.methods == kEveryMethod; any_a != any_b)
        return any_b;
    return a.index < b.index;
}

struct TrieNode {
    std::map<std::string, std::uint32_t> literals;
    std::optional<std::uint32_t> param;
    std::array<std::vector<Rank>, 4> rules;  // by End, each in order
    Rank best = kNoRank;
};

std::vector<Rank>& of_end(TrieNode& node, End end) {
    return node.rules[static_cast<std::size_t>(end)];
}

// ---- 1. Reading ------------------------------------------------------------------------------

bool is_host_character(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

bool is_ipv6_literal(std::string_view name) {
    auto inside = [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; };
    return name.size() > 2 && name.front() == '[' && name.back() == ']' &&
           std::all_of(name.begin() + 1, name.end() - 1, inside);
}

std::optional<Host> read_host(std::string_view text) {
    if (text == "*") return Host{};
    Host host;
    std::string_view name = text;
    if (name.starts_with("*.")) {
        host.is_wildcard = true;
        name.remove_prefix(2);
    }
    if (name.ends_with('.')) name.remove_suffix(1);
    bool is_name = !name.empty() && name.size() < 256 && name.front() != '.' &&
                   std::all_of(name.begin(), name.end(), is_host_character);
    if (!is_name && (host.is_wildcard || !is_ipv6_literal(name))) return std::nullopt;
    host.name = to_lower(name);
    host.labels = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
    return host;
}

class Reader {
 public:
    Reader(RouteTables& tables, std::vector<Problem>& problems)
        : tables_(tables), problems_(problems) {
        tables_.captures.push_back({});
        tables_.conditions.push_back({});
        tables_.regexes.push_back(nullptr);
    }

    // Nothing when the route is wrong; then a problem says why.
    std::optional<ReadRoute> read(const config::Route& route, std::uint32_t index) {
        route_ = &route;
        index_ = index;
        std::size_t before = problems_.size();
        ReadRoute read{.index = index, .route = &route};
        read_path(read);
        read_hosts(read);
        read_methods(read);
        read_conditions(read);
        if (problems_.size() != before) return std::nullopt;
        return read;
    }

 private:
    void report(std::string_view field, std::string sentence) {
        std::string key = fmt::format("routes[{}]{}{}", index_, field.empty() ? "" : ".", field);
        problems_.push_back({Problem::error, route_->place, std::move(key), std::move(sentence)});
    }

    std::string_view path_field() const {
        int given = !route_->path.empty() + !route_->prefix.empty() + !route_->regex.empty();
        if (given != 1) return "";
        return !route_->path.empty() ? "path" : !route_->prefix.empty() ? "prefix" : "regex";
    }

    void read_path(ReadRoute& read) {
        std::string why;
        auto pattern = parse_path_pattern(*route_, why);
        if (!pattern) return report(path_field(), std::move(why));
        read.pattern = std::move(*pattern);
        read.capture = read.pattern.end == End::regex ? capture_of_regex(read.pattern.regex)
                                                      : capture_of_segments(read.pattern);
    }

    std::uint32_t capture_of_segments(const PathPattern& pattern) {
        Capture capture;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
            if (!pattern.segments[i].is_param) continue;
            capture.segments[names.size()] = static_cast<std::uint8_t>(i);
            names.push_back(pattern.segments[i].text);
        }
        if (pattern.end != End::closed)
            capture.rest = static_cast<std::uint8_t>(pattern.segments.size());
        return add(capture, names);
    }

    std::uint32_t capture_of_regex(const std::string& text) {
        auto regex = std::make_unique<const re2::RE2>(text, re2::RE2::Quiet);
        if (!regex->ok()) return report("regex", "invalid: " + regex->error()), 0;
        auto groups = static_cast<std::size_t>(regex->NumberOfCapturingGroups());
        if (groups > kMaxParams)
            return report("regex", fmt::format("more than {} groups; write (?:...) where nothing "
                                               "is captured",
                                               kMaxParams)),
                   0;
        std::vector<std::string> names(groups);
        for (const auto& [group, name] : regex->CapturingGroupNames())
            names[static_cast<std::size_t>(group) - 1] = name;
        Capture capture;
        capture.regex = static_cast<std::uint32_t>(tables_.regexes.size());
        tables_.regexes.push_back(std::move(regex));
        return add(capture, names);
    }

    std::uint32_t add(Capture capture, const std::vector<std::string>& names) {
        capture.params = static_cast<std::uint8_t>(names.size());
        capture.names = add(names);
        auto [at, is_new] = captures_.try_emplace(capture, tables_.captures.size());
        if (is_new) tables_.captures.push_back(capture);
        return at->second;
    }

    std::uint32_t add(const std::vector<std::string>& names) {
        auto [at, is_new] = names_.try_emplace(names, tables_.names.size());
        if (is_new)
            for (const std::string& name : names)
                tables_.names.push_back(*tables_.name_texts.insert(name).first);
        return at->second;
    }

    void read_hosts(ReadRoute& read) {
        for (const std::string& text : route_->hosts) {
            auto host = read_host(text);
            if (!host) return report("hosts", no_host(text));
            bool is_known = std::any_of(read.hosts.begin(), read.hosts.end(),
                                        [&](const Host& h) { return h.key() == host->key(); });
            if (!is_known) read.hosts.push_back(std::move(*host));
        }
        if (read.hosts.empty()) read.hosts.push_back({});
    }

    static std::string no_host(const std::string& text) {
        return fmt::format(
            "'{}' is no host: write a name without port, *.name, or an IPv6 address "
            "in brackets",
            text);
    }

    void read_methods(ReadRoute& read) {
        if (route_->methods.empty()) return;
        read.methods = 0;
        for (const std::string& name : route_->methods) {
            if (!is_method(name)) return report("methods", fmt::format("'{}' is no method", name));
            auto bit = method_bit(name);
            if (!bit) return report("methods", "more than 60 methods in all routes");
            read.methods |= *bit;
        }
        if (read.methods & tables_.methods.bit("GET")) read.methods |= tables_.methods.bit("HEAD");
    }

    static bool is_method(std::string_view name) {  // RFC 9110 §5.6.2 token
        auto is_token = [](char c) {
            return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
                   std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
        };
        return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
    }

    // Nobody who writes "get" means a method of his own.
    std::optional<MethodSet> method_bit(const std::string& given) {
        auto& names = tables_.methods.names;
        for (const std::string& name : names)
            if (iequals(name, given)) return tables_.methods.bit(name);
        if (names.size() >= 60) return std::nullopt;
        names.push_back(given);
        return tables_.methods.bit(given);
    }

    void read_conditions(ReadRoute& read) {
        std::string why;
        auto conditions = RouteConditions::compile(*route_, why);
        if (!conditions) return report("", std::move(why));
        read.condition_count = conditions->size();
        if (read.condition_count == 0) return;
        read.conditions = static_cast<std::uint32_t>(tables_.conditions.size());
        tables_.conditions.push_back(std::move(*conditions));
    }

    RouteTables& tables_;
    std::vector<Problem>& problems_;
    const config::Route* route_ = nullptr;
    std::uint32_t index_ = 0;
    std::map<Capture, std::uint32_t> captures_;
    std::map<std::vector<std::string>, std::uint32_t> names_;
};

// ---- 2. Ordering -----------------------------------------------------------------------------

std::vector<Rule> in_order(const std::deque<ReadRoute>& routes) {
    std::vector<Rule> rules;
    for (const ReadRoute& read : routes)
        for (const Host& host : read.hosts) rules.push_back({&read, &host});
    std::stable_sort(rules.begin(), rules.end(), comes_before);
    return rules;
}

// ---- 3. Growing ------------------------------------------------------------------------------

struct Forest {
    std::vector<TrieNode> nodes;
    std::map<std::string, std::uint32_t> roots;  // by Host::key()

    std::uint32_t plant() {
        nodes.emplace_back();
        return static_cast<std::uint32_t>(nodes.size() - 1);
    }
    std::uint32_t root(const Host& host) {
        auto [at, is_new] = roots.try_emplace(host.key(), 0);
        if (is_new) at->second = plant();
        return at->second;
    }
    std::uint32_t child(std::uint32_t parent, const PathPattern::Segment& segment) {
        if (segment.is_param) {
            if (!nodes[parent].param) {
                std::uint32_t planted = plant();
                nodes[parent].param = planted;
            }
            return *nodes[parent].param;
        }
        auto [at, is_new] = nodes[parent].literals.try_emplace(segment.text, nodes.size());
        std::uint32_t id = at->second;
        if (is_new) plant();
        return id;
    }
    void add(const Rule& rule, Rank rank) {
        const PathPattern& pattern = rule.read->pattern;
        std::uint32_t node = root(*rule.host);
        nodes[node].best = std::min(nodes[node].best, rank);
        for (const auto& segment : pattern.segments) {
            node = child(node, segment);
            nodes[node].best = std::min(nodes[node].best, rank);
        }
        of_end(nodes[node], pattern.end).push_back(rank);
    }
};

Forest grow(const std::vector<Rule>& rules) {
    Forest forest;
    for (Rank rank = 0; rank < rules.size(); ++rank) forest.add(rules[rank], rank);
    return forest;
}

// ---- 4. Laying out ---------------------------------------------------------------------------

class Layout {
 public:
    Layout(RouteTables& tables, const std::vector<Rule>& rules, Forest& forest)
        : tables_(tables), rules_(rules), forest_(forest) {}

    void run() {
        reserve_slots();
        for (const auto& [key, root] : forest_.roots) place(place_root(key, root), root);
    }

 private:
    void reserve_slots() {
        std::size_t looked_up = forest_.roots.size();
        for (const TrieNode& node : forest_.nodes) looked_up += node.literals.size();
        std::size_t slots = std::bit_ceil(std::max<std::size_t>(8, looked_up * 2));
        tables_.mask = static_cast<std::uint32_t>(slots - 1);
        tables_.slots.resize(slots);
        tables_.nodes.reserve(forest_.nodes.size());
    }

    NodeId place_root(const std::string& key, std::uint32_t root) {
        const Host& host = *rules_[forest_.nodes[root].best].host;
        if (key.empty()) return tables_.any_host = append();
        if (!host.is_wildcard) {
            tables_.has_exact_hosts = true;
            return append_found(kExactHosts, host.name);
        }
        tables_.wildcard_labels = std::max(tables_.wildcard_labels, host.labels);
        return append_found(kWildcardHosts, host.name);
    }

    NodeId append() {
        tables_.nodes.emplace_back();
        return static_cast<NodeId>(tables_.nodes.size() - 1);
    }

    // A node that find(parent, text) finds.
    NodeId append_found(NodeId parent, const std::string& text) {
        NodeId id = append();
        RouteNode& node = tables_.nodes[id];
        node.parent = parent;
        if (text.size() > RouteNode::kInline) {
            node.length = RouteNode::kInline + 1;
            tables_.long_texts[id] = text;
        } else {
            node.length = static_cast<std::uint8_t>(text.size());
            std::copy(text.begin(), text.end(), node.text);
        }
        std::uint64_t key = RouteTables::hash(parent, text);
        auto slot = static_cast<std::uint32_t>(key) & tables_.mask;
        while (tables_.slots[slot].node != kNoNode) slot = (slot + 1) & tables_.mask;
        tables_.slots[slot] = {static_cast<std::uint32_t>(key >> 32), id};
        return id;
    }

    void place(NodeId id, std::uint32_t from) {
        TrieNode& tree = forest_.nodes[from];
        tables_.nodes[id].best = tree.best;
        tables_.nodes[id].has_literals = !tree.literals.empty();
        place_rules(tables_.nodes[id], tree);
        if (tree.param) {
            NodeId param = append();
            tables_.nodes[id].param = param;
            place(param, *tree.param);
        }
        for (const auto& [text, child] : tree.literals) place(append_found(id, text), child);
    }

    void place_rules(RouteNode& node, TrieNode& tree) {
        auto next = [&] { return static_cast<std::uint32_t>(tables_.entries.size()); };
        node.first = next();
        place_rules(of_end(tree, End::closed));
        node.regex = next();
        place_rules(of_end(tree, End::regex));
        node.rest = next();
        place_rules(of_end(tree, End::rest));
        node.open = next();
        place_rules(of_end(tree, End::open));
        node.end = next();
        if (node.rest - node.regex > kRegexesOneByOne) add_regex_set(node);
    }

    void place_rules(const std::vector<Rank>& ranks) {
        for (Rank rank : ranks) {
            const ReadRoute& read = *rules_[rank].read;
            tables_.entries.push_back(
                {rank, read.index, read.methods, read.conditions, read.capture});
        }
    }

    void add_regex_set(const RouteNode& node) {
        auto set = std::make_unique<re2::RE2::Set>(re2::RE2::Quiet, re2::RE2::ANCHOR_BOTH);
        for (std::uint32_t i = node.regex; i < node.rest; ++i) {
            const Capture& capture = tables_.captures[tables_.entries[i].capture];
            set->Add(tables_.regexes[capture.regex]->pattern(), nullptr);
        }
        if (set->Compile()) tables_.regex_sets[node.regex] = std::move(set);
    }

    RouteTables& tables_;
    const std::vector<Rule>& rules_;
    Forest& forest_;
};

// ---- 5. Finding the unreachable --------------------------------------------------------------

// Looks for rules that come before a given one and match all that it matches: down the same tries,
// with the pattern in place of a path. Sound, not complete: it never names a route that can be
// reached, and says nothing about regexes that overlap or about several routes covering one.
class Shadows {
 public:
    Shadows(const std::vector<Rule>& rules, const Forest& forest)
        : rules_(rules), forest_(forest) {}

    // The rule in whose shadow `rank` stands.
    const Rule* of(Rank rank) {
        rank_ = rank;
        compared_ = 0;
        const Host& host = *rules_[rank].host;
        std::string key = host.key();
        if (const Rule* rule = under(key)) return rule;
        for (std::size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1))
            if (const Rule* rule = under("*" + key.substr(dot))) return rule;
        return under("");
    }

 private:
    // So many comparisons a rule are worth a warning; a reload with thousands of routes on one path
    // must not take seconds.
    static constexpr int kComparisons = 1000;

    const PathPattern& pattern() const { return rules_[rank_].read->pattern; }

    const Rule* under(const std::string& host) {
        auto root = forest_.roots.find(host);
        return root == forest_.roots.end() ? nullptr : step(root->second, 0);
    }

    const Rule* step(std::uint32_t id, std::size_t depth) {
        const TrieNode& node = forest_.nodes[id];
        if (node.best >= rank_) return nullptr;
        bool is_end = depth == pattern().segments.size();
        if (const Rule* rule = is_end ? at_end(node) : deeper(node, depth)) return rule;
        return among(node, End::open);
    }

    const Rule* at_end(const TrieNode& node) {
        if (pattern().end == End::open) return nullptr;  // only another prefix covers a prefix
        return among(node, pattern().end);
    }

    const Rule* deeper(const TrieNode& node, std::size_t depth) {
        const auto& segment = pattern().segments[depth];
        if (const Rule* rule = among(node, End::rest)) return rule;
        if (!segment.is_param) {
            auto child = node.literals.find(segment.text);
            if (child != node.literals.end())
                if (const Rule* rule = step(child->second, depth + 1)) return rule;
        }
        bool param_covers = node.param && (segment.is_param || !segment.text.empty());
        return param_covers ? step(*node.param, depth + 1) : nullptr;
    }

    const Rule* among(const TrieNode& node, End end) {
        for (Rank rank : node.rules[static_cast<std::size_t>(end)]) {
            if (rank >= rank_ || ++compared_ > kComparisons) return nullptr;
            if (covers(*rules_[rank].read, *rules_[rank_].read)) return &rules_[rank];
        }
        return nullptr;
    }

    static bool covers(const ReadRoute& wide, const ReadRoute& narrow) {
        if (wide.index == narrow.index) return false;
        if (wide.pattern.end == End::regex && wide.pattern.regex != narrow.pattern.regex)
            return false;
        if ((narrow.methods & wide.methods) != narrow.methods) return false;
        return conditions_cover(*wide.route, *narrow.route);
    }

    const std::vector<Rule>& rules_;
    const Forest& forest_;
    Rank rank_ = 0;
    int compared_ = 0;
};

std::string name_of(const ReadRoute& read) {
    const config::Place& place = read.route->place;
    std::string name = read.route->name.empty() ? fmt::format("routes[{}]", read.index)
                                                : fmt::format("'{}'", read.route->name);
    if (place.line) return fmt::format("{} ({}:{})", name, place.source, place.line);
    return name;
}

// A route is unreachable when it is under each of its hosts.
void warn_of_unreachable(const std::vector<Rule>& rules, const Forest& forest,
                         std::vector<Problem>& problems) {
    Shadows shadows(rules, forest);
    std::map<std::uint32_t, std::pair<std::size_t, const Rule*>> shadowed;  // by route index
    for (Rank rank = 0; rank < rules.size(); ++rank) {
        const Rule* winner = shadows.of(rank);
        if (!winner) continue;
        auto& [hosts, first] = shadowed[rules[rank].read->index];
        if (!first) first = winner;
        if (++hosts != rules[rank].read->hosts.size()) continue;
        const ReadRoute& read = *rules[rank].read;
        problems.push_back(
            {Problem::warning, read.route->place, fmt::format("routes[{}]", read.index),
             fmt::format("unreachable: route {} always wins", name_of(*first->read))});
    }
}

}  // namespace

Result<Router> Router::compile(std::span<const config::Route> routes,
                               std::vector<config::Problem>& problems) {
    auto tables = std::make_unique<RouteTables>();
    Reader reader(*tables, problems);
    std::deque<ReadRoute> read;
    for (std::size_t i = 0; i < routes.size(); ++i)
        if (auto one = reader.read(routes[i], static_cast<std::uint32_t>(i)))
            read.push_back(std::move(*one));

    std::vector<Rule> rules = in_order(read);
    Forest forest = grow(rules);
    Layout(*tables, rules, forest).run();
    warn_of_unreachable(rules, forest, problems);
    if (read.size() != routes.size())
        return Error{Code::invalid_config, fmt::format("{} of {} routes are wrong",
                                                       routes.size() - read.size(), routes.size())};
    return Router(std::move(tables));
}

}  // namespace suoke::gateway
