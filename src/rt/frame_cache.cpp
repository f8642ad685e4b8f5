// SPDX-License-Identifier: MIT
#include "rt/frame_cache.h"

#include <array>
#include <cstdlib>
#include <new>

namespace suoke::rt {
namespace {

#ifdef SUOKE_SANITIZED
constexpr bool kCache = false;
#else
constexpr bool kCache = true;
#endif

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 4096;
constexpr int kKeep = 256;  // frames of one size; more go back to malloc

struct FreeFrame {
    FreeFrame* next;
};

struct Shelf {
    FreeFrame* top = nullptr;
    int count = 0;
};

// No constructor and no destructor, so that reaching it costs no look whether it is there yet.
constinit thread_local std::array<Shelf, kLargest / kStep + 1> shelves{};

// Empties the thread's shelves when it ends.
struct Sweeper {
    ~Sweeper() {
        for (Shelf& shelf : shelves)
            while (FreeFrame* frame = shelf.top) {
                shelf.top = frame->next;
                std::free(frame);
            }
    }
};

std::size_t shelf_of(std::size_t size) { return (size + kStep - 1) / kStep; }

void* allocate(std::size_t size) {
    [[maybe_unused]] static thread_local Sweeper sweeper;
    void* memory = std::malloc(size);
    if (!memory) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* frame_allocate(std::size_t size) {
    if (!kCache || size > kLargest) return allocate(size);
    std::size_t index = shelf_of(size);
    Shelf& shelf = shelves[index];
    if (!shelf.top) return allocate(index * kStep);
    FreeFrame* frame = shelf.top;
    shelf.top = frame->next;
    --shelf.count;
    return frame;
}

void frame_free(void* memory, std::size_t size) {
    if (!memory) return;
    if (kCache && size <= kLargest) {
        Shelf& shelf = shelves[shelf_of(size)];
        if (shelf.count < kKeep) {
            auto* frame = static_cast<FreeFrame*>(memory);
            frame->next = shelf.top;
            shelf.top = frame;
            ++shelf.count;
            return;
        }
    }
    std::free(memory);
}

}  // namespace suoke::rt
