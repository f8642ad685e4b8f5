// SPDX-License-Identifier: MIT
// What clients say of instances, and what stores give back: anything but a crash, and nothing that is let
// through is other than the rules say.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "endpoints/registration.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    static const endpoints::RegistrationRules rules = [] {
        endpoints::RegistrationRules made;
        made.allowed.networks.push_back(*rt::Network::parse("10.0.0.0/8"));
        made.allowed.hosts = {"*.internal"};
        return made;
    }();
    auto wanted = endpoints::read_registration(text, "", rules);
    if (auto* good = std::get_if<endpoints::Wanted>(&wanted)) {
        if (!rules.allowed.contains(good->record.instance.host) || good->record.instance.port == 0) std::abort();
        auto back = services::record_of(services::to_json(good->record));
        if (!back || back->instance.host != good->record.instance.host || back->instance.port != good->record.instance.port) std::abort();
    } else {
        endpoints::list_of(std::get<endpoints::Faults>(wanted));
    }
    endpoints::read_change(text);
    if (auto record = services::record_of(text); record && record->service.empty()) std::abort();
    return 0;
}
