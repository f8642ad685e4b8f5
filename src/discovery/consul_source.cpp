// SPDX-License-Identifier: MIT
#include "discovery/consul_source.h"

#include "base/text.h"
#include "discovery/consul_answer.h"
#include "http/uri.h"
#include "rt/pause.h"
#include "upstream/url.h"

namespace suoke::discovery {
namespace {

// An index that went backwards is of another server, or of one that was restored: begin again. One of
// 0 must not be waited on; Consul would answer at once, for ever.
std::uint64_t next_index(std::uint64_t before, std::uint64_t now) { return now < before ? 0 : now; }

Error refused(const upstream::FetchResponse& response) {
    std::string status = "Consul answered " + std::to_string(response.status);
    if (response.status == 403) return Error(Code::upstream_status, status + ": the token may not read this service; give it service:read and node:read");
    std::string said(trim(std::string_view(response.body).substr(0, 200)));
    return Error(Code::upstream_status, said.empty() ? status : status + ": " + said);
}

}  // namespace

ConsulSource::ConsulSource(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random,
                           ConsulOptions options, Listener& listener)
    : loop_(loop), dialer_(dialer), buffers_(buffers), random_(random), options_(std::move(options)), news_(listener) {
    asking_.spawn(keep_asking());
}

rt::Task<void> ConsulSource::keep_asking() {
    rt::Backoff backoff(Random(random_.next()), options_.retry);
    rt::Pause start(loop_, loop_.now() + Duration(1));  // the listener is told nothing in the constructor
    co_await start;
    for (std::uint64_t index = 0;;) {
        TimePoint began = loop_.now();
        Result<Answer> answer = co_await ask(index);
        TimePoint next{};
        if (answer) {
            backoff.reset();
            Duration least = answer->index == 0 ? options_.poll : options_.least_pause;
            next = began + rt::with_jitter(random_, least, 0.1);
            index = next_index(index, answer->index);
            news_.found(std::move(answer->all));
        } else {
            // What is asked next is not held, so it is soon known when Consul can be asked again.
            index = 0;
            next = loop_.now() + backoff.next();
            news_.failed(answer.error());
        }
        rt::Pause pause(loop_, std::max(next, began + options_.retry.least));
        co_await pause;
    }
}

std::string ConsulSource::target(std::uint64_t index) const {
    std::string target = "/v1/health/service/";
    http::append_percent_encoded(target, options_.service);
    if (!options_.datacenter.empty()) upstream::append_parameter(target, "dc", options_.datacenter);
    for (const std::string& tag : options_.tags) upstream::append_parameter(target, "tag", tag);
    if (index == 0) return target;
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(options_.wait).count();
    upstream::append_parameter(target, "index", std::to_string(index));
    upstream::append_parameter(target, "wait", std::to_string(wait) + "ms");
    return target;
}

rt::Task<Result<ConsulSource::Answer>> ConsulSource::ask(std::uint64_t index) {
    upstream::FetchRequest request;
    request.endpoint = options_.endpoint;
    if (options_.tls) {
        auto client = trust_.client(options_.ca_file);
        if (!client) co_return client.error();
        request.endpoint.tls = std::move(*client);
    }
    request.target = target(index);
    request.max_body = options_.max_body;
    if (!options_.token.empty()) request.fields.push_back({"X-Consul-Token", options_.token.reveal()});
    // Consul adds up to a sixteenth to the time it was given.
    Duration time = options_.timeout + (index == 0 ? Duration::zero() : options_.wait + options_.wait / 16);
    auto response = co_await upstream::fetch(loop_, dialer_, buffers_, std::move(request), loop_.now() + time);
    if (!response) co_return response.error();
    if (response->status != 200) co_return refused(*response);
    auto all = read_consul_health(response->body);
    if (!all) co_return all.error();
    Answer answer;
    answer.all = std::move(*all);
    if (const std::string* field = response->field("X-Consul-Index")) answer.index = parse_u64(*field).value_or(0);
    co_return answer;
}

}  // namespace suoke::discovery
