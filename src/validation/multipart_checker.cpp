// SPDX-License-Identifier: MIT
#include "validation/multipart_checker.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"
#include "validation/media_type.h"

namespace suoke::validation {
namespace {

// RFC 2046 §5.1.1.
bool is_boundary(std::string_view text) {
    constexpr std::string_view kMarks = "'()+_,-./:=? ";
    auto allowed = [&](char c) {
        char l = lower(c);
        return is_digit(c) || (l >= 'a' && l <= 'z') || kMarks.find(c) != kMarks.npos;
    };
    return !text.empty() && text.size() <= 70 && text.back() != ' ' && std::all_of(text.begin(), text.end(), allowed);
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return http::grammar::is(http::grammar::control, c); });
}

}  // namespace

std::optional<std::string> boundary_of(std::string_view content_type) {
    auto parameters = parameters_of(content_type);
    if (!parameters) return std::nullopt;
    std::optional<std::string> boundary;
    for (const Parameter& each : *parameters) {
        if (is_extended(each)) return std::nullopt;   // some readers take "boundary*0" for the boundary
        if (iequals(each.name, "boundary") && is_boundary(each.value)) boundary = each.value;
    }
    return boundary;
}

bool MultipartChecker::refuse(const char* type, std::string message, Code code) {
    failed_ = true;
    code_ = code;
    fault_ = {type, "body", {}, std::move(message)};
    if (!name_.empty()) fault_.place.push_back({name_});
    return false;
}

bool MultipartChecker::feed(std::string_view bytes) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while (p != end && !failed_) {
        if (state_ == State::content && matched_ == 0) {   // most bytes: nothing begins before a line break
            const char* stop = http::grammar::find_byte(p, end, '\n');
            if (!take_content({p, static_cast<std::size_t>(stop - p)})) break;
            p = stop;
            if (p == end) break;
        }
        if (!step(*p)) break;
        ++p;
    }
    return !failed_;
}

bool MultipartChecker::finish() {
    if (failed_) return false;
    bool whole = state_ == State::after_last || state_ == State::done;
    return whole || refuse("multipart_invalid", "The form ends too early");
}

bool MultipartChecker::step(char c) {
    switch (state_) {
        case State::first_boundary: return in_first_boundary(c);
        case State::after_boundary: return after_boundary(c);
        case State::head: return in_head(c);
        case State::content: return in_content(c);
        case State::second_dash:
            if (c != '-') break;
            state_ = State::after_last;
            return true;
        case State::after_last:
            if (c != '\r') break;
            state_ = State::last_line_break;
            return true;
        case State::last_line_break:
            if (c != '\n') break;
            state_ = State::done;
            return true;
        case State::done: break;
    }
    name_.clear();
    return refuse("multipart_invalid", "Something stands behind the last boundary, or it is not written out");
}

bool MultipartChecker::in_first_boundary(char c) {
    if (c != delimiter_[matched_]) return refuse("multipart_invalid", "The form should begin with its boundary");
    if (++matched_ == delimiter_.size()) state_ = State::after_boundary;
    return true;
}

// A line break, or "--" for the last one.
bool MultipartChecker::after_boundary(char c) {
    if (line_break_) {
        line_break_ = false;
        return c == '\n' ? begin_part() : refuse("multipart_invalid", "A boundary should end with a line break");
    }
    line_break_ = c == '\r';
    if (c == '-') state_ = State::second_dash;
    return line_break_ || c == '-' || refuse("multipart_invalid", "A boundary goes on where it should end");
}

bool MultipartChecker::begin_part() {
    name_.clear();
    if (++parts_ > limits_.parts) return refuse("too_many_parts", "The form has more than " + std::to_string(limits_.parts) + " parts");
    head_.clear();
    type_.clear();
    has_disposition_ = has_type_ = is_file_ = has_filename_ = false;
    size_ = 0;
    state_ = State::head;
    return true;
}

// ---- the head of a part

bool MultipartChecker::in_head(char c) {
    if (head_.size() >= kLongestHead) return refuse("multipart_invalid", "The head of a part is too long");
    head_ += c;
    bool line_ends = c == '\n' && head_.size() >= 2 && head_[head_.size() - 2] == '\r';
    if (c == '\n' && !line_ends) return refuse("multipart_invalid", "A line in the head of a part ends without its carriage return");
    bool whole = line_ends && (head_.size() == 2 || head_.ends_with("\r\n\r\n"));
    return !whole || read_head();
}

