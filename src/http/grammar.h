// SPDX-License-Identifier: MIT
#pragma once
// The character classes of RFC 9110 §5.6 and RFC 3986 in one table, and scans over them.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace suoke::http::grammar {

enum Class : std::uint8_t {
    token = 1,        // tchar, RFC 9110 §5.6.2
    path = 2,         // pchar or '/', without '%'; RFC 3986 §3.3
    query = 4,        // the same with '?' and kToleratedInQuery
    reg_name = 8,     // unreserved or sub-delims; RFC 3986 §3.2.2
    unreserved = 16,  // RFC 3986 §2.3
    control = 32,     // what no line of a head may contain: CTL but HTAB
    quotable = 64,    // qdtext, RFC 9110 §5.6.4
    tolerated = 128,  // in a query, against the RFC: kToleratedInQuery
};

// RFC 3986 forbids these in a query, yet every form library sends "a[]=1". They are accepted from
// clients and never passed on raw: see append_query_encoded().
inline constexpr std::string_view kToleratedInQuery = "[]";

namespace detail {
constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    auto mark = [&](std::string_view chars, unsigned bits) {
        for (char c : chars)
            classes[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
    };
    for (unsigned c = 0; c < 256; ++c) {
        bool alpha = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool digit = c >= '0' && c <= '9';
        if (alpha || digit) classes[c] |= token | path | query | reg_name | unreserved;
        if ((c < 0x20 && c != '\t') || c == 0x7F) classes[c] |= control;
        if (c == '\t' || (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)) classes[c] |= quotable;
    }
    mark("!#$%&'*+-.^_`|~", token);
    mark("-._~", path | query | reg_name | unreserved);
    mark("!$&'()*+,;=", path | query | reg_name);
    mark(":@/", path | query);
    mark("?", query);
    mark(kToleratedInQuery, query | tolerated);
    return classes;
}
}  // namespace detail

inline constexpr std::array<std::uint8_t, 256> kClasses = detail::make_classes();

constexpr bool is(Class wanted, char c) {
    return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}
constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}  // OWS, RFC 9110 §5.6.3

