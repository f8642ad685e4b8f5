// SPDX-License-Identifier: MIT
#pragma once
// Buffers are leased for as long as bytes are in them: an idle connection has none. Each worker keeps
// a few of each size warm; all together stay inside the process' budget.

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace suoke::rt {

class BufferPool;

// A leased block with a filled part: [begin, end) holds bytes, [end, capacity) is room.
class Buffer {
 public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer gone(std::move(*this));
        swap(other);
        return *this;
    }
    ~Buffer() { release(); }

    explicit operator bool() const { return block_ != nullptr; }
    std::string_view bytes() const { return {block_ + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::span<char> room() { return {block_ + end_, capacity_ - end_}; }
    std::size_t capacity() const { return capacity_; }
    char* data() { return block_; }

    void filled(std::size_t n) { end_ += n; }
    void drop(std::size_t n) { begin_ += n; }
    void clear() { begin_ = end_ = 0; }
    // Moves what is held to the front, so that all the room is at the end.
    void compact();
    // Appends what fits; returns whether all of it did.
    bool append(std::string_view bytes);
    void release();

 private:
    friend class BufferPool;
    void swap(Buffer& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(block_, other.block_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
    }
    BufferPool* pool_ = nullptr;
    char* block_ = nullptr;
    std::uint32_t capacity_ = 0, begin_ = 0, end_ = 0;
};

// What all workers' pools have leased together, in bytes.
struct BufferBudget {
    explicit BufferBudget(std::uint64_t limit) : high(limit), low(limit / 4 * 3) {}
    const std::uint64_t high;  // beyond this no new exchange begins
    const std::uint64_t low;   // below this they begin again
    std::atomic<std::int64_t> leased{0};  // pools report what they lease in steps of kReportStep
};

class BufferPool {
 public:
    // Tiny is for the heads of requests: one is held for as long as its stream lives.
    enum Size : std::uint8_t { tiny, small, medium, large };
    static constexpr std::array<std::uint32_t, 4> kBytes = {2 * 1024, 4 * 1024, 16 * 1024, 128 * 1024};

    explicit BufferPool(BufferBudget& budget) : budget_(budget) {}
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    Buffer lease(Size size);
    // The smallest size that holds `bytes` (or the largest there is).
    Buffer lease_for(std::uint64_t bytes);
    // Too much is leased: refuse new work. Stays so until the low watermark is reached.
    bool under_pressure();
    std::uint64_t leased() const { return leased_; }
    // Of the budget, by all pools; about.
    double share_used() const { return static_cast<double>(budget_.leased.load(std::memory_order_relaxed)) / static_cast<double>(budget_.high); }
    // Gives the warm blocks back to the system; called when the worker has been idle.
    void trim();

 private:
    friend class Buffer;
    void give_back(char* block, std::uint32_t capacity);
    void account(std::int64_t change);

    BufferBudget& budget_;
    std::array<std::vector<char*>, kBytes.size()> warm_;
    std::uint64_t leased_ = 0;
    std::int64_t unreported_ = 0;
    bool pressed_ = false;
};

}  // namespace suoke::rt
