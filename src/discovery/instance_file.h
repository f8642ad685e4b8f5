// SPDX-License-Identifier: MIT
#pragma once
// What a file says of a service's instances:
//
//   service: users              # else the file's name says it
//   instances:
//     - host: 10.0.0.1
//       port: 8080
//       weight: 2               # also id, priority, zone, version, tags, metadata, protocol (h1, h2),
//     - 10.0.0.2:8080           #   tls, health_path, draining, up
//
// A list alone does, too. JSON the same way.

#include <string>
#include <string_view>

#include "balance/instance.h"

namespace suoke::discovery {

struct InstanceFile {
    std::string service;  // empty: the file does not say
    balance::Instances instances;
};

enum class FileFormat : std::uint8_t { json, yaml };

// Code::invalid_config with "line:column: what is wrong".
Result<InstanceFile> read_instance_file(std::string_view text, FileFormat format);

}  // namespace suoke::discovery
