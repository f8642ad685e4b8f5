// SPDX-License-Identifier: MIT
#include "discovery/kubernetes_source.h"

#include "base/text.h"
#include "discovery/json_answer.h"
#include "discovery/small_file.h"
#include "http/uri.h"
#include "rt/pause.h"
#include "upstream/url.h"

namespace suoke::discovery {
namespace {

constexpr std::size_t kMostToken = 64 * 1024;

// What the server says beside its status (a Status object), if it is one.
std::string message_in(std::string_view body) {
    Json json = parse_answer(body);
    std::string message;
    Fields status(json);
    status.text("message", message);
    return message.substr(0, 300);
}

Error refused(int status, std::string_view body) {
    std::string text = "the Kubernetes API answered " + std::to_string(status);
    std::string message = message_in(body);
    if (!message.empty()) text += ": " + message;
    if (status == 401) text += "; is the token file that of a service account of this cluster?";
    if (status == 403) text += "; let the service account list and watch endpointslices.discovery.k8s.io there";
    return Error(Code::upstream_status, text);
}

}  // namespace

KubernetesSource::KubernetesSource(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random,
                                   KubernetesOptions options, Listener& listener)
    : loop_(loop),
      dialer_(dialer),
      buffers_(buffers),
      random_(random),
      options_(std::move(options)),
      news_(listener),
      slices_(options_.service_port) {
    watching_.spawn(keep_watching());
}

// A watch that went well ends a row of failures; a list alone does not, or a server that allows only
// lists would be asked for one again and again.
rt::Task<void> KubernetesSource::keep_watching() {
    rt::Backoff backoff(Random(random_.next()), options_.retry);
    rt::Pause start(loop_, loop_.now() + Duration(1));  // the listener is told nothing in the constructor
    co_await start;
    for (;;) {
        TimePoint began = loop_.now();
        Result<void> done = co_await list();
        if (done) {
            tell();
            done = co_await watch_on(backoff);
        }
        if (!done) news_.failed(done.error());
        TimePoint next = done ? began + options_.least_pause : loop_.now() + backoff.next();
        rt::Pause pause(loop_, std::max(next, loop_.now() + options_.retry.least));
        co_await pause;
    }
}

void KubernetesSource::tell() {
    auto all = slices_.instances();
    if (all) return news_.found(std::move(*all));
    news_.failed(all.error());
}

// The token is read each time, because it is replaced while we run; the CA's file, too.
Result<upstream::FetchRequest> KubernetesSource::request(bool watching) {
    upstream::FetchRequest request;
    request.endpoint.host = options_.host;
    request.endpoint.port = options_.port;
    if (options_.tls) {
        auto client = trust_.client(options_.ca_file);
        if (!client) return client.error();
        request.endpoint.tls = std::move(*client);
    }
    if (!options_.token_file.empty()) {
        auto token = read_small_file(options_.token_file, kMostToken);
        if (!token) return token.error();
        request.fields.push_back({"Authorization", "Bearer " + std::string(trim(*token))});
    }
    request.fields.push_back({"Accept", "application/json"});
    request.target = "/apis/discovery.k8s.io/v1/namespaces/";
    http::append_percent_encoded(request.target, options_.name_space);
    request.target += "/endpointslices";
    upstream::append_parameter(request.target, "labelSelector", "kubernetes.io/service-name=" + options_.service);
    request.max_body = options_.max_list;
    if (!watching) return request;
    auto time = std::chrono::ceil<std::chrono::seconds>(rt::with_jitter(random_, options_.watch_for, 0.2)).count();
    upstream::append_parameter(request.target, "watch", "1");
    upstream::append_parameter(request.target, "resourceVersion", slices_.version());
    upstream::append_parameter(request.target, "allowWatchBookmarks", "true");
    upstream::append_parameter(request.target, "timeoutSeconds", std::to_string(time));
    return request;
}

rt::Task<Result<void>> KubernetesSource::list() {
    auto asked = request(false);
    if (!asked) co_return asked.error();
    auto response = co_await upstream::fetch(loop_, dialer_, buffers_, std::move(*asked), loop_.now() + options_.timeout);
    if (!response) co_return response.error();
    if (response->status != 200) co_return refused(response->status, response->body);
    co_return slices_.replace(response->body);
}

rt::Task<Result<void>> KubernetesSource::watch_on(rt::Backoff& backoff) {
    for (;;) {
        TimePoint began = loop_.now();
        auto end = co_await watch_once(backoff);
        if (!end) co_return end.error();
        if (*end == End::expired) co_return Result<void>();
        rt::Pause pause(loop_, std::max(began + options_.least_pause, loop_.now() + options_.retry.least));
        co_await pause;
    }
}

// However a watch ends that has begun, the next one goes on from what was seen. That a server has gone
// is found out, and told, when it begins.
rt::Task<Result<KubernetesSource::End>> KubernetesSource::watch_once(rt::Backoff& backoff) {
    auto asked = request(true);
    if (!asked) co_return asked.error();
    upstream::FetchStream stream(loop_, dialer_, buffers_);
    auto opened = co_await stream.open(std::move(*asked), loop_.now() + options_.timeout, options_.watch_idle);
    if (!opened) co_return opened.error();
    if (stream.status() == 410) co_return End::expired;
    if (stream.status() != 200) co_return refused(stream.status(), std::string_view());
    std::string line;  // that has not come whole yet
    for (;;) {
        auto piece = co_await stream.next();
        bool over = !piece || piece->empty();
        auto taken = over ? Result<End>(End::over) : take_events(*piece, line);
        if (!taken) co_return taken.error();
        backoff.reset();
        if (over) co_return End::over;
        if (*taken == End::expired) co_return End::expired;
    }
}

// End::over: all of them were taken, and the watch goes on. What comes together is told once.
Result<KubernetesSource::End> KubernetesSource::take_events(std::string_view bytes, std::string& line) {
    bool changed = false;
    Result<End> end = End::over;
    while (!bytes.empty() && end && *end == End::over) {
        std::size_t size = std::min(bytes.find('\n'), bytes.size());
        line += bytes.substr(0, size);
        if (line.size() > options_.max_event)
            return Error(Code::upstream_invalid, "Kubernetes sent an event of more than " + format_bytes(options_.max_event));
        bool whole = size < bytes.size();
        bytes.remove_prefix(std::min(size + 1, bytes.size()));
        if (!whole) break;
        std::string event = std::exchange(line, {});
        if (trim(event).empty()) continue;
        auto applied = slices_.apply(event);
        if (!applied) {
            end = applied.error();
        } else {
            changed |= *applied == EndpointSlices::Event::changed;
            if (*applied == EndpointSlices::Event::expired) end = End::expired;
        }
    }
    if (changed) tell();
    return end;
}

}  // namespace suoke::discovery
