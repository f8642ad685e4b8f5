// SPDX-License-Identifier: MIT
#include "endpoints/revocation_api.h"

#include "base/json.h"
#include "base/text.h"
#include "endpoints/admin.h"
#include "endpoints/registration.h"
#include "endpoints/request_body.h"
#include "endpoints/revocation.h"
#include "gateway/replies.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rt/ask_task.h"
#include "rt/hop.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;

constexpr std::size_t kMostBody = 16 * 1024;

std::string_view name_of(Revoked what) { return what == Revoked::token ? "jti" : "subject"; }

void write(JsonWriter& j, const Revocation& revocation) {
    j.field(name_of(revocation.what), revocation.id);
    j.field("revoked", iso8601(revocation.at)).field("expires", iso8601(revocation.expires));
}

Answer told(int status, std::string_view message, const Result<Revocation>& revocation, WallTime now) {
    if (!revocation) return revocation.error();
    std::string out;
    JsonWriter j(out);
    j.open('{').field("message", message);
    write(j, *revocation);
    j.field("timestamp", seconds(now.time_since_epoch())).close('}');
    return gateway::json_response(status, std::move(out));
}

// Base of them: what they change, control changes; and who is answered knows that every worker heard of it.
class Revoking : public gateway::Filter {
 public:
    explicit Revoking(Sources& sources) : from_(sources) {}

 protected:
    using Question = std::function<rt::Task<Result<Revocation>>(RevocationDesk&)>;
    rt::Task<Result<Revocation>> ask(Exchange& ex, Question question) const {
        std::function<rt::Task<Result<Revocation>>()> there = [from = &from_, question = std::move(question)] {
            return settle(*from, question(*from->revocations));
        };
        rt::AskTask<Result<Revocation>> asked(ex.worker.loop(), from_.control, from_.control_tasks, std::move(there));
        co_return co_await asked;
    }
    static WallTime now(const Exchange& ex) { return ex.worker.loop().clock().wall(); }
    Sources& from_;

 private:
    static rt::Task<Result<Revocation>> settle(Sources& from, rt::Task<Result<Revocation>> change) {
        Result<Revocation> done = co_await std::move(change);
        if (done && from.settled) co_await from.settled();
        co_return done;
    }
};

class Revoke final : public Revoking {
    using Revoking::Revoking;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto body = co_await read_body(ex, kMostBody);
        if (!body) co_return body.error();
        auto wish = read_revocation(*body);
        if (auto* faults = std::get_if<Faults>(&wish)) co_return unprocessable(ex, *faults);
        Question question = [it = std::get<RevocationWish>(std::move(wish))](RevocationDesk& desk) { return desk.revoke(it); };
        auto revocation = co_await ask(ex, std::move(question));
        co_return told(201, "Revoked", revocation, now(ex));
    }
};

// ?jti=... or ?subject=...; nothing: neither, both, or no text at all.
std::optional<RevocationWish> named_in(std::string_view query) {
    std::optional<RevocationWish> named;
    bool good = true;
    http::for_each_param(query, [&](std::string_view name, std::string_view value) {
        if (name != "jti" && name != "subject") return;
        std::string scratch;
        auto id = http::percent_decode(value, scratch);
        good = good && !named && id && !id->empty();
        if (good) named = RevocationWish{name == "jti" ? Revoked::token : Revoked::subject, std::string(*id), {}};
    });
    return good ? named : std::nullopt;
}

class Lift final : public Revoking {
    using Revoking::Revoking;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        auto named = named_in(ex.request.head.query);
        if (!named) {
            Faults faults;
            faults.push_back({"missing", "jti", "Say which: ?jti=... or ?subject=...", ""});
            co_return unprocessable(ex, faults);
        }
        Question question = [what = named->what, id = named->id](RevocationDesk& desk) { return desk.lift(what, id); };
        auto revocation = co_await ask(ex, std::move(question));
        co_return told(200, "Revocation lifted", revocation, now(ex));
    }
};

class List final : public Revoking {
    using Revoking::Revoking;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        if (auto error = refuse_unless_admin(ex)) co_return *error;
        std::function<std::string()> question = [from = &from_] { return list_of(from->revocations->all()); };
        rt::Ask<std::string> asked(ex.worker.loop(), from_.control, std::move(question));
        std::string text = co_await asked;
        co_return gateway::json_response(200, std::move(text));
    }

    static std::string list_of(const std::vector<Revocation>& all) {
        std::string out;
        JsonWriter j(out);
        j.open('{').key("revocations").open('[');
        for (const Revocation& each : all) {
            j.open('{');
            write(j, each);
            j.close('}');
        }
        j.close(']').field("total", std::uint64_t{all.size()}).close('}');
        return out;
    }
};

}  // namespace

void add_revocations(std::vector<Builtin>& all, Sources& sources) {
    auto revoke = std::make_shared<Revoke>(sources);
    auto lift = std::make_shared<Lift>(sources);
    auto list = std::make_shared<List>(sources);
    const std::string path = "/api/v1/management/revocations";
    all.push_back({"gateway:revocations", path, list});
    all.push_back({"gateway:revocations:add", path, revoke, {"POST"}});
    all.push_back({"gateway:revocations:lift", path, lift, {"DELETE"}});
}

}  // namespace suoke::endpoints
