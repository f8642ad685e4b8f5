// SPDX-License-Identifier: MIT
#include "cache/encoding.h"

#include <algorithm>
#include <cstring>

#include "http/grammar.h"

namespace suoke::cache {
namespace {

constexpr std::string_view kMagic("SGC\x01", 4);   // the last byte is the version
constexpr std::uint8_t kEntry = 'e', kNames = 'v';
constexpr std::size_t kDigest = 32, kMostNames = 256, kMostFields = 4096, kMostText = 1 << 20;
constexpr std::uint8_t kAlwaysValidate = 1, kNeverStale = 2, kForEveryone = 4;

// Numbers are little-endian, whatever the machine.
class Writer {
 public:
    explicit Writer(std::size_t about) { out_.reserve(about); }
    void raw(std::string_view bytes) { out_.append(bytes); }
    void number(std::uint64_t n, int bytes) {
        for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<char>(n >> (8 * i) & 0xFF));
    }
    void text(std::string_view bytes) {
        number(bytes.size(), 4);
        raw(bytes);
    }
    void duration(Duration d) { number(static_cast<std::uint64_t>(d.count()), 8); }
    void names(const std::vector<std::string>& names) {
        number(names.size(), 2);
        for (const std::string& name : names) text(name);
    }
    std::string take() { return std::move(out_); }

 private:
    std::string out_;
};

// Once something is not as it must be, all that follows is empty and sound() is false.
class Reader {
 public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    bool sound() const { return sound_; }
    bool at_end() const { return rest_.empty(); }
    void refuse() { sound_ = false; }
    void expect(bool good) { sound_ = sound_ && good; }

