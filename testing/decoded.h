// SPDX-License-Identifier: MIT
#pragma once
// What a client makes of a compressed body, with each coding's own decoder.

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace suoke::scene {

struct Decoded {
    std::string text;       // as far as it goes
    bool complete = false;  // and no byte is left over
    bool good = true;       // nothing in it is wrong
};

namespace detail {

inline Decoded decoded_gzip(std::string_view bytes) {
    Decoded out;
    z_stream z{};
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&z, MAX_WBITS + kGzipOnly) != Z_OK) return {.text = {}, .good = false};
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    std::array<char, 4096> room;
    int result = Z_OK;
    do {
        z.next_out = reinterpret_cast<Bytef*>(room.data());
        z.avail_out = room.size();
        result = inflate(&z, Z_SYNC_FLUSH);
        out.text.append(room.data(), room.size() - z.avail_out);
    } while (result == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
    out.good = result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
    out.complete = result == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    return out;
}

inline Decoded decoded_brotli(std::string_view bytes) {
    Decoded out;
    std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(
        BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
    auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left = bytes.size();
    std::array<std::uint8_t, 4096> room;
    BrotliDecoderResult result{};
    do {
        std::uint8_t* to = room.data();
        std::size_t free = room.size();
        result = BrotliDecoderDecompressStream(state.get(), &left, &from, &free, &to, nullptr);
        out.text.append(reinterpret_cast<char*>(room.data()), room.size() - free);
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT || BrotliDecoderHasMoreOutput(state.get()));
    out.good = result != BROTLI_DECODER_RESULT_ERROR;
    out.complete = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
    return out;
}

inline Decoded decoded_zstd(std::string_view bytes) {
    Decoded out;
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    std::array<char, 4096> room;
    std::size_t result = 1;
    for (bool more = true; more;) {
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        result = ZSTD_decompressStream(context.get(), &to, &from);
        if (ZSTD_isError(result)) return {.text = out.text, .good = false};
        out.text.append(room.data(), to.pos);
        more = result != 0 && (from.pos < from.size || to.pos == to.size);
    }
    out.complete = result == 0 && from.pos == from.size;
    return out;
}

}  // namespace detail

// `coding` as in Content-Encoding.
inline Decoded decoded(std::string_view coding, std::string_view bytes) {
    if (coding == "gzip") return detail::decoded_gzip(bytes);
    if (coding == "br") return detail::decoded_brotli(bytes);
    if (coding == "zstd") return detail::decoded_zstd(bytes);
    return {.text = std::string(bytes), .complete = coding == "identity", .good = coding == "identity"};
}

}  // namespace suoke::scene
