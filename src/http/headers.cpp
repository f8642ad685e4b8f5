// SPDX-License-Identifier: MIT
#include "http/headers.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace suoke::http {
namespace {

constexpr std::string_view kNames[] = {
    "",
    "Accept",
    "Age",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "Host",
    "Idempotency-Key",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Gateway-Duration",
    "X-Gateway-Instance",
    "X-Gateway-Service",
    "X-Proxy-By",
    "X-Proxy-Instance",
    "X-Proxy-Service",
    "X-Real-IP",
    "X-Request-ID",
    "X-Request-Timeout",
    "X-Response-Time",
};
static_assert(std::size(kNames) == static_cast<std::size_t>(HeaderId::x_response_time) + 1,
              "a name for every HeaderId, in the order of the enum");
static_assert(std::size(kNames) <= 64, "a bit of a HeaderSet for each");

// A known name in lower case, padded so that it can be read eight bytes at a time.
struct Entry {
    std::array<char, 24> lower{};
    std::uint8_t size = 0;
    HeaderId id = HeaderId::other;
};

constexpr std::size_t kSlots = 512;

// Length, first letter, last letter and the one three quarters in tell all our names apart.
constexpr std::size_t slot_of(std::string_view name, unsigned seed) {
    unsigned first = static_cast<unsigned char>(name[0]) | 0x20;
    unsigned inner = static_cast<unsigned char>(name[name.size() * 3 / 4]) | 0x20;
    unsigned last = static_cast<unsigned char>(name.back()) | 0x20;
    return (static_cast<unsigned>(name.size()) * seed + first * (seed >> 4 | 1) + inner * 13 + last * (seed >> 8 | 1)) % kSlots;
}

constexpr bool is_perfect(unsigned seed) {
    std::array<bool, kSlots> taken{};
    for (std::size_t i = 1; i < std::size(kNames); ++i) {
        std::size_t slot = slot_of(kNames[i], seed);
        if (taken[slot]) return false;
        taken[slot] = true;
    }
    return true;
}

constexpr unsigned find_seed() {
    for (unsigned seed = 1; seed < 4096; ++seed)
        if (is_perfect(seed)) return seed;
    return 0;
}

constexpr unsigned kSeed = find_seed();
static_assert(kSeed != 0, "two names share a slot for every seed: enlarge kSlots");

constexpr std::array<Entry, kSlots> make_slots() {
    std::array<Entry, kSlots> slots{};
    for (std::size_t i = 1; i < std::size(kNames); ++i) {
        Entry& entry = slots[slot_of(kNames[i], kSeed)];
        for (std::size_t k = 0; k < kNames[i].size(); ++k) entry.lower[k] = lower(kNames[i][k]);
        entry.size = static_cast<std::uint8_t>(kNames[i].size());
        entry.id = static_cast<HeaderId>(i);
    }
    return slots;
}

constexpr std::array<Entry, kSlots> kEntries = make_slots();

constexpr auto kSlotOf = [] {
    std::array<std::uint16_t, std::size(kNames)> slots{};
    for (std::size_t i = 1; i < std::size(kNames); ++i) slots[i] = static_cast<std::uint16_t>(slot_of(kNames[i], kSeed));
    return slots;
}();

// `known` consists of lower-case letters and '-'. Folding only where it has a letter (bit 6) keeps
// '\r' from passing for '-'.
template <class Word>
bool same_word(const char* name, const char* known) {
    Word a;
    Word b;
    std::memcpy(&a, name, sizeof a);
    std::memcpy(&b, known, sizeof b);
    constexpr Word kLetter = static_cast<Word>(0x4040404040404040ULL);
    return (a | static_cast<Word>((b & kLetter) >> 1)) == b;
}

// Eight bytes at a time; the last step overlaps the one before it instead of being shorter.
bool same_name(const char* name, const char* known, std::size_t n) {
    if (n >= 8) {
        if (n > 16 && !same_word<std::uint64_t>(name + 8, known + 8)) return false;
        return same_word<std::uint64_t>(name, known) &&
               same_word<std::uint64_t>(name + n - 8, known + n - 8);
    }
    if (n >= 4) {
        return same_word<std::uint32_t>(name, known) &&
               same_word<std::uint32_t>(name + n - 4, known + n - 4);
    }
    return same_word<std::uint16_t>(name, known) &&
           same_word<std::uint16_t>(name + n - 2, known + n - 2);
}

bool has_name(const Field& field, HeaderId id, std::string_view name) {
    if (id != HeaderId::other) return field.id == id;
    return field.id == HeaderId::other && iequals(field.name, name);
}

}  // namespace

HeaderId header_id(std::string_view name) {
    if (name.size() < 2 || name.size() > 19) return HeaderId::other;
    const Entry& entry = kEntries[slot_of(name, kSeed)];
    if (entry.size != name.size()) return HeaderId::other;
    return same_name(name.data(), entry.lower.data(), name.size()) ? entry.id : HeaderId::other;
}

std::string_view canonical_name(HeaderId id) {
    return kNames[static_cast<std::size_t>(id)];
}

std::string_view lower_name(HeaderId id) {
    const Entry& entry = kEntries[kSlotOf[static_cast<std::size_t>(id)]];
    return {entry.lower.data(), entry.size};
}

const std::string_view* Headers::find(HeaderId id) const {
    if (id == HeaderId::other || !has(id)) return nullptr;
    for (const Field& field : *this)
        if (field.id == id) return &field.value;
    return nullptr;
}

const std::string_view* Headers::find(std::string_view name) const {
    HeaderId id = header_id(name);
    if (!has(id)) return nullptr;
    for (const Field& field : *this)
        if (has_name(field, id, name)) return &field.value;
    return nullptr;
}

std::size_t Headers::count(HeaderId id) const {
    std::size_t n = 0;
    for (const Field& field : *this) n += field.id == id;
    return n;
}

void Headers::set(HeaderId id, std::string_view value) {
    set(Field{canonical_name(id), value, id});
}

void Headers::set(std::string_view name, std::string_view value) {
    set(Field{name, value, header_id(name)});
}

// The first field of that name keeps its place and spelling; others of the name go.
void Headers::set(const Field& wanted) {
    if (!has(wanted.id)) return add(wanted);
    std::uint32_t first = 0;
    while (first < size_ && !has_name(fields_[first], wanted.id, wanted.name)) ++first;
    if (first == size_) return add(wanted);
    fields_[first].value = wanted.value;
    std::uint32_t keep = first + 1;
    for (std::uint32_t i = keep; i < size_; ++i)
        if (!has_name(fields_[i], wanted.id, wanted.name)) fields_[keep++] = fields_[i];
    size_ = keep;
}

void Headers::grow() {
    std::uint32_t larger = capacity_ ? capacity_ * 2 : 24;
    auto* moved = static_cast<Field*>(rt::frame_allocate(larger * sizeof(Field)));
    if (size_) std::memcpy(static_cast<void*>(moved), fields_, size_ * sizeof(Field));
    rt::frame_free(fields_, capacity_ * sizeof(Field));
    fields_ = moved;
    capacity_ = larger;
}

void Headers::remove(std::string_view name) {
    HeaderId id = header_id(name);
    if (has(id)) remove_if([&](const Field& field) { return has_name(field, id, name); });
}

}  // namespace suoke::http
