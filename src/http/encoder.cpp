// SPDX-License-Identifier: MIT
#include "http/encoder.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace suoke::http {
namespace {

// 256 KiB: of what is said again in JSON or HTML nearly all is nearer, and a larger one costs each stream.
constexpr int kWindowBits = 18;

// ---- gzip (RFC 1952)

class Gzip final : public Encoder {
 public:
    Gzip() : Encoder(Coding::gzip) {}
    ~Gzip() override {
        if (made_) deflateEnd(&z_);
    }

    bool begin(int level, std::optional<std::uint64_t>) override {
        constexpr int kGzip = 16, kMemory = 8;
        if (made_) return deflateReset(&z_) == Z_OK && deflateParams(&z_, level, Z_DEFAULT_STRATEGY) == Z_OK;
        made_ = deflateInit2(&z_, level, Z_DEFLATED, MAX_WBITS + kGzip, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
        return made_;
    }

    std::optional<Step> step(std::string_view in, std::span<char> out, Then then) override {
        z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        z_.avail_in = static_cast<uInt>(in.size());
        z_.next_out = reinterpret_cast<Bytef*>(out.data());
        z_.avail_out = static_cast<uInt>(out.size());
        int how = then == Then::end ? Z_FINISH : then == Then::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
        int result = deflate(&z_, how);
        if (result == Z_STREAM_ERROR) return std::nullopt;
        bool taken = z_.avail_in == 0;
        bool done = then == Then::end ? result == Z_STREAM_END : taken && (then == Then::more || z_.avail_out > 0);
        return Step{in.size() - z_.avail_in, out.size() - z_.avail_out, done};
    }

 private:
    z_stream z_{};
    bool made_ = false;
};

// ---- zstd (RFC 8878)

class Zstd final : public Encoder {
 public:
    Zstd() : Encoder(Coding::zstd), context_(ZSTD_createCCtx()) {}
    ~Zstd() override { ZSTD_freeCCtx(context_); }

    bool begin(int level, std::optional<std::uint64_t> size) override {
        if (!context_) return false;
        ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters);
        bool good = set(ZSTD_c_compressionLevel, level) && set(ZSTD_c_windowLog, kWindowBits);
        return good && (!size || !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context_, *size)));
    }

    std::optional<Step> step(std::string_view in, std::span<char> out, Then then) override {
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        auto how = then == Then::end ? ZSTD_e_end : then == Then::flush ? ZSTD_e_flush : ZSTD_e_continue;
        std::size_t left = ZSTD_compressStream2(context_, &to, &from, how);
        if (ZSTD_isError(left)) return std::nullopt;
        bool done = from.pos == from.size && (then == Then::more || left == 0);
        return Step{from.pos, to.pos, done};
    }

 private:
    bool set(ZSTD_cParameter parameter, int value) { return !ZSTD_isError(ZSTD_CCtx_setParameter(context_, parameter, value)); }
    ZSTD_CCtx* context_;
};

// ---- br (RFC 7932)

// An encoder of brotli's cannot be used twice. What can be is its memory: half a MiB of hash table and
// more, which the system would map anew, page by page, for each answer.
class Blocks {
 public:
    ~Blocks() {
        for (Block* block : kept_) std::free(block);
    }

    void* take(std::size_t size) {
        auto fits = [size](const Block* block) { return block->size >= size && block->size / 2 <= size; };
        auto found = std::find_if(kept_.begin(), kept_.end(), fits);
        if (found == kept_.end()) {
            auto* made = static_cast<Block*>(std::malloc(sizeof(Block) + size));
            if (!made) return nullptr;
            made->size = size;
            return made + 1;
        }
        Block* block = *found;
        kept_.erase(found);
        bytes_ -= block->size;
        return block + 1;
    }

    void give_back(void* memory) {
        if (!memory) return;
        Block* block = static_cast<Block*>(memory) - 1;
        constexpr std::size_t kWorthIt = 32 * 1024, kMost = 4 << 20;
        if (block->size < kWorthIt || bytes_ + block->size > kMost) return std::free(block);
        kept_.push_back(block);
        bytes_ += block->size;
    }

