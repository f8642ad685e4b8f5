// SPDX-License-Identifier: MIT
#pragma once

#include "http/handler.h"

namespace suoke::gateway {

// For attempts whose answer nobody is sent as it comes: 1xx have nowhere to go.
class NoInterims final : public http::Responder {
    rt::Task<http::Sent> send(http::Response) override { co_return http::Sent{}; }
    rt::Task<void> interim(int, const http::Headers&) override { co_return; }
};

}  // namespace suoke::gateway
