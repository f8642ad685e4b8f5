// SPDX-License-Identifier: MIT
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/error.h"

namespace suoke::http::h2 {

// nghttp2's callbacks as static functions of `Library`, for the lifetime of the process.
template <class Library>
const nghttp2_session_callbacks* callbacks_of() {
    static nghttp2_session_callbacks* const kAll = [] {
        nghttp2_session_callbacks* all = nullptr;
        CHECK(nghttp2_session_callbacks_new(&all) == 0);
        nghttp2_session_callbacks_set_on_begin_headers_callback(all, Library::begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(all, Library::header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(all, Library::frame_received);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(all, Library::invalid_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, Library::data_received);
        nghttp2_session_callbacks_set_on_frame_send_callback(all, Library::frame_sent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(all, Library::frame_not_sent);
        nghttp2_session_callbacks_set_send_data_callback(all, Library::send_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(all, Library::stream_closed);
        return all;
    }();
    return kAll;
}

}  // namespace suoke::http::h2
