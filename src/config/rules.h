// SPDX-License-Identifier: MIT
#pragma once
// What a single value must be. Each returns the sentence to show instead ("must begin with '/'"),
// or nothing when the text is fine.

#include <string_view>

namespace suoke::config {

// The framing and connection fields that no configuration may touch (RFC 9110 §7.6.1).
bool is_framing_header(std::string_view name);

namespace rules {

std::string_view method(std::string_view text);
std::string_view header_value(std::string_view text);
std::string_view edited_header(std::string_view text);
std::string_view token(std::string_view text);
std::string_view path_or_nothing(std::string_view text);
std::string_view path(std::string_view text);
std::string_view host_name(std::string_view text);
std::string_view endpoint_host(std::string_view text);
std::string_view listen_address(std::string_view text);
std::string_view site_name(std::string_view text);
std::string_view host_header(std::string_view text);
std::string_view network(std::string_view text);
std::string_view rewrite(std::string_view text);
std::string_view file_mode(std::string_view text);
std::string_view grpc_name(std::string_view text);
std::string_view redis_url(std::string_view text);
std::string_view endpoint_host_or_nothing(std::string_view text);
std::string_view token_to_show(std::string_view text);
std::string_view status_range(std::string_view text);
std::string_view origin(std::string_view text);
std::string_view allowed_host(std::string_view text);

}  // namespace rules
}  // namespace suoke::config
