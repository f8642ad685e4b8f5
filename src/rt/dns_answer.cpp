// SPDX-License-Identifier: MIT
#include "rt/dns_answer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"

namespace suoke::rt {
namespace {

constexpr std::uint16_t kIn = 1, kCname = 5, kSrv = 33;
constexpr std::size_t kMostName = 255;  // octets of a name, RFC 1035 §3.1
constexpr int kMostAliases = 16;

// Takes from the front of a message; once something is missing, everything is.
class Reader {
 public:
    Reader(std::string_view message, std::size_t at) : message_(message), at_(at) {}
    bool failed() const { return failed_; }
    std::size_t at() const { return at_; }

    std::uint16_t u16() {
        if (!has(2)) return 0;
        auto value = static_cast<std::uint16_t>(byte(at_) << 8 | byte(at_ + 1));
        at_ += 2;
        return value;
    }
    std::uint32_t u32() {
        std::uint32_t high = u16();
        return high << 16 | u16();
    }
    void skip(std::size_t n) {
        if (has(n)) at_ += n;
    }
    // A name in lower case, its labels joined by dots. What no host name may contain is written as an
    // escape, so that it is never taken for one. A pointer (RFC 1035 §4.1.4) must lead further back
    // each time: names cannot go round in circles.
    std::string name() {
        std::string text;
        std::size_t octets = 1, at = at_, least = at_;
        bool jumped = false;
        for (;;) {
            if (at >= message_.size()) return fail();
            std::size_t size = byte(at);
            if (size == 0) break;
            if (size >= 0xC0) {
                if (at + 1 >= message_.size()) return fail();
                std::size_t to = (size & 0x3F) << 8 | byte(at + 1);
                if (!std::exchange(jumped, true)) at_ = at + 2;
                if (to >= least) return fail();
                at = least = to;
                continue;
            }
            octets += size + 1;
            if (size > 63 || octets > kMostName || at + 1 + size > message_.size()) return fail();
            if (!text.empty()) text += '.';
            for (char c : message_.substr(at + 1, size)) append(text, c);
            at += 1 + size;
        }
        if (!jumped) at_ = at + 1;
        return text;
    }

 private:
    bool has(std::size_t n) {
        if (message_.size() - at_ < n) failed_ = true;
        return !failed_;
    }
    unsigned byte(std::size_t at) const { return static_cast<unsigned char>(message_[at]); }
    std::string fail() {
        failed_ = true;
        return {};
    }
    static void append(std::string& text, char c) {
        bool plain = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
        if (plain) {
            text += lower(c);
        } else {
            text += '\\' + std::to_string(static_cast<unsigned char>(c));
        }
    }
    std::string_view message_;
    std::size_t at_;
    bool failed_ = false;
};

struct Alias {
    std::string to;
    std::uint32_t ttl;
};
struct Record {
    std::string owner;
    SrvTarget target;
    std::uint32_t ttl;
};
struct Records {
    std::map<std::string, Alias> aliases;
    std::vector<Record> services;
};

Error malformed(const char* what) { return Error(Code::dns_failed, std::string("a malformed DNS answer: ") + what); }

std::string without_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return to_lower(name);
}

bool is_host(const std::string& name) { return name.find('\\') == std::string::npos; }

std::optional<Error> read_records(Reader& in, unsigned count, Records& records) {
    for (unsigned i = 0; i < count; ++i) {
        std::string owner = in.name();
        std::uint16_t type = in.u16(), klass = in.u16();
        std::uint32_t ttl = in.u32();
        if (ttl > INT32_MAX) ttl = 0;  // RFC 2181 §8
        std::size_t size = in.u16(), begin = in.at();
        bool wanted = klass == kIn && (type == kCname || type == kSrv);
        if (in.failed()) return malformed("a record is cut off");
        if (!wanted) {
            in.skip(size);
        } else if (type == kCname) {
            std::string to = in.name();
            if (!records.aliases.try_emplace(owner, Alias{to, ttl}).second) return malformed("two aliases of one name");
        } else {
            Record record{owner, {}, ttl};
            record.target.priority = in.u16();
            record.target.weight = in.u16();
            record.target.port = in.u16();
            record.target.host = in.name();
            records.services.push_back(std::move(record));
        }
        if (in.failed() || in.at() - begin != size) return malformed("a record has another length than it says");
    }
    return std::nullopt;
}

}  // namespace

Result<SrvAnswer> parse_srv_answer(std::string_view message, std::string_view asked) {
    // 1. The header and the question, which is repeated.
    Reader in(message, 0);
    in.u16();  // id: the library has compared it
    std::uint16_t flags = in.u16(), questions = in.u16(), answers = in.u16();
    in.skip(4);
    if (in.failed() || !(flags & 0x8000) || (flags & 0x7A00) || questions != 1) return malformed("its header");
    if (flags & 0xF) return Error(Code::dns_failed, "DNS error " + std::to_string(flags & 0xF));
    if (answers > kMostRecords) return malformed("too many records");
    std::string name = in.name();
    std::uint16_t type = in.u16(), klass = in.u16();
    if (in.failed() || type != kSrv || klass != kIn || name != without_dot(asked)) return malformed("it answers another question");
    // 2. The records.
    Records records;
    if (auto error = read_records(in, answers, records)) return std::move(*error);
    // 3. Those of the name, or of what it is an alias of.
    std::uint32_t ttl = INT32_MAX;
    for (int i = 0; records.aliases.contains(name); ++i) {
        if (i == kMostAliases) return malformed("too many aliases");
        const Alias& alias = records.aliases.at(name);
        ttl = std::min(ttl, alias.ttl);
        name = alias.to;
    }
    SrvAnswer answer;
    bool found = false;
    for (Record& record : records.services) {
        if (record.owner != name) continue;
        found = true;
        ttl = std::min(ttl, record.ttl);
        if (record.target.host.empty()) continue;
        if (!is_host(record.target.host)) return malformed("a target is no host name");
        answer.targets.push_back(std::move(record.target));
    }
    if (!found) return Error(Code::dns_failed, std::string(asked) + " has no SRV records");
    answer.ttl = std::chrono::seconds(ttl);
    return answer;
}

}  // namespace suoke::rt
