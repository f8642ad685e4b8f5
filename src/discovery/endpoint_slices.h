// SPDX-License-Identifier: MIT
#pragma once
// The EndpointSlices of one Kubernetes service, as a list and the events of a watch tell them, without
// I/O (kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1, and
// .../using-api/api-concepts#efficient-detection-of-changes).

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "balance/instance.h"

namespace suoke::discovery {

class EndpointSlices {
 public:
    // `port`: its name in the slices, or its number; empty: the only one they have.
    explicit EndpointSlices(std::string port) : port_(std::move(port)) {}

    // A list: from now on there is this and nothing else. Code::upstream_invalid: it is no such list.
    Result<void> replace(std::string_view list);

    enum class Event : std::uint8_t {
        changed,  // perhaps
        nothing,  // a bookmark
        expired,  // the version watched from is too old (410): list again
    };
    // One line of a watch. Code::upstream_status: the server ends it with an error.
    Result<Event> apply(std::string_view line);

    // Up to where we know everything.
    const std::string& version() const { return version_; }
    // All slices together. An address that two of them have, as may be for a moment, is one instance.
    // Code::invalid_config: they have no such port, or several when none was named.
    Result<balance::Instances> instances() const;

 private:
    struct Port {
        std::string name;
        std::uint16_t number = 0;
        std::string application;  // appProtocol
    };
    struct Endpoint {
        std::string address, zone, node, pod;
        bool ready = true, serving = true, terminating = false;
    };
    struct Slice {
        std::vector<Port> ports;
        std::vector<Endpoint> endpoints;
    };
    struct Reader;  // from JSON
    std::optional<Port> port_of(const Slice& slice) const;
    Error no_port() const;

    const std::string port_;
    std::map<std::string, Slice> slices_;  // by name
    std::string version_;
};

}  // namespace suoke::discovery
