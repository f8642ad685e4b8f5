// SPDX-License-Identifier: MIT
#include "discovery/consul_answer.h"

#include <optional>

#include "discovery/host.h"
#include "discovery/json_answer.h"

namespace suoke::discovery {
namespace {

enum class Worst : std::uint8_t { passing, warning, critical, maintenance };

// Maintenance mode is a critical check with a name of its own.
std::optional<Worst> read_check(const Json& check) {
    std::string id, status = "critical";
    Fields fields(check);
    fields.text("CheckID", id);
    fields.text("Status", status);
    if (!fields.ok()) return std::nullopt;
    bool failing = status != "passing" && status != "warning";
    if (status == "maintenance" || (failing && (id == "_node_maintenance" || id.starts_with("_service_maintenance"))))
        return Worst::maintenance;
    if (failing) return Worst::critical;
    return status == "warning" ? Worst::warning : Worst::passing;
}

std::optional<Worst> read_checks(const Json& checks) {
    Worst worst = Worst::passing;
    for (const Json& one : checks) {
        auto check = read_check(one);
        if (!check) return std::nullopt;
        worst = std::max(worst, *check);
    }
    return worst;
}

bool usable(const balance::Instance& instance) { return instance.port != 0 && valid_bare_host(instance.host); }

std::string taken(const std::map<std::string, std::string>& metadata, const char* name) {
    auto found = metadata.find(name);
    return found == metadata.end() ? std::string() : found->second;
}

// Nothing when the entry is not what Consul would say.
std::optional<balance::Instance> read_entry(const Json& entry) {
    Fields fields(entry);
    const Json& node_json = fields.object("Node");
    const Json& service_json = fields.object("Service");
    auto worst = read_checks(fields.list("Checks"));
    if (!fields.ok() || !worst || service_json.empty()) return std::nullopt;
    balance::Instance instance;
    std::string address;
    instance.port = 0;
    Fields node(node_json);
    node.text("Address", instance.host);
    node.texts("Meta", instance.metadata);
    Fields service(service_json);
    service.text("ID", instance.id);
    service.text("Address", address);
    service.number("Port", instance.port);
    service.texts("Tags", instance.tags);
    service.texts("Meta", instance.metadata);  // over what the node says
    Fields weights(service.object("Weights"));
    weights.number(worst == Worst::warning ? "Warning" : "Passing", instance.weight);
    if (!node.ok() || !service.ok() || !weights.ok()) return std::nullopt;
    if (!address.empty()) instance.host = address;
    instance.zone = taken(instance.metadata, "zone");
    instance.version = taken(instance.metadata, "version");
    instance.up = *worst <= Worst::warning;
    instance.draining = worst == Worst::maintenance;
    return instance;
}

// An id is unique on its node only: two nodes may both have "web".
void make_unique(balance::Instances& all) {
    std::map<std::string, int> seen;
    for (const balance::Instance& instance : all) ++seen[instance.id];
    for (balance::Instance& instance : all)
        if (seen[instance.id] > 1) instance.id += "@" + instance.host + ":" + std::to_string(instance.port);
}

}  // namespace

Result<balance::Instances> read_consul_health(std::string_view body) {
    Json answer = parse_answer(body);
    if (!answer.is_array()) return Error(Code::upstream_invalid, "Consul's answer is not a JSON list");
    balance::Instances all;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        auto instance = read_entry(answer[i]);
        if (!instance)
            return Error(Code::upstream_invalid, "entry " + std::to_string(i) + " of Consul's answer is not as its API describes it");
        if (usable(*instance)) all.push_back(std::move(*instance));
    }
    if (all.empty() && !answer.empty()) return Error(Code::upstream_invalid, "no instance that Consul knows has an address and a port");
    make_unique(all);
    return all;
}

}  // namespace suoke::discovery
