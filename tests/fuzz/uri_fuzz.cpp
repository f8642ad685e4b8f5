// SPDX-License-Identifier: MIT
// Paths, queries, escapes and authorities.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_invariants.h"

using namespace suoke;

namespace {

// Dot segments in any spelling, looked for in the plainest way.
const char* broken_path(std::string_view path) {
    if (path == "*") return nullptr;
    if (path.empty() || path[0] != '/') return "no leading slash";
    if (path.find("//") != path.npos) return "a repeated slash";
    std::string decoded;
    auto plain = http::percent_decode(path, decoded);
    if (!plain) return "a malformed escape";
    std::string text(*plain);
    for (char& c : text)
        if (c == '\\') c = '/';
    text += '/';
    if (text.find("/../") != text.npos) return "a dot segment once decoded";
    if (text.find("/..;") != text.npos) return "a dot segment with a parameter";
    return nullptr;
}

void check_path(std::string_view raw) {
    std::string scratch;
    auto path = http::normalize_path(raw, scratch);
    if (!path) return;
    fuzz::expect(broken_path(*path));
    std::string again;
    auto twice = http::normalize_path(*path, again);
    fuzz::expect(twice ? nullptr : "a normal path is refused");
    fuzz::expect_same(*path, *twice);
    if (http::valid_path(raw)) fuzz::expect(http::valid_path(*path) ? nullptr : "made invalid");
}

void check_query(std::string_view raw) {
    std::size_t size = 0;
    std::size_t params = 0;
    http::for_each_param(raw, [&](std::string_view name, std::string_view value) {
        size += name.size() + value.size();
        ++params;
    });
    fuzz::expect(size <= raw.size() ? nullptr : "parameters larger than the query");
    fuzz::expect(params == http::count_params(raw) ? nullptr : "the count of parameters");
    if (!http::valid_query(raw)) return;
    std::string encoded;
    http::append_query_encoded(encoded, raw);
    fuzz::expect(http::invariants::is_uri_text(encoded, "?") ? nullptr : "no RFC 3986 query");
}

void check_escapes(std::string_view raw) {
    std::string encoded;
    http::append_percent_encoded(encoded, raw);
    std::string decoded;
    auto back = http::percent_decode(encoded, decoded);
    if (raw.find('\0') == raw.npos) fuzz::expect_same(raw, back ? *back : "refused");
}

void check_authority(std::string_view raw) {
    auto parts = http::split_authority(raw);
    if (!parts)
        return fuzz::expect(http::valid_host(raw) ? "a host that is no authority" : nullptr);
    fuzz::expect(http::valid_host(parts->host) ? nullptr : "an invalid host");
    fuzz::expect(raw.substr(0, parts->host.size()) == parts->host ? nullptr : "a moved host");
    fuzz::expect(raw.find_first_of("@/?# \t\r\n\\\"<>") == raw.npos ? nullptr : "a dangerous byte");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    check_path(bytes);
    check_query(bytes);
    check_escapes(bytes);
    check_authority(bytes);
    return 0;
}
