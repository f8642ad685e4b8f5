// SPDX-License-Identifier: MIT
// Event streams: for every way to cut the bytes the framer finds what a client finds, and neither a
// heartbeat nor the farewell of a broken stream changes an event that was whole.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sse_client.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (std::size_t step : {1, 2, 3, 7}) fuzz::expect(fuzz::sse_broken(bytes, step, size));
    for (std::size_t cut : fuzz::cuts(size)) fuzz::expect(fuzz::sse_broken(bytes, 5, cut));
    return 0;
}