bool MultipartChecker::read_head() {
    std::string_view rest = head_;
    rest.remove_suffix(2);
    while (!rest.empty()) {
        std::size_t end = rest.find("\r\n");
        if (!read_field(rest.substr(0, end))) return false;
        rest.remove_prefix(end + 2);
    }
    if (!has_disposition_) return refuse("multipart_invalid", "A part should have Content-Disposition: form-data");
    bool listed = std::any_of(limits_.types.begin(), limits_.types.end(), [&](const std::string& range) { return is_in_range(type_, range); });
    bool wrong_type = is_file_ && !limits_.types.empty() && !listed;
    if (wrong_type && has_filename_) return refuse_type();
    must_be_empty_ = wrong_type;
    matched_ = 1;   // the line break before it
    begins_ = true;
    after_cr_ = false;
    state_ = State::content;
    return true;
}

bool MultipartChecker::refuse_type() { return refuse("file_type", "Files of this type are not taken here", Code::unsupported_media); }

bool MultipartChecker::read_field(std::string_view line) {
    std::size_t colon = line.find(':');
    if (colon == line.npos || !http::grammar::is_token(line.substr(0, colon)) || has_control(line))
        return refuse("multipart_invalid", "The head of a part has a line that is no field");
    std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1), " \t");
    if (iequals(name, "content-disposition")) return read_disposition(value);
    if (iequals(name, "content-type")) {
        if (std::exchange(has_type_, true)) return refuse("multipart_invalid", "A part has two Content-Types");
        type_ = media_type_of(value);
        return !type_.empty() || refuse("multipart_invalid", "The Content-Type of a part is none");
    }
    // Deprecated by RFC 7578 §4.7, and whoever heeds it reads other bytes than we count.
    bool changes = iequals(name, "content-transfer-encoding") && !iequals(value, "binary") && !iequals(value, "8bit") && !iequals(value, "7bit");
    return !changes || refuse("multipart_invalid", "A part should not be transfer-encoded");
}

bool MultipartChecker::read_disposition(std::string_view value) {
    if (std::exchange(has_disposition_, true)) return refuse("multipart_invalid", "A part has two Content-Dispositions");
    auto parameters = parameters_of(value);
    bool is_form = iequals(trim(value.substr(0, value.find(';')), " \t"), "form-data");
    if (!parameters || !is_form) return refuse("multipart_invalid", "A part should have Content-Disposition: form-data, well formed");
    bool named = false;
    for (const Parameter& each : *parameters) {
        if (iequals(each.name, "name")) name_ = each.value, named = true;
        if (iequals(each.name, "filename")) is_file_ = true, has_filename_ = !each.value.empty();
        // RFC 7578 §4.2: not to be used; some readers prefer it to filename, and put filename*0, filename*1 ... together (RFC 2231).
        if (is_extended(each)) return refuse("multipart_invalid", "A part should not have extended parameters (filename*)");
    }
    return named || refuse("multipart_invalid", "A part should have a name");
}

// ---- its content

// As far as the delimiter is matched, its bytes and the CR before it may yet be content. Where it stands behind a bare LF, or as
// the first thing in a part, some readers see it and some do not.
bool MultipartChecker::in_content(char c) {
    if (c == delimiter_[matched_]) {
        if (++matched_ < delimiter_.size()) return true;
        state_ = State::after_boundary;
        return after_cr_ || refuse("multipart_invalid", "A boundary should stand behind a whole line break of its own");
    }
    std::size_t content = matched_ - (std::exchange(begins_, false) ? 1 : 0);
    matched_ = c == '\n' ? 1 : 0;
    return grow(content + std::exchange(after_cr_, false)) && (c == '\n' || take_content({&c, 1}));
}

// Without line breaks. A CR at the end may belong to the next one.
bool MultipartChecker::take_content(std::string_view bytes) {
    if (bytes.empty()) return true;
    std::size_t before = std::exchange(after_cr_, bytes.ends_with('\r'));
    return grow(before + bytes.size() - after_cr_);
}

bool MultipartChecker::grow(std::uint64_t bytes) {
    size_ += bytes;
    if (must_be_empty_ && size_ > 0) return refuse_type();
    std::uint64_t most = is_file_ ? limits_.file_size : limits_.part_size;
    if (most == 0 || size_ <= most) return true;
    return refuse("too_large", (is_file_ ? "Files may have at most " : "Fields may have at most ") + format_bytes(most), Code::body_too_large);
}

}  // namespace suoke::validation
