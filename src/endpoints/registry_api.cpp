// SPDX-License-Identifier: MIT
#include "endpoints/registry_api.h"

#include "base/json.h"
#include "base/text.h"
#include "endpoints/admin.h"
#include "endpoints/registration.h"
#include "endpoints/request_body.h"
#include "endpoints/service_list.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "rt/ask_task.h"
#include "rt/hop.h"
#include "rt/pause.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;

constexpr std::size_t kMostBody = 64 * 1024;

// ---- what is answered

std::string param(const Exchange& ex, std::string_view name) {
    for (const gateway::Param& each : ex.match.params)
        if (each.name == name) return std::string(each.value);
    return {};
}

// The lease is told only to who registers: it moves the instance.
std::string told(std::string_view message, const services::Record& record, bool with_lease, WallTime now) {
    std::string out;
    JsonWriter j(out);
    j.open('{').field("message", message).field("service_name", record.service).field("instance_id", record.instance.id);
    if (with_lease) j.field("lease", record.lease);
    j.field("ttl", seconds(record.ttl));
    if (record.ttl > Duration::zero()) j.field("expires", iso8601(record.expires));
    j.field("draining", record.instance.draining).field("timestamp", seconds(now.time_since_epoch())).close('}');
    return out;
}

RegistrationRules rules_of(const gateway::Site& site) {
    const config::Registry& from = site.config.registry;
    RegistrationRules rules;
    rules.default_ttl = from.default_ttl;
    auto allow = [&](const std::string& text) {
        if (auto network = rt::Network::parse(text)) rules.allowed.networks.push_back(*network);
    };
    for (const std::string& network : from.allow_networks) allow(network);
    rules.allowed.hosts = from.allow_hosts;
    config::Environment environment = site.config.app.environment;
    if (environment == config::Environment::development || environment == config::Environment::testing) {
        for (const char* here : {"127.0.0.0/8", "::1"}) allow(here);
        rules.allowed.hosts.push_back("localhost");
    }
    return rules;
}

// Base of those that change something: asks for the token, and control for the rest.
class Change : public gateway::Filter {
 public:
    explicit Change(Sources& sources) : from_(sources) {}

 protected:
    template <class T>
    using Question = std::function<rt::Task<Result<T>>(services::Registry&)>;
    // Runs `question` with the registry, in the control loop.
    template <class T>
    rt::Task<Result<T>> ask(Exchange& ex, Question<T> question) const {
        std::function<rt::Task<Result<T>>()> there = [from = &from_, question = std::move(question)] {
            return from->registry ? question(*from->registry) : no_registry<T>();
        };
        rt::AskTask<Result<T>> asked(ex.worker.loop(), from_.control, from_.control_tasks, std::move(there));
        co_return co_await asked;
    }
    // The same; and when it is answered, every worker knows what came of it: who was told that an instance is
    // gone sends no request there.
    template <class T>
    rt::Task<Result<T>> ask_and_settle(Exchange& ex, Question<T> question) const {
        Question<T> settled = [from = &from_, question = std::move(question)](services::Registry& registry) {
            return settle(*from, question(registry));
        };
        co_return co_await ask<T>(ex, std::move(settled));
    }
    template <class T>
    static rt::Task<Result<T>> settle(Sources& from, rt::Task<Result<T>> change) {
        Result<T> done = co_await std::move(change);
        if (!done) co_return done;
        // What others ask for in the same turn of the loop is then made known together with it.
        rt::Aside aside(from.control);
        co_await aside;
        if (from.settled) co_await from.settled();
        co_return done;
    }
    template <class T>
    static rt::Task<Result<T>> no_registry() {
        co_return Error(Code::forbidden, "the registry is switched off (registry.enabled)");
    }
    Answer answer(const Exchange& ex, int status, std::string_view message, const Result<services::Record>& record) const {
        if (!record) return record.error();
        return gateway::json_response(status, told(message, *record, status == 201, ex.worker.loop().clock().wall()));
    }
    Sources& from_;
};

