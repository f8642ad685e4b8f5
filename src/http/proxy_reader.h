// SPDX-License-Identifier: MIT
#pragma once
// Takes the PROXY header off the front of a connection, and not a byte more: TLS or HTTP can begin
// right behind it on the same stream.

#include <optional>

#include "rt/socket.h"
#include "rt/stream.h"
#include "rt/task.h"

namespace suoke::http {

enum class ProxyUse : std::uint8_t { off, optional, required };

// Who the connection is really from; nothing: the peer itself (no header, or one without addresses).
// Code::malformed_request: a broken header, or none where one is required; request_timeout: it did
// not arrive by the deadline; client_gone: the peer left. Then the connection is to be closed without
// an answer. With `optional`, whoever sends nothing by the deadline is taken for one without a header.
rt::Task<Result<std::optional<rt::Address>>> read_proxy_header(rt::Stream& stream, ProxyUse use, TimePoint deadline);

}  // namespace suoke::http
