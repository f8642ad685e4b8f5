// SPDX-License-Identifier: MIT
#include "gateway/session_cookie.h"

#include <charconv>

#include "balance/maglev.h"
#include "gateway/site.h"
#include "gateway/token_subject.h"
#include "gateway/worker.h"
#include "http/cookie.h"
#include "http/uri.h"
#include "rt/digest.h"

namespace suoke::gateway {
namespace {

// `made`: what has to be made first stays there.
std::string_view value_of(const Exchange& ex, const balance::HashBy& by, std::string& made) {
    const http::RequestHead& head = ex.request.head;
    switch (by.of) {
        case balance::HashBy::header: {
            const std::string_view* found = head.headers.find(by.name);
            return found ? *found : std::string_view();
        }
        case balance::HashBy::cookie: return http::find_cookie(head.headers, by.name);
        case balance::HashBy::query: {
            std::string_view found;
            http::for_each_param(head.query, [&](std::string_view name, std::string_view value) {
                if (found.empty() && name == by.name) found = value;
            });
            return found;
        }
        case balance::HashBy::path: return ex.path;
        case balance::HashBy::subject: {
            if (ex.who) return ex.who->subject;
            const std::string_view* found = head.headers.find(http::HeaderId::authorization);
            return found ? made = token_subject(*found) : made;
        }
        default: return ex.client_ip.empty() ? ex.request.peer_host : ex.client_ip;
    }
}

constexpr std::size_t kHex = 16;          // of the member's hash
constexpr std::size_t kSignature = 16;    // bytes

std::string hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (unsigned char c : bytes) out.append({kDigits[c >> 4], kDigits[c & 15]});
    return out;
}

// "<the member's hash><signature>", in hex. The service is signed, too: no cookie is good for another.
std::string cookie_of(const Exchange& ex, std::string_view key, std::uint64_t member) {
    char digits[kHex + 1] = "0000000000000000";
    char text[kHex];
    auto end = std::to_chars(text, text + kHex, member, 16).ptr;
    std::copy(text, end, digits + kHex - (end - text));
    std::string token(digits, kHex);
    std::string signature = rt::hmac_of(key, {ex.service_name(), token});
    return token + hex(std::string_view(signature).substr(0, kSignature));
}

}  // namespace

std::uint64_t hash_of(const Exchange& ex, const balance::HashBy& by) {
    std::string made;
    std::string_view value = value_of(ex, by, made);
    return value.empty() ? ex.worker.random().next() : balance::stable_hash(value);
}

std::optional<std::uint64_t> session_of(const Exchange& ex) {
    std::string_view cookie = http::find_cookie(ex.request.head.headers, ex.service->sticky->cookie);
    std::uint64_t member = 0;
    if (cookie.size() != kHex + 2 * kSignature) return std::nullopt;
    auto [end, fault] = std::from_chars(cookie.data(), cookie.data() + kHex, member, 16);
    if (fault != std::errc() || end != cookie.data() + kHex) return std::nullopt;
    const SessionKeys& keys = ex.worker.session_keys();
    bool ours = rt::same_secret(cookie, cookie_of(ex, keys.key, member)) ||
                (!keys.before.empty() && rt::same_secret(cookie, cookie_of(ex, keys.before, member)));
    return ours ? std::optional(member) : std::nullopt;
}

void keep_session(Exchange& ex, std::optional<std::uint64_t> named, http::Response& response) {
    if (!ex.service->sticky || named == ex.endpoint->hash) return;
    const config::StickySession& sticky = *ex.service->sticky;
    std::string age;
    if (sticky.max_age > Duration::zero()) age = "; Max-Age=" + std::to_string(sticky.max_age / std::chrono::seconds(1));
    std::string cookie = sticky.cookie + "=" + cookie_of(ex, ex.worker.session_keys().key, ex.endpoint->hash) + "; Path=/; HttpOnly; SameSite=Lax" + age;
    if (ex.request.secure) cookie += "; Secure";
    response.headers.add(http::HeaderId::set_cookie, ex.arena.copy(cookie));
}

}  // namespace suoke::gateway
