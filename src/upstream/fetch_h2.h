// SPDX-License-Identifier: MIT
#pragma once
// A fetch over a connection that speaks HTTP/2.

#include "upstream/fetch.h"

namespace suoke::upstream {

rt::Task<Result<FetchResponse>> fetch_h2(rt::StreamPtr stream, rt::BufferPool& buffers, FetchRequest request,
                                         TimePoint deadline);

// Shared by both protocols.
constexpr http::h1::Limits kFetchHead{16 * 1024, 64 * 1024, 200};
constexpr int kMostInterims = 8;
FetchFields owned(const http::Headers& fields);
// False: the body is as long as it may be, and the rest shall be left.
Result<bool> keep(std::string& body, std::string_view more, const FetchRequest& request);
Error late(const Error& error, const FetchRequest& request);

}  // namespace suoke::upstream
