// SPDX-License-Identifier: MIT
#include "http/sse.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace suoke::http::sse {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";
constexpr std::uint64_t kMaxRetry = 1'000'000'000'000;  // larger numbers are all alike

// Up to the first CR or LF. Two passes over a line of libc's vectors beat one byte by byte.
std::size_t line_length(std::string_view bytes) {
    const void* lf = std::memchr(bytes.data(), '\n', bytes.size());
    std::size_t length = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - bytes.data()) : bytes.size();
    const void* cr = std::memchr(bytes.data(), '\r', length);
    return cr ? static_cast<std::size_t>(static_cast<const char*>(cr) - bytes.data()) : length;
}

}  // namespace

Step Framer::feed(std::string_view piece) {
    Step step;
    std::size_t at = bom_ < 3 ? skip_byte_order_mark(piece) : 0;
    while (at < piece.size()) {
        if (std::exchange(skip_lf_, false) && piece[at] == '\n') {
            ++at;
            if (between_events()) step.border = at;  // the LF belongs to the border before it
            continue;
        }
        std::string_view line = piece.substr(at);
        line = line.substr(0, line_length(line));
        if (!line.empty()) take(line);
        at += line.size();
        if (at == piece.size()) break;
        skip_lf_ = piece[at] == '\r';
        ++at;
        std::uint32_t before = step.blocks;
        line_ends(step);
        if (step.blocks != before || fresh_block_) step.border = at;
    }
    return step;
}

// Returns how many bytes of the piece belong to it. A mark that breaks off was the beginning of a
// line after all.
std::size_t Framer::skip_byte_order_mark(std::string_view piece) {
    std::size_t at = 0;
    while (bom_ < 3 && at < piece.size()) {
        if (piece[at] == kMark[static_cast<std::size_t>(bom_)]) {
            ++bom_;
            ++at;
            continue;
        }
        std::string_view matched = kMark.substr(0, static_cast<std::size_t>(bom_));
        bom_ = kNoMark;
        if (!matched.empty()) take(matched);
        break;
    }
    return at;
}

void Framer::take(std::string_view bytes) {
    if (line_ == Line::start) {
        line_ = Line::name;
        name_size_ = 0;
    }
    if (line_ == Line::name) {
        take_name(bytes);
    } else if (line_ != Line::rest) {
        take_value(bytes);
    }
}

void Framer::take_name(std::string_view bytes) {
    std::size_t colon = bytes.find(':');
    std::string_view part = bytes.substr(0, colon);
    if (name_size_ + part.size() > name_.size()) {  // none that we know
        line_ = Line::rest;
        return;
    }
    std::copy(part.begin(), part.end(), name_.begin() + name_size_);
    name_size_ = static_cast<std::uint8_t>(name_size_ + part.size());
    if (colon == bytes.npos) return;
    name_ends(true);
    if (line_ != Line::rest) take_value(bytes.substr(colon + 1));
}

void Framer::name_ends(bool with_colon) {
    std::string_view field = name();
    line_ = Line::rest;
    if (field == "data") block_has_data_ = true;
    if (field == "id") {
        line_ = Line::id;
        written_ = {};
        id_void_ = false;
        block_has_id_ = true;
    }
    if (field == "retry" && with_colon) {
        line_ = Line::retry;
        digits_ = 0;
        retry_void_ = any_digit_ = false;
    }
    first_of_value_ = with_colon;
}

void Framer::take_value(std::string_view bytes) {
    if (bytes.empty()) return;
    if (std::exchange(first_of_value_, false) && bytes.front() == ' ') bytes.remove_prefix(1);
    if (line_ == Line::id) {
        id_void_ |= bytes.find('\0') != bytes.npos;
        written_.known &= written_.text.size() + bytes.size() <= kMaxId;
        if (written_.known) written_.text += bytes;
        return;
    }
    for (char c : bytes) {
        bool digit = c >= '0' && c <= '9';
        retry_void_ |= !digit;
        any_digit_ |= digit;
        if (digit) digits_ = std::min(kMaxRetry, digits_ * 10 + static_cast<std::uint64_t>(c - '0'));
    }
}

void Framer::line_ends(Step& step) {
    if (line_ == Line::start) return block_ends(step);
    if (line_ == Line::name) name_ends(false);
    if (line_ == Line::id && !id_void_) block_id_ = std::move(written_);
    if (line_ == Line::retry && any_digit_ && !retry_void_) retry_ = digits_;
    line_ = Line::start;
    fresh_block_ = false;
}

// "Dispatch the event": an id counts even when there is no data (§9.2.6).
void Framer::block_ends(Step& step) {
    if (!fresh_block_) ++step.blocks;
    if (block_has_data_) {
        ++step.events;
        ++events_;
    }
    if (block_id_) id_ = std::move(*block_id_);
    block_id_.reset();
    block_has_data_ = block_has_id_ = false;
    fresh_block_ = true;
}

std::optional<std::string_view> Framer::last_id() const {
    if (!id_.known) return std::nullopt;
    return id_.text;
}

void Framer::begin_with_id(std::string_view id) {
    id_.known = id.size() <= kMaxId && id.find_first_of(std::string_view("\0\r\n", 3)) == id.npos;
    if (id_.known) id_.text = id;
}

std::string farewell(const Framer& framer, std::string_view json) {
    std::string text;
    if (!framer.between_events()) {
        auto id = framer.last_id();
        if (framer.block_has_id() && !id) return text;
        if (framer.inside_retry()) text += 'x';
        if (framer.inside_line()) text += '\n';
        if (framer.block_has_id()) text.append("id: ").append(*id).append("\n");
    }
    text.append("event: error\ndata: ").append(json).append("\n\n");
    return text;
}

}  // namespace suoke::http::sse
