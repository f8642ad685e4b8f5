// SPDX-License-Identifier: MIT
#pragma once
// The client side of TLS 1.3 for a load of new connections: every handshake a full one, or every
// one resumed by the latest ticket (RFC 8446 §2.2, PSK with (EC)DHE), again and again if no other
// comes. It offers X25519 and TLS_AES_128_GCM_SHA256 and nothing else, so that every server does
// the same work; whose certificate it is does not matter.
//
//     TlsClient client;
//     TlsStream stream = client.connect(fd, TlsClient::Wanted::resumed);
//     if (stream.shake() == TlsStream::Progress::done && stream.resumed()) stream.send(request);

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace suoke::bench {

template <auto free>
struct FreeWith {
    template <typename T>
    void operator()(T* resource) const {
        free(resource);
    }
};

// One connection over a socket that does not block and that outlives it.
class TlsStream {
 public:
    enum class Progress : std::uint8_t { more, done, broken };

    explicit TlsStream(SSL* ssl) : ssl_(ssl) {}

    Progress shake();      // again whenever the socket can be read, until it is done
    bool resumed() const;  // meaningful when it is
    // As ::send and ::recv: the number of bytes, 0 at the end, or -1 and errno (EAGAIN to try
    // later).
    ssize_t send(std::string_view bytes);
    ssize_t receive(std::span<char> buffer);
    void say_goodbye();  // close_notify, without waiting for the other one

 private:
    ssize_t as_errno(int result);

    std::unique_ptr<SSL, FreeWith<SSL_free>> ssl_;
};

class TlsClient {
 public:
    enum class Wanted : std::uint8_t { full, resumed };

    TlsClient();
    TlsClient(const TlsClient&) = delete;

    // To resume is only possible once a ticket came; before, the handshake is a full one.
    TlsStream connect(int fd, Wanted wanted);
    std::uint64_t tickets() const { return tickets_; }  // that came

 private:
    using Session = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

    static int keep_ticket(SSL* ssl, SSL_SESSION* session);

    std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context_;
    Session latest_;
    std::uint64_t tickets_ = 0;
};

}  // namespace suoke::bench
