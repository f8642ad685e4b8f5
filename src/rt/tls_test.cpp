// SPDX-License-Identifier: MIT
#include "rt/tls.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rt/scope.h"

namespace suoke::rt {
namespace {

WallTime days_from_now(int days) { return SystemClock().wall() + std::chrono::hours(24 * days); }

NewCertificate named(std::vector<std::string> names, NewCertificate::KeyKind key = NewCertificate::ecdsa) {
    NewCertificate wanted;
    wanted.names = std::move(names);
    wanted.key = key;
    return wanted;
}

// Our own authority, made once: an RSA key takes long to find.
const CertificatePem& authority() {
    static const CertificatePem kRoot = [] {
        NewCertificate wanted = named({"Suoke Test Root"});
        wanted.names = {"root.test"};
        wanted.authority = true;
        return make_certificate(wanted);
    }();
    return kRoot;
}
CertificatePem signed_for(std::vector<std::string> names) { return make_certificate(named(std::move(names)), &authority()); }
const CertificatePem& rsa_for_api() {
    static const CertificatePem kPem = make_certificate(named({"api.test"}, NewCertificate::rsa), &authority());
    return kPem;
}

std::shared_ptr<const TlsServer> server_of(TlsServerOptions options) {
    auto made = TlsServer::make(std::move(options));
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
}
std::shared_ptr<const TlsClient> client_of(TlsClientOptions options) {
    auto made = TlsClient::make(std::move(options));
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
}

Task<void> keep(Task<Result<StreamPtr>> task, Result<StreamPtr>& into) { into = co_await std::move(task); }

// Passes a few bytes a turn in each direction, as a bad network would.
Task<void> drip(Stream& from, Stream& to, std::size_t most) {
    std::vector<char> space(most);
    for (;;) {
        Io got = from.read(space);
        if (got.blocked()) {
            Wake woken = co_await from.readable(kNever);
            if (woken == Wake::timeout) co_return;
            continue;
        }
        if (got.failed()) {
            to.shutdown_write();
            co_return;
        }
        std::string_view left(space.data(), got.bytes);
        while (!left.empty()) {
            Io put = to.write(left);
            if (put.failed()) co_return;
            left.remove_prefix(put.bytes);
            if (left.empty()) break;
            Wake woken = co_await to.writable(kNever);
            if (woken == Wake::timeout) co_return;
        }
    }
}

Task<void> read_all(Stream& from, std::string& into, Io::State& end) {
    char space[5000];
    for (;;) {
        Io got = from.read(space);
        if (got.blocked()) {
            Wake woken = co_await from.readable(kNever);
            if (woken == Wake::timeout) co_return;
            continue;
        }
        if (got.failed()) {
            end = got.state;
            co_return;
        }
        into.append(space, got.bytes);
    }
}

Task<void> write_all(Stream& to, std::string bytes, bool& finished) {
    // In uneven pieces, so that records and writes do not match.
    std::string_view left = bytes;
    while (!left.empty()) {
        std::string_view pieces[] = {left.substr(0, 7), left.substr(std::min<std::size_t>(7, left.size()), 40'000)};
        Io put = write_some(to, pieces);
        if (put.failed()) co_return;
        left.remove_prefix(put.bytes);
        if (!put.blocked()) continue;
        Wake woken = co_await to.writable(kNever);
        if (woken == Wake::timeout) co_return;
    }
    finished = true;
}

class Tls : public ::testing::Test {
 protected:
    TlsServerOptions serving(std::vector<CertificatePem> certificates) {
        TlsServerOptions options;
        options.certificates = std::move(certificates);
        options.tickets = tickets;
        return options;
    }
    TlsClientOptions trusting() {
        TlsClientOptions options;
        options.ca = authority().chain;
        return options;
    }

    // A handshake over a pair in memory; `server` and `client` hold what came of it.
    void meet(std::shared_ptr<const TlsServer> s, std::shared_ptr<const TlsClient> c, std::string host = "api.test",
              std::size_t capacity = 64 * 1024) {
        auto [a, b] = memory_pair(loop, capacity);
        under_server = a.get();
        meet_over(std::move(a), std::move(b), std::move(s), std::move(c), std::move(host));
    }
    void meet_over(StreamPtr a, StreamPtr b, std::shared_ptr<const TlsServer> s, std::shared_ptr<const TlsClient> c, std::string host) {
        forget();
        scope.spawn(keep(tls_accept(std::move(a), std::move(s), kNever), server));
        scope.spawn(keep(tls_connect(std::move(b), std::move(c), std::move(host), "192.0.2.1:443", kNever, offered), client));
        for (int i = 0; i < 200; ++i) loop.settle();
    }
    void forget() {
        server = Error(Code::internal, "not yet");
        client = Error(Code::internal, "not yet");
    }
    std::string read(Stream& from) {
        char space[4096];
        Io got = from.read(space);
        return got.failed() || got.blocked() ? "" : std::string(space, got.bytes);
    }
    void expect_talk() {
        ASSERT_TRUE(server) << server.error().detail;
        ASSERT_TRUE(client) << client.error().detail;
        EXPECT_EQ((*client)->write("question").bytes, 8u);
        loop.settle();
        EXPECT_EQ(read(**server), "question");
        EXPECT_EQ((*server)->write("answer").bytes, 6u);
        loop.settle();
        EXPECT_EQ(read(**client), "answer");
        char space[8];
        EXPECT_TRUE((*client)->read(space).blocked());
        EXPECT_TRUE((*server)->read(space).blocked());
    }

    ManualClock clock;
    Loop loop{clock};
    std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>(clock, std::chrono::hours(12));
    Result<StreamPtr> server = Error(Code::internal), client = Error(Code::internal);
    Stream* under_server = nullptr;
    std::vector<std::string> offered = {"http/1.1"};   // by the client
    TaskScope scope;
};

TEST_F(Tls, carries_bytes_both_ways_in_tls_13) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    const TlsFacts& facts = *(*server)->tls();
    EXPECT_EQ(facts.version, "TLSv1.3");
    EXPECT_EQ(facts.server_name, "api.test");
    EXPECT_EQ(facts.alpn, "http/1.1");
    EXPECT_FALSE(facts.resumed);
    EXPECT_FALSE(facts.has_client_certificate);
    EXPECT_EQ((*client)->tls()->cipher, facts.cipher);
}

TEST_F(Tls, knows_that_a_stream_in_memory_is_in_the_clear) {
    auto [a, b] = memory_pair(loop);
    EXPECT_EQ(a->tls(), nullptr);
}

// ---- which certificate

TEST_F(Tls, chooses_the_certificate_by_name_exact_before_wildcard_before_the_first) {
    auto s = server_of(serving({signed_for({"first.test"}), signed_for({"*.suoke.test"}), signed_for({"api.suoke.test"})}));
    auto fits = [&](const std::string& asked, const std::string& certified) {
        TlsClientOptions options = trusting();
        options.server_name = asked;
        options.insecure_skip_verify = false;
        meet(s, client_of(options), asked);
        bool verified = client.has_value();
        EXPECT_EQ(verified, asked != "elsewhere.test" && asked != "a.b.suoke.test") << asked << " " << certified;
    };
    fits("API.suoke.test", "api.suoke.test");
    fits("other.suoke.test", "*.suoke.test");
    fits("first.test", "first.test");
    fits("elsewhere.test", "first.test");
    fits("a.b.suoke.test", "first.test");
}

TEST_F(Tls, answers_with_the_first_certificate_when_no_name_is_asked_for) {
    auto s = server_of(serving({signed_for({"127.0.0.1"}), signed_for({"api.test"})}));
    meet(s, client_of(trusting()), "127.0.0.1");
    expect_talk();
    EXPECT_EQ((*server)->tls()->server_name, "");
}

TEST_F(Tls, has_rsa_and_ecdsa_for_one_name_side_by_side) {
    auto s = server_of(serving({rsa_for_api(), signed_for({"api.test"})}));
    meet(s, client_of(trusting()));
    expect_talk();
    ASSERT_EQ(s->certificates().size(), 2u);
}

TEST_F(Tls, refuses_a_key_that_is_not_the_certificates) {
    CertificatePem mixed = signed_for({"api.test"});
    mixed.key = signed_for({"api.test"}).key;
    mixed.origin = "mixed.pem";
    auto made = TlsServer::make(serving({mixed}));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid_config);
    EXPECT_NE(made.error().detail.find("mixed.pem"), std::string::npos) << made.error().detail;
}

TEST_F(Tls, refuses_what_is_no_certificate) {
    CertificatePem nonsense{"hello", "world", "nonsense.pem"};
    auto made = TlsServer::make(serving({nonsense}));
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().detail.find("nonsense.pem"), std::string::npos);
    EXPECT_FALSE(TlsServer::make(serving({})));
}

TEST(Certificate, tells_its_facts) {
    NewCertificate wanted = named({"api.test", "*.api.test", "127.0.0.1"});
    wanted.not_after = days_from_now(10);
    auto facts = certificate_facts(make_certificate(wanted).chain);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->subject, "CN=api.test");
    EXPECT_EQ(facts->names, (std::vector<std::string>{"api.test", "*.api.test", "127.0.0.1"}));
    EXPECT_LE(std::chrono::abs(facts->not_after - days_from_now(10)), 5s);
    EXPECT_FALSE(certificate_facts("-----BEGIN CERTIFICATE-----\n"));
}

