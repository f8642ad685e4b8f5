// SPDX-License-Identifier: MIT
#include "http/linger.h"

namespace suoke::http {

constexpr Duration kLingerFor = std::chrono::seconds(5);
constexpr std::uint64_t kLingerBytes = 16ull << 20;

rt::Task<void> linger(rt::Stream& stream, rt::BufferPool& buffers) {
    stream.shutdown_write();
    TimePoint deadline = stream.loop().now() + kLingerFor;
    rt::Buffer sink = buffers.lease(rt::BufferPool::medium);
    for (std::uint64_t dropped = 0; dropped < kLingerBytes;) {
        rt::Io got = stream.read(sink.room());
        if (got.failed()) co_return;
        dropped += got.bytes;
        if (!got.blocked()) continue;
        rt::Wake woken = co_await stream.readable(deadline);
        if (woken == rt::Wake::timeout) co_return;
    }
}

}  // namespace suoke::http
