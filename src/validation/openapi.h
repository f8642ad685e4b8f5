// SPDX-License-Identifier: MIT
#pragma once
// An OpenAPI document (3.0, 3.1): which operation a request is, and what it takes. Compiled once, all of it: a document with
// anything in it that cannot be held to is refused, so that nobody relies on what is not checked.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "validation/operation.h"

namespace suoke::validation {

class OpenApi {
 public:
    // invalid_config says where in the document and what.
    static Result<OpenApi> read(const Tree& document);

    struct Found {
        const Operation* operation = nullptr;   // null: the document has none
        std::vector<Given> path;                // the parameters in the path
        std::string allow;                      // of a path that it has, but not with this method: those it has
    };
    // `path` begins with '/', as it was sent but normalised.
    Found find(std::string_view method, std::string_view path) const;
    std::size_t size() const;                   // operations

 private:
    // A segment of a path: "users", "{id}", "{id}.json".
    struct Segment {
        std::string before, name, after;        // without a name: `before` is all of it
    };
    struct Path {
        std::vector<Segment> segments;
        std::string order;                      // less: the more concrete one, which is tried first
        std::map<std::string, Operation, std::less<>> operations;   // by method
    };
    static Result<Path> read_path(const std::string& text);
    static bool matches(const Path& path, const std::vector<std::string_view>& segments, std::vector<Given>& given);

    std::map<std::size_t, std::vector<Path>> by_length_;   // by their number of segments
};

}  // namespace suoke::validation