    std::string_view raw(std::uint64_t size) {
        if (size > rest_.size()) refuse();
        if (!sound_) return {};
        std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::uint64_t number(int bytes) {
        std::uint64_t n = 0;
        int i = 0;
        for (char c : raw(static_cast<std::uint64_t>(bytes))) n |= std::uint64_t{static_cast<unsigned char>(c)} << (8 * i++);
        return n;
    }
    std::string_view text(std::uint64_t most) {
        std::uint64_t size = number(4);
        expect(size <= most);
        return raw(size);
    }
    std::string digest(bool may_be_empty) {
        std::string_view bytes = text(kDigest);
        expect(bytes.size() == kDigest || (may_be_empty && bytes.empty()));
        return std::string(bytes);
    }
    // No directive says more (RFC 9111 §1.2.2), so no time of ours is longer.
    Duration duration() {
        std::uint64_t count = number(8);
        expect(count <= static_cast<std::uint64_t>(kMostSeconds.count()));
        return sound_ ? Duration(static_cast<Duration::rep>(count)) : Duration::zero();
    }
    std::vector<std::string> names() {
        std::vector<std::string> names;
        std::uint64_t count = number(2);
        expect(count <= kMostNames);
        for (std::uint64_t i = 0; i < count && sound_; ++i) {
            names.emplace_back(text(kMostText));
            expect(http::grammar::is_token(names.back()));
        }
        return names;
    }

 private:
    std::string_view rest_;
    bool sound_ = true;
};

// No byte that ends a line, nor any other control: what lies here goes to clients as it is.
bool is_value(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

void write_label(Writer& out, std::uint8_t kind, const Label& label) {
    out.raw(kMagic);
    out.number(kind, 1);
    out.text(label.key);
    out.text(label.selection);
    out.number(label.stamp, 8);
    out.number(static_cast<std::uint64_t>(label.written.time_since_epoch() / std::chrono::milliseconds(1)), 8);
}

Label read_label(Reader& in) {
    Label label;
    label.key = in.digest(false);
    label.selection = in.digest(true);
    label.stamp = in.number(8);
    std::uint64_t written = in.number(8);
    in.expect(written < 1ull << 42);   // the year 2109, in milliseconds
    label.written = WallTime(std::chrono::milliseconds(in.sound() ? written : 0));
    return label;
}

void write_content(Writer& out, const Entry& entry) {
    out.number(entry.size(), 4);
    for (std::uint64_t at = 0; at < entry.size();) {
        std::string_view piece = entry.content->piece(at, entry.size());
        out.raw(piece);
        at += piece.size();
    }
}

ContentPtr read_content(Reader& in) {
    std::string_view bytes = in.text(~std::uint64_t{0});
    if (bytes.empty()) return nullptr;
    auto content = std::make_shared<Content>();
    content->expect(bytes.size());
    content->append(bytes);
    return content;
}

Head read_head(Reader& in) {
    std::uint64_t count = in.number(2);
    in.expect(count <= kMostFields);
    http::Headers fields;
    for (std::uint64_t i = 0; i < count && in.sound(); ++i) {
        std::string_view name = in.text(kMostText), value = in.text(kMostText);
        http::Field field{name, value, http::header_id(name)};
        in.expect(http::grammar::is_token(name) && is_value(value) && is_stored_field(field, {}));
        fields.add(field);
    }
    return Head::copy_of(fields, [](const http::Field&) { return true; });
}

void read_life(Reader& in, Life& life) {
    life.lifetime = in.duration();
    life.initial_age = in.duration();
    life.while_revalidate = in.duration();
    life.if_error = in.duration();
    std::uint64_t flags = in.number(1);
    in.expect(flags <= (kAlwaysValidate | kNeverStale | kForEveryone));
    life.always_validate = flags & kAlwaysValidate;
    life.never_stale = flags & kNeverStale;
    life.for_everyone = flags & kForEveryone;
}

std::uint8_t flags_of(const Life& life) {
    return static_cast<std::uint8_t>((life.always_validate ? kAlwaysValidate : 0) | (life.never_stale ? kNeverStale : 0) | (life.for_everyone ? kForEveryone : 0));
}

Duration within_bounds(Duration d) { return std::clamp(d, Duration::zero(), kMostSeconds); }

}  // namespace

std::string encode(const Label& label, const Entry& entry, Duration age) {
    Writer out(entry.size() + entry.head.bytes() + 512);
    write_label(out, kEntry, label);
    out.number(static_cast<std::uint64_t>(entry.status), 2);
    out.text(entry.reason);
    for (Duration each : {entry.life.lifetime, age, entry.life.while_revalidate, entry.life.if_error}) out.duration(within_bounds(each));
    out.number(flags_of(entry.life), 1);
    out.number(static_cast<std::uint64_t>(entry.validators.date), 8);
    out.names(entry.vary);
    out.number(entry.head.fields().size(), 2);
    for (const http::Field& field : entry.head.fields()) {
        out.text(field.name);
        out.text(field.value);
    }
    write_content(out, entry);
    return out.take();
}

std::string encode(const Label& label, const std::vector<std::string>& vary) {
    Writer out(256);
    write_label(out, kNames, label);
    out.names(vary);
    return out.take();
}

std::optional<Parcel> decode(std::string_view bytes, WallTime wall, TimePoint now) {
    Reader in(bytes);
    in.expect(in.raw(kMagic.size()) == kMagic);
    std::uint64_t kind = in.number(1);
    in.expect(kind == kEntry || kind == kNames);
    Parcel parcel;
    parcel.label = read_label(in);
    if (kind == kNames) {
        parcel.vary = in.names();
        in.expect(in.at_end() && !parcel.vary.empty());
        return in.sound() ? std::optional(std::move(parcel)) : std::nullopt;
    }
    auto entry = std::make_shared<Entry>();
    entry->status = static_cast<int>(in.number(2));
    in.expect(entry->status >= 200 && entry->status <= 599 && entry->status != 206 && entry->status != 304);
    entry->reason = std::string(in.text(kMostText));
    in.expect(is_value(entry->reason));
    read_life(in, entry->life);
    auto date = static_cast<UnixSeconds>(in.number(8));
    in.expect(date >= 0);
    entry->vary = parcel.vary = in.names();
    in.expect(entry->vary.empty() == parcel.label.selection.empty());
    entry->head = read_head(in);
    entry->content = read_content(in);
    in.expect(in.at_end());
    if (!in.sound()) return std::nullopt;
    // Clocks of two gateways differ a little: nothing is younger than it was when it was written.
    entry->life.initial_age += std::max(wall - parcel.label.written, Duration::zero());
    entry->received = now;
    entry->validators = validators_of(entry->head.fields(), date, unix_seconds(wall));
    parcel.entry = std::move(entry);
    return parcel;
}

}  // namespace suoke::cache
