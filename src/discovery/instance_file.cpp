// SPDX-License-Identifier: MIT
#include "discovery/instance_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"
#include "discovery/document.h"
#include "discovery/host.h"

namespace suoke::discovery {
namespace {

constexpr std::size_t kMostText = 1024;  // of any one value

using Fault = std::optional<Error>;  // none: all is well

constexpr std::array<std::string_view, 14> kKeys = {"id",   "host",     "port",     "weight", "priority",    "zone",     "version",
                                                    "tags", "metadata", "protocol", "tls",    "health_path", "draining", "up"};

Error unknown_key(const Member& member, std::span<const std::string_view> known) {
    std::string_view near = nearest(member.name, known);
    std::string hint = near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?";
    return fault_at(member.place, "there is no key \"" + member.name.substr(0, 60) + "\"" + hint);
}

Fault read_text(const Member& member, std::string& into) {
    const Node& node = member.value;
    if (node.kind != Node::scalar || node.text.empty()) return fault_at(node.place, member.name + " must be a text");
    if (node.text.size() > kMostText) return fault_at(node.place, member.name + " is too long");
    into = node.text;
    return std::nullopt;
}

Fault read_number(const Member& member, std::uint64_t least, std::uint64_t most, std::uint64_t& into) {
    const Node& node = member.value;
    auto number = node.kind == Node::scalar && !node.quoted ? parse_u64(node.text) : std::nullopt;
    if (!number || *number < least || *number > most)
        return fault_at(node.place, member.name + " must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    into = *number;
    return std::nullopt;
}

Fault read_flag(const Member& member, bool& into) {
    const Node& node = member.value;
    bool yes = node.kind == Node::scalar && !node.quoted && node.text == "true";
    bool no = node.kind == Node::scalar && !node.quoted && node.text == "false";
    if (!yes && !no) return fault_at(node.place, member.name + " must be true or false");
    into = yes;
    return std::nullopt;
}

Fault read_tags(const Member& member, std::vector<std::string>& into) {
    const Node& node = member.value;
    if (node.kind != Node::list) return fault_at(node.place, "tags must be a list of texts");
    for (const Node& item : node.items) {
        if (item.kind != Node::scalar || item.text.empty()) return fault_at(item.place, "a tag must be a text");
        into.push_back(item.text);
    }
    return std::nullopt;
}

Fault read_metadata(const Member& member, std::map<std::string, std::string>& into) {
    const Node& node = member.value;
    if (node.kind != Node::map) return fault_at(node.place, "metadata must be names with texts");
    for (const Member& one : node.members) {
        if (one.value.kind != Node::scalar) return fault_at(one.value.place, "metadata." + one.name + " must be a text");
        into[one.name] = one.value.text;
    }
    return std::nullopt;
}

Fault read_protocol(const Member& member, balance::Instance& into) {
    const std::string& text = member.value.text;
    if (text == "h1" || text == "http1") {
        into.protocol = upstream::Protocol::h1;
    } else if (text == "h2" || text == "http2") {
        into.protocol = upstream::Protocol::h2;
    } else {
        return fault_at(member.value.place, "protocol must be h1 or h2");
    }
    return std::nullopt;
}

// A name, an address or unix:/path.
bool valid_address(std::string_view host) {
    if (host.starts_with("unix:/")) return host.size() > 6;
    return host.starts_with('[') ? http::valid_host(host) : valid_bare_host(host);
}

Fault read_host(const Member& member, std::string& into) {
    if (auto fault = read_text(member, into)) return fault;
    if (!valid_address(into)) return fault_at(member.value.place, "host must be a name, an address or unix:/path, without a port");
    return std::nullopt;
}

Fault read_health_path(const Member& member, std::string& into) {
    if (auto fault = read_text(member, into)) return fault;
    if (!into.starts_with('/')) return fault_at(member.value.place, "health_path must begin with /");
    return std::nullopt;
}

template <class Into>
Fault read_small(const Member& member, std::uint64_t least, std::uint64_t most, Into& into) {
    std::uint64_t number = 0;
    auto fault = read_number(member, least, most, number);
    if (!fault) into = static_cast<Into>(number);
    return fault;
}

Fault read_member(const Member& member, balance::Instance& into) {
    const std::string& name = member.name;
    if (name == "id") return read_text(member, into.id);
    if (name == "host") return read_host(member, into.host);
    if (name == "port") return read_small(member, 1, 65535, into.port);
    if (name == "weight") return read_small(member, 0, 1'000'000, into.weight);
    if (name == "priority") return read_small(member, 0, 1'000'000, into.priority);
    if (name == "zone") return read_text(member, into.zone);
    if (name == "version") return read_text(member, into.version);
    if (name == "tags") return read_tags(member, into.tags);
    if (name == "metadata") return read_metadata(member, into.metadata);
    if (name == "protocol") return read_protocol(member, into);
    if (name == "health_path") return read_health_path(member, into.health_path);
    if (name == "draining") return read_flag(member, into.draining);
    if (name == "up") return read_flag(member, into.up);
    if (name != "tls") return unknown_key(member, kKeys);
    return read_flag(member, into.use_tls.emplace(false));
}

// "10.0.0.1:8080"
Result<balance::Instance> read_short(const Node& node) {
    balance::Instance instance;
    auto parts = http::split_authority(node.text);
    if (!parts || !parts->port || *parts->port == 0)
        return fault_at(node.place, "an instance is host:port, or a map with host and port");
    instance.host = parts->host;
    if (instance.host.front() == '[') instance.host = instance.host.substr(1, instance.host.size() - 2);
    instance.port = *parts->port;
    return instance;
}

Result<balance::Instance> read_instance(const Node& node) {
    if (node.kind == Node::scalar) return read_short(node);
    if (node.kind != Node::map) return fault_at(node.place, "an instance is host:port, or a map with host and port");
    balance::Instance instance;
    bool has_port = false;
    for (const Member& member : node.members) {
        if (auto fault = read_member(member, instance)) return std::move(*fault);
        has_port |= member.name == "port";
    }
    if (instance.host.empty()) return fault_at(node.place, "the instance has no host; add one");
    if (!has_port && !instance.host.starts_with("unix:")) return fault_at(node.place, "the instance has no port; add one");
    return instance;
}

Result<balance::Instances> read_list(const Node& node) {
    if (node.kind == Node::null) return balance::Instances{};
    if (node.kind != Node::list) return fault_at(node.place, "the instances must be a list");
    balance::Instances all;
    std::set<std::string> keys;
    for (const Node& item : node.items) {
        auto instance = read_instance(item);
        if (!instance) return instance.error();
        if (!keys.insert(instance->key()).second) return fault_at(item.place, "a second instance " + instance->key() + "; give one of them an id");
        all.push_back(std::move(*instance));
    }
    return all;
}

}  // namespace

Result<InstanceFile> read_instance_file(std::string_view text, FileFormat format) {
    auto root = format == FileFormat::json ? parse_json_document(text) : parse_yaml_document(text);
    if (!root) return root.error();
    InstanceFile file;
    const Node* list = root->kind == Node::list ? &*root : nullptr;
    if (root->kind == Node::null)
        return fault_at({1, 1}, "the file is empty; write [] when the service has no instances");
    if (root->kind == Node::scalar) return fault_at(root->place, "the file must be a list of instances");
    static constexpr std::array<std::string_view, 2> kTop = {"service", "instances"};
    for (const Member& member : root->members) {
        Fault fault;
        if (member.name == "instances") {
            list = &member.value;
        } else {
            fault = member.name == "service" ? read_text(member, file.service) : unknown_key(member, kTop);
        }
        if (fault) return std::move(*fault);
    }
    if (!list) return fault_at(root->place, "the key instances is missing; add it, with a list");
    auto instances = read_list(*list);
    if (!instances) return instances.error();
    file.instances = std::move(*instances);
    return file;
}

}  // namespace suoke::discovery
