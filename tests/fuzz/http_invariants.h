// SPDX-License-Identifier: MIT
#pragma once
// What must hold for everything the HTTP/1.1 codec accepts, written down a second time without the
// codec's own tables, and ways to parse the same bytes in pieces. For fuzzers and corpus replays.

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1_parser.h"
#include "http/uri.h"

namespace suoke::http::invariants {

inline bool is_token_char(unsigned char c) {
    return std::isalnum(c) || (c != 0 && std::strchr("!#$%&'*+-.^_`|~", c));
}
inline bool all(std::string_view s, bool (*good)(unsigned char)) {
    return std::all_of(s.begin(), s.end(),
                       [good](char c) { return good(static_cast<unsigned char>(c)); });
}
inline bool is_token(std::string_view s) {
    return !s.empty() && all(s, is_token_char);
}
inline bool is_value(std::string_view s) {
    const bool clean =
        all(s, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); });
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    return clean && (s.empty() || (!blank(s.front()) && !blank(s.back())));
}
inline bool is_uri_text(std::string_view s, std::string_view extra) {
    for (std::size_t i = 0; i < s.size(); ++i) {
        const auto c = static_cast<unsigned char>(s[i]);
        if (c == '%') {
            if (i + 2 >= s.size() || !std::isxdigit(static_cast<unsigned char>(s[i + 1])) ||
                !std::isxdigit(static_cast<unsigned char>(s[i + 2])) || s.substr(i, 3) == "%00")
                return false;
            i += 2;
        } else if (c >= 0x80 || c == 0 ||
                   (!std::isalnum(c) && !std::strchr("-._~!$&'()*+,;=:@/", c) &&
                    extra.find(s[i]) == extra.npos)) {
            return false;
        }
    }
    return true;
}

// Each answers null, or the name of what does not hold.
inline const char* broken(const Headers& headers) {
    for (const Field& field : headers) {
        if (!is_token(field.name)) return "a name is no token";
        if (!is_value(field.value)) return "a value contains a control character or outer blanks";
        if (field.id != header_id(field.name)) return "a field has the wrong id";
        if (field.id != HeaderId::other && !iequals(canonical_name(field.id), field.name))
            return "an id has the wrong name";
    }
    return nullptr;
}

// The framing that a reader who knows only RFC 9112 §6 must see, for heads without a fault.
inline bool framing_agrees(const Headers& headers, const Framing& framing) {
    const std::string_view* length = headers.find("content-length");
    const std::string_view* coding = headers.find("transfer-encoding");
    if (coding) return !length && iequals(*coding, "chunked") && framing.kind == Framing::chunked;
    if (length) return framing.kind == Framing::length && parse_u64(*length) == framing.size;
    return framing.kind == Framing::none || framing.kind == Framing::until_close;
}

inline const char* broken(const RequestHead& head) {
    if (!is_token(head.method_name)) return "the method is no token";
    if (method_of(head.method_name) != head.method) return "the method is another one";
    if (!all(head.target, [](unsigned char c) { return c > 0x20 && c < 0x7F; }))
        return "the target";
    const bool connect = head.method == Method::CONNECT;
    if (!connect && head.path != "*" && (head.path.empty() || head.path[0] != '/'))
        return "no path";
    if (!is_uri_text(head.path, "")) return "the path is no RFC 3986 path";
    if (!is_uri_text(head.query, "?[]")) return "the query is no RFC 3986 query";
    if (head.headers.count(HeaderId::host) > 1) return "two hosts";
    if (head.version == Version::http11 && head.headers.count(HeaderId::host) != 1)
        return "no host";
    if (head.version == Version::http11 && head.authority.empty()) return "no authority";
    if (!head.authority.empty() && !split_authority(head.authority)) return "a malformed authority";
    if (head.authority.find_first_of("@/?#\\ \t\"<>") != head.authority.npos)
        return "a dangerous byte in the authority";
    if (!framing_agrees(head.headers, head.framing)) return "the framing";
    if (head.framing.kind == Framing::until_close) return "a request until close";
    return broken(head.headers);
}