class Register final : public Change {
 public:
    Register(Sources& sources, std::string_view message) : Change(sources), message_(message) {}
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto body = co_await read_body(ex, kMostBody);
        if (!body) co_return body.error();
        auto wanted = read_registration(*body, param(ex, "service"), rules_of(ex.site));
        if (auto* faults = std::get_if<Faults>(&wanted)) co_return unprocessable(ex, *faults);
        Question<services::Record> question = [it = std::get<Wanted>(std::move(wanted))](services::Registry& registry) {
            return registry.add(it.record, it.lease);
        };
        auto record = co_await ask_and_settle<services::Record>(ex, std::move(question));
        co_return answer(ex, 201, message_, record);
    }

 private:
    const std::string_view message_;
};

class Heartbeat final : public Change {
    using Change::Change;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto body = co_await read_body(ex, kMostBody);
        if (!body) co_return body.error();
        auto lease = read_heartbeat(*body);
        if (auto* faults = std::get_if<Faults>(&lease)) co_return unprocessable(ex, *faults);
        Question<services::Record> question = [service = param(ex, "service"), id = param(ex, "id"),
                                               lease = std::get<std::string>(std::move(lease))](services::Registry& registry) {
            return registry.heartbeat(service, id, lease);
        };
        auto record = co_await ask<services::Record>(ex, std::move(question));
        co_return answer(ex, 200, "Lease extended", record);
    }
};

class Update final : public Change {
 public:
    Update(Sources& sources, bool drain) : Change(sources), drain_(drain) {}
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto body = co_await read_body(ex, kMostBody);
        if (!body) co_return body.error();
        services::Change change;
        if (!drain_ || !trim(*body).empty()) {
            auto read = read_change(*body);
            if (auto* faults = std::get_if<Faults>(&read)) co_return unprocessable(ex, *faults);
            change = std::get<services::Change>(std::move(read));
        }
        if (drain_ && !change.draining) change.draining = true;
        Question<services::Record> question = [service = param(ex, "service"), id = param(ex, "id"),
                                               change = std::move(change)](services::Registry& registry) {
            return registry.change(service, id, change);
        };
        auto record = co_await ask_and_settle<services::Record>(ex, std::move(question));
        co_return answer(ex, 200, drain_ ? "Instance draining" : "Instance updated", record);
    }

 private:
    const bool drain_;
};

class Deregister final : public Change {
    using Change::Change;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        std::string service = param(ex, "service"), id = param(ex, "id");
        Question<void> question = [service, id](services::Registry& registry) { return registry.remove(service, id); };
        auto removed = co_await ask_and_settle<void>(ex, std::move(question));
        if (!removed) co_return removed.error();
        std::string out;
        JsonWriter j(out);
        j.open('{').field("message", "Service instance deregistered").field("service_name", service).field("instance_id", id);
        j.field("timestamp", seconds(ex.worker.loop().clock().wall().time_since_epoch())).close('}');
        co_return gateway::json_response(200, std::move(out));
    }
};

// What anybody may read, by service (empty: all of them), kept for a second: so often at most control writes it,
// however many ask.
struct Public {
    TimePoint since{};
    std::map<std::string, std::string> texts;
};

