// SPDX-License-Identifier: MIT
// gRPC's own syntax: messages and base64 are the same for every way to cut the bytes, timeouts and
// messages survive being written.
#include "http/grpc.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

std::string frames_in_pieces(std::string_view bytes, std::size_t step) {
    http::GrpcFrames frames(1 << 16);
    std::string told;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        std::string_view piece = bytes.substr(at, step);
        for (;;) {
            auto next = frames.next(piece);
            if (!next) return told + "!" + std::string(next.error().reason());
            if (next->kind == http::GrpcFrames::Step::more) break;
            if (next->kind == http::GrpcFrames::Step::head) told += "[" + std::to_string(frames.size()) + ":";
            if (next->kind == http::GrpcFrames::Step::end) told += "]";
            told += next->bytes;
        }
    }
    return told + (frames.between() ? "." : "...");
}

std::string base64_in_pieces(std::string_view text, std::size_t step) {
    http::Base64Decoder decoder;
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); at += step)
        if (!decoder.decode(text.substr(at, step), bytes)) return "refused";
    return bytes + (decoder.complete() ? "." : "...");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::size_t all = size + 1;
    for (std::size_t step : {1, 2, 3, 5, 17}) {
        fuzz::expect_same(frames_in_pieces(bytes, all), frames_in_pieces(bytes, step));
        fuzz::expect_same(base64_in_pieces(bytes, all), base64_in_pieces(bytes, step));
    }
    std::string text;
    http::append_base64(text, bytes);
    fuzz::expect_same(std::string(bytes) + ".", base64_in_pieces(text, 3));
    fuzz::expect_same(bytes, http::decode_grpc_message(http::encode_grpc_message(bytes)));
    if (auto timeout = http::parse_grpc_timeout(bytes)) {
        auto again = http::parse_grpc_timeout(http::format_grpc_timeout(*timeout));
        if (!again) fuzz::expect("a timeout is written so that nobody can read it");
        if (timeout->count() > 0 && *again > *timeout) fuzz::expect("a timeout grew");
    }
    http::parse_grpc_type(bytes);
    return 0;
}