inline const char* broken(const ResponseHead& head) {
    if (head.status < 100 || head.status > 599) return "the status";
    if (!all(head.reason, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); }))
        return "the reason";
    if (head.keep_alive && head.framing.kind == Framing::until_close)
        return "kept alive until close";
    if (head.framing.kind != Framing::none && !framing_agrees(head.headers, head.framing))
        return "the framing";
    return broken(head.headers);
}

// ---- one outcome, comparable as text ----

inline std::string told(const Framing& f) {
    return std::to_string(f.kind) + "/" + std::to_string(f.size);
}
inline std::string told(const Headers& headers) {
    std::string out;
    for (const Field& field : headers) {
        out.append(field.name).append(": ").append(field.value).append("\n");
    }
    return out;
}
inline std::string told(const RequestHead& head) {
    std::string out;
    for (std::string_view part :
         {head.method_name, head.target, head.authority, head.path, head.query})
        out.append(part).append("|");
    return out + told(head.framing) + (head.keep_alive ? "K" : "") +
           (head.expects_continue ? "E" : "") + (head.has_query ? "Q" : "") +
           (head.version == Version::http11 ? "1\n" : "0\n") + told(head.headers);
}
inline std::string told(const ResponseHead& head) {
    return std::to_string(head.status) + std::string(head.reason) + told(head.framing) +
           (head.keep_alive ? "K" : "") + (head.version == Version::http11 ? "1\n" : "0\n") +
           told(head.headers);
}

template <class Head>
std::string told(const Result<std::size_t>& length, const Head& head) {
    if (!length)
        return "refused: " + std::string(length.error().reason()) + ": " + length.error().detail;
    if (*length == 0) return "incomplete";
    return std::to_string(*length) + " " + told(head);
}

// Feeds `parse(bytes so far)` growing pieces that end at `cuts` (ascending) and at the end, each in
// memory of exactly its size, until it has something to say.
template <class Parse>
std::string in_pieces(std::string_view bytes, std::vector<std::size_t> cuts, Parse parse) {
    cuts.push_back(bytes.size());
    std::string last = "incomplete";
    for (std::size_t cut : cuts) {
        const std::vector<char> piece(bytes.begin(),
                                      bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        last = parse(std::string_view(piece.data(), piece.size()));
        if (last != "incomplete") return last;
    }
    return last;
}

inline std::string request_in_pieces(std::string_view bytes, std::vector<std::size_t> cuts,
                                     const h1::Limits& limits = {}) {
    h1::Progress progress;
    RequestHead head;
    return in_pieces(bytes, std::move(cuts), [&](std::string_view piece) {
        return told(h1::parse_request_head(piece, limits, progress, head), head);
    });
}

inline std::string response_in_pieces(std::string_view bytes, Method request,
                                      std::vector<std::size_t> cuts,
                                      const h1::Limits& limits = {}) {
    h1::Progress progress;
    ResponseHead head;
    return in_pieces(bytes, std::move(cuts), [&](std::string_view piece) {
        return told(h1::parse_response_head(piece, limits, progress, request, head), head);
    });
}

// A chunked body given in pieces of `step` bytes (0: all at once): its data, how it ended, and how
// many bytes it was.
inline std::string chunked_in_pieces(std::string_view bytes, std::size_t step) {
    h1::ChunkedDecoder decoder(Code::malformed_request);
    std::string data;
    std::size_t at = 0;
    while (at < bytes.size()) {
        std::size_t size = step == 0 ? bytes.size() - at : std::min(step, bytes.size() - at);
        const std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                      bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
        std::string_view rest(piece.data(), piece.size());
        while (!rest.empty()) {
            auto next = decoder.next(rest);
            if (!next) return data + "\nrefused: " + next.error().detail;
            data.append(next->data);
            at += next->consumed;
            rest.remove_prefix(next->consumed);
            if (next->end)
                return data + "\nend at " + std::to_string(at) + "\n" + told(decoder.trailers());
            if (next->consumed == 0) return "stuck";
        }
    }
    return data + "\nincomplete";
}

}  // namespace suoke::http::invariants
