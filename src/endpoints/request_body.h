// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "endpoints/registration.h"
#include "gateway/exchange.h"

namespace suoke::endpoints {

// A whole body (null: none); `too_large` beyond `most` bytes.
rt::Task<Result<std::string>> read_all(http::BodySource* body, std::size_t most, Error too_large);
// The whole body of a request to the gateway itself. Code::body_too_large beyond `most` bytes.
rt::Task<Result<std::string>> read_body(gateway::Exchange& ex, std::size_t most);
// What is wrong with one, as the answer to the exchange.
Error unprocessable(gateway::Exchange& ex, const Faults& faults);

}  // namespace suoke::endpoints
