// SPDX-License-Identifier: MIT
#include "gateway/router.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "base/text.h"
#include "gateway/route_tables.h"

namespace suoke::gateway {

Router::Router(std::unique_ptr<const RouteTables> tables) : tables_(std::move(tables)) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

std::string RouteMethods::list(MethodSet set) const {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (set >> i & 1) text.append(text.empty() ? "" : ", ").append(names[i]);
    return text;
}

namespace {

re2::StringPiece piece(std::string_view s) {
    return {s.data(), s.size()};
}

// The name in an authority: "API.suoke.life:443" -> "API.suoke.life", "[::1]:80" -> "[::1]".
std::string_view host_name(std::string_view authority) {
    bool is_ipv6 = authority.starts_with('[');
    std::size_t end = is_ipv6 ? authority.find(']') : authority.find(':');
    std::string_view name = authority.substr(0, end == authority.npos ? end : end + is_ipv6);
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

// A path in its one spelling; almost always that is what was sent.
class SpelledPath {
 public:
    explicit SpelledPath(std::string_view sent) : text_(sent) {
        if (has_one_spelling(sent)) return;
        append_one_spelling(sent, own_);
        text_ = {own_.data(), own_.size()};
    }
    SpelledPath(const SpelledPath&) = delete;
    std::string_view text() const { return text_; }

 private:
    boost::container::small_vector<char, 512> own_;
    std::string_view text_;
};

// The best route of those that would take the request: the verdict of a match.
struct Best {
    const RouteTables& tables;
    const RouteQuery& query;
    MethodSet method;
    const RouteEntry* entry = nullptr;
    bool method_refused = false;

    Rank limit() const { return entry ? entry->rank : kNoRank; }  // later ones are of no interest
    bool wants(const RouteEntry& candidate) {
        if (!(candidate.methods & method)) return method_refused = true, false;
        return !candidate.conditions ||
               tables.conditions[candidate.conditions].hold(query.headers, query.query);
    }
    void take(const RouteEntry& candidate) { entry = &candidate; }
};

// All methods by which the request would have found a route.
struct Allowed {
    const RouteTables& tables;
    const RouteQuery& query;
    MethodSet methods = 0;

    Rank limit() const { return kNoRank; }
    bool wants(const RouteEntry& candidate) {
        return !candidate.conditions ||
               tables.conditions[candidate.conditions].hold(query.headers, query.query);
    }
    void take(const RouteEntry& candidate) { methods |= candidate.methods; }
};

// Shows a verdict every route whose host and path match, more or less the best first. Matching,
// the list of a 405 and an explanation differ only in their verdict.
template <class Verdict>
class Walk {
 public:
    Walk(const RouteTables& tables, std::string_view path, Verdict& verdict)
        : tables_(tables), path_(path), verdict_(verdict) {}

    void run(std::string_view authority) {
        if (tables_.has_exact_hosts || tables_.wildcard_labels) named_hosts(host_name(authority));
        enter(tables_.any_host);
    }

 private:
    void named_hosts(std::string_view sent) {
        std::array<char, 256> lowered;  // no name is longer (RFC 1035 §2.3.4)
        if (sent.size() > lowered.size() || sent.starts_with('.')) return;
        std::transform(sent.begin(), sent.end(), lowered.begin(), lower);
        std::string_view name(lowered.data(), sent.size());
        if (tables_.has_exact_hosts) enter(tables_.find(kExactHosts, name));
        if (tables_.wildcard_labels) wildcard_hosts(name);
    }

    void wildcard_hosts(std::string_view name) {
        auto labels = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
        for (; labels > 0; --labels) {
            name.remove_prefix(name.find('.') + 1);
            if (labels <= tables_.wildcard_labels) enter(tables_.find(kWildcardHosts, name));
        }
    }

    void enter(NodeId root) {
        if (root != kNoNode) step(root, path_.starts_with('/') ? path_ : std::string_view());
    }

    // `tail` is what of the path is left at this node: empty, or '/' and more.
    void step(NodeId id, std::string_view tail) {
        const RouteNode& node = tables_.nodes[id];
        if (node.best >= verdict_.limit()) return;
        tables_.prefetch_below(id);
        if (tail.empty()) {
            consider(node.first, node.regex);
        } else {
            deeper(id, node, tail);
        }
        if (node.regex != node.rest) consider_regexes(node);
        if (!tail.empty()) consider(node.rest, node.open);
        consider(node.open, node.end);
    }

    void deeper(NodeId id, const RouteNode& node, std::string_view tail) {
        std::size_t end = std::min(tail.find('/', 1), tail.size());
        std::string_view segment = tail.substr(1, end - 1);
        tail.remove_prefix(end);
        if (node.has_literals) {
            NodeId child = tables_.find(id, segment);
            if (child != kNoNode) step(child, tail);
        }
        if (node.param != kNoNode && !segment.empty()) step(node.param, tail);
    }

    void consider(std::uint32_t first, std::uint32_t last) {
        for (std::uint32_t i = first; i < last; ++i) {
            const RouteEntry& entry = tables_.entries[i];
            if (entry.rank >= verdict_.limit()) return;
            if (verdict_.wants(entry)) verdict_.take(entry);
        }
    }

    void consider_regexes(const RouteNode& node) {
        if (node.rest - node.regex > kRegexesOneByOne && consider_regex_set(node)) return;
        for (std::uint32_t i = node.regex; i < node.rest; ++i) {
            const RouteEntry& entry = tables_.entries[i];
            if (entry.rank >= verdict_.limit()) return;
            if (verdict_.wants(entry) && matches(entry)) verdict_.take(entry);
        }
    }

    // All regexes of the node in one pass. False when RE2 gave up for want of memory.
    bool consider_regex_set(const RouteNode& node) {
        auto set = tables_.regex_sets.find(node.regex);
        if (set == tables_.regex_sets.end()) return false;
        std::vector<int> matching;
        re2::RE2::Set::ErrorInfo trouble{};
        set->second->Match(piece(path_), &matching, &trouble);
        if (trouble.kind != re2::RE2::Set::kNoError) return false;
        std::sort(matching.begin(), matching.end());  // they were added in order
        for (int i : matching) {
            std::uint32_t at = node.regex + static_cast<std::uint32_t>(i);
            consider(at, at + 1);
        }
        return true;
    }

    bool matches(const RouteEntry& entry) const {
        const Capture& capture = tables_.captures[entry.capture];
        return re2::RE2::FullMatch(piece(path_), *tables_.regexes[capture.regex]);
    }

    const RouteTables& tables_;
    std::string_view path_;
    Verdict& verdict_;
};

void keep_segments(const Capture& capture, const std::string_view* names, std::string_view sent,
                   Match& match) {
    if (!sent.starts_with('/')) return;
    std::size_t last = capture.params ? capture.segments[capture.params - 1] + 1 : 0;
    if (capture.rest != Capture::kNoRest) last = capture.rest;
    for (std::size_t i = 0; i < last; ++i) {
        std::size_t end = std::min(sent.find('/', 1), sent.size());
        std::size_t next = match.params.size();
        if (next < capture.params && capture.segments[next] == i)
            match.params.push_back({names[next], sent.substr(1, end - 1)});
        sent.remove_prefix(end);
    }
    if (capture.rest != Capture::kNoRest) match.rest = sent;
}

// Where the byte `offset` of the spelled path stands in the sent one.
std::size_t sent_offset(std::string_view sent, std::size_t offset) {
    std::size_t taken = 0, written = 0;
    while (written < offset) {
        Spelled next = spell(sent.substr(taken));
        taken += next.taken;
        written += next.size;
    }
    return taken;
}

void keep_groups(const re2::RE2& regex, const Capture& capture, const std::string_view* names,
                 std::string_view sent, std::string_view spelled, Match& match) {
    std::array<re2::StringPiece, kMaxParams + 1> groups;
    regex.Match(piece(spelled), 0, spelled.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                capture.params + 1);
    for (std::size_t i = 0; i < capture.params; ++i) {
        const re2::StringPiece& group = groups[i + 1];
        Param param{names[i], {}};
        if (group.data() != nullptr) {
            auto from = static_cast<std::size_t>(group.data() - spelled.data());
            std::size_t first = sent_offset(sent, from);
            std::size_t last = sent_offset(sent, from + group.size());
            param.value = sent.substr(first, last - first);
        }
        match.params.push_back(param);
    }
}

Match found(const RouteTables& tables, const RouteEntry& entry, std::string_view sent,
            std::string_view spelled) {
    const Capture& capture = tables.captures[entry.capture];
    const std::string_view* names = tables.names.data() + capture.names;
    Match match{.kind = Match::found, .route = entry.route};
    if (!capture.regex) {
        keep_segments(capture, names, sent, match);
    } else if (capture.params) {
        keep_groups(*tables.regexes[capture.regex], capture, names, sent, spelled, match);
    }
    return match;
}

}  // namespace

Match Router::match(const RouteQuery& query) const {
    SpelledPath path(query.path);
    Best best{*tables_, query, tables_->methods.bit(query.method)};
    Walk(*tables_, path.text(), best).run(query.host);
    if (best.entry) return found(*tables_, *best.entry, query.path, path.text());
    if (!best.method_refused) return {};

    Allowed allowed{*tables_, query};
    Walk(*tables_, path.text(), allowed).run(query.host);
    if (!allowed.methods) return {};
    return {.kind = Match::method_not_allowed, .allow = tables_->methods.list(allowed.methods)};
}

}  // namespace suoke::gateway
