// SPDX-License-Identifier: MIT
#pragma once
// Compression of a body while it streams, by whichever coding.
//
//   EncoderPtr encoder = lease_encoder(Coding::zstd, 3, size);     // null: none to be had
//   auto step = encoder->step(bytes, room, Encoder::Then::flush);  // until step->done
//
// Making one costs a quarter of a MiB and touching it, so each thread keeps a few: one that is given
// back is used again. Not more than kMostEncoders are out at once in a thread, which bounds what they
// take. At their largest, measured: gzip 0.3 MiB, zstd 1.8 MiB, br 3.4 MiB; for an answer of known 64 KiB:
// 0.3, 0.8 and 1.7 MiB.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/codings.h"

namespace suoke::http {

class Encoder {
 public:
    enum class Then : std::uint8_t {
        more,   // other bytes follow
        flush,  // nothing for a while: whoever decodes must get all that was given
        end,
    };
    struct Step {
        std::size_t taken = 0, made = 0;  // of the input; in `out`
        bool done = false;                // all was taken, and with flush and end all of it is out
    };

    explicit Encoder(Coding coding) : coding_(coding) {}
    virtual ~Encoder() = default;
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    // As much as there is room for. Until it is done call it again, with what was not taken and the same
    // `then`. Nothing: it failed, and the body cannot go on.
    virtual std::optional<Step> step(std::string_view in, std::span<char> out, Then then) = 0;
    // A new body; `size`, when it is known, has to be right.
    virtual bool begin(int level, std::optional<std::uint64_t> size) = 0;
    Coding coding() const { return coding_; }

 private:
    const Coding coding_;
};

struct GiveEncoderBack {
    void operator()(Encoder* encoder) const;
};
using EncoderPtr = std::unique_ptr<Encoder, GiveEncoderBack>;

constexpr int kMostEncoders = 64;  // at once, in a thread

// Levels are those of each library, from 1 to 9. Null: too many are out, there is no memory, or the
// coding is identity. Belongs to the thread that leased it.
EncoderPtr lease_encoder(Coding coding, int level, std::optional<std::uint64_t> size);

}  // namespace suoke::http
