// SPDX-License-Identifier: MIT
#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <set>
#include <sstream>

namespace suoke::yaml {
namespace {

struct TooMuch {
    Trouble trouble;
};

Trouble trouble_at(const YAML::Mark& mark, std::string sentence) {
    if (mark.is_null()) return {0, 0, std::move(sentence)};
    return {mark.line + 1, mark.column + 1, std::move(sentence)};
}

// Builds the tree from the parser's events. Limits are kept while building, so that a hostile
// text costs no more than its own size.
class Builder final : public YAML::EventHandler {
 public:
    NodePtr root() const { return root_ ? root_ : std::make_shared<Node>(); }
    std::vector<Trouble> troubles;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            throw TooMuch{
                trouble_at(mark, "a second document begins here; one file is one document")};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        attach(remember(anchor, make(mark, Node::null)), mark);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        auto node = make(mark, Node::scalar);
        node->text = value;
        node->quoted = tag == "!";
        attach(remember(anchor, std::move(node)), mark);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto known = anchors_.find(anchor);
        if (known == anchors_.end())  // anchors are remembered when their node is complete
            throw TooMuch{trouble_at(mark, "this alias refers to the node it stands in")};
        charge(known->second->weight, mark);
        attach(known->second, mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, Node::sequence, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, Node::mapping, anchor);
    }
    void OnMapEnd() override {
        merge(*open_.back().node);
        close();
    }

 private:
    struct Open {
        std::shared_ptr<Node> node;
        YAML::Mark mark;
        YAML::anchor_t anchor = 0;
        bool has_key = false;
        bool key_is_text = false;
        Entry pending;
        std::set<std::string, std::less<>> keys;
    };

    std::shared_ptr<Node> make(const YAML::Mark& mark, Node::Kind kind) {
        charge(1, mark);
        auto node = std::make_shared<Node>();
        node->kind = kind;
        node->line = mark.line + 1;
        node->column = mark.column + 1;
        return node;
    }

    NodePtr remember(YAML::anchor_t anchor, NodePtr node) {
        if (anchor != 0) anchors_[anchor] = node;
        return node;
    }

    void open(const YAML::Mark& mark, Node::Kind kind, YAML::anchor_t anchor) {
        if (open_.size() + 1 >= kMaxDepth) throw TooMuch{too_deep(mark)};
        open_.push_back({make(mark, kind), mark, anchor, false, false, {}, {}});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        attach(remember(done.anchor, std::move(done.node)), done.mark);
    }

    static Trouble too_deep(const YAML::Mark& mark) {
        return trouble_at(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    }

    void attach(NodePtr node, const YAML::Mark& mark) {
        if (open_.size() + node->depth > kMaxDepth) throw TooMuch{too_deep(mark)};
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        parent.node->weight += node->weight;
        parent.node->depth = std::max(parent.node->depth, node->depth + 1);
        if (parent.node->kind == Node::sequence)
            parent.node->items.push_back(std::move(node));
        else if (!parent.has_key)
            take_key(parent, *node, mark);
        else
            take_value(parent, std::move(node));
    }

    void take_key(Open& parent, const Node& key, const YAML::Mark& mark) {
        parent.has_key = true;
        parent.key_is_text = key.kind == Node::scalar;
        parent.pending = {key.text, mark.line + 1, mark.column + 1, nullptr};
        if (!parent.key_is_text) {
            troubles.push_back(
                trouble_at(mark, fmt::format("a key must be text, not {}", kind_name(key))));
            return;
        }
        bool is_merge = key.text == "<<" && !key.quoted;
        if (is_merge || parent.keys.insert(key.text).second) return;
        parent.key_is_text = false;  // the first one counts
        const Entry* first = find(*parent.node, key.text);
        troubles.push_back(
            trouble_at(mark, fmt::format("the key '{}' is given twice, first in line {}", key.text,
                                         first ? first->line : 0)));
    }

    void take_value(Open& parent, NodePtr value) {
        parent.has_key = false;
        if (!parent.key_is_text) return;
        parent.pending.value = std::move(value);
        parent.node->entries.push_back(std::move(parent.pending));
    }

    // `<<: *other` and `<<: [*one, *other]`: what the mapping says itself counts first, then the
    // earlier of the others (yaml.org/type/merge).
    void merge(Node& mapping) {
        if (!find(mapping, "<<")) return;
        std::vector<Entry> written = std::move(mapping.entries);
        mapping.entries.clear();
        std::vector<NodePtr> others;
        for (Entry& entry : written) {
            if (entry.key != "<<")
                mapping.entries.push_back(std::move(entry));
            else if (entry.value->kind == Node::sequence)
                others.insert(others.end(), entry.value->items.begin(), entry.value->items.end());
            else
                others.push_back(entry.value);
        }
        auto& keys = open_.back().keys;
        for (const NodePtr& other : others) {
            if (other->kind != Node::mapping)
                troubles.push_back(
                    {other->line, other->column,
                     fmt::format("'<<' merges mappings, not {}", kind_name(*other))});
            charge(other->entries.size(), open_.back().mark);
            for (const Entry& entry : other->entries)
                if (keys.insert(entry.key).second) mapping.entries.push_back(entry);
        }
    }

    void charge(std::size_t nodes, const YAML::Mark& mark) {
        nodes_ += nodes;
        if (nodes_ > kMaxNodes)
            throw TooMuch{trouble_at(
                mark, fmt::format("more than {} values, counting what aliases repeat", kMaxNodes))};
    }

    NodePtr root_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, NodePtr> anchors_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

}  // namespace

Document parse(const std::string& text) {
    if (text.size() > kMaxText)
        return {std::make_shared<Node>(),
                {{0, 0, fmt::format("larger than {} MB", kMaxText >> 20)}}};
    Builder builder;
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const TooMuch& limit) {
        return {std::make_shared<Node>(), {limit.trouble}};
    } catch (const YAML::Exception& error) {
        return {std::make_shared<Node>(), {trouble_at(error.mark, "not valid YAML: " + error.msg)}};
    }
    return {builder.root(), std::move(builder.troubles)};
}

const Entry* find(const Node& mapping, std::string_view key) {
    for (const Entry& entry : mapping.entries)
        if (entry.key == key) return &entry;
    return nullptr;
}

std::string_view kind_name(const Node& node) {
    switch (node.kind) {
        case Node::null:
            return "nothing";
        case Node::scalar:
            return "a single value";
        case Node::sequence:
            return "a list";
        case Node::mapping:
            return "a mapping";
    }
    return "";
}

}  // namespace suoke::yaml
