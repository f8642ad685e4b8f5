// SPDX-License-Identifier: MIT
// The rules of RFC 6455 §5 and RFC 7692 one by one, after Autobahn's list of cases; and that it does
// not matter how the bytes are cut.
#include "http/ws.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace suoke::http::ws {
namespace {

using namespace std::string_literals;

std::string frame(unsigned first, std::string payload, bool masked = true) {
    FrameHead head{.fin = (first & 0x80) != 0, .rsv1 = (first & 0x40) != 0, .masked = masked,
                   .opcode = static_cast<Opcode>(first & 15), .length = payload.size()};
    if (masked) head.mask = {0x37, 0xfa, 0x21, 0x3d};
    std::array<char, kMaxHead> space;
    std::size_t n = write_head(space, head);
    space[0] = static_cast<char>(first);  // reserved bits too
    if (masked) mask_bytes(payload, payload.data(), head.mask, 0);
    return std::string(space.data(), n) + payload;
}

constexpr unsigned kText = 0x81, kBinary = 0x82, kClose = 0x88, kPing = 0x89, kPong = 0x8A;
std::string close_payload(unsigned code, const std::string& reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason;
}

// What happens, in a form that does not depend on where the bytes were cut.
std::string story(const std::string& bytes, std::size_t step, Side from = Side::client, const Deflate& deflate = {},
                  const MessageRules& rules = {}) {
    Inspector in(from, deflate, rules);
    std::string out, payload;
    for (std::size_t begin = 0; begin < bytes.size(); begin += step) {
        std::string_view piece = std::string_view(bytes).substr(begin, step);
        for (;;) {
            Step s = in.next(piece);
            if (s.kind == Step::need_more) {
                EXPECT_EQ(s.consumed, piece.size());
                break;
            }
            if (s.kind == Step::broken) return out + "broken " + std::to_string(in.violation().code);
            piece.remove_prefix(s.consumed);
            payload += s.bytes;
            if (s.kind == Step::head)
                out += "head " + std::to_string(static_cast<int>(in.head().opcode)) + (in.began_message() ? "! " : " ");
            if (!s.ends_frame) continue;
            mask_bytes(payload, payload.data(), in.head().mask, 0);
            out += payload + "; ";
            payload.clear();
        }
    }
    if (in.close_code()) out += "closed " + std::to_string(in.close_code());
    return out;
}
std::string story(const std::string& bytes) { return story(bytes, bytes.size() + 1); }
int broken(const std::string& bytes, Side from = Side::client, const Deflate& deflate = {}, const MessageRules& rules = {}) {
    std::string told = story(bytes, bytes.size() + 1, from, deflate, rules);
    std::size_t at = told.find("broken ");
    return at == std::string::npos ? 0 : std::stoi(told.substr(at + 7));
}

std::string deflated(const std::string& text, z_stream& z) {
    std::string out(text.size() * 2 + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - z.avail_out);
    EXPECT_TRUE(out.ends_with("\x00\x00\xff\xff"s));
    out.resize(out.size() - 4);
    return out;
}
struct Deflater : z_stream {
    Deflater() : z_stream{} { deflateInit2(this, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
    ~Deflater() { deflateEnd(this); }
    std::string operator()(const std::string& text) { return deflated(text, *this); }
};

TEST(WsFrames, the_examples_of_the_rfc) {  // §5.7
    EXPECT_EQ(story("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s), "head 1! Hello; ");
    EXPECT_EQ(story("\x81\x05Hello"s, 99, Side::upstream), "head 1! Hello; ");
    EXPECT_EQ(story("\x01\x03Hel\x80\x02lo"s, 99, Side::upstream), "head 1! Hel; head 0 lo; ");
    EXPECT_EQ(story("\x89\x05Hello"s, 99, Side::upstream), "head 9 Hello; ");
}

TEST(WsFrames, all_three_lengths_and_their_borders) {
    for (std::size_t n : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 70000u})
        EXPECT_EQ(story(frame(kBinary, std::string(n, 'x'))), "head 2! " + std::string(n, 'x') + "; ") << n;
}

TEST(WsFrames, a_length_must_be_the_shortest) {
    const std::string mask(4, '\0');
    EXPECT_EQ(broken("\x82\xfe\x00\x7d"s + mask), kProtocolError);
    EXPECT_EQ(broken("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s + mask), kProtocolError);
    EXPECT_EQ(broken("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s + mask), kProtocolError);
    EXPECT_EQ(broken("\x82\xfe\x00\x7e"s + mask), 0);
    EXPECT_EQ(broken("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"s + mask), 0);
    EXPECT_EQ(broken("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s + mask), 0);
}

TEST(WsFrames, clients_mask_and_upstreams_do_not) {
    EXPECT_EQ(broken(frame(kText, "a", false)), kProtocolError);
    EXPECT_EQ(broken(frame(kText, "a"), Side::upstream), kProtocolError);
    EXPECT_EQ(broken(frame(kText, "a", false), Side::upstream), 0);
}

TEST(WsFrames, reserved_bits_are_for_what_was_settled) {
    for (unsigned bits : {0x10u, 0x20u, 0x30u, 0x40u, 0x70u}) EXPECT_EQ(broken(frame(kText | bits, "a")), kProtocolError) << bits;
    const Deflate on{.on = true};
    EXPECT_EQ(broken(frame(kText | 0x20, "a"), Side::client, on), kProtocolError);
    EXPECT_EQ(broken(frame(kPing | 0x40, "a"), Side::client, on), kProtocolError);
    EXPECT_EQ(broken(frame(0x01, "a") + frame(0xC0, "a"), Side::client, on), kProtocolError);
}

TEST(WsFrames, reserved_opcodes) {
    for (unsigned op : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) EXPECT_EQ(broken(frame(0x80 | op, "")), kProtocolError) << op;
}

TEST(WsFrames, control_frames_are_short_and_whole) {
    EXPECT_EQ(broken(frame(kPing, std::string(125, 'p'))), 0);
    EXPECT_EQ(broken(frame(kPing, std::string(126, 'p'))), kProtocolError);
    EXPECT_EQ(broken(frame(0x09, "p")), kProtocolError);
    EXPECT_EQ(broken(frame(0x08, close_payload(1000))), kProtocolError);
    EXPECT_EQ(broken(frame(kPong, "unasked")), 0);
}

TEST(WsFrames, fragments_and_what_may_stand_between_them) {
    EXPECT_EQ(story(frame(0x01, "a") + frame(kPing, "p") + frame(0x00, "b") + frame(0x80, "c")),
              "head 1! a; head 9 p; head 0 b; head 0 c; ");
    EXPECT_EQ(broken(frame(0x80, "a")), kProtocolError);
    EXPECT_EQ(broken(frame(0x00, "a")), kProtocolError);
    EXPECT_EQ(broken(frame(0x01, "a") + frame(kText, "b")), kProtocolError);
    EXPECT_EQ(broken(frame(kText, "a") + frame(0x80, "b")), kProtocolError);
}

TEST(WsFrames, it_knows_when_it_stands_between_two_frames) {
    FrameParser p(Side::client, false);
    EXPECT_TRUE(p.between_frames());
    std::string f = frame(kText, "ab");
    p.next(f.substr(0, 3));
    EXPECT_FALSE(p.between_frames());
    EXPECT_TRUE(p.inside_head());
    EXPECT_EQ(p.held(), f.substr(0, 3));
    EXPECT_EQ(p.next(f.substr(3, 3)).kind, Step::head);
    EXPECT_EQ(p.held(), f.substr(0, 6));
    EXPECT_FALSE(p.between_frames());
    EXPECT_TRUE(p.next(f.substr(6)).ends_frame);
    EXPECT_TRUE(p.between_frames());
}

TEST(WsClose, codes_that_may_be_sent) {
    for (unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u, 1013u, 1014u, 3000u, 3999u, 4000u, 4999u})
        EXPECT_EQ(story(frame(kClose, close_payload(code))).substr(0, 7), "head 8 ") << code;
    for (unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u})
        EXPECT_EQ(broken(frame(kClose, close_payload(code))), kProtocolError) << code;
}

TEST(WsClose, payloads) {
    EXPECT_EQ(story(frame(kClose, "")), "head 8 ; closed 1005");
    EXPECT_EQ(broken(frame(kClose, "\x03")), kProtocolError);
    EXPECT_EQ(broken(frame(kClose, close_payload(1000, std::string(123, 'r')))), 0);
    EXPECT_EQ(broken(frame(kClose, close_payload(1000, std::string(124, 'r')))), kProtocolError);
    EXPECT_EQ(broken(frame(kClose, close_payload(1000, "\xce\xba\xe1\xbd"))), kBadText);
    EXPECT_EQ(broken(frame(kClose, close_payload(1000, "\xff"))), kBadText);
}

TEST(WsClose, is_written_so_that_it_can_be_read) {
    std::array<char, kMaxControlFrame> space;
    std::size_t n = write_close(space, 1009, "too big", std::array<std::uint8_t, 4>{1, 2, 3, 4});
    EXPECT_EQ(story(std::string(space.data(), n)), "head 8 " + close_payload(1009, "too big") + "; closed 1009");
    std::string euros;
    for (int i = 0; i < 50; ++i) euros += "\xe2\x82\xac";
    n = write_close(space, 1008, euros, std::nullopt);
    EXPECT_EQ(n, 2 + 2 + 123u);
    EXPECT_EQ(broken(std::string(space.data(), n), Side::upstream), 0);
}

TEST(WsText, utf8_that_is_right_and_wrong) {
    for (const char* good : {"", "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf"})
        EXPECT_EQ(broken(frame(kText, good)), 0) << good;
    for (const char* bad : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf",
                            "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
                            "\xc2", "\xe2\x82", "\xf0\x90\x80", "12345678\x80", "1234567\xc2", "abc\xe2\x28\xa1"})
        EXPECT_EQ(broken(frame(kText, bad)), kBadText) << bad;
}

TEST(WsText, a_character_may_be_cut_by_fragments_but_not_by_the_end) {
    EXPECT_EQ(broken(frame(0x01, "\xe2") + frame(kPing, "\xff") + frame(0x00, "\x82") + frame(0x80, "\xac")), 0);
    EXPECT_EQ(broken(frame(0x01, "\xe2\x82") + frame(0x80, "")), kBadText);
    EXPECT_EQ(broken(frame(0x01, "\xf4") + frame(0x00, "\x90")), kBadText);  // found as early as can be
    EXPECT_EQ(broken(frame(kBinary, "\xff")), 0);
}

TEST(WsRules, sizes_are_of_messages_and_refused_at_the_head) {
    const MessageRules ten{.max_size = 10};
    EXPECT_EQ(broken(frame(kBinary, std::string(10, 'x')), Side::client, {}, ten), 0);
    EXPECT_EQ(broken(frame(kBinary, std::string(11, 'x')).substr(0, 6), Side::client, {}, ten), kTooBig);
    EXPECT_EQ(broken(frame(0x02, std::string(6, 'x')) + frame(0x80, std::string(5, 'x')), Side::client, {}, ten), kTooBig);
    EXPECT_EQ(broken(frame(kBinary, std::string(10, 'x')) + frame(kBinary, "y"), Side::client, {}, ten), 0);
    EXPECT_EQ(broken("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff    "s, Side::client, {}, ten), kTooBig);
    EXPECT_EQ(broken(frame(kPing, std::string(100, 'x')), Side::client, {}, ten), 0);
}

TEST(WsRules, kinds_of_messages) {
    EXPECT_EQ(broken(frame(kText, "a"), Side::client, {}, {.text = false}), kPolicy);
    EXPECT_EQ(broken(frame(kBinary, "a"), Side::client, {}, {.binary = false}), kPolicy);
    EXPECT_EQ(broken(frame(kText, "a") + frame(kPing, ""), Side::client, {}, {.binary = false}), 0);
}

TEST(WsDeflate, the_examples_of_the_rfc) {  // RFC 7692 §7.2.3
    const Deflate on{.on = true};
    EXPECT_EQ(broken("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"s, Side::upstream, on), 0);
    EXPECT_EQ(broken("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"s, Side::upstream, on), 0);
    // The second one leans on the window of the first, so it is nothing alone.
    std::string hello = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"s, again = "\xc1\x05\xf2\x00\x11\x00\x00"s;
    EXPECT_EQ(broken(hello + again, Side::upstream, on), 0);
    EXPECT_EQ(broken(again, Side::upstream, on), kBadText);
    EXPECT_EQ(broken(hello + again, Side::upstream, {.on = true, .server_no_context_takeover = true}), kBadText);
    EXPECT_EQ(broken("\xc1\x0b\x00\x05\x00\xfa\xffHello\x00"s, Side::upstream, on), 0);         // not compressed
    EXPECT_EQ(broken("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, Side::upstream, on), 0);      // BFINAL
    EXPECT_EQ(broken("\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s, Side::upstream, on), 0);  // two blocks
    EXPECT_EQ(broken("\xc1\x01\x00"s, Side::upstream, on), 0);                                  // an empty message
}

TEST(WsDeflate, sizes_and_text_are_those_that_come_out) {
    const Deflate on{.on = true};
    Deflater a, b, c;
    EXPECT_EQ(broken(frame(0xC2, a(std::string(100'000, 'x'))), Side::client, on, {.max_inflated = 100'000}), 0);
    EXPECT_EQ(broken(frame(0xC2, b(std::string(100'001, 'x'))), Side::client, on, {.max_inflated = 100'000}), kTooBig);
    EXPECT_EQ(broken(frame(0xC1, c("good \xff")), Side::client, on), kBadText);
    EXPECT_EQ(broken(frame(0xC1, "\xff\xff\xff"), Side::client, on), kBadText);
    EXPECT_EQ(broken(frame(0xC1, ""), Side::client, on), kBadText);  // an empty message takes a byte (RFC 7692 §7.2.3.6)
    EXPECT_EQ(broken(frame(kText, "as it is"), Side::client, on), 0);
}

TEST(WsDeflate, a_message_cannot_make_us_copy_windows_all_day) {
    std::string blocks;
    for (int i = 0; i < 1000; ++i) blocks += "\x03\x00"s;  // empty, and the last one
    EXPECT_EQ(broken(frame(0xC2, blocks), Side::client, {.on = true}), kBadText);
}

TEST(WsDeflate, a_window_is_kept_over_messages) {
    Deflater z;
    std::string all;
    for (int i = 0; i < 20; ++i) all += frame(0xC1, z("message number " + std::to_string(i) + std::string(3000, 'y')));
    EXPECT_EQ(broken(all, Side::client, {.on = true}), 0);
    EXPECT_EQ(broken(all, Side::client, {.on = true, .client_no_context_takeover = true}), kBadText);
}

TEST(WsProperty, it_does_not_matter_where_the_bytes_are_cut) {
    Deflater z;
    const Deflate on{.on = true};
    const std::string euro = "price: \xe2\x82\xac 5, \xf0\x9f\x99\x82";
    std::vector<std::string> streams = {
        frame(kText, euro) + frame(kPing, "p") + frame(0x01, euro.substr(0, 8)) + frame(kPong, "") + frame(0x80, euro.substr(8)) +
            frame(kBinary, std::string(300, 'b')) + frame(kClose, close_payload(1001, euro)),
        frame(0xC1, z(euro)) + frame(0x41, z(euro).substr(0, 3)),
        frame(0xC1, Deflater()(std::string(9000, 'z') + "\xff")) + frame(kText, "never"),
        frame(kText, "ok") + frame(kText, "bad \xf4\x90") + frame(kText, "never"),
        frame(kText, "ok") + frame(kText, "not masked", false),
        frame(kText, "ok") + frame(kBinary, std::string(70'000, 'b')),
        frame(kText, "ok") + frame(kClose, close_payload(1005)),
        frame(kText, "ok") + "\x82\xfe\x00\x01\x00\x00\x00\x00"s,
    };
    for (std::size_t i = 0; i < streams.size(); ++i) {
        MessageRules rules{.max_size = 60'000, .max_inflated = 100'000};
        std::string whole = story(streams[i], streams[i].size(), Side::client, on, rules);
        for (std::size_t step : {1u, 2u, 3u, 5u, 7u, 13u, 64u, 1000u})
            EXPECT_EQ(story(streams[i], step, Side::client, on, rules), whole) << "stream " << i << " in steps of " << step;
    }
}

TEST(WsMask, is_its_own_inverse_wherever_it_begins) {
    const std::array<std::uint8_t, 4> mask{0xde, 0xad, 0xbe, 0xef};
    std::string text = "The quick brown fox jumps over the lazy dog", whole = text;
    mask_bytes(whole, whole.data(), mask, 0);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        std::string parts = text;
        mask_bytes(std::string_view(parts).substr(0, cut), parts.data(), mask, 0);
        mask_bytes(std::string_view(parts).substr(cut), parts.data() + cut, mask, cut);
        EXPECT_EQ(parts, whole) << cut;
    }
}

// ---- the handshake

TEST(WsHandshake, the_key_and_its_answer) {  // §1.3
    EXPECT_EQ(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_TRUE(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
    for (const char* bad : {"", "==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ= ", "dGhlIHNhbXBsZSBub25jZ===",
                            "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBs-SBub25jZQ==", "SGVsbG8sIHdvcmxkIQ=="})
        EXPECT_FALSE(is_key(bad)) << bad;
}

RequestHead upgrade() {
    RequestHead head;
    head.protocol = "websocket";
    head.headers.add("Sec-WebSocket-Version", "13");
    head.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    return head;
}
std::optional<Code> refusal(const RequestHead& head) {
    auto good = check_request(head);
    return good ? std::nullopt : std::optional(good.error().code);
}

TEST(WsHandshake, what_a_request_must_be) {
    EXPECT_EQ(refusal(upgrade()), std::nullopt);
    RequestHead head = upgrade();
    head.method = Method::POST;
    EXPECT_EQ(refusal(head), Code::malformed_request);
    head = upgrade();
    head.version = Version::http10;
    EXPECT_EQ(refusal(head), Code::malformed_request);
    head = upgrade();
    head.framing = {Framing::length, 5};
    EXPECT_EQ(refusal(head), Code::malformed_request);
    for (const char* version : {"12", "8", "013", "13, 8", ""}) {
        head = upgrade();
        head.headers.set("Sec-WebSocket-Version", version);
        EXPECT_EQ(refusal(head), Code::websocket_version) << version;
    }
    head = upgrade();
    head.headers.remove("Sec-WebSocket-Version");
    EXPECT_EQ(refusal(head), Code::malformed_request);
    head = upgrade();
    head.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    EXPECT_EQ(refusal(head), Code::malformed_request);
    head = upgrade();
    head.headers.remove("Sec-WebSocket-Key");
    EXPECT_EQ(refusal(head), Code::malformed_request);
    head.version = Version::http2;  // RFC 8441 §5
    EXPECT_EQ(refusal(head), std::nullopt);
}

Result<Deflate> settled(std::string_view value) {
    Headers headers;
    headers.add("sec-websocket-extensions", value);
    return read_deflate(headers);
}

TEST(WsHandshake, what_a_response_may_settle) {
    EXPECT_FALSE(read_deflate(Headers())->on);
    EXPECT_TRUE(settled("permessage-deflate")->on);
    auto all = settled("permessage-deflate; server_no_context_takeover; client_max_window_bits=10 ;server_max_window_bits=\"9\"");
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->server_no_context_takeover);
    EXPECT_FALSE(all->client_no_context_takeover);
    EXPECT_EQ(all->client_max_window_bits, 10);
    EXPECT_EQ(all->server_max_window_bits, 9);
    for (const char* bad : {"x-webkit-deflate-frame", "permessage-deflate, permessage-deflate", "permessage-deflate; what",
                            "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=7",
                            "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=08",
                            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate;",
                            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"})
        EXPECT_FALSE(settled(bad)) << bad;
}

TEST(WsHandshake, of_the_offers_only_those_we_understand_stay) {
    Headers headers;
    headers.add("Sec-WebSocket-Extensions", "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits");
    headers.add("Sec-WebSocket-Extensions", "permessage-deflate");
    EXPECT_EQ(deflate_offers(headers), "permessage-deflate; client_max_window_bits, permessage-deflate");
    EXPECT_EQ(deflate_offers(Headers()), "");
}

}  // namespace
}  // namespace suoke::http::ws
