// SPDX-License-Identifier: MIT
#include "testing/scene.h"

#include <cctype>

#include "base/text.h"
#include "config/load.h"
#include "rt/scope.h"
#include "testing/message.h"

namespace suoke::scene {
namespace {

std::string printable(std::string_view bytes) {
    std::string out;
    for (char c : bytes.substr(0, 600)) {
        if (c == '\r')
            out += "\\r";
        else if (c == '\n')
            out += "\\n\n    ";
        else
            out += std::isprint(static_cast<unsigned char>(c)) ? c : '?';
    }
    if (bytes.size() > 600) out += "... (" + std::to_string(bytes.size()) + " bytes)";
    return out.empty() ? "nothing" : out;
}

std::string sized(std::string start, std::string_view body, std::string_view fields) {
    start += "\r\n";
    start += fields;
    start += "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
    return start.append(body);
}

}  // namespace

// ---- what is sent

std::string ok(std::string_view body, std::string_view fields) {
    return answer(200, body, fields);
}
std::string answer(int status, std::string_view body, std::string_view fields) {
    std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
    return sized(line.append(http::reason_phrase(status)), body, fields);
}
std::string get(std::string_view target, std::string_view fields) {
    std::string out = "GET ";
    return out.append(target).append(" HTTP/1.1\r\nhost: api\r\n").append(fields).append("\r\n");
}
std::string post(std::string_view target, std::string_view body, std::string_view fields) {
    std::string line = "POST ";
    return sized(line.append(target).append(" HTTP/1.1\r\nhost: api"), body, fields);
}
std::string chunk(std::string_view bytes) {
    char size[17];
    auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
    return std::string(size, end).append("\r\n").append(bytes).append("\r\n");
}

// ---- what is expected

RequestExpected request(std::string method, std::string target, std::string body, Place place) {
    return {std::move(method), std::move(target), std::move(body), place};
}
ResponseExpected response(int status, Place place) {
    return {status, std::nullopt, place};
}
ResponseExpected response(int status, std::string body, Place place) {
    return {status, std::move(body), place};
}
BytesExpected bytes(std::string bytes, Place place) {
    return {std::move(bytes), place};
}
StateExpected silence(Place place) {
    return {StateExpected::silent, place};
}
StateExpected closed(Place place) {
    return {StateExpected::closed, place};
}
StateExpected broken(Place place) {
    return {StateExpected::broken, place};
}

template <class Self>
void Expected<Self>::check_fields(const Message& message, const Place& place) const {
    auto fail = [&](const std::string& what) {
        ADD_FAILURE_AT(place.file_name(), static_cast<int>(place.line())) << what;
    };
    for (const auto& [name, value] : fields_) {
        auto found = message.field(name);
        if (!found)
            fail("no field " + name);
        else if (*found != value)
            fail(name + " is \"" + *found + "\", not \"" + value + "\"");
        if (message.count(name) > 1) fail(name + " comes more than once");
    }
    for (const std::string& name : present_)
        if (!message.field(name)) fail("no field " + name);
    for (const std::string& name : absent_)
        if (auto found = message.field(name)) fail(name + " should not be there: " + *found);
    for (const auto& trailer : trailers_)
        if (std::find(message.trailers.begin(), message.trailers.end(), trailer) ==
            message.trailers.end())
            fail("no trailer " + trailer.first + ": " + trailer.second);
    if (chunked_ && !message.chunked) fail("the body is not chunked");
}

// ---- peers

Peer::Peer(Scene& scene, rt::StreamPtr stream, std::string name)
    : scene_(scene), stream_(std::move(stream)), name_(std::move(name)) {}

void Peer::fail(const Place& place, const std::string& what) const {
    ADD_FAILURE_AT(place.file_name(), static_cast<int>(place.line()))
        << name_ << ": " << what << "; what has come"
        << (broken_  ? " (then the connection broke)"
            : ended_ ? " (then the connection was closed)"
                     : "")
        << ":\n    " << printable(inbox_);
}

Peer& Peer::operator<<(std::string_view bytes) {
    outbox_ += bytes;
    scene_.settle();
    return *this;
}

Peer& Peer::operator<<(Reset) {
    if (stream_) stream_->reset_on_close();
    return *this << hang_up;
}

Peer& Peer::operator<<(HangUp) {
    stream_.reset();
    outbox_.clear();
    ended_ = true;
    scene_.settle();
    return *this;
}

Peer& Peer::operator<<(HalfClose) {
    half_close_ = true;
    scene_.settle();
    return *this;
}

Peer& Peer::reads_again() {
    reading_ = true;
    scene_.settle();
    return *this;
}

Peer& Peer::reads(std::size_t bytes) {
    read_some(bytes);
    scene_.settle();
    return *this;
}

Peer& Peer::discards() {
    inbox_.clear();
    return *this;
}

bool Peer::pump() {
    bool sent = send_some();
    bool came = reading_ && read_some(SIZE_MAX);
    return sent || came;
}

bool Peer::send_some() {
    bool moved = false;
    while (stream_ && !outbox_.empty()) {
        rt::Io put = stream_->write(std::string_view(outbox_));
        if (put.blocked() || put.bytes == 0) {
            if (put.failed()) outbox_.clear();  // nobody reads it any more
            break;
        }
        outbox_.erase(0, put.bytes);
        moved = true;
    }
    if (stream_ && half_close_ && outbox_.empty()) {
        half_close_ = false;
        stream_->shutdown_write();
        moved = true;
    }
    return moved;
}

bool Peer::read_some(std::size_t most) {
    bool moved = false;
    char space[16 * 1024];
    while (stream_ && !ended_ && most > 0) {
        rt::Io got = stream_->read(std::span(space, std::min(most, sizeof space)));
        if (got.blocked()) break;
        moved = true;
        if (got.failed()) {
            ended_ = true;
            broken_ = !got.ended();
            break;
        }
        inbox_.append(space, got.bytes);
        most -= got.bytes;
    }
    return moved;
}

std::optional<Message> Peer::take(bool head_only, bool bodiless) {
    return take_message(
        inbox_, {.ended = ended_ && !broken_, .head_only = head_only, .bodiless = bodiless});
}

Message Peer::take_response(Place place) {
    auto message = take(false, false);
    if (!message) fail(place, "no complete response");
    return message.value_or(Message());
}

Peer& Peer::operator>>(const RequestExpected& expected) {
    auto message = take(expected.head_only_, false);
    if (!message) {
        fail(expected.place, "no complete request where " + expected.method + " " +
                                 expected.target + " was expected");
        return *this;
    }
    std::string line = expected.method + " " + expected.target + " HTTP/1.1";
    if (message->start_line != line)
        fail(expected.place, "got \"" + message->start_line + "\", not \"" + line + "\"");
    if (!expected.head_only_ && message->body != expected.body)
        fail(expected.place, "the body is \"" + printable(message->body) + "\", not \"" +
                                 printable(expected.body) + "\"");
    expected.check_fields(*message, expected.place);
    return *this;
}

Peer& Peer::operator>>(const ResponseExpected& expected) {
    auto message = take(expected.head_only_, expected.bodiless_);
    if (!message) {
        fail(expected.place,
             "no complete response where " + std::to_string(expected.status) + " was expected");
        return *this;
    }
    std::string line = "HTTP/1.1 " + std::to_string(expected.status) + " ";
    if (!message->start_line.starts_with(line))
        fail(expected.place, "got \"" + message->start_line + "\" " + message->body);
    if (expected.body && message->body != *expected.body)
        fail(expected.place, "the body is \"" + printable(message->body) + "\", not \"" +
                                 printable(*expected.body) + "\"");
    for (const std::string& text : expected.said_)
        if (message->body.find(text) == std::string::npos)
            fail(expected.place, "\"" + text + "\" is not in " + message->body);
    expected.check_fields(*message, expected.place);
    return *this;
}

Peer& Peer::operator>>(const BytesExpected& expected) {
    if (inbox_.starts_with(expected.bytes)) {
        inbox_.erase(0, expected.bytes.size());
    } else {
        fail(expected.place, "expected \"" + printable(expected.bytes) + "\"");
    }
    return *this;
}

Peer& Peer::operator>>(const StateExpected& expected) {
    if (!inbox_.empty()) fail(expected.place, "there are unread bytes");
    switch (expected.state) {
        case StateExpected::silent:
            if (ended_) fail(expected.place, "the connection is no longer open");
            break;
        case StateExpected::closed:
            if (!ended_ || broken_)
                fail(expected.place, "the connection should be closed in order");
            break;
        case StateExpected::broken:
            if (!broken_) fail(expected.place, "the connection should be broken");
            break;
    }
    return *this;
}

// ---- upstreams

std::vector<Peer*> Upstream::connections() const {
    std::vector<Peer*> ours;
    for (const auto& peer : scene_.answered_)
        if (endpoints_.contains(peer->name())) ours.push_back(peer.get());
    return ours;
}

Peer& Upstream::operator>>(const RequestExpected& expected) {
    for (Peer* peer : connections())
        if (!peer->unread().empty()) return *peer >> expected;
    return scene_.nobody(expected.place,
                         "no connection of " + *endpoints_.begin() + " has anything to read");
}

Peer& Upstream::operator>>(const StateExpected& expected) {
    for (Peer* peer : connections())
        if (!peer->ended()) *peer >> expected;
    return *scene_.answered_.front();
}

void Upstream::accepts() {
    for (const auto& name : endpoints_) scene_.manners_[name] = Scene::Manner::accept;
}
void Upstream::refuses() {
    for (const auto& name : endpoints_) scene_.manners_[name] = Scene::Manner::refuse;
}
void Upstream::does_not_answer() {
    for (const auto& name : endpoints_) scene_.manners_[name] = Scene::Manner::hang;
}

void Upstream::keeps_one_idle_connection() {
    const gateway::Site& site = *scene_.site_;
    std::string target = site.config.routes.front().prefix + "/warm-up";
    Peer& visitor = scene_.client("warm-up");
    visitor << get(target);
    *this >> request("GET", target) << ok("warm");
    visitor >> response(200, "warm");
    visitor << hang_up;
}

Peer& Upstream::connection(std::size_t index) {
    auto ours = connections();
    if (index < ours.size()) return *ours[index];
    return scene_.nobody(Place::current(),
                         "there are only " + std::to_string(ours.size()) + " connections");
}

std::size_t Upstream::dials() const {
    std::size_t sum = 0;
    for (const auto& name : endpoints_) sum += scene_.dials_[name];
    return sum;
}

bool Upstream::has_unread() const {
    for (const Peer* peer : connections())
        if (!peer->unread().empty()) return true;
    return false;
}

std::size_t Upstream::open_connections() const {
    std::size_t open = 0;
    for (const Peer* peer : connections()) open += !peer->ended();
    return open;
}

// ---- the stage

std::string one_service(std::string_view name, const Extra& extra) {
    std::string n(name);
    auto more = [](const std::string& keys) { return keys.empty() ? keys : ", " + keys; };
    return "services:\n  " + n + ": {endpoints: [{host: 10.0.0.1, port: 80}]" +
           more(extra.service) + "}\n" + "routes:\n  - {name: " + n + ", prefix: /" + n +
           ", service: " + n + ", strip_prefix: false" + more(extra.route) + "}\n" + extra.rest;
}

Scene::Scene(const std::string& yaml, std::uint64_t seed, app::TlsInputs tls) : tls_(std::move(tls)) {
    worker_.emplace(0, loop_, static_cast<upstream::Dialer&>(*this), shared_, nullptr, Random(seed));
    loop_.set_turn_end([this] { worker_->end_of_turn(); });
    directory_.set_listener([this](const balance::MembersPtr& members) { worker_->adopt(members); });
    reload(yaml);
}

Scene::~Scene() {
    settle();
    everybody_leaves();
    EXPECT_TRUE(worker_->quiet()) << "a connection is alive though every client has left";
    EXPECT_EQ(leased(), 0u) << "buffers are leased though nothing happens";
    EXPECT_EQ(worker_->cells().requests_active.value(), 0);
    for (int rings = 0; rings < 1000 && loop_.timers().next() != kNever; ++rings)
        after(loop_.timers().next() - clock_.now());
    EXPECT_EQ(loop_.timers().next(), kNever) << "a timer is armed though nothing happens";
    loop_.set_turn_end({});
    worker_.reset();
    EXPECT_EQ(shared_.budget.leased.load(), 0u);
}

void Scene::everybody_leaves() {
    auto leave = [](std::deque<std::unique_ptr<Peer>>& peers) {
        for (auto& peer : peers) {
            peer->reading_ = true;
            EXPECT_TRUE(peer->unread().empty())
                << peer->name() << " has not read:\n    " << printable(peer->unread());
            peer->stream_.reset();
        }
    };
    leave(clients_);
    settle();
    leave(answered_);
    settle();
}

gateway::SitePtr Scene::compile(const std::string& yaml) {
    auto loaded = config::load_text(yaml, "scene.yaml");
    auto site = app::compile(loaded.config, {}, ++generation_, loaded.problems, tls_);
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    CHECK(site);
    return site;
}

void Scene::reload(const std::string& yaml) {
    site_ = compile(yaml);
    worker_->adopt(site_);
    app::define_services(directory_, *site_);
    settle();
}

Peer& Scene::client(const std::string& name) {
    for (auto& peer : clients_)
        if (peer->name() == name) return *peer;
    auto [ours, theirs] = rt::memory_pair(loop_, pipe_);
    worker_->accepted(std::move(theirs), *rt::Address::parse(client_address_, 4711));
    clients_.push_back(std::make_unique<Peer>(*this, std::move(ours), name));
    settle();
    return *clients_.back();
}

static rt::Task<void> keep(rt::Task<Result<rt::StreamPtr>> task, Result<rt::StreamPtr>& into) {
    into = co_await std::move(task);
}

Peer& Scene::client_over_tls(const std::string& name, const rt::TlsClientOptions& tls) {
    auto [ours, theirs] = rt::memory_pair(loop_, pipe_);
    Result<rt::StreamPtr> near = Error(Code::internal), far = Error(Code::internal);
    rt::TaskScope handshakes;
    handshakes.spawn(keep(rt::tls_accept(std::move(theirs), site_->tls, kNever), far));
    handshakes.spawn(keep(rt::tls_connect(std::move(ours), *rt::TlsClient::make(tls), "api", name, kNever), near));
    settle();
    CHECK(near && far);
    worker_->accepted(std::move(*far), *rt::Address::parse(client_address_, 4711));
    clients_.push_back(std::make_unique<Peer>(*this, std::move(*near), name));
    settle();
    return *clients_.back();
}

Upstream& Scene::upstream(const std::string& name) {
    auto& upstream = upstreams_[name];
    if (upstream) return *upstream;
    std::set<std::string> endpoints;
    if (name.find(':') != std::string::npos) endpoints.insert(name);
    for (const auto& service : site_->services)
        for (const balance::Instance& instance : service->definition->instances)
            if (service->name == name) endpoints.insert(services::address_of(*service->definition, instance).to_string());
    CHECK(!endpoints.empty());
    upstream = std::make_unique<Upstream>(*this, std::move(endpoints));
    return *upstream;
}

Peer& Scene::nobody(const Place& place, const std::string& why) {
    ADD_FAILURE_AT(place.file_name(), static_cast<int>(place.line())) << why;
    auto [ours, theirs] = rt::memory_pair(loop_);
    answered_.push_back(std::make_unique<Peer>(*this, std::move(ours), "nobody"));
    return *answered_.back();
}

rt::Task<Result<rt::StreamPtr>> Scene::dial(upstream::EndpointAddress endpoint,
                                            TimePoint deadline) {
    std::string name = endpoint.to_string();
    ++dials_[name];
    Manner manner = manners_[name];
    if (manner == Manner::refuse) co_return Error(Code::connect_failed, "refused by " + name);
    auto ends = rt::memory_pair(loop_, pipe_);
    if (manner == Manner::hang) {
        unanswered_.push_back(std::move(ends.first));
        co_await ends.second->readable(deadline);
        co_return Error(Code::connect_timeout, "no answer from " + name);
    }
    answered_.push_back(std::make_unique<Peer>(*this, std::move(ends.first), name));
    co_return std::move(ends.second);
}

void Scene::settle() {
    for (bool moved = true; moved;) {
        loop_.settle();
        moved = false;
        for (auto& peer : clients_) moved |= peer->pump();
        for (auto& peer : answered_) moved |= peer->pump();
    }
}

void Scene::after(Duration time) {
    settle();
    TimePoint end = clock_.now() + time;
    for (int steps = 0; steps < 100'000; ++steps) {
        TimePoint next = loop_.timers().next();
        if (next > end) break;
        if (next > clock_.now()) clock_.advance(next - clock_.now());
        settle();
    }
    clock_.advance(end - clock_.now());
    settle();
}

std::uint64_t Scene::counted(Code code) const {
    std::uint64_t sum = 0;
    for (const RouteTotals& route : shared_.metrics.routes())
        sum += route.errors[static_cast<std::size_t>(code)];
    return sum;
}

std::uint64_t Scene::counted_status(int status) const {
    std::uint64_t sum = 0;
    for (const RouteTotals& route : shared_.metrics.routes())
        for (const StatusCount& counted : route.statuses)
            sum += counted.status == status ? counted.count : 0;
    return sum;
}

std::uint64_t Scene::counted_grpc(int status) const {
    std::uint64_t sum = 0;
    for (const RouteTotals& route : shared_.metrics.routes()) sum += route.grpc[static_cast<std::size_t>(status)];
    return sum;
}

std::uint64_t Scene::finished() const {
    std::uint64_t sum = 0;
    for (const RouteTotals& route : shared_.metrics.routes())
        for (const StatusCount& counted : route.statuses) sum += counted.count;
    return sum;
}

}  // namespace suoke::scene
