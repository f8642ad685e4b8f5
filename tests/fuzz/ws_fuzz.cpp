// SPDX-License-Identifier: MIT
// WebSocket frames: the first byte chooses side, extension and rules; the rest is the stream. The
// same events however the bytes are cut, every byte accounted for, nothing behind a violation.
#include <string>
#include <utility>

#include "http/ws.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;
namespace ws = http::ws;

namespace {

struct Choice {
    ws::Side from;
    ws::Deflate deflate;
    ws::MessageRules rules;
};

Choice choose(std::uint8_t bits) {
    Choice choice;
    choice.from = bits & 1 ? ws::Side::client : ws::Side::upstream;
    choice.deflate.on = bits & 2;
    choice.deflate.client_no_context_takeover = choice.deflate.server_no_context_takeover = bits & 4;
    if (bits & 8) choice.rules.max_size = 1000;
    choice.rules.max_inflated = 100'000;
    choice.rules.text = !(bits & 16);
    return choice;
}

std::string events(std::string_view bytes, std::size_t step, const Choice& choice) {
    ws::Inspector in(choice.from, choice.deflate, choice.rules);
    std::string out, payload;  // of the present frame: how much of a bad one is seen depends on the cuts
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        for (;;) {
            ws::Step s = in.next(piece);
            if (s.consumed > piece.size()) fuzz::expect("consumed more than there was");
            if (s.kind == ws::Step::broken) {
                if (in.next(piece).kind != ws::Step::broken) fuzz::expect("a violation stays");
                return out + "broken " + std::to_string(in.violation().code);
            }
            piece.remove_prefix(s.consumed);
            if (s.kind == ws::Step::need_more) {
                if (!piece.empty()) fuzz::expect("need_more with bytes left");
                break;
            }
            if (s.kind == ws::Step::head) out += "h" + std::to_string(in.head().length);
            payload += s.bytes;
            if (s.ends_frame) {
                if (!in.between_frames()) fuzz::expect("behind a frame is between frames");
                out += std::exchange(payload, {}) + ";";
            }
        }
    }
    return out + std::to_string(in.close_code());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Choice choice = choose(data[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = events(bytes, size, choice);
    for (std::size_t step : {1, 2, 3, 5, 17, 64}) fuzz::expect_same(whole, events(bytes, step, choice));

    http::Headers headers;
    headers.add("Sec-WebSocket-Extensions", bytes);
    (void)http::ws::read_deflate(headers);
    (void)http::ws::deflate_offers(headers);
    return 0;
}