// Looked at by control: members and leases belong to it.
class List final : public gateway::Filter {
 public:
    explicit List(Sources& sources) : from_(sources) {}
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        std::string service = param(ex, "service");
        std::function<Result<std::string>()> question = [from = &from_, known = public_, service, whole = is_admin(ex)] {
            return whole ? text(*from, service, true) : text_for_all(*from, service, *known);
        };
        rt::Ask<Result<std::string>> asked(ex.worker.loop(), from_.control, std::move(question));
        Result<std::string> text = co_await asked;
        if (!text) co_return text.error();
        co_return gateway::json_response(200, std::move(*text));
    }

 private:
    static Result<std::string> text(const Sources& from, const std::string& service, bool whole) {
        ListOptions options{whole, from.control.now(), from.control.clock().wall(), from.registry};
        if (service.empty()) return services_json(from.directory.all(), options);
        balance::MembersPtr members = from.directory.members(service);
        if (!members) return Error(Code::not_found, "Service '" + service + "' not found");
        return service_json(*members, options);
    }
    static Result<std::string> text_for_all(const Sources& from, const std::string& service, Public& known) {
        if (from.control.now() - known.since >= std::chrono::seconds(1)) {
            known.since = from.control.now();
            known.texts.clear();
        }
        if (auto at = known.texts.find(service); at != known.texts.end()) return at->second;
        auto fresh = text(from, service, false);
        if (fresh) known.texts[service] = *fresh;
        return fresh;
    }
    Sources& from_;
    const std::shared_ptr<Public> public_ = std::make_shared<Public>();   // only control looks into it
};

// Checks every instance now, and tells what came of it.
class CheckNow final : public Change {
    using Change::Change;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        std::string service = param(ex, "service");
        std::function<rt::Task<Result<std::string>>()> question = [from = &from_, service] { return check(*from, service); };
        rt::AskTask<Result<std::string>> asked(ex.worker.loop(), from_.control, from_.control_tasks, std::move(question));
        Result<std::string> text = co_await asked;
        if (!text) co_return text.error();
        co_return gateway::json_response(200, std::move(*text));
    }

    static rt::Task<Result<std::string>> check(Sources& from, std::string service) {
        balance::MembersPtr members = from.directory.members(service);
        if (!members) co_return Error(Code::not_found, "Service '" + service + "' not found");
        if (from.check_now) co_await from.check_now(service);
        ListOptions options{true, from.control.now(), from.control.clock().wall(), from.registry};
        std::string out;
        JsonWriter j(out);
        j.open('{').field("message", "Health check completed").field("service_name", service).key("health_info").raw(service_json(*members, options)).close('}');
        co_return out;
    }
};

}  // namespace

void add_registry(std::vector<Builtin>& all, Sources& sources) {
    auto registered = std::make_shared<Register>(sources, "Service registered successfully");
    auto added = std::make_shared<Register>(sources, "Service instance registered");
    auto heartbeat = std::make_shared<Heartbeat>(sources);
    auto update = std::make_shared<Update>(sources, false), drain = std::make_shared<Update>(sources, true);
    auto deregister = std::make_shared<Deregister>(sources);
    auto list = std::make_shared<List>(sources);
    auto check = std::make_shared<CheckNow>(sources);
    all.push_back({"gateway:register", "/services/register", registered, {"POST"}});
    for (std::string base : {"/services", "/api/v1/gateway/services", "/api/v1/management/services"}) {
        std::string one = base + "/{service}", instance = one + "/instances/{id}", name = "gateway:registry" + base;
        all.push_back({name + ":list", base, list, {"GET"}, true});
        all.push_back({name + ":list/", base + "/", list, {"GET"}, true});
        all.push_back({name + ":register", base, registered, {"POST"}});
        all.push_back({name + ":service", one, list, {"GET"}, true});
        all.push_back({name + ":health", one + "/health", list, {"GET"}, true});
        all.push_back({name + ":instances", one + "/instances", list, {"GET"}, true});
        all.push_back({name + ":check", one + "/health-check", check, {"POST"}});
        all.push_back({name + ":add", one + "/instances", added, {"POST"}});
        all.push_back({name + ":update", instance, update, {"PATCH"}});
        all.push_back({name + ":deregister", instance, deregister, {"DELETE"}});
        all.push_back({name + ":heartbeat", instance + "/heartbeat", heartbeat, {"PUT", "POST"}});
        all.push_back({name + ":drain", instance + "/drain", drain, {"POST"}});
    }
}

}  // namespace suoke::endpoints
