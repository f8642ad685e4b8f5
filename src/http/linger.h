// SPDX-License-Identifier: MIT
#pragma once

#include "rt/buffer.h"
#include "rt/stream.h"

namespace suoke::http {

// RFC 9112 §9.6: a client that is still sending would lose our last words to a reset. Ends our side
// of the stream and reads on a while, for nothing.
rt::Task<void> linger(rt::Stream& stream, rt::BufferPool& buffers);

}  // namespace suoke::http
