// SPDX-License-Identifier: MIT
#pragma once
// What is changed on the way, as the operator says it; names, docs and checks are in definition_transform.cpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

enum class ContentCoding : std::uint8_t { br, zstd, gzip };

struct Compression {                       // of answers
    bool enabled = false;                  // also when anything else is said; loading settles it
    std::vector<ContentCoding> algorithms = {ContentCoding::br, ContentCoding::zstd, ContentCoding::gzip};  // the best first
    std::uint64_t min_size = 1024;
    std::uint32_t br_level = 4, zstd_level = 3, gzip_level = 6;
    std::vector<std::string> types = {"text/*", "application/json", "application/*+json", "application/x-ndjson", "application/javascript",
                                      "application/xml", "application/*+xml", "application/wasm", "image/svg+xml"};
    bool breach_protection = true;
    bool plain_upstream = false;           // services are asked for plain answers
    Said said;
    bool on() const { return enabled; }
    bool operator==(const Compression&) const = default;
};

enum class VersionFrom : std::uint8_t { url_path, query_param, header, subdomain, custom_header };

struct Deprecation {                       // of a version of the API
    std::string since, sunset;             // days, like 2026-06-30, or times; empty: not said
    std::string link;                      // what to read about it
    Place place;
    bool operator==(const Deprecation&) const = default;
};

struct Versioning {
    bool enabled = false;                  // as of Compression
    VersionFrom strategy = VersionFrom::url_path;
    std::string default_version = "v1";    // of who says none
    std::vector<std::string> supported = {"v1", "v2"};
    std::map<std::string, Deprecation> deprecated;
    std::string header = "X-API-Version";  // of custom_header
    std::string parameter = "version";     // of query_param
    bool strict = false;                   // what is not known is refused
    Said said;
    bool on() const { return enabled; }
    bool operator==(const Versioning&) const = default;
};

enum class KeyCase : std::uint8_t { keep, snake, camel, pascal };

struct JsonEdits {                         // paths are of keys as they came; lists on the way are looked into
    std::map<std::string, std::string> rename;
    std::vector<std::string> remove;
    std::map<std::string, std::string> set;   // JSON, or else a text
    KeyCase key_case = KeyCase::keep;
    bool drop_nulls = false;
    bool operator==(const JsonEdits&) const = default;
};

// The headers here are folded into the route's request_headers and response_headers.
struct RequestTransformation {
    std::map<std::string, std::string> set_headers, add_headers;
    std::vector<std::string> remove_headers;
    std::map<std::string, std::string> set_query;
    std::vector<std::string> remove_query;
    bool from_form = false;                // forms become JSON
    JsonEdits json;
    bool operator==(const RequestTransformation&) const = default;
};

struct ResponseTransformation {
    std::map<std::string, std::string> set_headers, add_headers;
    std::vector<std::string> remove_headers;
    JsonEdits json;
    bool operator==(const ResponseTransformation&) const = default;
};

struct Transformations {
    RequestTransformation request;
    ResponseTransformation response;
    std::uint64_t max_body = 1 << 20;      // larger bodies pass as they are
    bool operator==(const Transformations&) const = default;
};

}  // namespace suoke::config
