// SPDX-License-Identifier: MIT
#include "bench/tls_client.h"

#include <openssl/err.h>

#include <cerrno>
#include <stdexcept>

namespace suoke::bench {
namespace {

constexpr unsigned char http1[] = "\x08http/1.1";  // as ALPN writes it

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("TLS: ") + what);
}

}  // namespace

TlsStream::Progress TlsStream::shake() {
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return Progress::done;
    return SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ ? Progress::more
                                                                    : Progress::broken;
}

bool TlsStream::resumed() const {
    return SSL_session_reused(ssl_.get()) == 1;
}

ssize_t TlsStream::send(std::string_view bytes) {
    ERR_clear_error();
    return as_errno(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

ssize_t TlsStream::receive(std::span<char> buffer) {
    ERR_clear_error();
    return as_errno(SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size())));
}

void TlsStream::say_goodbye() {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
}

ssize_t TlsStream::as_errno(int result) {
    if (result > 0) return result;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_ZERO_RETURN:
            return 0;
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            errno = EAGAIN;
            return -1;
        default:
            errno = ECONNRESET;
            return -1;
    }
}

TlsClient::TlsClient() : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* context = context_.get();
    require(context != nullptr, "no context");
    require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1, "no version 1.3");
    require(SSL_CTX_set1_groups_list(context, "X25519") == 1, "no X25519");
    require(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1, "no AES-GCM");
    require(SSL_CTX_set_alpn_protos(context, http1, sizeof http1 - 1) == 0, "no ALPN");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
    SSL_CTX_set_app_data(context, this);
}

TlsStream TlsClient::connect(int fd, Wanted wanted) {
    SSL* ssl = SSL_new(context_.get());
    require(ssl != nullptr, "no connection");
    TlsStream stream(ssl);
    SSL_set_connect_state(ssl);
    require(SSL_set_fd(ssl, fd) == 1, "no socket");
    require(SSL_set_tlsext_host_name(ssl, "localhost") == 1, "no server name");
    if (wanted == Wanted::resumed && latest_) {
        // OpenSSL lets nobody use a session twice, but it does not know it by its copies.
        Session copy(SSL_SESSION_dup(latest_.get()));
        require(SSL_set_session(ssl, copy.get()) == 1, "no session");
    }
    return stream;
}

int TlsClient::keep_ticket(SSL* ssl, SSL_SESSION* session) {
    auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    client->latest_.reset(SSL_SESSION_dup(session));
    ++client->tickets_;
    return 0;  // the session stays OpenSSL's
}

}  // namespace suoke::bench
