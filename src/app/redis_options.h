// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "config/config.h"
#include "store/redis_options.h"

namespace suoke::app {

// How Redis is reached by this configuration. Code::invalid_config says what is wrong with it.
Result<store::RedisOptions> redis_options(const config::Redis& from);

}  // namespace suoke::app
