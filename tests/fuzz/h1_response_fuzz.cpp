// SPDX-License-Identifier: MIT
// Response heads, for every kind of request that changes their framing.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (http::Method request : {http::Method::GET, http::Method::HEAD, http::Method::CONNECT}) {
        http::ResponseHead head;
        http::h1::Progress progress;
        auto length = http::h1::parse_response_head(bytes, {}, progress, request, head);
        if (length && *length) fuzz::expect(http::invariants::broken(head));
        fuzz::expect_same(http::invariants::told(length, head),
                          http::invariants::response_in_pieces(bytes, request, fuzz::cuts(size)));
    }
    return 0;
}
