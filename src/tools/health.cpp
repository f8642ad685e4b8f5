// SPDX-License-Identifier: MIT
#include "tools/health.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "gateway/attempt_h1.h"
#include "http/uri.h"

namespace suoke::tools {
namespace {

constexpr std::size_t kLargestAnswer = 1 << 20;

// What one exchange needs of a worker: the gateway's own client in a loop of its own.
struct Client {
    SystemClock clock;
    rt::Loop loop{clock};
    rt::BufferBudget budget{16 << 20};
    rt::BufferPool buffers{budget};
    upstream::SocketDialer dialer{loop};
};

// 1xx answers are nobody's business here.
struct NoInterims final : http::Responder {
    rt::Task<http::Sent> send(http::Response) override { co_return http::Sent(); }
    rt::Task<void> interim(int, const http::Headers&) override { co_return; }
};

rt::Task<Result<HealthAnswer>> exchange(Client& client, const HttpUrl& url, TimePoint deadline) {
    upstream::EndpointAddress endpoint{url.host, url.port};
    upstream::Pool pool(client.loop, client.dialer, endpoint);
    Result<upstream::Lease> lease = co_await pool.open(deadline, deadline);
    if (!lease) co_return lease.error();
    gateway::AttemptLimits limits;
    limits.deadline = deadline;
    gateway::AttemptH1 upstream(std::move(*lease), client.buffers, limits);

    http::RequestHead head;
    head.method_name = "GET";
    head.headers.add("User-Agent", "suoke-gateway-health");
    head.headers.add("Accept", "application/json");
    head.headers.add("Connection", "close");
    NoInterims interims;
    gateway::Outgoing request{head, url.path, url.authority};
    Result<void> got = co_await upstream.run(request, interims);
    if (!got) co_return got.error();

    HealthAnswer answer;
    answer.status = upstream.head().status;
    for (;;) {
        Result<http::Piece> piece = upstream.next();
        if (!piece) co_return piece.error();
        answer.body += piece->bytes;
        if (piece->state == http::Piece::end) co_return answer;
        if (answer.body.size() > kLargestAnswer)
            co_return Error(Code::body_too_large, "larger than 1 MB");
        if (piece->state == http::Piece::wait) co_await upstream.wait();
    }
}

rt::Task<void> keep(rt::Loop& loop, rt::Task<Result<HealthAnswer>> task,
                    std::optional<Result<HealthAnswer>>& answer) {
    answer = co_await task;
    loop.stop();
}

std::string pretty(const std::string& body) {
    auto json = nlohmann::ordered_json::parse(body, nullptr, false);
    return json.is_discarded()
               ? body
               : json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (url.substr(0, 8) == "https://")
        return Error(Code::invalid_config, "https:// is not spoken yet; ask the plain HTTP port");
    if (url.substr(0, kScheme.size()) == kScheme) url.remove_prefix(kScheme.size());
    std::size_t slash = url.find('/');
    auto authority = http::split_authority(url.substr(0, slash));
    if (!authority) return Error(Code::invalid_config, "is no address like http://localhost:8000");

    HttpUrl out;
    out.authority = url.substr(0, slash);
    std::string_view host = authority->host;
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    out.host = host;
    out.port = authority->port.value_or(80);
    out.path = slash == std::string_view::npos || slash + 1 == url.size()
                   ? "/health"
                   : std::string(url.substr(slash));
    std::string_view target = out.path;
    std::size_t question = std::min(target.find('?'), target.size());
    if (!http::valid_path(target.substr(0, question)) ||
        !http::valid_query(target.substr(question)))
        return Error(Code::invalid_config, "has a path or a query that is none");
    return out;
}

Result<HealthAnswer> fetch_health(const HttpUrl& url, Duration timeout) {
    Client client;
    std::optional<Result<HealthAnswer>> answer;
    rt::TaskScope scope;
    TimePoint deadline = client.loop.now() + timeout;
    scope.spawn(keep(client.loop, exchange(client, url, deadline), answer));
    if (!answer) client.loop.run();
    return std::move(*answer);
}

int ask_health(const std::string& url, Duration timeout) {
    Result<HttpUrl> parsed = parse_http_url(url);
    if (!parsed) throw StartupError("--url " + url + ": " + parsed.error().detail);
    Result<HealthAnswer> answer = fetch_health(*parsed, timeout);
    if (!answer) {
        const Error& error = answer.error();
        fmt::print(stderr, "{}: {}\n", url,
                   error.detail.empty() ? error.reason() : std::string_view(error.detail));
        return 1;
    }
    fmt::print("{} {}\n{}\n", answer->status, http::reason_phrase(answer->status),
               pretty(answer->body));
    return answer->status >= 200 && answer->status < 300 ? 0 : 1;
}

}  // namespace suoke::tools
