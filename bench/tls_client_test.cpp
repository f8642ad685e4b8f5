// SPDX-License-Identifier: MIT
#include "bench/tls_client.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "bench/sockets.h"

namespace suoke::bench {
namespace {

using Progress = TlsStream::Progress;
using Wanted = TlsClient::Wanted;

// A server with a certificate of its own making.
class Server {
 public:
    Server() : context_(SSL_CTX_new(TLS_server_method())) {
        std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
        std::unique_ptr<X509, FreeWith<X509_free>> certificate(X509_new());
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        SSL_CTX_use_certificate(context_.get(), certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), key.get());
    }

    SSL_CTX* context() { return context_.get(); }

 private:
    std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context_;
};

struct Pair {
    Fd near, far;
    Pair() {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0) {
            near = Fd(fds[0]);
            far = Fd(fds[1]);
        }
    }
};

// One connection of the client with the server: the handshake, a byte there, a byte back.
class Meeting {
 public:
    Meeting(TlsClient& client, Server& server, Wanted wanted)
        : stream_(client.connect(pair_.near.get(), wanted)), server_(SSL_new(server.context())) {
        SSL_set_fd(server_.get(), pair_.far.get());
        for (int turn = 0; turn < 5 && progress_ == Progress::more; ++turn) {
            progress_ = stream_.shake();
            SSL_accept(server_.get());
        }
        if (progress_ == Progress::done) talk();
    }

    Progress progress() const { return progress_; }
    bool resumed() const { return stream_.resumed(); }
    bool talked() const { return talked_; }
    TlsStream& stream() { return stream_; }
    SSL* server() { return server_.get(); }

 private:
    void talk() {
        std::array<char, 8> buffer{};
        char byte = 0;
        SSL_accept(server_.get());
        talked_ = stream_.send("?") == 1 && SSL_read(server_.get(), &byte, 1) == 1 && byte == '?' &&
                  SSL_write(server_.get(), "!", 1) == 1 && stream_.receive(buffer) == 1;
    }

    Pair pair_;
    TlsStream stream_;
    std::unique_ptr<SSL, FreeWith<SSL_free>> server_;
    Progress progress_ = Progress::more;
    bool talked_ = false;
};

TEST(TlsClient, makes_full_handshakes_however_many_tickets_it_gets) {
    TlsClient client;
    Server server;
    for (int i = 0; i < 2; ++i) {
        Meeting meeting(client, server, Wanted::full);
        EXPECT_EQ(meeting.progress(), Progress::done);
        EXPECT_FALSE(meeting.resumed());
        EXPECT_TRUE(meeting.talked());
    }
    EXPECT_GE(client.tickets(), 2u);
}

TEST(TlsClient, resumes_by_the_latest_ticket_once_one_came) {
    TlsClient client;
    Server server;
    EXPECT_FALSE(Meeting(client, server, Wanted::resumed).resumed());
    for (int i = 0; i < 3; ++i) {
        std::uint64_t before = client.tickets();
        Meeting meeting(client, server, Wanted::resumed);
        EXPECT_TRUE(meeting.resumed());
        EXPECT_TRUE(meeting.talked());
        EXPECT_GT(client.tickets(), before);
    }
}

TEST(TlsClient, resumes_by_the_same_ticket_when_no_other_comes) {
    TlsClient client;
    Server server;
    Meeting meeting(client, server, Wanted::full);
    SSL_CTX_set_num_tickets(server.context(), 0);
    std::uint64_t before = client.tickets();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(Meeting(client, server, Wanted::resumed).resumed());
    EXPECT_EQ(client.tickets(), before);
}

TEST(TlsClient, tells_when_the_server_would_not_resume) {
    TlsClient client;
    Server one, another;  // with other ticket keys
    Meeting before(client, one, Wanted::full);
    Meeting meeting(client, another, Wanted::resumed);
    EXPECT_EQ(meeting.progress(), Progress::done);
    EXPECT_FALSE(meeting.resumed());
}

TEST(TlsClient, breaks_off_with_a_server_that_cannot_do_the_same_work) {
    TlsClient client;
    Server server;
    SSL_CTX_set1_groups_list(server.context(), "P-256");
    EXPECT_EQ(Meeting(client, server, Wanted::full).progress(), Progress::broken);
}

TEST(TlsStream, reads_nothing_yet_an_end_and_a_break_as_a_socket_would) {
    TlsClient client;
    Server server;
    std::array<char, 8> buffer{};
    Meeting meeting(client, server, Wanted::full);
    EXPECT_EQ(meeting.stream().receive(buffer), -1);
    EXPECT_EQ(errno, EAGAIN);
    SSL_shutdown(meeting.server());
    EXPECT_EQ(meeting.stream().receive(buffer), 0);

    Meeting other(client, server, Wanted::full);
    ::shutdown(SSL_get_fd(other.server()), SHUT_WR);  // without a close_notify
    EXPECT_EQ(other.stream().receive(buffer), -1);
    EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace suoke::bench
