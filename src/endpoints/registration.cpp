// SPDX-License-Identifier: MIT
#include "endpoints/registration.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace suoke::endpoints {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 128, kLongestValue = 1024, kLongestLease = 64, kLongestId = 256, kMostMetadata = 64, kMostTags = 32;
constexpr int kDeepest = 32;

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestName) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        char l = lower(c);
        return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
    });
}

bool is_host_name(std::string_view host) {
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
        char l = lower(c);
        return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

// Those we give away, and nothing that would be read as more than one where they are kept.
bool is_lease(std::string_view text) {
    if (text.empty() || text.size() > kLongestLease) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        char l = lower(c);
        return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_';
    });
}

// Discarded when it is no JSON, or so deep that nothing should walk through it.
json parse(std::string_view body) {
    if (nested_deeper(body, kDeepest)) return json(json::value_t::discarded);
    return json::parse(body, nullptr, false);
}

// Looks at the members of an object, and gathers what is wrong with them.
class Form {
 public:
    explicit Form(std::string_view body) : object_(parse(body)) {
        if (object_.is_discarded()) fault("json_invalid", "", "The body must be JSON, at most " + std::to_string(kDeepest) + " levels deep", object_);
        else if (!object_.is_object()) fault("model_type", "", "The body must be a JSON object", object_);
    }
    Faults take_faults() { return std::move(faults_); }
    bool fine() const { return faults_.empty(); }

    const json* member(const char* name) const {
        if (!object_.is_object()) return nullptr;
        auto found = object_.find(name);
        return found == object_.end() || found->is_null() ? nullptr : &*found;
    }
    std::optional<std::string> text(const char* name, std::size_t longest = kLongestValue) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        if (!value->is_string()) return wrong("string_type", name, "Input should be a valid string", *value), std::nullopt;
        auto text = value->get<std::string>();
        if (text.size() > longest) return wrong("string_too_long", name, "String should have at most " + std::to_string(longest) + " characters", *value), std::nullopt;
        return text;
    }
    std::optional<std::uint64_t> number(const char* name, std::uint64_t low, std::uint64_t high) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        if (!value->is_number_integer()) return wrong("int_type", name, "Input should be a valid integer", *value), std::nullopt;
        bool within = value->is_number_unsigned() && value->get<std::uint64_t>() >= low && value->get<std::uint64_t>() <= high;
        if (!within) return wrong("value_error", name, "Input should be from " + std::to_string(low) + " to " + std::to_string(high), *value), std::nullopt;
        return value->get<std::uint64_t>();
    }
    std::optional<bool> boolean(const char* name) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        if (!value->is_boolean()) return wrong("bool_type", name, "Input should be true or false", *value), std::nullopt;
        return value->get<bool>();
    }
    // Seconds, or text with a unit.
    std::optional<Duration> duration(const char* name, Duration low, Duration high) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        std::optional<Duration> read;
        if (value->is_string()) read = parse_duration(value->get<std::string>());
        if (value->is_number() && value->get<double>() >= 0 && value->get<double>() < 1e9)
            read = Duration(static_cast<std::int64_t>(value->get<double>() * 1e9));
        bool within = read && (*read == Duration::zero() || (*read >= low && *read <= high));
        if (!within) return wrong("value_error", name, "Input should be a duration from " + format_duration(low) + " to " + format_duration(high) + ", or 0", *value), std::nullopt;
        return read;
    }
    std::optional<std::vector<std::string>> texts(const char* name, std::size_t most) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        std::vector<std::string> out;
        bool good = value->is_array() && value->size() <= most;
        if (good)
            for (const json& item : *value) {
                good &= item.is_string() && item.get<std::string>().size() <= kLongestValue;
                if (good) out.push_back(item.get<std::string>());
            }
        if (!good) return wrong("list_type", name, "Input should be a list of at most " + std::to_string(most) + " strings", *value), std::nullopt;
        return out;
    }
    std::optional<std::map<std::string, std::string>> pairs(const char* name, std::size_t most) {
        const json* value = member(name);
        if (!value) return std::nullopt;
        std::map<std::string, std::string> out;
        bool good = value->is_object() && value->size() <= most;
        if (good)
            for (const auto& [key, item] : value->items()) {
                good &= item.is_string() && key.size() <= kLongestName && item.get<std::string>().size() <= kLongestValue;
                if (good) out[key] = item.get<std::string>();
            }
        if (!good) return wrong("dict_type", name, "Input should be an object of at most " + std::to_string(most) + " strings", *value), std::nullopt;
        return out;
    }

    std::string lease() {
        auto shown = text("lease");
        if (shown && !is_lease(*shown)) wrong("lease", "Input should be a lease: letters, digits, - and _ only, at most " + std::to_string(kLongestLease));
        return shown.value_or("");
    }

    void missing(const char* name) { faults_.push_back({"missing", name, "Field required", ""}); }
    void wrong(const char* type, const char* name, std::string message, const json& input) { fault(type, name, std::move(message), input); }
    void wrong(const char* name, std::string message) {
        static const json kNothing;
        const json* value = member(name);
        fault("value_error", name, std::move(message), value ? *value : kNothing);
    }

 private:
    void fault(const char* type, const char* name, std::string message, const json& input) {
        if (faults_.size() >= 20) return;
        bool is_shown = input.is_primitive() && !input.is_null() && !input.is_discarded();
        std::string shown = is_shown ? input.dump(-1, ' ', false, json::error_handler_t::replace) : "";
        if (shown.size() > 200) shown.clear();
        faults_.push_back({type, name, std::move(message), std::move(shown)});
    }
    json object_;
    Faults faults_;
};

