// SPDX-License-Identifier: MIT
#pragma once

#include "gateway/exchange.h"
#include "rt/task.h"

namespace suoke::gateway {

// The life of a request; read serve.cpp first.
rt::Task<void> serve(Exchange& ex);

}  // namespace suoke::gateway