// ---- ALPN

TEST_F(Tls, agrees_on_the_protocol_that_the_server_prefers) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.alpn = {"h2", "http/1.1"};
    offered = {"http/1.1", "h2"};
    meet(server_of(options), client_of(trusting()));
    expect_talk();
    EXPECT_EQ((*server)->tls()->alpn, "h2");
    EXPECT_EQ((*client)->tls()->alpn, "h2");
}

TEST_F(Tls, refuses_a_client_that_speaks_none_of_our_protocols) {
    offered = {"spdy/1"};
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::tls_failed);
    EXPECT_FALSE(client);
}

TEST_F(Tls, lets_a_client_name_no_protocol) {
    offered.clear();
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    EXPECT_EQ((*server)->tls()->alpn, "");
}

TEST_F(Tls, one_client_speaks_several_protocols_even_when_it_resumes_a_session) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.alpn = {"h2", "http/1.1"};
    auto s = server_of(options);
    auto c = client_of(trusting());
    for (const char* protocol : {"http/1.1", "h2", "http/1.1"}) {
        offered = {protocol};
        meet(s, c);
        expect_talk();
        EXPECT_EQ((*server)->tls()->alpn, protocol);
        EXPECT_EQ((*client)->tls()->alpn, protocol);
    }
    EXPECT_TRUE((*server)->tls()->resumed);
}

