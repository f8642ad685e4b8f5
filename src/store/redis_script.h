// SPDX-License-Identifier: MIT
#pragma once
// A Lua script that runs inside Redis, at once and alone. Known there by its SHA-1; sent whole only to a
// server that has forgotten it. Cheap to copy.
//
//   const store::Script kTake("local left = redis.call('DECR', KEYS[1]) ...");

#include <memory>
#include <string>

namespace suoke::store {

class Script {
 public:
    explicit Script(std::string text);
    const std::string& text() const { return parts_->text; }
    const std::string& sha() const { return parts_->sha; }  // 40 hex digits

 private:
    struct Parts {
        std::string text, sha;
    };
    std::shared_ptr<const Parts> parts_;
};

}  // namespace suoke::store
