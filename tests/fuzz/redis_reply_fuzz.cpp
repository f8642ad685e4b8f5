// SPDX-License-Identifier: MIT
// Replies of Redis: however the bytes are cut the same values come out, none is larger than allowed, and
// what became of them (slots, redirects, sentences for people) never breaks.
#include "store/redis_reader.h"
#include "store/redis_slots.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

constexpr store::RedisLimits kLimits{.bytes = 4096, .elements = 200, .depth = 4};

struct Size {
    std::size_t elements = 0, text = 0;
    int depth = 0;
};
Size size_of(const store::RedisValue& value) {
    Size size{value.items.size(), value.text.size(), 0};
    for (const store::RedisValue& item : value.items) {
        Size inner = size_of(item);
        size.elements += inner.elements;
        size.text += inner.text;
        size.depth = std::max(size.depth, inner.depth);
    }
    if (value.is(store::RedisValue::Kind::array)) ++size.depth;
    return size;
}

void use(const store::RedisValue& value) {
    const store::RedisNode asked{"10.0.0.1", 6379};
    auto slots = store::RedisSlots::parse(value, asked);
    if (slots) {
        for (std::uint16_t slot : {0, 1, 8191, 16383}) (void)slots->master_of(slot);
        fuzz::expect(slots->masters().empty() || slots->masters().size() > store::kMostRedisNodes ? "a map without nodes, or with too many" : nullptr);
    }
    if (auto redirect = store::parse_redirect(value, asked))
        fuzz::expect(redirect->slot < store::kRedisSlots && !redirect->to.host.empty() && redirect->to.port != 0 ? nullptr : "a redirect to nowhere");
    fuzz::expect(store::redis_error("here", value).detail.size() < 1000 ? nullptr : "a sentence that is too long");
}

// Everything that was understood, and whether it ended in an error.
std::string read(std::string_view bytes, std::size_t step, bool look) {
    store::RedisReader reader(kLimits);
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.feed(bytes.substr(at, step));
        for (;;) {
            auto reply = reader.next();
            if (!reply) return all + "broken";
            if (!*reply) break;
            Size size = size_of(**reply);
            fuzz::expect(size.elements > kLimits.elements ? "too many elements" : nullptr);
            fuzz::expect(size.depth > kLimits.depth + 1 ? "nested too deeply" : nullptr);
            if (look) use(**reply);
            all += (*reply)->to_string() + "\n";
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::string whole = read(bytes, std::max<std::size_t>(size, 1), true);
    if (size > kLimits.bytes) return 0;  // how much of a large reply is seen before it is refused depends on the cut
    for (std::size_t step : {1, 2, 5, 64}) fuzz::expect_same(whole, read(bytes, step, false));
    (void)store::redis_slot_of(bytes);
    return 0;
}
