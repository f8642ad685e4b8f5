// SPDX-License-Identifier: MIT
#pragma once
// Finds where one HTTP/1.1 message ends and the next begins (RFC 9112 §6), keeping only what a
// benchmark asks about: the start line, the number of body bytes, whether the connection stays.
//
//     MessageReader reader(MessageReader::Kind::response);
//     if (reader.read(bytes) == MessageReader::Progress::done) count(reader.body_bytes());

#include <cstdint>
#include <string>
#include <string_view>

namespace suoke::bench {

class MessageReader {
 public:
    enum class Kind : std::uint8_t { request, response };
    enum class Progress : std::uint8_t { more, done, broken };

    explicit MessageReader(Kind kind) : kind_(kind) {}

    // Takes this message's bytes off the front of `bytes`; what is left belongs to the next one.
    Progress read(std::string_view& bytes);
    // After `done`: forgets this message and waits for the next.
    void next();
    // Nothing of a message has come yet, so the peer may close without breaking anything.
    bool untouched() const { return part_ == Part::head && head_.empty(); }

    std::string_view start_line() const { return start_line_; }  // of the last head that came
    int status() const;                                          // 0 when there is none
    std::uint64_t body_bytes() const { return body_bytes_; }     // without chunk framing
    bool keeps_alive() const { return keeps_alive_; }

 private:
    enum class Part : std::uint8_t {
        head,
        unframed,  // a response that has not said its length, passing state within its head
        sized,
        chunk_size,
        chunk,
        chunk_end,
        trailer,
        end,
        broken
    };

    bool take_head(std::string_view& bytes);
    bool take_line(std::string_view& bytes);
    bool take_body(std::string_view& bytes);
    Part part_after(std::string_view head);
    Part part_after_start_line() const;
    Part part_after_field(std::string_view field, Part before);
    Part part_after_chunk_size();

    Kind kind_;
    Part part_ = Part::head;
    bool keeps_alive_ = true;
    std::uint64_t left_ = 0;  // of the sized body or of the chunk
    std::uint64_t body_bytes_ = 0;
    std::string start_line_;
    std::string head_;  // the beginning of a head that came in pieces
    std::string line_;  // the beginning of a chunk size or trailer line
};

}  // namespace suoke::bench
