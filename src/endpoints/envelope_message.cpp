// SPDX-License-Identifier: MIT
#include "endpoints/envelope_message.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "http/grammar.h"
#include "http/grpc.h"
#include "http/ws.h"

namespace suoke::endpoints {

using nlohmann::json;

bool has_break(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Framing and the connection's own fields are made, not taken. Neither is where the client is: a trusted
// proxy before us vouches for the envelope, not for what somebody wrote into it.
static bool is_ours(std::string_view name) {
    static constexpr std::string_view kOurs[] = {
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip", "forwarded", "host", "content-length",
        "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer", "expect", "proxy-connection"};
    return std::any_of(std::begin(kOurs), std::end(kOurs), [&](std::string_view ours) { return iequals(name, ours); });
}

std::variant<EnvelopeMessage, Faults> read_envelope(std::string_view text) {
    Faults faults;
    auto wrong = [&](const char* field, std::string message) { faults.push_back({"value_error", field, std::move(message), ""}); };
    constexpr int kMostLevels = 8;
    json envelope = nested_deeper(text, kMostLevels) ? json() : json::parse(text, nullptr, false);
    if (!envelope.is_object()) {
        faults.push_back({"json_invalid", "", "The body must be a JSON object {method, path, headers, body}", ""});
        return faults;
    }
    auto member = [&](const char* name, std::string otherwise) {
        auto found = envelope.find(name);
        if (found == envelope.end() || found->is_null()) return otherwise;
        if (!found->is_string()) return wrong(name, "Input should be a valid string"), otherwise;
        return found->get<std::string>();
    };
    EnvelopeMessage message{member("method", "GET"), member("path", "/"), {}, member("body", "")};
    for (char& c : message.method) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (!http::grammar::is_token(message.method) || message.method == "CONNECT" || message.method == "TRACE") wrong("method", "Input should be an HTTP method");
    if (!message.path.starts_with('/')) message.path.insert(0, "/");
    if (has_break(message.path) || message.path.find(' ') != std::string::npos) wrong("path", "Input should be a path with an optional query, percent-encoded");
    auto headers = envelope.find("headers");
    if (headers != envelope.end() && !headers->is_null() && !headers->is_object()) wrong("headers", "Input should be an object of strings");
    if (headers != envelope.end() && headers->is_object())
        for (const auto& [name, value] : headers->items()) {
            bool good = value.is_string() && http::grammar::is_token(name) && !has_break(value.get<std::string>());
            if (!good) wrong("headers", "Names should be tokens and values strings without line breaks");
            else if (!is_ours(name)) message.fields.emplace_back(name, value.get<std::string>());
        }
    if (!faults.empty()) return faults;
    return message;
}

std::string head_of(const EnvelopeMessage& message, std::string_view host, std::string_view more) {
    std::string head = message.method + " " + message.path + " HTTP/1.1\r\nHost: ";
    head.append(host).append("\r\n");
    for (const auto& [name, value] : message.fields) head.append(name).append(": ").append(value).append("\r\n");
    head.append(more);
    if (!message.body.empty()) head += "Content-Length: " + std::to_string(message.body.size()) + "\r\n";
    return head + "\r\n";
}

std::string envelope_answer(const http::Response& response, const std::string& body) {
    std::string out;
    JsonWriter j(out);
    j.open('{').field("status_code", response.status).key("headers").open('{');
    for (const http::Field& field : response.headers) {
        bool first = true;   // of a repeated field the values are one, as RFC 9110 §5.3 has it
        for (const http::Field& before : response.headers) {
            if (&before == &field) break;
            first &= !iequals(before.name, field.name);
        }
        if (!first) continue;
        std::string value;
        for (const http::Field& other : response.headers)
            if (iequals(other.name, field.name)) value.append(value.empty() ? "" : ", ").append(other.value);
        j.field(field.name, value);
    }
    j.close('}');
    http::ws::Utf8 text;
    if (text.feed(body) && text.complete()) {
        j.field("body", body);
    } else {
        std::string encoded;
        http::append_base64(encoded, body);
        j.field("body", encoded).field("encoding", "base64");
    }
    j.close('}');
    return out;
}

}  // namespace suoke::endpoints
