// SPDX-License-Identifier: MIT
// What gateways on one Redis say to each other: anything but a crash, and a record that is read is one
// that may be kept.
#include <cstdint>
#include <cstdlib>

#include "services/redis_ledger_words.h"

using namespace suoke;
using namespace suoke::services;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    WallTime now(std::chrono::seconds(1'700'000'000));
    if (auto record = words::record_from(text, words::span(static_cast<std::int64_t>(size)), now)) {
        if (record->service.empty() || record->instance.id.empty() || record->ttl < Duration::zero()) std::abort();
        if (!record_of(to_json(*record))) std::abort();
    }
    if (auto message = words::read_message(text, now)) {
        if (message->kind == words::Message::changed && message->record.expires < now) std::abort();
    }
    return 0;
}
