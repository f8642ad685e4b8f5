// SPDX-License-Identifier: MIT
#include "services/record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "http/grpc.h"
#include "rt/digest.h"

namespace suoke::services {
namespace {

using nlohmann::json;

std::int64_t milliseconds_of(auto time) { return std::chrono::duration_cast<std::chrono::milliseconds>(time).count(); }

// Reads members of one object; the first that is missing or of another kind makes the record bad.
class Reader {
 public:
    explicit Reader(const json& object) : object_(object) {}
    bool failed() const { return failed_; }

    template <class T>
    void read(const char* name, T& into, bool optional = false) {
        auto found = object_.find(name);
        if (found == object_.end()) {
            failed_ |= !optional;
            return;
        }
        if constexpr (std::is_same_v<T, std::string>) {
            found->is_string() ? void(into = found->template get<std::string>()) : fail();
        } else if constexpr (std::is_same_v<T, bool>) {
            found->is_boolean() ? void(into = found->template get<bool>()) : fail();
        } else {
            if (!found->is_number_unsigned()) return fail();
            auto n = found->template get<std::uint64_t>();
            std::in_range<T>(n) ? void(into = static_cast<T>(n)) : fail();
        }
    }
    std::uint64_t number(const char* name) {
        std::uint64_t n = 0;
        read(name, n);
        return n;
    }
    std::chrono::milliseconds time(const char* name) {
        std::uint64_t n = number(name);
        if (n > kMostMilliseconds) fail();
        return std::chrono::milliseconds(std::min(n, kMostMilliseconds));
    }
    const json* container(const char* name, json::value_t kind) {
        auto found = object_.find(name);
        if (found == object_.end() || found->type() != kind) return fail(), nullptr;
        return &*found;
    }
    void fail() { failed_ = true; }

 private:
    const json& object_;
    bool failed_ = false;
};

}  // namespace

void set_end(Record& record, Duration left, WallTime wall, TimePoint now) {
    record.expires = wall + left;
    record.ends = now + left;
}

bool has_run_out(const Record& record, TimePoint now) { return record.ttl > Duration::zero() && record.ends <= now; }

bool is_holder(const Record& held, const Record& wanted, std::string_view lease) {
    bool same_address = held.instance.host == wanted.instance.host && held.instance.port == wanted.instance.port;
    return same_address || rt::same_secret(lease, held.lease);
}

bool may_take(const Record& held, const Record& wanted, std::string_view lease, TimePoint now) {
    return is_holder(held, wanted, lease) || has_run_out(held, now);
}

std::string new_lease() {
    std::string bytes = rt::secret_bytes(18), text;
    http::append_base64(text, bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

Error held_by(const Record& held) {
    std::string until = held.ttl > Duration::zero() ? "until " + iso8601(held.expires) : "until it is taken out";
    return Error(Code::conflict, "instance " + held.instance.id + " of " + held.service + " is held by " + held.instance.host + ":" +
                                     std::to_string(held.instance.port) + " " + until + "; show its lease to move it");
}

Error changed_meanwhile(const Record& record) {
    return Error(Code::conflict, "instance " + record.instance.id + " of " + record.service + " was changed by somebody else meanwhile; look at it again");
}

Error not_held(const std::string& service, const std::string& id) {
    return Error(Code::not_found, "service " + service + " has no registered instance " + id);
}

std::string to_json(const Record& record) {
    const balance::Instance& instance = record.instance;
    json out = {{"service", record.service},
                {"id", instance.id},
                {"name", record.name},
                {"host", instance.host},
                {"port", instance.port},
                {"weight", instance.weight},
                {"priority", instance.priority},
                {"zone", instance.zone},
                {"version", instance.version},
                {"tags", instance.tags},
                {"metadata", instance.metadata},
                {"health_path", instance.health_path},
                {"draining", instance.draining},
                {"ttl", milliseconds_of(record.ttl)},
                {"lease", record.lease},
                {"registered", milliseconds_of(record.registered.time_since_epoch())},
                {"expires", milliseconds_of(record.expires.time_since_epoch())},
                {"revision", record.revision}};
    if (instance.protocol) out["protocol"] = *instance.protocol == upstream::Protocol::h2 ? "h2" : "http1";
    if (instance.use_tls) out["tls"] = *instance.use_tls;
    // Names come from clients: what is not UTF-8 is replaced, not thrown.
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Record> record_of(std::string_view text) {
    json object = nested_deeper(text, kDeepestRecord) ? json() : json::parse(text, nullptr, false);
    if (!object.is_object()) return Error(Code::store_unavailable, "a record of the registry is no JSON object");
    Record record;
    balance::Instance& instance = record.instance;
    Reader reader(object);
    reader.read("service", record.service);
    reader.read("id", instance.id);
    reader.read("name", record.name);
    reader.read("host", instance.host);
    reader.read("port", instance.port);
    reader.read("weight", instance.weight);
    reader.read("priority", instance.priority);
    reader.read("zone", instance.zone);
    reader.read("version", instance.version);
    reader.read("health_path", instance.health_path);
    reader.read("draining", instance.draining);
    reader.read("lease", record.lease);
    record.ttl = reader.time("ttl");
    record.registered = WallTime(reader.time("registered"));
    record.expires = WallTime(reader.time("expires"));
    record.revision = reader.number("revision");
    if (const json* tags = reader.container("tags", json::value_t::array))
        for (const json& tag : *tags) tag.is_string() ? void(instance.tags.push_back(tag.get<std::string>())) : reader.fail();
    if (const json* metadata = reader.container("metadata", json::value_t::object))
        for (const auto& [key, value] : metadata->items())
            value.is_string() ? void(instance.metadata[key] = value.get<std::string>()) : reader.fail();
    std::string protocol;
    reader.read("protocol", protocol, true);
    if (!protocol.empty()) instance.protocol = protocol == "h2" ? upstream::Protocol::h2 : upstream::Protocol::h1;
    if (object.contains("tls")) reader.read("tls", instance.use_tls.emplace());
    if (reader.failed() || record.service.empty() || instance.id.empty())
        return Error(Code::store_unavailable, "a record of the registry lacks something, or has something of another kind");
    return record;
}

}  // namespace suoke::services
