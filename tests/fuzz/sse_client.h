// SPDX-License-Identifier: MIT
#pragma once
// A client of event streams, written from WHATWG HTML §9.2.6 step by step and with the whole stream
// in hand, and what must hold between it and the framer. For the fuzzer and the property test.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/sse.h"

namespace suoke::fuzz {

struct SseClient {
    struct Dispatched {
        std::string type, data, id;
        friend bool operator==(const Dispatched&, const Dispatched&) = default;
    };
    std::vector<Dispatched> events;
    std::string last_id, retry;

    void read(std::string_view stream) {
        if (stream.starts_with("\xEF\xBB\xBF")) stream.remove_prefix(3);
        for (;;) {
            std::size_t end = stream.find_first_of("\r\n");
            if (end == stream.npos) return;  // an incomplete line, and with it its event, is dropped
            line(stream.substr(0, end));
            bool crlf = stream.substr(end, 2) == "\r\n";
            stream.remove_prefix(end + (crlf ? 2 : 1));
        }
    }

 private:
    void line(std::string_view text) {
        if (text.empty()) return dispatch();
        std::size_t colon = text.find(':');
        if (colon == 0) return;
        std::string_view name = text.substr(0, colon);
        std::string_view value = colon == text.npos ? std::string_view() : text.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (name == "event") type_ = value;
        if (name == "data") data_.append(value).append("\n");
        if (name == "id" && value.find('\0') == value.npos) id_ = value;
        bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
        if (name == "retry" && digits) retry = value;
    }
    void dispatch() {
        last_id = id_;
        if (!data_.empty()) {
            data_.pop_back();
            events.push_back({type_.empty() ? "message" : type_, data_, last_id});
        }
        type_.clear();
        data_.clear();
    }
    std::string type_, data_, id_;
};

// What the framer says of a stream cut into pieces of `step` bytes against what a client makes of
// it, and what becomes of it when we put a heartbeat in or end it after `cut` bytes. Null: all well.
inline const char* sse_broken(std::string_view stream, std::size_t step, std::size_t cut) {
    using http::sse::Framer;
    using http::sse::Step;
    SseClient client;
    client.read(stream);

    Framer whole, pieces;
    std::size_t border = whole.feed(stream).border, last = Step::kNone;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        std::size_t found = pieces.feed(stream.substr(at, step)).border;
        if (found != Step::kNone) last = at + found;
    }
    if (whole.events() != client.events.size()) return "not as many events as a client finds";
    if (pieces.events() != whole.events()) return "a split changed the number of events";
    if (last != border) return "a split moved the last border";
    if (pieces.last_id() != whole.last_id()) return "a split changed the id";
    if (whole.last_id() && *whole.last_id() != client.last_id) return "not the id a client has";
    if (pieces.between_events() != whole.between_events()) return "a split changed between_events";
    if (pieces.retry() != whole.retry()) return "a split changed retry";
    if (pieces.byte_order_mark() != whole.byte_order_mark()) return "a split changed the mark";

    Framer until;
    until.feed(stream.substr(0, cut));
    std::string before(stream.substr(0, cut));
    std::size_t mark = whole.byte_order_mark() == 3 && cut == 0 ? 3 : 0;  // the gateway takes it out
    if (until.between_events()) {
        SseClient warmed;
        warmed.read(before + std::string(http::sse::kHeartbeat) + std::string(stream.substr(cut + mark)));
        if (warmed.events != client.events) return "a heartbeat between events changed one";
        if (warmed.last_id != client.last_id) return "a heartbeat changed the id";
    }
    SseClient heard, ended;
    heard.read(before);
    std::string farewell = http::sse::farewell(until, "{}");
    ended.read(before + farewell);
    if (farewell.empty()) return until.last_id() ? "no farewell though it can be said" : nullptr;
    if (ended.events.size() != heard.events.size() + 1) return "the farewell is not one event";
    if (ended.events.back().type != "error") return "the farewell is no error event";
    if (!ended.events.back().data.ends_with("{}")) return "the farewell lost its data";
    if (until.last_id() && ended.last_id != heard.last_id) return "the farewell moved the id";
    if (ended.retry != heard.retry) return "the farewell changed retry";
    return nullptr;
}

}  // namespace suoke::fuzz
