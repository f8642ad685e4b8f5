// SPDX-License-Identifier: MIT
#include "http/ws_inflate.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace suoke::http::ws {

// A message may contain a block marked as the last one (RFC 7692 §7.2.3.4). Going on behind it costs
// a copy of the window, so a message may do it a few times, not once a byte.
constexpr int kMostStreams = 8;

// A window larger than the sender's does no harm, and old senders mean 9 when they say 8.
Inflater::Inflater(unsigned window_bits) : z_(std::make_unique<z_stream>()) {
    good_ = inflateInit2(z_.get(), -static_cast<int>(std::max(window_bits, 9u))) == Z_OK;
}

Inflater::~Inflater() { inflateEnd(z_.get()); }

void Inflater::begin_message(bool forget_context) {
    total_ = 0;
    streams_ = 0;
    if (forget_context && good_) inflateReset(z_.get());
}

void Inflater::give(std::string_view compressed) {
    z_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    z_->avail_in = static_cast<uInt>(compressed.size());
}

std::optional<std::string_view> Inflater::take() {
    for (;;) {
        if (!good_) return std::nullopt;
        z_->next_out = reinterpret_cast<Bytef*>(out_.data());
        z_->avail_out = static_cast<uInt>(out_.size());
        int result = inflate(z_.get(), Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return std::nullopt;
        std::size_t n = out_.size() - z_->avail_out;
        total_ += n;
        if (result == Z_STREAM_END && !begin_next_stream()) return std::nullopt;
        if (n > 0) return std::string_view(out_.data(), n);
        if (z_->avail_in == 0 || result == Z_BUF_ERROR) return std::string_view();
    }
}

bool Inflater::begin_next_stream() {
    if (++streams_ > kMostStreams) return false;
    std::vector<Bytef> window(32768);
    uInt size = 0;
    if (inflateGetDictionary(z_.get(), window.data(), &size) != Z_OK) return false;
    if (inflateReset(z_.get()) != Z_OK) return false;
    return size == 0 || inflateSetDictionary(z_.get(), window.data(), size) == Z_OK;
}

// zlib.h, on data_type: 128 is added at the end of a block, and the bits of the last byte left over.
bool Inflater::complete() const { return (z_->data_type & 128) != 0 && (z_->data_type & 7) == 0; }

}  // namespace suoke::http::ws
