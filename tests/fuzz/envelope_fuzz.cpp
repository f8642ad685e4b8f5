// SPDX-License-Identifier: MIT
// An envelope that is let through becomes one request of the same method and path, and nothing behind it.
#include <cstdint>
#include <cstdlib>

#include "endpoints/envelope_message.h"
#include "http/h1_parser.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto read = endpoints::read_envelope({reinterpret_cast<const char*>(data), size});
    auto* message = std::get_if<endpoints::EnvelopeMessage>(&read);
    if (!message) {
        endpoints::list_of(std::get<endpoints::Faults>(read));
        return 0;
    }
    std::string head = endpoints::head_of(*message, "gateway", "X-Forwarded-For: 10.0.0.1\r\n");
    http::h1::Progress progress;
    http::RequestHead parsed;
    auto length = http::h1::parse_request_head(head, {8192, 65536, 100}, progress, parsed);
    if (!length) return 0;
    if (*length != head.size() || parsed.method_name != message->method) std::abort();
    std::size_t places = 0;
    for (const http::Field& field : parsed.headers) places += field.name.size() == 15 && (field.name[0] | 32) == 'x' && field.name.substr(12) == "For";
    if (places > 1 || !parsed.headers.find(http::HeaderId::host)) std::abort();
    return 0;
}
