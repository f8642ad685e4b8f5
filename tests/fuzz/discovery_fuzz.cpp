// SPDX-License-Identifier: MIT
// What Consul, Kubernetes and files say of instances: anything but a crash, and no instance that traffic
// could not be sent to. The first byte says whose words the rest are.
#include <cstdint>
#include <cstdlib>

#include "discovery/consul_answer.h"
#include "discovery/endpoint_slices.h"
#include "discovery/instance_file.h"

using namespace suoke;
using namespace suoke::discovery;

static void check(const balance::Instances& all) {
    for (const balance::Instance& instance : all)
        if (instance.host.empty() || (instance.port == 0 && !instance.host.starts_with("unix:"))) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            if (auto all = read_consul_health(text)) check(*all);
            break;
        case 1: {
            EndpointSlices slices("");
            (void)slices.replace(text.substr(0, text.find('\n')));
            for (std::size_t at = text.find('\n'); at != text.npos;) {   // then the events of a watch
                std::size_t end = text.find('\n', at + 1);
                (void)slices.apply(text.substr(at + 1, end == text.npos ? end : end - at - 1));
                at = end;
            }
            if (auto all = slices.instances()) check(*all);
            break;
        }
        case 2:
        default:
            if (auto file = read_instance_file(text, data[0] % 4 == 2 ? FileFormat::json : FileFormat::yaml)) check(file->instances);
    }
    return 0;
}