 private:
    struct alignas(std::max_align_t) Block {
        std::size_t size;
    };
    std::vector<Block*> kept_;
    std::size_t bytes_ = 0;
};

Blocks& blocks() {
    static thread_local Blocks all;
    return all;
}

class Brotli final : public Encoder {
 public:
    Brotli() : Encoder(Coding::brotli) {}
    ~Brotli() override { BrotliEncoderDestroyInstance(state_); }

    bool begin(int level, std::optional<std::uint64_t> size) override {
        state_ = BrotliEncoderCreateInstance(take, give_back, nullptr);
        if (!state_) return false;
        int window = kWindowBits;
        while (size && window > 16 && *size <= std::uint64_t{1} << (window - 1)) --window;
        // From a MiB on it would take a hash table eight times as large.
        constexpr std::uint64_t kMostHint = (1 << 20) - 1;
        return set(BROTLI_PARAM_QUALITY, level) && set(BROTLI_PARAM_LGWIN, window) &&
               set(BROTLI_PARAM_SIZE_HINT, static_cast<int>(std::min(size.value_or(kMostHint), kMostHint)));
    }

    std::optional<Step> step(std::string_view in, std::span<char> out, Then then) override {
        auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
        auto* to = reinterpret_cast<std::uint8_t*>(out.data());
        std::size_t left = in.size(), room = out.size();
        auto how = then == Then::end     ? BROTLI_OPERATION_FINISH
                   : then == Then::flush ? BROTLI_OPERATION_FLUSH
                                         : BROTLI_OPERATION_PROCESS;
        if (!BrotliEncoderCompressStream(state_, how, &left, &from, &room, &to, nullptr)) return std::nullopt;
        bool out_of_it = then == Then::more || !BrotliEncoderHasMoreOutput(state_);
        bool done = then == Then::end ? BrotliEncoderIsFinished(state_) != 0 : left == 0 && out_of_it;
        return Step{in.size() - left, out.size() - room, done};
    }

 private:
    static void* take(void*, std::size_t size) { return blocks().take(size); }
    static void give_back(void*, void* memory) { blocks().give_back(memory); }
    bool set(BrotliEncoderParameter parameter, int value) {
        return BrotliEncoderSetParameter(state_, parameter, static_cast<std::uint32_t>(value)) != 0;
    }
    BrotliEncoderState* state_ = nullptr;
};

// ---- what a thread keeps

struct Shelf {
    static constexpr std::size_t kKept = 2;  // of each coding: short answers are made one after the other
    std::array<std::vector<std::unique_ptr<Encoder>>, 4> idle;
    int out = 0;

    std::vector<std::unique_ptr<Encoder>>& of(Coding coding) { return idle[static_cast<std::size_t>(coding)]; }
};

Shelf& shelf() {
    static thread_local Shelf own;
    return own;
}

std::unique_ptr<Encoder> make(Coding coding) {
    switch (coding) {
        case Coding::gzip: return std::make_unique<Gzip>();
        case Coding::zstd: return std::make_unique<Zstd>();
        case Coding::brotli: return std::make_unique<Brotli>();
        default: return nullptr;
    }
}

}  // namespace

void GiveEncoderBack::operator()(Encoder* encoder) const {
    std::unique_ptr<Encoder> back(encoder);
    --shelf().out;
    auto& idle = shelf().of(back->coding());
    if (back->coding() != Coding::brotli && idle.size() < Shelf::kKept) idle.push_back(std::move(back));
}

EncoderPtr lease_encoder(Coding coding, int level, std::optional<std::uint64_t> size) {
    Shelf& all = shelf();
    if (all.out >= kMostEncoders) return nullptr;
    auto& idle = all.of(coding);
    std::unique_ptr<Encoder> encoder;
    if (idle.empty()) {
        encoder = make(coding);
    } else {
        encoder = std::move(idle.back());
        idle.pop_back();
    }
    if (!encoder || !encoder->begin(level, size)) return nullptr;
    ++all.out;
    return EncoderPtr(encoder.release());
}

}  // namespace suoke::http
