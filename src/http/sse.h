// SPDX-License-Identifier: MIT
#pragma once
// Server-Sent Events (WHATWG HTML §9.2.5, §9.2.6), read as they pass by: no I/O, nothing copied but
// the last event id, so a stream costs the same however long its events are.
//
//   sse::Framer framer;
//   sse::Step step = framer.feed(piece);        // any piece of the stream, in order
//   if (framer.between_events()) ...            // here something of our own may be put in
//
// A block is what stands between two blank lines: an event, or only comments and fields. Lines end
// in LF, CR or CRLF, mixed as one likes; a byte order mark in front is skipped. However the stream
// is cut into pieces, events, ids and the place of the last border are the same.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace suoke::http::sse {

struct Step {
    static constexpr std::size_t kNone = SIZE_MAX;
    std::size_t border = kNone;  // bytes of the piece up to and with its last blank line
    std::uint32_t events = 0;    // that ended in the piece: a client has dispatched them
    std::uint32_t blocks = 0;    // the same and those that hold no data: comments, ids, retry
};

class Framer {
 public:
    static constexpr std::size_t kMaxId = 256;  // a longer id is noticed but not remembered

    Step feed(std::string_view piece);

    // Nothing of an unfinished block has come. True before the first byte and after a blank line.
    bool between_events() const { return fresh_block_ && line_ == Line::start && bom_ != 1 && bom_ != 2; }
    // A line has begun and not ended.
    bool inside_line() const { return line_ != Line::start || bom_ == 1 || bom_ == 2; }
    std::uint64_t events() const { return events_; }

    // The id that stands after the last whole block; nothing when it is too long to remember.
    // Begins empty, or as what the client said it had seen last.
    std::optional<std::string_view> last_id() const;
    void begin_with_id(std::string_view id);
    // The unfinished block has an id line, or what may become one.
    bool block_has_id() const { return block_has_id_ || name() == "id"; }
    // The unfinished line is a retry line: ending it here would cut its number short.
    bool inside_retry() const { return line_ == Line::retry; }
    // The last retry line, in milliseconds.
    std::optional<std::uint64_t> retry() const { return retry_; }

    // Bytes of a byte order mark that have come: 3 of a whole one, 1 or 2 while that is open.
    int byte_order_mark() const { return bom_ > 3 ? 0 : bom_; }

 private:
    enum class Line : std::uint8_t { start, name, id, retry, rest };
    struct Id {
        std::string text;
        bool known = true;
    };
    std::size_t skip_byte_order_mark(std::string_view piece);
    void take(std::string_view bytes);
    void take_name(std::string_view bytes);
    void take_value(std::string_view bytes);
    void name_ends(bool with_colon);
    void line_ends(Step& step);
    void block_ends(Step& step);
    std::string_view name() const {
        return line_ == Line::name ? std::string_view(name_.data(), name_size_) : std::string_view();
    }

    static constexpr int kNoMark = 4;
    int bom_ = 0;  // bytes of it that have matched; kNoMark: there is none
    Line line_ = Line::start;
    bool skip_lf_ = false;     // the last byte was a CR: an LF belongs to it
    bool fresh_block_ = true;  // no line of the block has ended
    bool block_has_data_ = false;
    bool block_has_id_ = false;
    bool first_of_value_ = false;  // one space may follow the colon
    std::array<char, 6> name_{};   // no name we know is longer
    std::uint8_t name_size_ = 0;
    Id written_, id_;  // of the line under way, or the block's; of the last whole block
    bool id_void_ = false;  // holds a NUL: to be ignored
    bool retry_void_ = false;
    std::uint64_t digits_ = 0;
    bool any_digit_ = false;
    std::optional<Id> block_id_;
    std::optional<std::uint64_t> retry_;
    std::uint64_t events_ = 0;
};

// A comment, which clients skip: says that the stream is alive.
constexpr std::string_view kHeartbeat = ": heartbeat\n\n";

// What ends a stream that broke. Between two events that is an event of its own, `error`, whose data
// is the JSON given, on one line.
//
// Inside an unfinished event nothing can take back what the client has read, and a blank line would
// make it dispatch the half event as if it were whole. So the half event is turned into the error
// event: its type is overwritten, and it is one dispatch, of type `error`, whose last line of data
// is the JSON (the lines before it are what had come). Its id, which may be cut short and belongs to
// an event the client never got, is replaced by the one before, so that a reconnecting client asks
// for the lost event again; and a retry line that is cut short is made invalid. When the id before is
// not known (longer than Framer::kMaxId) the result is empty: then the end of the stream, which makes
// clients drop the half event, is the only thing that is right.
std::string farewell(const Framer& framer, std::string_view json);

}  // namespace suoke::http::sse
