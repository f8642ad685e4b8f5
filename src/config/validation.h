// SPDX-License-Identifier: MIT
#pragma once
// What requests must look like, and which are done once only; names, docs and checks are in definition_validation.cpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

struct SchemaSource {                      // a JSON Schema: one of the two
    std::string schema;                    // its text, JSON or YAML
    std::string schema_file;
    bool operator==(const SchemaSource&) const = default;
};

struct Multipart {                         // of multipart/form-data (RFC 7578)
    std::uint32_t max_parts = 100;
    std::uint64_t max_part_size = 1 << 20;     // of a field
    std::uint64_t max_file_size = 10 << 20;    // of a part with a filename
    std::vector<std::string> types;        // that files may have: image/png, image/*; none: any
    bool operator==(const Multipart&) const = default;
};

enum class Undocumented : std::uint8_t { refuse, pass };

struct Validation {
    std::optional<SchemaSource> query, headers, body;
    std::string openapi_file;              // OpenAPI 3.0 or 3.1, JSON or YAML
    std::optional<std::string> openapi_base;   // stands before its paths; nothing: what the route strips
    Undocumented undocumented = Undocumented::refuse;
    std::vector<std::string> content_types;    // application/json, image/*, application/*+json; none: any
    std::uint32_t max_depth = 32;          // of JSON
    std::uint64_t max_size = 1 << 20;      // of a body that has a schema
    std::uint32_t max_keys = 1000;         // of one object
    std::uint64_t max_string = 0;          // 0: no limit of its own
    bool reject_duplicate_keys = true;
    std::optional<Multipart> multipart;
    Place place;
    bool operator==(const Validation&) const = default;
};

enum class StoreAway : std::uint8_t { refuse, pass };

struct Idempotency {                       // requests with an Idempotency-Key are done once
    bool enabled = false;
    bool required = false;                 // a request without a key is refused
    bool anonymous = false;                // a client nobody knows may use keys, too
    std::vector<std::string> methods = {"POST", "PATCH"};
    Duration lifetime = 24h;               // of an answer
    Duration in_flight = 1min;             // of the claim of a request whose route has no timeout
    std::uint64_t max_body = 1 << 20;      // of request and answer, each
    std::vector<std::string> headers;      // of the answer that are kept besides the usual ones
    StoreAway when_store_is_away = StoreAway::refuse;
    Said said;
    bool operator==(const Idempotency&) const = default;
};

}  // namespace suoke::config
