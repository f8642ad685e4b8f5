// SPDX-License-Identifier: MIT
#include "rt/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace suoke::rt {

// Warm blocks kept per size: enough for a busy worker's exchanges, not for its worst hour.
constexpr std::array<std::size_t, 3> kKeep = {256, 128, 16};

void Buffer::compact() {
    if (begin_ == 0) return;
    std::memmove(block_, block_ + begin_, size());
    end_ -= begin_;
    begin_ = 0;
}

bool Buffer::append(std::string_view bytes) {
    if (bytes.empty()) return true;
    if (bytes.size() > capacity_ - end_) return false;
    std::memcpy(block_ + end_, bytes.data(), bytes.size());
    end_ += static_cast<std::uint32_t>(bytes.size());
    return true;
}

void Buffer::release() {
    if (block_) pool_->give_back(block_, capacity_);
    block_ = nullptr;
    capacity_ = begin_ = end_ = 0;
}

BufferPool::~BufferPool() { trim(); }

void BufferPool::trim() {
    for (auto& blocks : warm_) {
        for (char* block : blocks) std::free(block);
        blocks.clear();
    }
}

Buffer BufferPool::lease(Size size) {
    Buffer buffer;
    buffer.pool_ = this;
    buffer.capacity_ = kBytes[size];
    auto& warm = warm_[size];
    if (warm.empty()) {
        buffer.block_ = static_cast<char*>(std::malloc(kBytes[size]));
        if (!buffer.block_) throw std::bad_alloc();
    } else {
        buffer.block_ = warm.back();
        warm.pop_back();
    }
    leased_ += kBytes[size];
    budget_.leased.fetch_add(kBytes[size], std::memory_order_relaxed);
    return buffer;
}

Buffer BufferPool::lease_for(std::uint64_t bytes) {
    if (bytes <= kBytes[small]) return lease(small);
    if (bytes <= kBytes[medium]) return lease(medium);
    return lease(large);
}

bool BufferPool::under_pressure() {
    std::uint64_t leased = budget_.leased.load(std::memory_order_relaxed);
    if (leased > budget_.high) pressed_ = true;
    if (leased < budget_.low) pressed_ = false;
    return pressed_;
}

void BufferPool::give_back(char* block, std::uint32_t capacity) {
    leased_ -= capacity;
    budget_.leased.fetch_sub(capacity, std::memory_order_relaxed);
    std::size_t size = static_cast<std::size_t>(std::find(kBytes.begin(), kBytes.end(), capacity) - kBytes.begin());
    if (warm_[size].size() < kKeep[size]) {
        warm_[size].push_back(block);
    } else {
        std::free(block);
    }
}

}  // namespace suoke::rt
