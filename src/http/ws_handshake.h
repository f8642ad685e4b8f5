// SPDX-License-Identifier: MIT
#pragma once
// The opening handshake of a WebSocket (RFC 6455 §4, RFC 8441) and permessage-deflate (RFC 7692 §7).

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace suoke::http::ws {

inline constexpr std::string_view kKey = "Sec-WebSocket-Key", kAccept = "Sec-WebSocket-Accept";

// 16 bytes in base64, §4.1; what they are is nobody's business.
bool is_key(std::string_view value);
// The Sec-WebSocket-Accept that answers a key, §4.2.2.
std::string accept_of(std::string_view key);

// Whether a request for "websocket" is one: Code::websocket_version (426), or malformed_request. One
// that came by extended CONNECT has no key (RFC 8441 §5).
Result<void> check_request(const RequestHead& head);

// permessage-deflate as an upstream's 101 settled it.
struct Deflate {
    bool on = false;
    bool client_no_context_takeover = false;
    bool server_no_context_takeover = false;
    std::uint8_t client_max_window_bits = 15;
    std::uint8_t server_max_window_bits = 15;
};
// From the Sec-WebSocket-Extensions of a 101. upstream_invalid when it names anything else, or names
// it twice, or has parameters that a response may not have.
Result<Deflate> read_deflate(const Headers& response);

// The offers of permessage-deflate out of a request's Sec-WebSocket-Extensions, as one field value;
// empty when there are none. An inspected tunnel can have no other extension.
std::string deflate_offers(const Headers& request);

}  // namespace suoke::http::ws