// ---- resumption

TEST_F(Tls, resumes_at_another_server_with_the_same_keys) {
    CertificatePem pem = signed_for({"api.test"});
    auto c = client_of(trusting());
    meet(server_of(serving({pem})), c);
    expect_talk();  // reading takes in the ticket
    EXPECT_FALSE((*client)->tls()->resumed);
    meet(server_of(serving({pem})), c);
    expect_talk();
    EXPECT_TRUE((*client)->tls()->resumed);
    EXPECT_TRUE((*server)->tls()->resumed);
}

TEST_F(Tls, each_resumption_brings_the_ticket_for_the_next) {
    CertificatePem pem = signed_for({"api.test"});
    auto c = client_of(trusting());
    for (bool resumed : {false, true, true, true}) {
        meet(server_of(serving({pem})), c);
        expect_talk();
        EXPECT_EQ((*client)->tls()->resumed, resumed);
    }
}

TEST_F(Tls, resumes_with_the_previous_key_and_not_with_the_one_before) {
    CertificatePem pem = signed_for({"api.test"});
    auto c = client_of(trusting());
    auto resumed = [&] {
        meet(server_of(serving({pem})), c);
        expect_talk();
        return (*client)->tls()->resumed;
    };
    EXPECT_FALSE(resumed());
    clock.advance(std::chrono::hours(13));
    EXPECT_TRUE(resumed());
    clock.advance(std::chrono::hours(25));
    EXPECT_FALSE(resumed());
}

