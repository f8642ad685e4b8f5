// SPDX-License-Identifier: MIT
// A DNS server that says anything: what is accepted are host names within their limits.
#include "rt/dns_answer.h"

#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

const char* broken(const rt::SrvAnswer& answer) {
    if (answer.targets.size() > rt::kMostRecords) return "more targets than records";
    if (answer.ttl < Duration::zero() || answer.ttl > std::chrono::seconds(INT32_MAX)) return "the TTL";
    for (const rt::SrvTarget& target : answer.targets) {
        if (target.host.empty() || target.host.size() > 253) return "the length of a name";
        if (target.host.front() == '.' || target.host.back() == '.' || target.host.find("..") != std::string::npos) return "an empty label";
        if (target.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") != std::string::npos) return "an odd byte";
    }
    return nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    // The question's name is inside the message: any is tried that is short and plain, and a fixed one.
    for (std::string_view name : {"a.b", "_http._tcp.users.test"}) {
        auto answer = rt::parse_srv_answer(bytes, name);
        if (answer) fuzz::expect(broken(*answer));
    }
    return 0;
}
