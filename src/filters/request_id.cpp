// SPDX-License-Identifier: MIT
// X-Request-ID: a sane one from the client is kept, otherwise we make a UUID (RFC 9562 version 4).
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

std::string_view make_uuid(gateway::Exchange& ex) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::uint64_t words[2] = {ex.worker.random().next(), ex.worker.random().next()};
    words[0] = (words[0] & 0xffffffffffff0fffULL) | 0x4000;
    words[1] = (words[1] & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    char* out = ex.arena.allocate(36);
    char* at = out;
    auto digits = [&](std::uint64_t word, int from, int count) {
        for (int shift = from; count > 0; --count, shift -= 4) *at++ = kHex[(word >> shift) & 15];
    };
    digits(words[0], 60, 8);
    *at++ = '-';
    digits(words[0], 28, 4);
    *at++ = '-';
    digits(words[0], 12, 4);
    *at++ = '-';
    digits(words[1], 60, 4);
    *at++ = '-';
    digits(words[1], 44, 12);
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