TEST_F(Tls, does_not_resume_under_other_rules_for_client_certificates) {
    CertificatePem pem = signed_for({"api.test"});
    auto c = client_of(trusting());
    meet(server_of(serving({pem})), c);
    expect_talk();
    TlsServerOptions strict = serving({pem});
    strict.client_auth = ClientAuth::required;
    strict.client_ca = authority().chain;
    meet(server_of(strict), c);
    EXPECT_FALSE(server);
}

TEST_F(Tls, without_keys_resumes_nothing) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.tickets = nullptr;
    auto s = server_of(options);
    auto c = client_of(trusting());
    for (int i = 0; i < 2; ++i) {
        meet(s, c);
        expect_talk();
        EXPECT_FALSE((*client)->tls()->resumed);
    }
}

// ---- whom a client believes

TEST_F(Tls, refuses_a_server_of_another_name) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()), "bank.test");
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Code::tls_failed);
    EXPECT_NE(client.error().detail.find("mismatch"), std::string::npos) << client.error().detail;
    EXPECT_FALSE(server);
}

TEST_F(Tls, refuses_an_expired_certificate) {
    NewCertificate old = named({"api.test"});
    old.not_before = days_from_now(-20);
    old.not_after = days_from_now(-1);
    meet(server_of(serving({make_certificate(old, &authority())})), client_of(trusting()));
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().detail.find("expired"), std::string::npos) << client.error().detail;
}

TEST_F(Tls, refuses_a_certificate_that_nobody_we_trust_has_signed) {
    meet(server_of(serving({make_local_certificate({"api.test"})})), client_of(trusting()));
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().detail.find("self-signed"), std::string::npos) << client.error().detail;
    meet(server_of(serving({signed_for({"api.test"})})), client_of({}));  // the system's authorities
    EXPECT_FALSE(client);
}

TEST_F(Tls, believes_anyone_when_told_to) {
    TlsClientOptions careless;
    careless.insecure_skip_verify = true;
    meet(server_of(serving({make_local_certificate({"api.test"})})), client_of(careless), "bank.test");
    expect_talk();
}

TEST_F(Tls, verifies_an_address_too) {
    meet(server_of(serving({signed_for({"192.0.2.7"})})), client_of(trusting()), "192.0.2.7");
    expect_talk();
    meet(server_of(serving({signed_for({"192.0.2.7"})})), client_of(trusting()), "192.0.2.8");
    EXPECT_FALSE(client);
}

// ---- client certificates

TEST_F(Tls, tells_who_the_client_is) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.client_auth = ClientAuth::optional;
    options.client_ca = authority().chain;
    auto s = server_of(options);
    NewCertificate device = named({"device-7.test"});
    device.uris = {"spiffe://suoke/device/7"};
    device.not_after = std::chrono::floor<std::chrono::seconds>(SystemClock().wall() + 1h);
    TlsClientOptions asking = trusting();
    asking.certificates = {make_certificate(device, &authority())};
    auto c = client_of(asking);
    for (bool resumed : {false, true}) {
        meet(s, c);
        expect_talk();
        const TlsFacts& facts = *(*server)->tls();
        EXPECT_EQ(facts.resumed, resumed);
        EXPECT_TRUE(facts.has_client_certificate);
        EXPECT_EQ(facts.client_subject, "CN=device-7.test");
        EXPECT_EQ(facts.client_names, (std::vector<std::string>{"DNS:device-7.test", "URI:spiffe://suoke/device/7"}));
        EXPECT_EQ(facts.client_not_after, device.not_after);
    }
    meet(s, client_of(trusting()));
    expect_talk();
    EXPECT_FALSE((*server)->tls()->has_client_certificate);
}

TEST_F(Tls, refuses_clients_without_the_required_certificate_or_with_a_strange_one) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.client_auth = ClientAuth::required;
    options.client_ca = authority().chain;
    auto s = server_of(options);
    meet(s, client_of(trusting()));
    EXPECT_FALSE(server);
    TlsClientOptions strange = trusting();
    strange.certificates = {make_local_certificate({"device-7.test"})};
    meet(s, client_of(strange));
    EXPECT_FALSE(server);
    TlsClientOptions good = trusting();
    good.certificates = {signed_for({"device-7.test"})};
    meet(s, client_of(good));
    expect_talk();
}

