// SPDX-License-Identifier: MIT
#pragma once
// A copy of a request for another service, which it gets on nobody's time: the client's answer does not
// wait for it, and nobody hears what became of it.

#include <string>
#include <vector>

#include "gateway/exchange.h"

namespace suoke::gateway {

// Owns all it says; goes out when its body is complete.
class Copy {
 public:
    static constexpr std::size_t kMostBody = 64 * 1024;   // larger ones are not mirrored
    static constexpr std::size_t kMostAtOnce = 128;       // of a worker; more are left out
    static constexpr Duration kLongest = std::chrono::minutes(1);   // whatever the service's timeouts are

    Copy(Exchange& ex, const Service& to);
    bool add(std::string_view bytes);                     // false: too large
    // In the worker's background, from now on without the exchange.
    static void send(std::shared_ptr<Copy> copy, Worker& worker);

 private:
    static rt::Task<void> run(std::shared_ptr<Copy> copy, Worker& worker);
    struct Text {
        std::string name, value;
    };
    std::string service_, method_, target_, host_, preamble_, body_;
    Duration patience_, connect_, write_;
    std::vector<Text> fields_;
};

}  // namespace suoke::gateway
