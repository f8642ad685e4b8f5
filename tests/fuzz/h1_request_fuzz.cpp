// SPDX-License-Identifier: MIT
// Request heads: what is accepted is strictly valid, however the bytes were cut.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // Small limits are reached by small inputs.
    for (const http::h1::Limits& limits : {http::h1::Limits{}, http::h1::Limits{64, 160, 4}}) {
        http::RequestHead head;
        http::h1::Progress progress;
        auto length = http::h1::parse_request_head(bytes, limits, progress, head);
        if (length && *length) fuzz::expect(http::invariants::broken(head));
        fuzz::expect_same(http::invariants::told(length, head),
                          http::invariants::request_in_pieces(bytes, fuzz::cuts(size), limits));
    }
    return 0;
}