void read_target(Form& form, balance::Instance& instance, const Allowed& allowed) {
    auto host = form.text("host", 253);
    auto port = form.number("port", 1, 65535);
    if (!form.member("host")) form.missing("host");
    if (!form.member("port")) form.missing("port");
    if (port) instance.port = static_cast<std::uint16_t>(*port);
    if (!host) return;
    std::string_view plain = *host;
    if (plain.starts_with('[') && plain.ends_with(']')) plain = plain.substr(1, plain.size() - 2);
    bool literal = !plain.starts_with("unix:") && rt::Address::parse(plain, 80).has_value();
    if (!literal && !is_host_name(plain)) return form.wrong("host", "Input should be an IP address or a host name");
    if (!allowed.contains(plain)) return form.wrong("host", "Nothing may be registered there (registry.allow_networks, registry.allow_hosts)");
    instance.host = plain;
}

void read_protocol(Form& form, balance::Instance& instance) {
    if (auto scheme = form.text("scheme", 16)) {
        if (*scheme == "https") instance.use_tls = true;
        else if (*scheme == "http") instance.use_tls = false;
        else if (*scheme == "grpc" || *scheme == "h2") instance.protocol = upstream::Protocol::h2;
        else form.wrong("scheme", "Input should be http, https, h2 or grpc");
    }
    if (auto protocol = form.text("protocol", 16)) {
        if (*protocol == "h2" || *protocol == "grpc" || *protocol == "http2") instance.protocol = upstream::Protocol::h2;
        else if (*protocol == "http" || *protocol == "http1" || *protocol == "http/1.1") instance.protocol = upstream::Protocol::h1;
        else if (*protocol == "https") instance.use_tls = true;
        else form.wrong("protocol", "Input should be http1, h2, grpc or https");
    }
}

// "health_check": "/health" or {"path": "/health"}; "health_check_path"; "health_check_url" of the same instance.
void read_health(Form& form, balance::Instance& instance) {
    std::optional<std::string> path = form.text("health_check_path");
    if (auto url = form.text("health_check_url")) {
        std::size_t scheme = url->find("://"), slash = url->find('/', scheme == std::string::npos ? 0 : scheme + 3);
        path = slash == std::string::npos ? "/" : url->substr(slash);
    }
    if (const json* check = form.member("health_check")) {
        if (check->is_string()) path = check->get<std::string>();
        else if (check->is_object() && check->contains("path") && (*check)["path"].is_string()) path = (*check)["path"].get<std::string>();
        else form.wrong("health_check", "Input should be a path, or an object with a path");
    }
    if (!path) return;
    bool good = path->starts_with('/') && path->size() <= kLongestValue && std::all_of(path->begin(), path->end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!good) return form.wrong("health_check_path", "Input should be a path that begins with /");
    instance.health_path = std::move(*path);
}

}  // namespace

bool Allowed::contains(std::string_view host) const {
    if (auto address = rt::Address::parse(host, 80); address && !address->is_unix())
        return std::any_of(networks.begin(), networks.end(), [&](const rt::Network& network) { return network.contains(*address); });
    return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& pattern) {
        if (pattern.starts_with("*.")) return host.size() > pattern.size() - 1 && iequals(host.substr(host.size() - (pattern.size() - 1)), pattern.substr(1));
        return iequals(host, pattern);
    });
}

