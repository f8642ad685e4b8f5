// SPDX-License-Identifier: MIT
#pragma once
// The whole gateway in memory: one worker with its real sessions, filters and pools, streams in
// memory on both sides, a clock that stands still until told otherwise, seeded randomness.
//
//   Scene s(one_service("users"));
//   s.client() << "GET /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
//   s.upstream("users") >> request("GET", "/users/7") << ok("seven");
//   s.client() >> response(200, "seven");
//
// A test is the dialogue: `<<` sends and lets everything happen that can happen now, `>>` takes
// what has come and fails the test when it is something else. When the scene ends everybody has
// left, and then no byte may be unread, no connection alive, no buffer leased and no timer armed.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "app/compile.h"
#include "base/metrics.h"
#include "gateway/worker.h"
#include "rt/buffer.h"
#include "rt/loop.h"
#include "services/directory.h"
#include "upstream/dialer.h"

namespace suoke::scene {

using Place = std::source_location;

// ---- what is sent

constexpr struct Reset {
} reset;  // break the connection
constexpr struct HangUp {
} hang_up;  // close the connection, both ways
constexpr struct HalfClose {
} half_close;  // send no more, go on reading

// "HTTP/1.1 200 OK" with a Content-Length and `fields` ("name: value\r\n" each).
std::string ok(std::string_view body, std::string_view fields = {});
std::string answer(int status, std::string_view body, std::string_view fields = {});
// "GET <target>" of host "api".
std::string get(std::string_view target, std::string_view fields = {});
std::string post(std::string_view target, std::string_view body, std::string_view fields = {});
std::string chunk(std::string_view bytes);
constexpr std::string_view last_chunk = "0\r\n\r\n";

// ---- what is expected

// A message as it came, read by a parser of the test's own: strict about framing, blind to meaning.
struct Message {
    std::string start_line;
    std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
    std::string body;
    std::vector<std::pair<std::string, std::string>> trailers;
    bool chunked = false;

    std::optional<std::string> field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

// Conditions on a message; both kinds share them.
template <class Self>
class Expected {
 public:
    Self& with(std::string name, std::string value) {
        return fields_.emplace_back(std::move(name), std::move(value)), self();
    }
    Self& having(std::string name) { return present_.push_back(std::move(name)), self(); }
    Self& without(std::string name) { return absent_.push_back(std::move(name)), self(); }
    Self& trailing(std::string name, std::string value) {
        return trailers_.emplace_back(std::move(name), std::move(value)), self();
    }
    // Only the head is taken; what follows is read with bytes().
    Self& head_only() { return head_only_ = true, self(); }
    Self& in_chunks() { return chunked_ = true, self(); }

 protected:
    friend class Peer;
    Self& self() { return static_cast<Self&>(*this); }
    void check_fields(const Message& message, const Place& place) const;

    std::vector<std::pair<std::string, std::string>> fields_, trailers_;
    std::vector<std::string> present_, absent_;
    bool head_only_ = false;
    bool chunked_ = false;
};

class RequestExpected : public Expected<RequestExpected> {
 public:
    RequestExpected(std::string m, std::string t, std::string b, Place p)
        : method(std::move(m)), target(std::move(t)), body(std::move(b)), place(p) {}
    std::string method, target, body;
    Place place;
};

class ResponseExpected : public Expected<ResponseExpected> {
 public:
    ResponseExpected(int s, std::optional<std::string> b, Place p)
        : status(s), body(std::move(b)), place(p) {}
    // The answer to a HEAD request: no body whatever the head says.
    ResponseExpected& to_head() { return bodiless_ = true, *this; }
    // The body must contain this.
    ResponseExpected& saying(std::string text) { return said_.push_back(std::move(text)), *this; }

    int status;
    std::optional<std::string> body;
    Place place;

 private:
    friend class Peer;
    bool bodiless_ = false;
    std::vector<std::string> said_;
};

RequestExpected request(std::string method, std::string target, std::string body = {},
                        Place place = Place::current());
// Any body when none is given.
ResponseExpected response(int status, Place place = Place::current());
ResponseExpected response(int status, std::string body, Place place = Place::current());

struct BytesExpected {
    std::string bytes;
    Place place;
};
BytesExpected bytes(std::string bytes, Place place = Place::current());

// Nothing has come and the connection is open; it was closed in order; it was broken.
struct StateExpected {
    enum State { silent, closed, broken } state;
    Place place;
};
StateExpected silence(Place place = Place::current());
StateExpected closed(Place place = Place::current());
StateExpected broken(Place place = Place::current());

// ---- who takes part

class Scene;

// One end of a connection: a client's, or an upstream's.
class Peer {
 public:
    Peer(Scene& scene, rt::StreamPtr stream, std::string name);

    Peer& operator<<(std::string_view bytes);
    Peer& operator<<(Reset);
    Peer& operator<<(HangUp);
    Peer& operator<<(HalfClose);
    Peer& operator>>(const RequestExpected& expected);
    Peer& operator>>(const ResponseExpected& expected);
    Peer& operator>>(const BytesExpected& expected);
    Peer& operator>>(const StateExpected& expected);

