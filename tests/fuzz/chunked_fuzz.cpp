// SPDX-License-Identifier: MIT
// Chunked bodies: the same data, end and trailers for every way to cut the bytes, and never a
// trailer that is not valid.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

using namespace suoke;

namespace {

void check_trailers(std::string_view bytes) {
    http::h1::ChunkedDecoder decoder(Code::upstream_invalid);
    for (;;) {
        auto step = decoder.next(bytes);
        if (!step || (step->consumed == 0 && !step->end)) return;
        bytes.remove_prefix(step->consumed);
        if (step->end) return fuzz::expect(http::invariants::broken(decoder.trailers()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = http::invariants::chunked_in_pieces(bytes, 0);
    for (std::size_t step : {1, 2, 3, 5, 17, 64})
        fuzz::expect_same(whole, http::invariants::chunked_in_pieces(bytes, step));
    check_trailers(bytes);
    return 0;
}
