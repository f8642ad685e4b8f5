// SPDX-License-Identifier: MIT
#include "http/ws_handshake.h"

#include <array>
#include <boost/uuid/detail/sha1.hpp>  // the only SHA-1 at hand outside of rt/; 1.81 to 1.83
#include <optional>
#include <span>

#include "base/text.h"
#include "http/grammar.h"

namespace suoke::http::ws {
namespace {

constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < have ? bytes[i + k] : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += k <= have ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

std::size_t count(const Headers& headers, std::string_view name) {
    std::size_t n = 0;
    for (const Field& field : headers) n += iequals(field.name, name);
    return n;
}

Error malformed(const char* what) { return Error(Code::malformed_request, what); }

// extension-param = token [ "=" (token | quoted-string) ]; a quoted one must hold a token (§9.1).
struct Parameter {
    std::string_view name;
    std::optional<std::string_view> value;
};

bool is_token(std::string_view text) {
    for (char c : text)
        if (!grammar::is(grammar::token, c)) return false;
    return !text.empty();
}

std::optional<Parameter> read_parameter(std::string_view text) {
    std::size_t equals = text.find('=');
    Parameter parameter{trim(text.substr(0, equals)), {}};
    if (!is_token(parameter.name)) return std::nullopt;
    if (equals == std::string_view::npos) return parameter;
    std::string_view value = trim(text.substr(equals + 1));
    bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    if (quoted) value = value.substr(1, value.size() - 2);
    if (!is_token(value)) return std::nullopt;
    parameter.value = value;
    return parameter;
}

// 8 to 15, without leading zeros (RFC 7692 §7.1.2).
std::optional<std::uint8_t> read_window_bits(const std::optional<std::string_view>& value) {
    if (!value || value->empty() || value->front() == '0') return std::nullopt;
    auto bits = parse_u64(*value);
    if (!bits || *bits < 8 || *bits > 15) return std::nullopt;
    return static_cast<std::uint8_t>(*bits);
}

// What a parameter says, once; false when it may not be there.
class Settlement {
 public:
    bool take(const Parameter& p) {
        if (iequals(p.name, "client_no_context_takeover")) return flag(p, deflate.client_no_context_takeover);
        if (iequals(p.name, "server_no_context_takeover")) return flag(p, deflate.server_no_context_takeover);
        if (iequals(p.name, "client_max_window_bits")) return bits(p, client_bits_, deflate.client_max_window_bits);
        if (iequals(p.name, "server_max_window_bits")) return bits(p, server_bits_, deflate.server_max_window_bits);
        return false;
    }
    Deflate deflate{.on = true};

 private:
    static bool flag(const Parameter& p, bool& into) {
        if (p.value || into) return false;
        return into = true;
    }
    static bool bits(const Parameter& p, bool& seen, std::uint8_t& into) {
        auto value = read_window_bits(p.value);
        if (!value || seen) return false;
        seen = true;
        into = *value;
        return true;
    }
    bool client_bits_ = false, server_bits_ = false;
};

std::string_view name_of(std::string_view extension) { return trim(extension.substr(0, extension.find(';'))); }

// Calls `each` for every parameter; false when one cannot be read or `each` refuses it.
template <class Each>
bool read_parameters(std::string_view extension, Each each) {
    for (std::size_t at = extension.find(';'); at != std::string_view::npos;) {
        std::size_t end = extension.find(';', at + 1);
        auto parameter = read_parameter(extension.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
        if (!parameter || !each(*parameter)) return false;
        at = end;
    }
    return true;
}

}  // namespace

bool is_key(std::string_view value) {
    if (value.size() != 24 || !value.ends_with("==")) return false;
    return value.substr(0, 22).find_first_not_of(kAlphabet) == std::string_view::npos;
}

std::string accept_of(std::string_view key) {
    constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    boost::uuids::detail::sha1 sha1;
    sha1.process_bytes(key.data(), key.size());
    sha1.process_bytes(kGuid.data(), kGuid.size());
    boost::uuids::detail::sha1::digest_type words;
    sha1.get_digest(words);
    std::array<std::uint8_t, 20> digest;
    for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
    return base64(digest);
}

Result<void> check_request(const RequestHead& head) {
    if (head.method != Method::GET) return malformed("a WebSocket begins with GET");
    if (head.version == Version::http10) return malformed("a WebSocket needs HTTP/1.1");
    if (head.framing.kind == Framing::chunked || head.framing.size > 0) return malformed("a WebSocket request has no body");
    const std::string_view* version = head.headers.find("Sec-WebSocket-Version");
    if (!version) return malformed("Sec-WebSocket-Version is missing");
    if (*version != "13" || count(head.headers, "Sec-WebSocket-Version") != 1)
        return Error(Code::websocket_version, "only version 13 of WebSocket is spoken here");
    if (head.version == Version::http2) return {};
    const std::string_view* key = head.headers.find("Sec-WebSocket-Key");
    if (!key || count(head.headers, "Sec-WebSocket-Key") != 1 || !is_key(*key))
        return malformed("Sec-WebSocket-Key must be 16 bytes in base64");
    return {};
}

Result<Deflate> read_deflate(const Headers& response) {
    Deflate settled;
    for (const Field& field : response) {
        if (!iequals(field.name, kExtensions)) continue;
        for (std::string_view extension : split_list(field.value)) {
            Settlement settlement;
            bool good = !settled.on && iequals(name_of(extension), "permessage-deflate") &&
                        read_parameters(extension, [&](const Parameter& p) { return settlement.take(p); });
            if (!good) return Error(Code::upstream_invalid, "the upstream settled on a WebSocket extension that was not offered");
            settled = settlement.deflate;
        }
    }
    return settled;
}

std::string deflate_offers(const Headers& request) {
    std::string offers;
    for (const Field& field : request) {
        if (!iequals(field.name, kExtensions)) continue;
        for (std::string_view extension : split_list(field.value)) {
            if (!iequals(name_of(extension), "permessage-deflate")) continue;
            if (!read_parameters(extension, [](const Parameter&) { return true; })) continue;
            if (!offers.empty()) offers += ", ";
            offers += extension;
        }
    }
    return offers;
}

}  // namespace suoke::http::ws
