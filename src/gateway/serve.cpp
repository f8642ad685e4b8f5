// SPDX-License-Identifier: MIT
#include "gateway/serve.h"

#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/uri.h"

namespace suoke::gateway {
namespace {

const Route& refuse(Exchange& ex, const std::unique_ptr<Route>& last_resort, Error error) {
    ex.refusal = std::move(error);
    return *last_resort;
}

const Route& find_route(Exchange& ex) {
    const http::RequestHead& head = ex.request.head;
    if (ex.refusal) return *ex.site.unreadable;
    // Never forwarded, whatever a route says: a tunnel to anywhere, and an echo of credentials.
    if (head.method == http::Method::CONNECT || head.method == http::Method::TRACE)
        return refuse(ex, ex.site.wrong_method, Error(Code::method_not_allowed));
    Result<std::string_view> path = http::normalize_path(head.path, ex.path_scratch);
    if (!path) return refuse(ex, ex.site.unreadable, path.error());
    ex.path = *path;
    if (auto authority = http::split_authority(head.authority)) ex.host = authority->host;
    ex.match = ex.site.router.match({.host = ex.host, .path = ex.path, .query = head.query,
                                     .method = head.method_name, .headers = head.headers});
    switch (ex.match.kind) {
        case Match::found: return *ex.site.routes[ex.match.route];
        case Match::method_not_allowed: return refuse(ex, ex.site.wrong_method, Error(Code::method_not_allowed));
        default: return refuse(ex, ex.site.no_route, Error(Code::no_route));
    }
}

// Clients say message-bus and message-bus-service, whichever it is.
bool find_service_named(Exchange& ex, std::string_view name) {
    constexpr std::string_view kSuffix = "-service";
    bool has_suffix = name.ends_with(kSuffix);
    std::string_view other = has_suffix ? name.substr(0, name.size() - kSuffix.size()) : ex.arena.join({name, kSuffix});
    for (std::string_view each : {name, other}) {
        ex.service = ex.site.service_named(each);
        ex.target = ex.service ? ex.local.services[ex.service->index] : ex.worker.service_named(each);
        if (ex.target) return true;
    }
    return false;
}

// agent-services/xiaoai-service/chat: the first segment is a group of them, the next one the service.
void find_in_group(Exchange& ex) {
    std::string_view rest = ex.match.rest;
    if (rest.size() < 2 || rest.front() != '/') return;
    std::size_t end = std::min(rest.find('/', 1), rest.size());
    if (find_service_named(ex, rest.substr(1, end - 1))) ex.match.rest = rest.substr(end);
}

// Which service it is for: the route's, one of several by their shares, or the one that the path names.
void find_service(Exchange& ex) {
    const Route& route = *ex.route;
    ex.service = route.service;
    if (!route.shares.empty()) {
        std::uint64_t draw = ex.worker.random().below(route.shares.back().up_to);
        for (const Route::Share& share : route.shares) {
            if (draw >= share.up_to) continue;
            ex.service = share.service;
            break;
        }
    }
    if (ex.service) {
        ex.target = ex.local.services[ex.service->index];
        return;
    }
    if (!route.names_service || ex.match.params.empty()) return;
    std::string_view name = ex.match.params.front().value;
    if (!find_service_named(ex, name)) find_in_group(ex);
    if (!ex.service) ex.service = ex.site.unlisted.get();
}

http::Response rendered(Exchange& ex, const Error& error) {
    ex.failure = error.code;
    return ex.site.replies.render(ex, error);
}

}  // namespace

rt::Task<void> serve(Exchange& ex) {
    // 1. Where does it go? Not knowing is an answer, not an error.
    ex.route = &find_route(ex);
    find_service(ex);
    // 2. Everything this exchange may wait for has to fit in here.
    ex.deadline = deadline_after(ex.request.started, ex.route->timeout);
    // 3. The filters wrap each other; the innermost one is Forward.
    Answer answer = co_await ex.route->chain.run(ex);
    for (;;) {
        // 4. The only place in the program where an Error becomes a Response.
        bool upstreams_own = answer.has_value();
        http::Response response = upstreams_own ? std::move(*answer) : rendered(ex, answer.error());
        ex.route->chain.finish(ex, response);
        ex.status = response.status;
        if (upstreams_own && response.status != 101) response.deadline = ex.deadline;
        // 5. Body and trailers: streamed to the client at the client's pace.
        ex.sent = co_await ex.responder.send(std::move(response));
        if (ex.sent.complete) co_return;
        // 6. What broke before its head was out can still be answered for; after that it was cut.
        ex.failure = ex.sent.failure;
        if (ex.sent.head_sent || ex.sent.failure == Code::client_gone) co_return;
        answer = Error(ex.sent.failure);
    }
}

}  // namespace suoke::gateway