// ---- bytes

TEST_F(Tls, survives_any_way_the_bytes_are_cut) {
    auto [a1, a2] = memory_pair(loop, 64);
    auto [b1, b2] = memory_pair(loop, 64);
    scope.spawn(drip(*a2, *b2, 1));
    scope.spawn(drip(*b2, *a2, 3));
    forget();
    scope.spawn(keep(tls_accept(std::move(a1), server_of(serving({signed_for({"api.test"})})), kNever), server));
    scope.spawn(keep(tls_connect(std::move(b1), client_of(trusting()), "api.test", "x", kNever), client));
    for (int i = 0; i < 20'000 && !(server && client); ++i) loop.settle();
    ASSERT_TRUE(server) << server.error().detail;
    ASSERT_TRUE(client) << client.error().detail;
    std::string got;
    Io::State end = Io::done;
    bool finished = false;
    scope.spawn(read_all(**server, got, end));
    scope.spawn(write_all(**client, std::string(3000, 'y'), finished));
    for (int i = 0; i < 20'000 && got.size() < 3000; ++i) loop.settle();
    EXPECT_EQ(got, std::string(3000, 'y'));
    EXPECT_TRUE(finished);
    (*client)->shutdown_write();
    for (int i = 0; i < 1000 && end == Io::done; ++i) loop.settle();
    EXPECT_EQ(end, Io::end);
    scope.cancel();
}

TEST_F(Tls, moves_megabytes_through_a_narrow_pipe_in_order) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()), "api.test", 5000);
    ASSERT_TRUE(client) << client.error().detail;
    std::string sent(4 << 20, ' '), got;
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 2654435761u >> 13);
    bool finished = false;
    Io::State end = Io::done;
    scope.spawn(write_all(**server, sent, finished));
    loop.settle();
    EXPECT_FALSE(finished);
    scope.spawn(read_all(**client, got, end));
    for (int i = 0; i < 100'000 && got.size() < sent.size(); ++i) loop.settle();
    EXPECT_TRUE(finished);
    EXPECT_TRUE(got == sent);
    (*server)->shutdown_write();
    loop.settle();
    EXPECT_EQ(end, Io::end);
}

TEST_F(Tls, puts_what_is_written_at_once_into_one_record) {
    auto [a, b] = memory_pair(loop);
    Stream* below = b.get();
    meet_over(std::move(a), std::move(b), server_of(serving({signed_for({"api.test"})})), client_of(trusting()), "api.test");
    expect_talk();
    below->set_above(nullptr);  // look at it in the place of TLS
    std::string_view pieces[] = {"HTTP/1.1 200 OK\r\n\r\n", "body", "!"};
    EXPECT_EQ(write_some(**server, pieces).state, Io::done);
    loop.settle();
    char space[4096];
    std::size_t size = below->read(space).bytes;
    EXPECT_EQ(size, 24u + 5 + 1 + 16);  // one head, one type byte, one tag
}

TEST_F(Tls, tells_a_reader_of_bytes_that_came_with_the_handshake) {
    auto s = server_of(serving({signed_for({"api.test"})}));
    meet(s, client_of(trusting()));
    ASSERT_TRUE(client);
    std::string got;
    Io::State end = Io::done;
    scope.spawn(read_all(**server, got, end));
    (*client)->write("a");
    (*client)->write("b");
    (*client)->write("c");
    loop.settle();
    EXPECT_EQ(got, "abc");
    scope.cancel();
}

// ---- ends

TEST_F(Tls, an_orderly_end_is_an_end) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    (*server)->write("last");
    server = Error(Code::internal);  // destroys the stream
    loop.settle();
    std::string got;
    Io::State end = Io::done;
    scope.spawn(read_all(**client, got, end));
    loop.settle();
    EXPECT_EQ(got, "last");
    EXPECT_EQ(end, Io::end);
}

