// SPDX-License-Identifier: MIT
#include "discovery/endpoint_slices.h"

#include "base/text.h"
#include "discovery/host.h"
#include "discovery/json_answer.h"

namespace suoke::discovery {
namespace {

constexpr std::size_t kMostSlices = 1000;
constexpr std::size_t kMostEndpoints = 10'000;  // of all slices; a slice has at most 1000

Error not_kubernetes(const std::string& what) { return Error(Code::upstream_invalid, "not what Kubernetes answers: " + what); }

}  // namespace

struct EndpointSlices::Reader {
    // Conditions that are absent mean what the API says they do: ready, and serving as it is ready.
    static bool endpoint(const Json& json, Slice& into) {
        Endpoint endpoint;
        std::vector<std::string> addresses;
        Fields fields(json);
        fields.texts("addresses", addresses);
        fields.text("zone", endpoint.zone);
        fields.text("nodeName", endpoint.node);
        std::string kind;
        Fields target(fields.object("targetRef"));
        target.text("kind", kind);
        if (kind == "Pod") target.text("name", endpoint.pod);
        Fields conditions(fields.object("conditions"));
        conditions.flag("ready", endpoint.ready);
        endpoint.serving = endpoint.ready;
        conditions.flag("serving", endpoint.serving);
        conditions.flag("terminating", endpoint.terminating);
        if (!fields.ok() || !target.ok() || !conditions.ok()) return false;
        // Several addresses of one endpoint are the same to everybody; the API says to use the first.
        if (addresses.empty() || !valid_bare_host(addresses.front())) return true;
        endpoint.address = addresses.front();
        into.endpoints.push_back(std::move(endpoint));
        return true;
    }
    static bool port(const Json& json, Slice& into) {
        Port port;
        std::string protocol = "TCP";
        Fields fields(json);
        fields.text("name", port.name);
        fields.number("port", port.number);
        fields.text("protocol", protocol);
        fields.text("appProtocol", port.application);
        if (fields.ok() && protocol == "TCP" && port.number != 0) into.ports.push_back(std::move(port));
        return fields.ok();
    }
    struct Named {
        std::string name, version;
        Slice slice;
    };
    static std::optional<Named> slice(const Json& json) {
        Named named;
        Fields fields(json);
        Fields metadata(fields.object("metadata"));
        metadata.text("name", named.name);
        metadata.text("resourceVersion", named.version);
        bool right = true;
        for (const Json& one : fields.list("ports")) right &= port(one, named.slice);
        for (const Json& one : fields.list("endpoints")) right &= endpoint(one, named.slice);
        if (!right || !fields.ok() || !metadata.ok() || named.name.empty()) return std::nullopt;
        return named;
    }
    static std::string version(const Json& object) {
        std::string version;
        Fields fields(object);
        Fields metadata(fields.object("metadata"));
        metadata.text("resourceVersion", version);
        return version;
    }
};

Result<void> EndpointSlices::replace(std::string_view list) {
    Json json = parse_answer(list);
    std::string kind;
    Fields fields(json);
    fields.text("kind", kind);
    const Json& items = fields.list("items");
    std::string version = json.is_object() ? Reader::version(json) : std::string();
    if (!fields.ok() || kind != "EndpointSliceList" || version.empty()) return not_kubernetes("no EndpointSliceList");
    if (items.size() > kMostSlices) return not_kubernetes("more than " + std::to_string(kMostSlices) + " slices of one service");
    std::map<std::string, Slice> slices;
    for (const Json& item : items) {
        auto named = Reader::slice(item);
        if (!named) return not_kubernetes("a slice of the list");
        slices[named->name] = std::move(named->slice);
    }
    slices_ = std::move(slices);
    version_ = version;
    return Result<void>();
}

Result<EndpointSlices::Event> EndpointSlices::apply(std::string_view line) {
    Json json = parse_answer(line);
    std::string type;
    Fields fields(json);
    fields.text("type", type);
    const Json& object = fields.object("object");
    if (!fields.ok()) return not_kubernetes("an event of a watch");
    if (type == "BOOKMARK") {
        std::string version = Reader::version(object);
        if (!version.empty()) version_ = version;
        return Event::nothing;
    }
    if (type == "ERROR") {
        std::uint32_t code = 0;
        std::string message;
        Fields status(object);
        status.number("code", code);
        status.text("message", message);
        if (code == 410) return Event::expired;
        return Error(Code::upstream_status, "Kubernetes ended the watch: " + std::to_string(code) + " " + message.substr(0, 200));
    }
    bool gone = type == "DELETED";
    if (!gone && type != "ADDED" && type != "MODIFIED") return not_kubernetes("an event of type " + type.substr(0, 40));
    auto named = Reader::slice(object);
    if (!named || named->version.empty()) return not_kubernetes("the slice of an event");
    version_ = named->version;
    if (gone) {
        slices_.erase(named->name);
        return Event::changed;
    }
    slices_[named->name] = std::move(named->slice);
    if (slices_.size() > kMostSlices) return not_kubernetes("more than " + std::to_string(kMostSlices) + " slices of one service");
    return Event::changed;
}

std::optional<EndpointSlices::Port> EndpointSlices::port_of(const Slice& slice) const {
    auto number = parse_u64(port_);
    if (port_.empty()) return slice.ports.size() == 1 ? std::optional(slice.ports.front()) : std::nullopt;
    for (const Port& port : slice.ports)
        if (number ? port.number == *number : port.name == port_) return port;
    return std::nullopt;
}

Error EndpointSlices::no_port() const {
    std::string known;
    for (const auto& [name, slice] : slices_) {
        if (!known.empty()) break;
        for (const Port& port : slice.ports) {
            if (!known.empty()) known += ", ";
            known += port.name.empty() ? std::to_string(port.number) : port.name + " (" + std::to_string(port.number) + ")";
        }
    }
    std::string wanted = port_.empty() ? "the service has not just one port; name one of: " : "the service has no port " + port_ + "; it has: ";
    return Error(Code::invalid_config, wanted + (known.empty() ? "none" : known));
}

Result<balance::Instances> EndpointSlices::instances() const {
    std::map<std::string, balance::Instance> all;
    bool has_endpoints = false, has_port = false;
    std::size_t count = 0;
    for (const auto& [name, slice] : slices_) {
        auto port = port_of(slice);
        has_endpoints |= !slice.endpoints.empty();
        has_port |= port.has_value();
        count += slice.endpoints.size();
        if (count > kMostEndpoints) return not_kubernetes("more than " + std::to_string(kMostEndpoints) + " endpoints of one service");
        if (!port) continue;
        for (const Endpoint& endpoint : slice.endpoints) {
            balance::Instance instance;
            instance.host = endpoint.address;
            instance.port = port->number;
            instance.zone = endpoint.zone;
            instance.up = endpoint.ready || endpoint.serving;
            instance.draining = endpoint.terminating;
            if (port->application == "kubernetes.io/h2c") instance.protocol = upstream::Protocol::h2;
            if (!endpoint.node.empty()) instance.metadata["kubernetes.node"] = endpoint.node;
            if (!endpoint.pod.empty()) instance.metadata["kubernetes.pod"] = endpoint.pod;
            // The better word of the two: the other one is of before or after a move between slices.
            auto [known, is_new] = all.try_emplace(instance.key(), instance);
            if (!is_new && instance.up && !instance.draining) known->second = std::move(instance);
        }
    }
    if (has_endpoints && !has_port) return no_port();
    balance::Instances list;
    for (auto& [key, instance] : all) list.push_back(std::move(instance));
    return list;
}

}  // namespace suoke::discovery