// The byte that the escape "%XX" at `p` stands for; -1 when it is none.
inline int escaped_byte(const char* p, const char* end) {
    if (end - p < 3) return -1;
    int high = hex_value(p[1]);
    int low = hex_value(p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// OWS off both ends; unlike trim() inlined, since every field value passes here.
inline std::string_view trim_blanks(const char* begin, const char* end) {
    while (begin != end && is_blank(*begin)) ++begin;
    while (begin != end && is_blank(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

#ifdef __SSE2__
namespace detail {
inline __m128i load(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline __m128i equal(__m128i block, char c) {
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(c));
}
inline __m128i between(__m128i block, char low, char high) {
    const __m128i above = _mm_sub_epi8(block, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(static_cast<char>(high - low))), above);
}
inline __m128i any(__m128i a, __m128i b) {
    return _mm_or_si128(a, b);
}
inline unsigned bits(__m128i hits) {
    return static_cast<unsigned>(_mm_movemask_epi8(hits));
}
inline __m128i letters(__m128i block) {
    return between(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 'z');
}
// Bytes that are of every class `allowed` may name below, and of which most text consists.
inline unsigned common_in_names(__m128i block) {
    return bits(any(letters(block), any(between(block, '0', '9'), between(block, '-', '.'))));
}
inline unsigned common_in_targets(__m128i block) {
    const __m128i marks = any(between(block, '&', ';'), any(equal(block, '='), equal(block, '_')));
    return bits(any(letters(block), marks));  // '&' to ';' are &'()*+,-./0-9:;
}
}  // namespace detail
#endif

// The first byte in [p, end) whose bit `hits(block)` sets, or `end`. The last few bytes are looked
// at in a block that begins before `p`: the 16 bytes before `end` may be read.
#ifdef __SSE2__
template <class Hits>
[[gnu::always_inline]] inline const char* find_in_blocks(const char* p, const char* end,
                                                         Hits hits) {
    for (; end - p >= 16; p += 16)
        if (const unsigned found = hits(detail::load(p))) return p + __builtin_ctz(found);
    if (p == end) return end;
    const char* last = end - 16;
    const unsigned found = hits(detail::load(last)) >> (p - last);
    return found ? p + __builtin_ctz(found) : end;
}
#endif

// The first `wanted`, or `end`. A field name or a short value is found in one step of eight
// instructions, where a call of memchr costs thirty. [floor, end) may be read.
inline const char* find_byte(const char* p, const char* end, char wanted, const char* floor) {
#ifdef __SSE2__
    if (end - floor >= 16)
        return find_in_blocks(
            p, end, [=](__m128i block) { return detail::bits(detail::equal(block, wanted)); });
#else
    (void)floor;
#endif
    while (p != end && *p != wanted) ++p;
    return p;
}
inline const char* find_byte(const char* p, const char* end, char wanted) {
    return find_byte(p, end, wanted, p);
}

// The first byte of class `control`, or `end`. [floor, end) may be read. A block is only asked for
// suspects (control characters, HTAB, DEL and obs-text: two instructions instead of seven) and the
// table decides; in ordinary text the first suspect is the CR that was looked for.
inline const char* find_control(const char* p, const char* end, const char* floor) {
#ifdef __SSE2__
    while (end - floor >= 16) {
        p = find_in_blocks(p, end, [](__m128i block) {
            const __m128i next = _mm_add_epi8(block, _mm_set1_epi8(1));  // 0x7F becomes negative
            return detail::bits(_mm_cmplt_epi8(next, _mm_set1_epi8(0x21)));
        });
        if (p == end || is(control, *p)) return p;
        ++p;
    }
#else
    (void)floor;
#endif
    while (p != end && !is(control, *p)) ++p;
    return p;
}

// Past letters, digits, '-' and '.', which are of every class but `control`; stops when fewer than
// 16 bytes are left, or earlier at another one. A sixth of what the table costs.
inline const char* skip_common(const char* p, const char* end) {
#ifdef __SSE2__
    while (end - p >= 16) {
        const unsigned others = ~detail::common_in_names(detail::load(p)) & 0xFFFF;
        if (others) return p + __builtin_ctz(others);
        p += 16;
    }
#else
    (void)end;
#endif
    return p;
}

inline bool is_token(std::string_view s) {  // tchar+
    const char* end = s.data() + s.size();
    const char* p = skip_common(s.data(), end);
    while (p != end && is(token, *p)) ++p;
    return p == end && !s.empty();
}

// The same when the bytes up to `readable` may be read, though they are not part of `s`.
inline bool is_token(std::string_view s, const char* readable) {
#ifdef __SSE2__
    if (s.size() <= 16 && readable - s.data() >= 16 && !s.empty()) {
        const unsigned wanted = (1u << s.size()) - 1;
        if ((detail::common_in_names(detail::load(s.data())) & wanted) == wanted) return true;
    }
#else
    (void)readable;
#endif
    return is_token(s);
}

// The first byte that is neither of class `allowed` (path or query) nor part of an escape. "%00" is
// no escape here: a NUL hides what stands behind it from anyone who keeps the text in C.
inline const char* skip_escaped(const char* p, const char* end, Class allowed) {
    while (p != end) {
#ifdef __SSE2__
        if (end - p >= 16) {
            const unsigned rare = ~detail::common_in_targets(detail::load(p)) & 0xFFFF;
            p += rare ? __builtin_ctz(rare) : 16;
            if (!rare) continue;
        }
#endif
        if (is(allowed, *p)) {
            ++p;
        } else if (*p == '%' && escaped_byte(p, end) > 0) {
            p += 3;
        } else {
            return p;
        }
    }
    return end;
}

// Calls `element(std::string_view)` for each element of a comma list, blanks trimmed, empty ones
// included, until it returns false. False when it did. No quoted strings: for lists of tokens.
template <class Element>
bool each_in_list(std::string_view list, Element element) {
    const char* p = list.data();
    const char* end = p + list.size();
    for (;;) {
        const char* comma = find_byte(p, end, ',');
        if (!element(trim_blanks(p, comma))) return false;
        if (comma == end) return true;
        p = comma + 1;
    }
}

}  // namespace suoke::http::grammar
