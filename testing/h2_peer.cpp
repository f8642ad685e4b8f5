// SPDX-License-Identifier: MIT
#include "testing/h2_peer.h"

namespace suoke::scene {
namespace {

std::uint32_t number(std::string_view bytes) {
    std::uint32_t value = 0;
    for (char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

// RFC 7541 §5.1 with a prefix of seven bits, then the octets (§5.2).
std::string octets(std::string_view text) {
    std::string out;
    std::size_t n = text.size();
    if (n < 127) {
        out += static_cast<char>(n);
    } else {
        out += '\x7f';
        for (n -= 127; n >= 128; n /= 128) out += static_cast<char>(n % 128 + 128);
        out += static_cast<char>(n);
    }
    return out.append(text);
}

}  // namespace

std::string hpack(const Fields& fields) {
    std::string out;
    for (const auto& [name, value] : fields) out += std::string(1, '\0') + octets(name) + octets(value);
    return out;
}

std::string u32(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
    return out;
}

std::string setting(std::uint16_t id, std::uint32_t value) { return u32(id).substr(2) + u32(value); }

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string out = u32(static_cast<std::uint32_t>(payload.size())).substr(1);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    return out.append(u32(stream)).append(payload);
}

static Fields fields_of(std::string method, std::string path, Fields more) {
    Fields all = {{":method", std::move(method)}, {":scheme", "http"}, {":authority", "api"}, {":path", std::move(path)}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
Fields get_fields(std::string path, Fields more) { return fields_of("GET", std::move(path), std::move(more)); }
Fields post_fields(std::string path, Fields more) { return fields_of("POST", std::move(path), std::move(more)); }

std::optional<std::string> H2Peer::Stream::field(std::string_view name) const {
    for (const auto& [n, value] : fields)
        if (n == name) return value;
    return std::nullopt;
}

H2Peer::H2Peer(Peer& peer) : peer_(peer) { CHECK(nghttp2_hd_inflate_new(&inflater_) == 0); }
H2Peer::~H2Peer() {
    read();
    nghttp2_hd_inflate_del(inflater_);
}

H2Peer& H2Peer::hello(std::string_view settings) {
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    return send(bytes + frame(kSettings, 0, 0, settings) + frame(kSettings, kAck, 0));
}

H2Peer& H2Peer::welcome(std::string_view settings) {
    constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    EXPECT_EQ(peer_.unread().substr(0, kPreface.size()), kPreface);
    inbox_ = peer_.unread().substr(std::min(kPreface.size(), peer_.unread().size()));
    peer_.discards();
    return send(frame(kSettings, 0, 0, settings) + frame(kSettings, kAck, 0));
}

H2Peer& H2Peer::answer(std::uint32_t stream, const std::string& status, std::string_view body, Fields fields) {
    fields.insert(fields.begin(), {":status", status});
    request(stream, fields, body.empty());
    return body.empty() ? *this : data(stream, body, true);
}

H2Peer& H2Peer::send(std::string_view bytes) {
    peer_ << bytes;
    return *this;
}

H2Peer& H2Peer::request(std::uint32_t stream, const Fields& fields, bool end) {
    auto flags = static_cast<std::uint8_t>(kEndHeaders | (end ? kEndStream : 0));
    return send(frame(kHeaders, flags, stream, hpack(fields)));
}
H2Peer& H2Peer::data(std::uint32_t stream, std::string_view bytes, bool end) {
    return send(frame(kData, end ? kEndStream : 0, stream, bytes));
}
H2Peer& H2Peer::rst(std::uint32_t stream, std::uint32_t code) { return send(frame(kRstStream, 0, stream, u32(code))); }
H2Peer& H2Peer::window(std::uint32_t stream, std::uint32_t bytes) {
    return send(frame(kWindowUpdate, 0, stream, u32(bytes)));
}

H2Peer& H2Peer::read() {
    inbox_ += peer_.unread();
    peer_.discards();
    while (inbox_.size() >= 9) {
        std::size_t size = number(inbox_) >> 8;
        if (inbox_.size() < 9 + size) break;
        std::string whole = inbox_.substr(0, 9 + size);
        inbox_.erase(0, 9 + size);
        std::string_view view = whole;
        take(static_cast<std::uint8_t>(view[3]), static_cast<std::uint8_t>(view[4]),
             number(view.substr(5)) & 0x7FFFFFFF, view.substr(9));
    }
    return *this;
}

void H2Peer::take(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    ++counts_[type];
    switch (type) {
        case kData:
            EXPECT_FALSE(streams_[stream].ended) << "DATA after the end of stream " << stream;
            streams_[stream].body += payload;
            streams_[stream].ended |= (flags & kEndStream) != 0;
            break;
        case kHeaders: block_ends_stream_ = (flags & kEndStream) != 0; [[fallthrough]];
        case kContinuation:
            block_ += payload;
            if (flags & kEndHeaders) take_block(stream, block_ends_stream_);
            break;
        case kRstStream: streams_[stream].reset = number(payload); break;
        case kSettings:
            for (std::size_t at = 0; at + 6 <= payload.size(); at += 6)
                settings_[static_cast<std::uint16_t>(number(payload.substr(at, 4)) >> 16)] = number(payload.substr(at + 2));
            break;
        case kGoaway:
            goaway_last_ = number(payload);
            goaway_ = number(payload.substr(4));
            break;
        case kWindowUpdate: windows_[stream] += number(payload); break;
        default: break;
    }
}

void H2Peer::take_block(std::uint32_t id, bool end) {
    Stream& stream = streams_[id];
    EXPECT_FALSE(stream.ended) << "HEADERS after the end of stream " << id;
    Fields fields;
    auto* in = reinterpret_cast<const std::uint8_t*>(block_.data());
    std::size_t left = block_.size();
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, in, left, 1);
        if (used < 0) {
            ADD_FAILURE() << "a field block that HPACK cannot decode";
            break;
        }
        in += used;
        left -= static_cast<std::size_t>(used);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            fields.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                                std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
        if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    block_.clear();
    stream.ended |= end;
    bool request = !fields.empty() && fields[0].first == ":method";
    bool response = !fields.empty() && fields[0].first == ":status";
    if (request) {
        stream.fields = std::move(fields);
    } else if (!response) {
        stream.trailers = std::move(fields);
    } else if (fields[0].second[0] == '1') {
        stream.interim.push_back(fields[0].second);
    } else {
        EXPECT_TRUE(stream.status.empty()) << "a second response on stream " << id;
        stream.status = fields[0].second;
        stream.fields.assign(fields.begin() + 1, fields.end());
    }
}

}  // namespace suoke::scene
