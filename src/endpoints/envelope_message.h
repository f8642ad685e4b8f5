// SPDX-License-Identifier: MIT
#pragma once
// What is written in an envelope and in its answer, as JSON; no I/O.

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "endpoints/registration.h"
#include "http/handler.h"

namespace suoke::endpoints {

// {"method","path","headers","body"}, checked so far that it can be written as the head of a request
// without becoming two. Fields of the framing, the connection and the client's place are left out.
struct EnvelopeMessage {
    std::string method, path;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
};
std::variant<EnvelopeMessage, Faults> read_envelope(std::string_view json);

// The head as the client would have sent it; `more`: lines of further fields, each with its line break.
std::string head_of(const EnvelopeMessage& message, std::string_view host, std::string_view more);

// Of a line break or another control character.
bool has_break(std::string_view text);

// {"status_code","headers","body"}; a body that is no text comes in base64, and "encoding" says so.
std::string envelope_answer(const http::Response& response, const std::string& body);

}  // namespace suoke::endpoints
