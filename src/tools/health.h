// SPDX-License-Identifier: MIT
#pragma once
// `suoke-gateway health`: asks a running gateway how it is; for people and container probes.

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace suoke::tools {

struct HttpUrl {
    std::string host;       // without brackets
    std::string authority;  // for the Host field
    std::uint16_t port = 80;
    std::string path;  // "/health" when the URL names none
};
Result<HttpUrl> parse_http_url(std::string_view url);

struct HealthAnswer {
    int status = 0;
    std::string body;
};
// One GET, within `timeout` from connecting to the last byte.
Result<HealthAnswer> fetch_health(const HttpUrl& url, Duration timeout);

// Prints the status and the body. 0 when the answer is 2xx, 1 otherwise.
int ask_health(const std::string& url, Duration timeout);

}  // namespace suoke::tools