    // From now on what comes stays in the pipe; or exactly so many bytes of it are taken.
    Peer& stops_reading() { return reading_ = false, *this; }
    Peer& reads_again();
    Peer& reads(std::size_t bytes);
    Peer& discards();  // forgets what has come, unread

    const std::string& unread() const { return inbox_; }
    std::size_t unsent() const { return outbox_.size(); }  // the pipe had no room for it
    bool ended() const { return ended_; }
    bool was_broken() const { return broken_; }
    const std::string& name() const { return name_; }
    Message take_response(Place place = Place::current());

 private:
    friend class Scene;
    bool pump();
    bool send_some();
    bool read_some(std::size_t most);
    std::optional<Message> take(bool head_only, bool bodiless);
    void fail(const Place& place, const std::string& what) const;

    Scene& scene_;
    rt::StreamPtr stream_;
    std::string name_;
    std::string outbox_, inbox_;
    bool reading_ = true;
    bool half_close_ = false;
    bool ended_ = false;
    bool broken_ = false;
};

// A service as the test plays it: what its endpoints accept and read.
class Upstream {
 public:
    Upstream(Scene& scene, std::set<std::string> endpoints)
        : scene_(scene), endpoints_(std::move(endpoints)) {}

    // The request is on the first connection that has unread bytes.
    Peer& operator>>(const RequestExpected& expected);
    Peer& operator>>(const StateExpected& expected);  // silence, of every connection
    void accepts();
    void refuses();
    void does_not_answer();  // connecting takes for ever
    // After this the gateway keeps one idle connection.
    void keeps_one_idle_connection();

    Peer& connection(std::size_t index);   // in the order they were opened
    std::size_t dials() const;             // attempts to connect
    bool has_unread() const;               // something has come on one of its connections
    std::size_t open_connections() const;  // that the gateway has not left

 private:
    std::vector<Peer*> connections() const;
    Scene& scene_;
    std::set<std::string> endpoints_;
};

// ---- the stage

// A configuration with one service at 10.0.0.1:80 and one route /<name> to it that keeps its
// prefix.
struct Extra {
    std::string route;  // further keys in YAML's flow style: "timeout: 5s"
    std::string service;
    std::string rest;  // further sections: "server: {keepalive: 5s}\n"
};
std::string one_service(std::string_view name, const Extra& extra = {});

class Scene final : upstream::Dialer {
 public:
    explicit Scene(const std::string& yaml, std::uint64_t seed = 1, app::TlsInputs tls = {});
    ~Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    // A connected client; the same name is the same connection.
    Peer& client(const std::string& name = "client");
    // One that comes over TLS and has finished its handshake with the site's TLS server as `tls`.
    Peer& client_over_tls(const std::string& name, const rt::TlsClientOptions& tls);
    // By the service's name, or by one endpoint: "10.0.0.1:80".
    Upstream& upstream(const std::string& name);
    void comes_from(std::string address) {
        client_address_ = std::move(address);
    }                                                      // of later clients
    void pipes_hold(std::size_t bytes) { pipe_ = bytes; }  // later connections

    void settle();
    void after(Duration time);  // step by step, from timer to timer
    void reload(const std::string& yaml);

    gateway::Worker& worker() { return *worker_; }
    services::Directory& directory() { return directory_; }
    std::vector<Event> events() const { return shared_.events.after(0); }
    rt::Loop& loop() { return loop_; }
    std::uint64_t leased() { return worker_->buffers().leased(); }
    std::uint64_t counted(Code code) const;  // exchanges that ended with this error
    std::uint64_t counted_status(int status) const;
    std::uint64_t counted_grpc(int status) const;  // gRPC calls that ended with it
    std::uint64_t finished() const;  // exchanges in all

 private:
    friend class Peer;
    friend class Upstream;
    enum class Manner { accept, refuse, hang };

    rt::Task<Result<rt::StreamPtr>> dial(upstream::EndpointAddress endpoint,
                                         TimePoint deadline) override;
    gateway::SitePtr compile(const std::string& yaml);
    Peer& nobody(const Place& place, const std::string& why);
    void everybody_leaves();

    ManualClock clock_;
    rt::Loop loop_{clock_};
    gateway::Shared shared_{1, 64 << 20, clock_};
    balance::States states_{shared_.events, shared_.health};
    services::Directory directory_{loop_, states_};
    std::uint64_t generation_ = 0;
    app::TlsInputs tls_;
    gateway::SitePtr site_;
    std::optional<gateway::Worker> worker_;
    std::string client_address_ = "192.0.2.1";
    std::size_t pipe_ = 64 * 1024;
    std::deque<std::unique_ptr<Peer>> clients_;
    std::deque<std::unique_ptr<Peer>> answered_;  // upstream connections, named by endpoint
    std::map<std::string, std::unique_ptr<Upstream>> upstreams_;
    std::map<std::string, Manner> manners_;  // by endpoint
    std::map<std::string, std::size_t> dials_;
    std::vector<rt::StreamPtr> unanswered_;  // our end of connects that hang
};

}  // namespace suoke::scene
