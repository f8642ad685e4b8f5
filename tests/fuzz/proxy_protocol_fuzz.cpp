// SPDX-License-Identifier: MIT
// PROXY headers: never more bytes than there are, the same verdict once enough are here, and what is
// accepted can be written and read again.
#include "http/proxy_protocol.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto whole = http::parse_proxy_header(bytes);
    if (!whole || whole->length == 0) return 0;
    if (whole->length > size) fuzz::expect("a header longer than the input");
    for (std::size_t cut : fuzz::cuts(whole->length)) {
        auto part = http::parse_proxy_header(bytes.substr(0, cut));
        if (!part || part->length != 0) fuzz::expect("a part of a good header says something else than `more`");
    }
    auto exact = http::parse_proxy_header(bytes.substr(0, whole->length));
    if (!exact || !(*exact == *whole)) fuzz::expect("what follows the header changes it");
    for (const std::string& text : {http::write_proxy_v1(*whole), http::write_proxy_v2(*whole)}) {
        auto back = http::parse_proxy_header(text);
        if (!back || back->length != text.size() || back->kind != whole->kind) fuzz::expect("what is written is not read");
        if (!(back->source == whole->source) || !(back->destination == whole->destination)) fuzz::expect("an address changed");
    }
    return 0;
}
