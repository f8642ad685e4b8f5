// SPDX-License-Identifier: MIT
#include "gateway/authorities.h"

#include <algorithm>

#include "auth/introspection.h"
#include "base/text.h"
#include "gateway/open_questions.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rt/digest.h"
#include "rt/race.h"

namespace suoke::gateway {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024;
constexpr const char* kTooMany = "too many questions about credentials are open";
constexpr Duration kPatienceForKeys = std::chrono::seconds(3);

TimePoint deadline_of(const Exchange& ex, const Authority& authority) {
    return std::min(ex.head_deadline(), deadline_after(ex.worker.loop().now(), authority.timeout));
}

upstream::FetchRequest request_to(const Authority& authority) {
    upstream::FetchRequest request;
    request.endpoint = authority.endpoint;
    request.host = authority.host;
    request.target = authority.target;
    return request;
}

std::string hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out.append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
    return out;
}

// The path as it is routed and forwarded: one that only looks allowed ("/open/../closed") is not what is asked
// about. Without the token, where the route takes it from the query.
std::string uri_of(const Exchange& ex, const TokenPlaces& places) {
    const http::RequestHead& head = ex.request.head;
    std::string uri(ex.path);
    char separator = '?';
    http::for_each_param(head.query, [&](std::string_view name, std::string_view value) {
        if (!places.query.empty() && name == places.query) return;
        uri.append(1, std::exchange(separator, '&')).append(name);
        if (!value.empty()) uri.append("=").append(value);
    });
    return uri;
}

std::string digest_of(const upstream::FetchFields& fields) {
    std::string all;
    for (const upstream::FetchField& field : fields) all.append(field.name).append(": ").append(field.value).append("\r\n");
    return rt::digest_of({all});
}

std::string_view text_of(const upstream::FetchResponse& answer, std::string_view name) {
    const std::string* found = answer.field(name);
    return found ? trim(*found) : std::string_view();
}

auth::IdentityPtr identity_in(const upstream::FetchResponse& answer, const std::string& client) {
    constexpr std::size_t kDigits = 16;
    auth::Identity who;
    who.method = auth::Method::forward;
    who.subject = text_of(answer, "X-User-ID");
    // One that only says yes: what this client shows is who it is.
    if (who.subject.empty()) who.subject = "forward:" + hex(client).substr(0, kDigits);
    who.name = text_of(answer, "X-User-Name");
    for (std::string_view role : split_list(text_of(answer, "X-User-Roles"))) who.roles.emplace_back(role);
    std::string_view scopes = text_of(answer, "X-User-Scopes");
    for (std::string_view scope : split_list(scopes, scopes.find(',') == scopes.npos ? ' ' : ',')) who.scopes.emplace_back(scope);
    std::string_view type = text_of(answer, "X-User-Type");
    who.type = type.empty() ? auth::type_by_roles(who) : auth::user_type_of(type);
    return auth::settled(std::move(who));
}

upstream::FetchFields passed_of(const upstream::FetchResponse& answer) {
    upstream::FetchFields passed;
    for (const upstream::FetchField& field : answer.fields)
        for (std::string_view name : {"WWW-Authenticate", "Location"})
            if (iequals(field.name, name)) passed.push_back({std::string(name), field.value});
    return passed;
}

}  // namespace

rt::Task<void> look_for_keys(Exchange& ex, std::vector<std::string> providers, std::string key_id) {
    rt::Loop& loop = ex.worker.loop();
    TimePoint deadline = std::min(ex.head_deadline(), loop.now() + kPatienceForKeys);
    for (std::string& provider : providers) {
        rt::Within<void> looked(loop, ex.worker.credentials().desk->look_for(std::move(provider), key_id, deadline), deadline);
        (void)co_await looked;
    }
}

rt::Task<Result<auth::IdentityPtr>> introspect(Exchange& ex, std::string token) {
    const Authority& server = *ex.site.authentication.introspection;
    Worker& worker = ex.worker;
    OpenQuestion open(worker.questions());
    if (open.is_too_many()) co_return Error(Code::keys_unavailable, kTooMany);
    upstream::FetchRequest request = request_to(server);
    request.method = "POST";
    request.fields.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    request.fields.push_back({"Accept", "application/json"});
    if (!server.authorization.empty()) request.fields.push_back({"Authorization", server.authorization});
    request.body = "token=";
    http::append_percent_encoded(request.body, token);
    request.body += "&token_type_hint=access_token";
    request.max_body = kMostAnswer;
    auto answer = co_await upstream::fetch(worker.loop(), worker.dialer(), worker.buffers(), std::move(request), deadline_of(ex, server));
    if (!answer || answer->status != 200) co_return Error(Code::keys_unavailable);
    co_return auth::read_introspection(answer->body, worker.loop().clock().wall(), server.audiences);
}

ForwardQuestion forward_question(Exchange& ex, const TokenPlaces& places) {
    const Authority& service = *ex.site.authentication.forward;
    const http::RequestHead& head = ex.request.head;
    ForwardQuestion question;
    question.request = request_to(service);
    upstream::FetchFields& fields = question.request.fields;
    for (const std::string& name : service.request_headers)
        for (const http::Field& field : head.headers)
            if (iequals(field.name, name)) fields.push_back({name, std::string(field.value)});
    question.shows_credentials = !fields.empty();
    // Strangers who show nothing are told apart by address, or to limits and to what is kept they would all be one person.
    question.client = question.shows_credentials ? digest_of(fields) : rt::digest_of({ex.client_ip});
    fields.push_back({"X-Forwarded-Method", std::string(head.method_name)});
    fields.push_back({"X-Forwarded-Uri", uri_of(ex, places)});
    fields.push_back({"X-Forwarded-Host", std::string(head.authority)});
    fields.push_back({"X-Forwarded-Proto", ex.request.secure ? "https" : "http"});
    if (const std::string_view* proto = head.headers.find(http::HeaderId::x_forwarded_proto)) fields.back().value = *proto;
    fields.push_back({"X-Forwarded-For", std::string(ex.client_ip)});
    question.digest = digest_of(fields);
    fields.push_back({"X-Request-ID", std::string(ex.request_id)});
    question.request.max_body = 0;   // its head says everything
    question.request.cut = true;
    return question;
}

rt::Task<ForwardAnswer> ask_forward(Exchange& ex, ForwardQuestion question) {
    const Authority& service = *ex.site.authentication.forward;
    Worker& worker = ex.worker;
    ForwardAnswer answer;
    OpenQuestion open(worker.questions());
    if (open.is_too_many()) {
        answer.who = Error(Code::keys_unavailable, kTooMany);
        co_return answer;
    }
    auto said = co_await upstream::fetch(worker.loop(), worker.dialer(), worker.buffers(), std::move(question.request), deadline_of(ex, service));
    if (!said) co_return answer;
    if (said->status >= 200 && said->status < 300) {
        answer.who = identity_in(*said, question.client);
    } else if (said->status == 401 || said->status == 403) {
        answer.who = Error(said->status == 401 ? Code::unauthorized : Code::forbidden);
        answer.passed = passed_of(*said);
    }
    co_return answer;
}

}  // namespace suoke::gateway