TEST_F(Tls, a_cut_stream_is_not_an_end) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    (*server)->write("cut");
    under_server->shutdown_write();  // TCP ends, TLS has not said so
    loop.settle();
    std::string got;
    Io::State end = Io::done;
    scope.spawn(read_all(**client, got, end));
    loop.settle();
    EXPECT_EQ(got, "cut");
    EXPECT_EQ(end, Io::reset);
}

TEST_F(Tls, a_reset_says_no_goodbye) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    (*server)->reset_on_close();
    server = Error(Code::internal);
    loop.settle();
    char space[8];
    EXPECT_EQ((*client)->read(space).state, Io::reset);
}

TEST_F(Tls, garbage_after_the_handshake_breaks_the_stream_for_good) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    std::string garbage = "\x17\x03\x03\x00\x20" + std::string(32, 'x');
    under_server->write(garbage);
    loop.settle();
    char space[64];
    EXPECT_EQ((*client)->read(space).state, Io::reset);
    EXPECT_EQ((*client)->read(space).state, Io::reset);
    EXPECT_EQ((*client)->write("more").state, Io::reset);
}

struct Told final : HangupListener {
    int times = 0;
    void on_hangup() override { ++times; }
};

TEST_F(Tls, tells_the_hangup_listener_when_the_peer_leaves) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    expect_talk();
    Told told;
    (*client)->set_hangup_listener(&told);
    loop.settle();
    EXPECT_EQ(told.times, 0);
    server = Error(Code::internal);
    loop.settle();
    EXPECT_EQ(told.times, 1);
    EXPECT_TRUE((*client)->maybe_readable());
}

TEST_F(Tls, a_session_ticket_does_not_make_an_idle_connection_readable) {
    meet(server_of(serving({signed_for({"api.test"})})), client_of(trusting()));
    ASSERT_TRUE(client);
    EXPECT_FALSE((*client)->maybe_readable());
    (*server)->write("x");
    loop.settle();
    EXPECT_TRUE((*client)->maybe_readable());
}

// ---- handshakes that fail

TEST_F(Tls, a_client_that_says_nothing_runs_into_the_deadline) {
    auto [a, b] = memory_pair(loop);
    scope.spawn(keep(tls_accept(std::move(a), server_of(serving({signed_for({"api.test"})})), loop.now() + 5s), server));
    loop.settle();
    clock.advance(6s);
    loop.settle();
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::connect_timeout);
}

TEST_F(Tls, a_client_that_leaves_fails) {
    auto [a, b] = memory_pair(loop);
    scope.spawn(keep(tls_accept(std::move(a), server_of(serving({signed_for({"api.test"})})), kNever), server));
    loop.settle();
    b.reset();
    loop.settle();
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::tls_failed);
}

TEST_F(Tls, plain_http_fails) {
    auto [a, b] = memory_pair(loop);
    b->write("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    scope.spawn(keep(tls_accept(std::move(a), server_of(serving({signed_for({"api.test"})})), kNever), server));
    loop.settle();
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Code::tls_failed);
    EXPECT_NE(server.error().detail.find("http request"), std::string::npos) << server.error().detail;
}

TEST_F(Tls, may_be_of_version_13_only) {
    TlsServerOptions options = serving({signed_for({"api.test"})});
    options.min_version = TlsVersion::tls13;
    meet(server_of(options), client_of(trusting()));
    expect_talk();
    EXPECT_EQ((*client)->tls()->version, "TLSv1.3");
}

TEST(TicketKeys, from_elsewhere_stay_until_others_come) {
    ManualClock clock;
    TicketKeys keys(clock, std::chrono::hours(1));
    TicketKey first = TicketKey::random(), second = TicketKey::random();
    keys.install({first, second});
    clock.advance(std::chrono::hours(100));
    EXPECT_EQ(keys.current().name, first.name);
    ASSERT_TRUE(keys.find(second.name.data()));
    EXPECT_TRUE(keys.find(second.name.data())->old);
    EXPECT_FALSE(keys.find(first.name.data())->old);
    keys.change_alone();
    EXPECT_EQ(keys.current().name, first.name);
    clock.advance(std::chrono::hours(1));
    EXPECT_NE(keys.current().name, first.name);
    EXPECT_TRUE(keys.find(first.name.data())->old);
}

}  // namespace
}  // namespace suoke::rt
