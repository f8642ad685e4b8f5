// SPDX-License-Identifier: MIT
// X-Request-ID: a sane one from the client is kept, otherwise we make a UUID (RFC 9562 version 4).
#include <cstring>

#include "filters/filters.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

constexpr std::size_t kLongest = 128;

bool sane(std::string_view id) {
    if (id.empty() || id.size() > kLongest) return false;
    for (char c : id) {
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!word && c != '-' && c != '_' && c != '.' && c != ':' && c != '=' && c != '/' && c != '+') return false;
    }
    return true;
}

// Eight digits at a time: a nibble in each byte, then '0' or 'a' - 10 added to all of them at once
// (digit by digit it was 335 instructions a request).
void put_hex(char* out, std::uint32_t bits) {
    std::uint64_t x = bits;
    x = (x & 0xffff) << 32 | x >> 16;                                       // halves, the high one first
    x = (x & 0xff000000ff) << 16 | (x & 0xff000000ff00) >> 8;               // bytes
    x = (x & 0x000f000f000f000f) << 8 | (x & 0x00f000f000f000f0) >> 4;      // nibbles
    std::uint64_t letters = ((x + 0x0606060606060606) >> 4) & 0x0101010101010101;
    x += 0x3030303030303030 + letters * ('a' - '0' - 10);
    std::memcpy(out, &x, sizeof x);
}

std::string_view make_uuid(gateway::Exchange& ex) {
    std::uint64_t words[2] = {ex.worker.random().next(), ex.worker.random().next()};
    words[0] = (words[0] & 0xffffffffffff0fffULL) | 0x4000;
    words[1] = (words[1] & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    char digits[32];
    put_hex(digits, static_cast<std::uint32_t>(words[0] >> 32));
    put_hex(digits + 8, static_cast<std::uint32_t>(words[0]));
    put_hex(digits + 16, static_cast<std::uint32_t>(words[1] >> 32));
    put_hex(digits + 24, static_cast<std::uint32_t>(words[1]));
    char* out = ex.arena.allocate(36);
    std::memcpy(out, digits, 8);
    std::memcpy(out + 9, digits + 8, 4);
    std::memcpy(out + 14, digits + 12, 4);
    std::memcpy(out + 19, digits + 16, 4);
    std::memcpy(out + 24, digits + 20, 12);
    out[8] = out[13] = out[18] = out[23] = '-';
    return {out, 36};
}

class RequestId final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::Headers& headers = ex.request.head.headers;
        const std::string_view* given = headers.find(http::HeaderId::x_request_id);
        if (given && sane(*given) && headers.count(http::HeaderId::x_request_id) == 1) {
            ex.request_id = *given;
        } else {
            ex.request_id = make_uuid(ex);
            headers.set(http::HeaderId::x_request_id, ex.request_id);
        }
        return gateway::go_on();
    }
    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        response.headers.set(http::HeaderId::x_request_id, ex.request_id);
    }
};

}  // namespace

CheckPtr request_id(const config::Config&, const config::Route&) { return std::make_shared<RequestId>(); }

}  // namespace suoke::filters
