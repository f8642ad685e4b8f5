// SPDX-License-Identifier: MIT
// How a scene reads messages: a second, simple reader of HTTP/1.1, so that the gateway's own is not
// its own judge.
#include <charconv>

#include "base/text.h"
#include "testing/message.h"

namespace suoke::scene {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string take_line(std::string_view& text) {
    std::size_t end = text.find("\r\n");
    std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return line;
}

Fields read_fields(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        std::string line = take_line(text);
        std::size_t colon = line.find(':');
        if (line.empty() || colon == std::string::npos) break;
        fields.emplace_back(to_lower(line.substr(0, colon)),
                            std::string(trim(std::string_view(line).substr(colon + 1))));
    }
    return fields;
}

// The length of the chunked body at the front, which goes into `message`; 0: not all of it is here.
std::size_t read_chunked(std::string_view text, Message& message) {
    std::string_view rest = text;
    for (;;) {
        std::size_t line_end = rest.find("\r\n");
        if (line_end == std::string_view::npos) return 0;
        std::size_t size = 0;
        auto parsed = std::from_chars(rest.data(), rest.data() + line_end, size, 16);
        if (parsed.ec != std::errc()) return 0;
        rest.remove_prefix(line_end + 2);
        if (size == 0) break;
        if (rest.size() < size + 2 || rest.substr(size, 2) != "\r\n") return 0;
        message.body += rest.substr(0, size);
        rest.remove_prefix(size + 2);
    }
    std::size_t end = rest.starts_with("\r\n") ? 0 : rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    message.trailers = read_fields(rest.substr(0, end));
    rest.remove_prefix(end == 0 ? 2 : end + 4);
    return text.size() - rest.size();
}

bool bodiless_by_status(std::string_view start_line) {
    if (!start_line.starts_with("HTTP/")) return false;
    std::string_view status = start_line.substr(start_line.find(' ') + 1, 3);
    return status.front() == '1' || status == "204" || status == "304";
}

}  // namespace

std::optional<std::string> Message::field(std::string_view name) const {
    for (const auto& [n, v] : fields)
        if (iequals(n, name)) return v;
    return std::nullopt;
}

std::size_t Message::count(std::string_view name) const {
    std::size_t n = 0;
    for (const auto& [field, value] : fields) n += iequals(field, name);
    return n;
}

std::optional<Message> take_message(std::string& inbox, const Reading& how) {
    std::size_t head_end = inbox.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    Message message;
    std::string_view head = std::string_view(inbox).substr(0, head_end + 2);
    message.start_line = take_line(head);
    message.fields = read_fields(head);
    std::string_view rest = std::string_view(inbox).substr(head_end + 4);
    std::size_t used = 0;
    auto coding = message.field("transfer-encoding");
    auto length = message.field("content-length");
    message.chunked = coding == "chunked";
    if (how.head_only || how.bodiless || bodiless_by_status(message.start_line)) {
        used = 0;
    } else if (message.chunked) {
        used = read_chunked(rest, message);
        if (used == 0) return std::nullopt;
    } else if (length) {
        used = *parse_u64(*length);
        if (rest.size() < used) return std::nullopt;
        message.body = rest.substr(0, used);
    } else if (message.start_line.starts_with("HTTP/")) {
        if (!how.ended) return std::nullopt;
        used = rest.size();
        message.body = rest;
    }
    inbox.erase(0, head_end + 4 + used);
    return message;
}

}  // namespace suoke::scene
