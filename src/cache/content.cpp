// SPDX-License-Identifier: MIT
#include "cache/content.h"

#include <algorithm>
#include <cstring>

namespace suoke::cache {

// Exactly what is to come, when that is known; otherwise as much again as there is.
std::uint64_t Content::next_capacity() const {
    if (expected_ > size_) return std::min(expected_ - size_, kLargest);
    return std::clamp(size_, kSmallest, kLargest);
}

std::uint64_t Content::needs(std::size_t bytes) const {
    std::uint64_t room = blocks_.empty() ? 0 : blocks_.back().capacity - blocks_.back().size;
    return bytes <= room ? 0 : std::max<std::uint64_t>(next_capacity(), bytes - room);
}

void Content::append(std::string_view bytes) {
    while (!bytes.empty()) {
        if (blocks_.empty() || blocks_.back().size == blocks_.back().capacity) {
            std::uint64_t capacity = next_capacity();
            blocks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), size_, 0, static_cast<std::uint32_t>(capacity)});
            held_ += capacity;
        }
        Block& block = blocks_.back();
        std::size_t n = std::min<std::size_t>(bytes.size(), block.capacity - block.size);
        std::memcpy(block.bytes.get() + block.size, bytes.data(), n);
        block.size += static_cast<std::uint32_t>(n);
        size_ += n;
        bytes.remove_prefix(n);
    }
}

void Content::trim() {
    if (blocks_.empty()) return;
    Block& last = blocks_.back();
    if (last.capacity - last.size <= last.capacity / 8) return;
    auto exact = std::make_unique_for_overwrite<char[]>(last.size);
    std::memcpy(exact.get(), last.bytes.get(), last.size);
    held_ -= last.capacity - last.size;
    last.bytes = std::move(exact);
    last.capacity = last.size;
}

void Content::forget_before(std::uint64_t at) {
    while (blocks_.size() > 1 && blocks_.front().begin + blocks_.front().size <= at) {
        held_ -= blocks_.front().capacity;
        blocks_.erase(blocks_.begin());
    }
}

std::string_view Content::piece(std::uint64_t at, std::uint64_t end) const {
    end = std::min(end, size_);
    if (at >= end) return {};
    auto block = std::ranges::upper_bound(blocks_, at, {}, &Block::begin) - 1;
    std::uint64_t stop = std::min(end, block->begin + block->size);
    return {block->bytes.get() + (at - block->begin), static_cast<std::size_t>(stop - at)};
}

}  // namespace suoke::cache
