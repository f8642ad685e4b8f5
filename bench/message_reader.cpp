// SPDX-License-Identifier: MIT
#include "bench/message_reader.h"

#include <algorithm>
#include <charconv>

namespace suoke::bench {
namespace {

constexpr std::size_t max_head = 64 * 1024;
constexpr std::size_t max_line = 4096;

bool same_word(std::string_view a, std::string_view lower) {
    return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
    });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool parse_number(std::string_view text, int base, std::uint64_t& number) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} && end == text.data() + text.size();
}

// The next line of a head, without its line end; `rest` shrinks.
std::string_view next_line(std::string_view& rest) {
    std::size_t end = rest.find("\r\n");
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

}  // namespace

MessageReader::Progress MessageReader::read(std::string_view& bytes) {
    for (;;) {
        switch (part_) {
            case Part::head:
                if (!take_head(bytes)) return Progress::more;
                break;
            case Part::sized:
                if (!take_body(bytes)) return Progress::more;
                part_ = Part::end;
                break;
            case Part::chunk_size:
                if (!take_line(bytes)) return Progress::more;
                part_ = part_after_chunk_size();
                break;
            case Part::chunk:
                if (!take_body(bytes)) return Progress::more;
                line_.clear();
                part_ = Part::chunk_end;
                break;
            case Part::chunk_end:
                if (!take_line(bytes)) return Progress::more;
                part_ = line_.empty() ? Part::chunk_size : Part::broken;
                line_.clear();
                break;
            case Part::trailer:
                if (!take_line(bytes)) return Progress::more;
                part_ = line_.empty() ? Part::end : Part::trailer;
                line_.clear();
                break;
            case Part::end:
                return Progress::done;
            case Part::unframed:
            case Part::broken:
                return Progress::broken;
        }
    }
}

void MessageReader::next() {
    part_ = Part::head;
    body_bytes_ = 0;
    left_ = 0;
}

int MessageReader::status() const {
    std::uint64_t status = 0;
    if (kind_ != Kind::response || start_line_.size() < 12) return 0;
    return parse_number(start_line_.substr(9, 3), 10, status) ? static_cast<int>(status) : 0;
}

bool MessageReader::take_head(std::string_view& bytes) {
    if (head_.empty()) {  // nearly always the whole head is here and is read where it lies
        std::size_t end = bytes.find("\r\n\r\n");
        if (end != std::string_view::npos) {
            part_ = part_after(bytes.substr(0, end));
            bytes.remove_prefix(end + 4);
            return true;
        }
    }
    std::size_t before = head_.size();
    head_ += bytes;
    std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        bytes = {};
        if (head_.size() > max_head) part_ = Part::broken;
        return part_ == Part::broken;
    }
    bytes.remove_prefix(end + 4 - before);
    part_ = part_after(std::string_view(head_).substr(0, end));
    head_.clear();
    return true;
}

bool MessageReader::take_line(std::string_view& bytes) {
    std::size_t end = bytes.find('\n');
    if (line_.size() < max_line) line_ += bytes.substr(0, end);  // too long a size is no number
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end == std::string_view::npos) return false;
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    return true;
}

bool MessageReader::take_body(std::string_view& bytes) {
    std::uint64_t taken = std::min<std::uint64_t>(left_, bytes.size());
    bytes.remove_prefix(taken);
    left_ -= taken;
    body_bytes_ += taken;
    return left_ == 0;
}

MessageReader::Part MessageReader::part_after(std::string_view head) {
    start_line_ = next_line(head);
    keeps_alive_ = start_line_.find("HTTP/1.0") == std::string::npos;
    Part part = part_after_start_line();
    if (part == Part::head) return part;
    while (!head.empty() && part != Part::broken) part = part_after_field(next_line(head), part);
    if (part == Part::unframed) return Part::broken;
    return part == Part::sized && left_ == 0 ? Part::end : part;
}

// A request without a length has no body. A response without one would end with the connection,
// which no server here has a reason to do.
MessageReader::Part MessageReader::part_after_start_line() const {
    if (kind_ == Kind::request) return Part::end;
    int code = status();
    if (code >= 100 && code < 200) return Part::head;  // the real answer is still to come
    return code == 204 || code == 304 ? Part::end : Part::unframed;
}

MessageReader::Part MessageReader::part_after_field(std::string_view field, Part before) {
    std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return Part::broken;
    std::string_view name = field.substr(0, colon);
    std::string_view value = trimmed(field.substr(colon + 1));
    if (same_word(name, "content-length")) {
        return parse_number(value, 10, left_) ? Part::sized : Part::broken;
    }
    if (same_word(name, "transfer-encoding")) {
        return same_word(value, "chunked") ? Part::chunk_size : Part::broken;
    }
    if (same_word(name, "connection")) keeps_alive_ = !same_word(value, "close");
    return before;
}

MessageReader::Part MessageReader::part_after_chunk_size() {
    std::string_view size = trimmed(std::string_view(line_).substr(0, line_.find(';')));
    bool valid = parse_number(size, 16, left_);
    line_.clear();
    if (!valid) return Part::broken;
    return left_ == 0 ? Part::trailer : Part::chunk;
}

}  // namespace suoke::bench