std::variant<Wanted, Faults> read_registration(std::string_view body, std::string_view service, const RegistrationRules& rules) {
    Form form(body);
    if (!form.fine()) return form.take_faults();
    Wanted wanted;
    services::Record& record = wanted.record;
    balance::Instance& instance = record.instance;
    // 1. Which service: the path's, or the body's name (which then is no name of its own).
    auto name = form.text("name", kLongestName);
    record.service = service.empty() ? name.value_or("") : std::string(service);
    if (record.service.empty() && form.fine()) form.missing("name");
    else if (!record.service.empty() && !is_name(record.service)) form.wrong("name", "Input should be letters, digits and -_.: only, at most 128");
    record.name = name.value_or(record.service);
    // 2. Where it is.
    read_target(form, instance, rules.allowed);
    read_protocol(form, instance);
    read_health(form, instance);
    // 3. What it is.
    instance.weight = static_cast<std::uint32_t>(form.number("weight", 0, 1'000'000).value_or(1));
    instance.priority = static_cast<std::uint32_t>(form.number("priority", 0, 100).value_or(0));
    instance.zone = form.text("zone", kLongestName).value_or("");
    instance.version = form.text("version", kLongestName).value_or("");
    instance.tags = form.texts("tags", kMostTags).value_or(std::vector<std::string>());
    instance.metadata = form.pairs("metadata", kMostMetadata).value_or(std::map<std::string, std::string>());
    // 4. Under which id, and for how long.
    auto id = form.text("id", kLongestName);
    if (!id) id = form.text("instance_id", kLongestName);
    instance.id = id.value_or(record.service + "-" + instance.host + "-" + std::to_string(instance.port));
    if (id && !is_name(*id)) form.wrong(form.member("id") ? "id" : "instance_id", "Input should be letters, digits and -_.: only, at most 128");
    record.ttl = form.duration("ttl", 1s, 24h).value_or(rules.default_ttl);
    wanted.lease = form.lease();
    if (!form.fine()) return form.take_faults();
    return wanted;
}

std::variant<services::Change, Faults> read_change(std::string_view body) {
    Form form(body);
    if (!form.fine()) return form.take_faults();
    services::Change change;
    if (auto weight = form.number("weight", 0, 1'000'000)) change.weight = static_cast<std::uint32_t>(*weight);
    change.version = form.text("version", kLongestName);
    change.zone = form.text("zone", kLongestName);
    change.tags = form.texts("tags", kMostTags);
    change.metadata = form.pairs("metadata", kMostMetadata);
    change.draining = form.boolean("draining");
    if (!form.fine()) return form.take_faults();
    return change;
}

std::variant<std::string, Faults> read_heartbeat(std::string_view body) {
    if (trim(body).empty()) return std::string();
    Form form(body);
    std::string lease = form.lease();
    if (!form.fine()) return form.take_faults();
    return lease;
}

std::variant<RevocationWish, Faults> read_revocation(std::string_view body) {
    constexpr Duration kLongest = std::chrono::days(366);
    Form form(body);
    if (!form.fine()) return form.take_faults();
    RevocationWish wish;
    if (form.member("subject")) wish.what = Revoked::subject;
    const char* name = wish.what == Revoked::token ? "jti" : "subject";
    if (!form.member("jti") && !form.member("subject")) form.missing("jti");
    if (form.member("jti") && form.member("subject")) form.wrong("jti", "Give one of jti and subject");
    wish.id = form.text(name, kLongestId).value_or("");
    bool printable = std::none_of(wish.id.begin(), wish.id.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
    if (form.fine() && (wish.id.empty() || !printable)) form.wrong(name, "Input should be some text without control characters");
    wish.lifetime = form.duration("expires_in", 1s, kLongest);
    if (wish.lifetime == Duration::zero()) form.wrong("expires_in", "Input should be a duration of at least a second");
    if (!form.fine()) return form.take_faults();
    return wish;
}

std::string sentence_of(const Faults& faults) {
    std::string out;
    for (const Fault& fault : faults)
        out += (out.empty() ? "" : "; ") + (fault.field.empty() ? "" : fault.field + ": ") + fault.message;
    return out;
}

std::string list_of(const Faults& faults) {
    std::string out;
    JsonWriter j(out);
    j.open('[');
    for (const Fault& fault : faults) {
        j.open('{').field("type", fault.type).key("loc").open('[').value("body");
        if (!fault.field.empty()) j.value(fault.field);
        j.close(']').field("msg", fault.message).key("input");
        fault.input.empty() ? j.null() : j.raw(fault.input);
        j.close('}');
    }
    j.close(']');
    return out;
}

}  // namespace suoke::endpoints
