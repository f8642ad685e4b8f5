// SPDX-License-Identifier: MIT
#pragma once
// Coroutine frames come and go several times a request; each thread keeps the last few of every
// size at hand. Plain malloc under sanitizers,
// so that they see every use after free.

#include <cstddef>

namespace suoke::rt {

void* frame_allocate(std::size_t size);
void frame_free(void* frame, std::size_t size);  // null is allowed

// For objects that live about as long as an exchange: struct Foo : FrameAllocated { ... };
struct FrameAllocated {
    static void* operator new(std::size_t size) { return frame_allocate(size); }
    static void operator delete(void* object, std::size_t size) { frame_free(object, size); }
};

}  // namespace suoke::rt
