// SPDX-License-Identifier: MIT
#include "rt/buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace suoke::rt {

// Warm blocks kept per size: enough for a busy worker's exchanges, not for its worst hour.
constexpr std::array<std::size_t, BufferPool::kBytes.size()> kKeep = {256, 256, 128, 16};
// A pool tells the budget of this much at a time: an atomic of all workers, eight times a request,
// would be the only thing they share.
constexpr std::int64_t kReportStep = 64 * 1024;

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

BufferPool::~BufferPool() {
    budget_.leased.fetch_add(unreported_, std::memory_order_relaxed);
    trim();
}

void BufferPool::account(std::int64_t change) {
    leased_ += static_cast<std::uint64_t>(change);
    unreported_ += change;
    if (unreported_ < kReportStep && unreported_ > -kReportStep) return;
    budget_.leased.fetch_add(unreported_, std::memory_order_relaxed);
    unreported_ = 0;
}

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
    account(kBytes[size]);
    return buffer;
}

Buffer BufferPool::lease_for(std::uint64_t bytes) {
    if (bytes <= kBytes[tiny]) return lease(tiny);
    if (bytes <= kBytes[small]) return lease(small);
    if (bytes <= kBytes[medium]) return lease(medium);
    return lease(large);
}

bool BufferPool::under_pressure() {
    std::int64_t leased = budget_.leased.load(std::memory_order_relaxed) + unreported_;
    if (leased > static_cast<std::int64_t>(budget_.high)) pressed_ = true;
    if (leased < static_cast<std::int64_t>(budget_.low)) pressed_ = false;
    return pressed_;
}

void BufferPool::give_back(char* block, std::uint32_t capacity) {
    account(-static_cast<std::int64_t>(capacity));
    std::size_t size = tiny;
    while (kBytes[size] != capacity) ++size;
    if (warm_[size].size() < kKeep[size]) {
        warm_[size].push_back(block);
    } else {
        std::free(block);
    }
}

}  // namespace suoke::rt
