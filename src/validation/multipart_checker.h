// SPDX-License-Identifier: MIT
#pragma once
// Whether bytes are a form (multipart/form-data, RFC 7578 and RFC 2046 §5.1) within limits, told while they pass: only the
// heads of parts are looked into, everything else is counted. Strict, so that whoever reads the form behind us reads the
// same parts: nothing before the first boundary, nothing after the last, no folded lines, no boundaries behind bare line breaks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "validation/fault.h"

namespace suoke::validation {

struct MultipartLimits {
    std::uint32_t parts = 100;
    std::uint64_t part_size = 1 << 20;    // of a field; 0: any, as of files
    std::uint64_t file_size = 10 << 20;   // of a part with a filename
    std::vector<std::string> types;       // that files may have; none: any
};

// The boundary that a Content-Type names; nothing when it names none that is good.
std::optional<std::string> boundary_of(std::string_view content_type);

class MultipartChecker {
 public:
    // `limits` live as long as this.
    MultipartChecker(const MultipartLimits& limits, std::string_view boundary)
        : limits_(limits), delimiter_("\n--" + std::string(boundary)), state_(State::first_boundary), matched_(1) {}

    // False, from then on: something is wrong.
    bool feed(std::string_view bytes);
    // The body ends here. False: too early.
    bool finish();
    // Of a form that was refused.
    const Fault& fault() const { return fault_; }
    Code code() const { return code_; }   // invalid_request, body_too_large or unsupported_media

 private:
    enum class State : std::uint8_t { first_boundary, after_boundary, head, content, second_dash, after_last, last_line_break, done };
    static constexpr std::size_t kLongestHead = 8 * 1024;

    bool step(char c);
    bool in_first_boundary(char c);
    bool after_boundary(char c);
    bool in_head(char c);
    bool in_content(char c);
    bool take_content(std::string_view bytes);
    bool begin_part();
    bool read_head();
    bool read_field(std::string_view line);
    bool read_disposition(std::string_view value);
    bool grow(std::uint64_t bytes);
    bool refuse_type();
    bool refuse(const char* type, std::string message, Code code = Code::invalid_request);

    const MultipartLimits& limits_;
    const std::string delimiter_;
    State state_;
    std::size_t matched_;           // of the delimiter
    bool after_cr_ = false;         // what is matched, or comes next, stands behind a CR
    bool begins_ = false;           // nothing of the part's content has been seen yet
    bool line_break_ = false;       // after a boundary: its CR was seen
    std::uint32_t parts_ = 0;
    // of the part that is being read
    std::string head_, name_;
    bool has_disposition_ = false, has_type_ = false, is_file_ = false, has_filename_ = false;
    bool must_be_empty_ = false;    // what browsers send where no file was chosen has no name, and any type
    std::string type_;
    std::uint64_t size_ = 0;
    bool failed_ = false;
    Fault fault_;
    Code code_ = Code::invalid_request;
};

}  // namespace suoke::validation
