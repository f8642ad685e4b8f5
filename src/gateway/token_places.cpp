// SPDX-License-Identifier: MIT
#include "gateway/token_places.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/cookie.h"
#include "http/uri.h"

namespace suoke::gateway {
namespace {

using http::HeaderId;
constexpr std::string_view kProtocols = "Sec-WebSocket-Protocol";
constexpr std::string_view kBearer = "bearer";

void take(FoundToken& found, std::string_view text) {
    if (found.is_there && found.text != text) found.is_doubtful = true;
    found.is_there = true;
    found.text = text;
}

void look_in_cookies(const http::Headers& headers, const std::string& name, FoundToken& found) {
    http::any_cookie(headers, [&](std::string_view n, std::string_view value) {
        if (n == name && !value.empty()) take(found, value);
        return false;
    });
}

void look_in_query(Exchange& ex, const std::string& name, FoundToken& found) {
    http::for_each_param(ex.request.head.query, [&](std::string_view n, std::string_view value) {
        if (n != name || value.empty()) return;
        std::string decoded;
        auto text = http::percent_decode(value, decoded);
        if (!text) found.is_there = found.is_doubtful = true;
        else take(found, text->data() == value.data() ? value : ex.arena.copy(*text));
    });
}

// What the client offers besides the pair `bearer, <token>`, and the two of the pair.
struct Protocols {
    std::string others;
    std::string_view bearer, token;
};

Protocols protocols_of(const http::Headers& headers) {
    Protocols all;
    bool token_is_next = false;
    for (const http::Field& field : headers) {
        if (field.id != HeaderId::other || !iequals(field.name, kProtocols)) continue;
        for (std::string_view one : split_list(field.value)) {
            if (std::exchange(token_is_next, false)) {
                all.token = one;
            } else if (all.bearer.empty() && iequals(one, kBearer)) {
                all.bearer = one;
                token_is_next = true;
            } else {
                all.others.append(all.others.empty() ? "" : ", ").append(one);
            }
        }
    }
    return all;
}

void look_in_protocols(const http::RequestHead& head, FoundToken& found) {
    Protocols protocols = protocols_of(head.headers);
    if (!protocols.token.empty()) take(found, protocols.token);
    else if (!protocols.bearer.empty()) found.is_there = found.is_doubtful = true;
}

void remove_parameter(Exchange& ex, const std::string& name) {
    http::RequestHead& head = ex.request.head;
    std::string rest;
    bool there = false;
    std::string_view query = head.query;
    while (!query.empty()) {
        std::size_t end = std::min(query.find('&'), query.size());
        std::string_view piece = query.substr(0, end);
        bool named = piece.substr(0, std::min(piece.find('='), piece.size())) == name;
        there |= named;
        if (!named && !piece.empty()) rest.append(rest.empty() ? "" : "&").append(piece);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    if (!there) return;
    head.query = ex.arena.copy(rest);
    head.has_query = !rest.empty();
}

void remove_protocol(Exchange& ex) {
    http::Headers& headers = ex.request.head.headers;
    Protocols protocols = protocols_of(headers);
    if (protocols.bearer.empty()) return;
    // Browsers give up a connection whose server chooses none of what was offered (WHATWG WebSockets §4).
    if (protocols.others.empty()) ex.token_protocol = ex.arena.copy(protocols.bearer);
    headers.remove(kProtocols);
    if (!protocols.others.empty()) headers.add(kProtocols, ex.arena.copy(protocols.others));
}

}  // namespace

TokenKinds token_kinds(const std::vector<config::AuthMethod>& methods) {
    TokenKinds kinds;
    for (config::AuthMethod method : methods) {
        if (method == config::AuthMethod::jwt) kinds.jwt = !kinds.introspection;
        if (method == config::AuthMethod::introspection) kinds.introspection = true;
    }
    return kinds;
}

bool Authorization::is(std::string_view wanted) const { return iequals(scheme, wanted); }

Authorization authorization_of(const http::Headers& headers) {
    Authorization found;
    if (!headers.has(HeaderId::authorization)) return found;
    std::size_t fields = 0;
    for (const http::Field& field : headers) {
        if (field.id != HeaderId::authorization || ++fields > 1) continue;
        std::size_t end = std::min(field.value.find_first_of(" \t"), field.value.size());
        found.scheme = field.value.substr(0, end);
        found.rest = trim(field.value.substr(end), " ");
    }
    found.several = fields > 1;
    return found;
}

FoundToken find_token(Exchange& ex, const TokenPlaces& places) {
    FoundToken found;
    const http::RequestHead& head = ex.request.head;
    Authorization authorization = authorization_of(head.headers);
    if (authorization.is(kBearer)) take(found, authorization.rest);
    if (authorization.several) found.is_there = found.is_doubtful = true;
    if (!places.cookie.empty()) look_in_cookies(head.headers, places.cookie, found);
    if (!places.query.empty() && head.has_query) look_in_query(ex, places.query, found);
    if (places.websocket_protocol && head.protocol == "websocket") look_in_protocols(head, found);
    return found;
}

void move_token(Exchange& ex, const TokenPlaces& places, const FoundToken& token, bool forward) {
    http::RequestHead& head = ex.request.head;
    if (!places.query.empty() && head.has_query) remove_parameter(ex, places.query);
    if (places.websocket_protocol && head.protocol == "websocket") remove_protocol(ex);
    bool in_cookie = !places.cookie.empty() && !http::find_cookie(head.headers, places.cookie).empty();
    if (forward && token.is_there && !token.text.empty() && !in_cookie && !head.headers.has(HeaderId::authorization))
        head.headers.add(HeaderId::authorization, ex.arena.join({"Bearer ", token.text}));
}

void remove_cookie(Exchange& ex, std::string_view name) {
    http::Headers& headers = ex.request.head.headers;
    if (http::find_cookie(headers, name).empty()) return;
    std::string rest;
    http::any_cookie(headers, [&](std::string_view n, std::string_view value) {
        if (n != name && !n.empty()) rest.append(rest.empty() ? "" : "; ").append(n).append("=").append(value);
        return false;
    });
    headers.remove(HeaderId::cookie);
    if (!rest.empty()) headers.add(HeaderId::cookie, ex.arena.copy(rest));
}

}  // namespace suoke::gateway
