// SPDX-License-Identifier: MIT
#pragma once
// The bytes of an answer in blocks that never move: what is there can be read while more is added. Whoever adds
// and whoever reads at the same time share a lock of their own (Filling); once it is whole it needs none.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace suoke::cache {

class Content {
 public:
    // How much is still to come, as far as it is known: the next block is made to fit.
    void expect(std::uint64_t bytes) { expected_ = bytes; }
    void append(std::string_view bytes);
    // What the next append of so many bytes takes besides what is held already.
    std::uint64_t needs(std::size_t bytes) const;
    // Gives back what the last block has too much.
    void trim();
    // What lies before `at` is not needed any more.
    void forget_before(std::uint64_t at);

    std::uint64_t size() const { return size_; }
    std::uint64_t held() const { return held_; }   // memory
    // As much as lies in one piece from `at` on, and not beyond `end`; empty at the end.
    std::string_view piece(std::uint64_t at, std::uint64_t end) const;

 private:
    static constexpr std::uint64_t kSmallest = 4 * 1024, kLargest = 256 * 1024;
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::uint64_t begin = 0;
        std::uint32_t size = 0, capacity = 0;
    };
    std::uint64_t next_capacity() const;
    std::vector<Block> blocks_;
    std::uint64_t size_ = 0, held_ = 0, expected_ = 0;
};

}  // namespace suoke::cache
