// SPDX-License-Identifier: MIT
#include "services/probe.h"

#include <algorithm>

#include "base/text.h"
#include "http/grpc.h"
#include "services/grpc_health.h"

namespace suoke::services {
namespace {

constexpr std::size_t kMostRanges = 32;

std::string describe(const std::vector<StatusRange>& ranges) {
    std::string text;
    for (const StatusRange& range : ranges) {
        if (!text.empty()) text += ",";
        text += std::to_string(range.first);
        if (range.last != range.first) text += "-" + std::to_string(range.last);
    }
    return text;
}

std::optional<int> parse_status(std::string_view text) {
    auto number = parse_u64(trim(text));
    if (!number || *number < 100 || *number > 599) return std::nullopt;
    return static_cast<int>(*number);
}

struct Probing {
    rt::Loop& loop;
    upstream::Dialer& dialer;
    rt::BufferPool& buffers;
    TimePoint deadline;
};

std::optional<Error> judge(const upstream::FetchResponse& response, const ProbeRules& rules) {
    bool expected = std::any_of(rules.statuses.begin(), rules.statuses.end(),
                                [&](const StatusRange& range) { return range.contains(response.status); });
    if (!expected)
        return Error(Code::upstream_status, "got " + std::to_string(response.status) + ", expected " + describe(rules.statuses));
    if (response.body.find(rules.body_contains) == std::string::npos)
        return Error(Code::upstream_invalid, "the body does not contain \"" + rules.body_contains + "\"");
    return std::nullopt;
}

rt::Task<ProbeResult> ask_http(Probing with, ProbeRules rules, upstream::EndpointAddress endpoint) {
    upstream::FetchRequest request;
    request.endpoint = std::move(endpoint);
    request.method = rules.method;
    request.host = rules.host;
    request.target = rules.path;
    request.fields = rules.fields;
    request.max_body = rules.body_contains.empty() ? 0 : kMostProbeBody;
    request.cut = true;
    auto response = co_await upstream::fetch(with.loop, with.dialer, with.buffers, std::move(request), with.deadline);
    ProbeResult result;
    if (!response) {
        result.error = response.error();
        co_return result;
    }
    result.status = response->status;
    result.error = judge(*response, rules);
    co_return result;
}

rt::Task<ProbeResult> connect_only(Probing with, upstream::EndpointAddress endpoint) {
    ProbeResult result;
    auto stream = co_await upstream::reach(with.dialer, std::move(endpoint), with.deadline);
    if (!stream) result.error = stream.error();
    co_return result;
}

rt::Task<ProbeResult> ask_grpc(Probing with, ProbeRules rules, upstream::EndpointAddress endpoint) {
    upstream::FetchRequest request;
    request.endpoint = std::move(endpoint);
    request.endpoint.protocol = upstream::Protocol::h2;
    request.method = "POST";
    request.host = rules.host;
    request.target = kGrpcHealthCheck;
    request.fields = rules.fields;
    request.fields.push_back({"content-type", "application/grpc"});
    request.fields.push_back({"te", "trailers"});
    request.fields.push_back({"grpc-timeout", http::format_grpc_timeout(rules.timeout)});
    request.body = grpc_health_question(rules.grpc_service);
    request.max_body = kMostProbeBody;
    auto response = co_await upstream::fetch(with.loop, with.dialer, with.buffers, std::move(request), with.deadline);
    ProbeResult result;
    if (!response) {
        result.error = response.error();
        co_return result;
    }
    result.status = response->status;
    result.error = judge_grpc_health(*response, rules.grpc_service);
    co_return result;
}

}  // namespace

Result<std::vector<StatusRange>> parse_statuses(std::string_view text) {
    std::vector<StatusRange> ranges;
    for (std::string_view piece : split_list(text)) {
        std::size_t dash = piece.find('-');
        auto first = parse_status(piece.substr(0, dash));
        auto last = dash == std::string_view::npos ? first : parse_status(piece.substr(dash + 1));
        if (!first || !last || *first > *last)
            return Error(Code::invalid_config, "\"" + std::string(piece) + "\" is no status or range of statuses, such as 200 or 200-399");
        if (ranges.size() == kMostRanges) return Error(Code::invalid_config, "too many ranges of statuses");
        ranges.push_back({*first, *last});
    }
    if (ranges.empty()) return Error(Code::invalid_config, "no status is expected; write for example 200-399");
    return ranges;
}

rt::Task<ProbeResult> probe(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, ProbeRules rules,
                            upstream::EndpointAddress endpoint) {
    TimePoint began = loop.now();
    Probing with{loop, dialer, buffers, deadline_after(began, rules.timeout)};
    ProbeResult result;
    switch (rules.kind) {
        case ProbeKind::http: result = co_await ask_http(with, std::move(rules), std::move(endpoint)); break;
        case ProbeKind::tcp: result = co_await connect_only(with, std::move(endpoint)); break;
        case ProbeKind::grpc: result = co_await ask_grpc(with, std::move(rules), std::move(endpoint)); break;
    }
    result.took = loop.now() - began;
    co_return result;
}

}  // namespace suoke::services
