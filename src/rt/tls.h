// SPDX-License-Identifier: MIT
#pragma once
// TLS 1.2 and 1.3 (RFC 5246, 8446) over any Stream; what comes out is a Stream again.
//
//   auto stream = co_await rt::tls_accept(std::move(socket), server, deadline);
//   stream->tls()->alpn   // "h2"
//
// A server and a client are immutable and shared by all workers; connections keep alive what they
// were made with, so a reload makes a new one and drops nothing. Reasons: docs/decisions/0005-tls.md.
//
// An end without close_notify (RFC 8446 §6.1) is Io::reset, never Io::end: anyone on the way could have
// cut the stream. Where HTTP knows its message is complete it reads no further and never sees it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rt/certificate.h"
#include "rt/stream.h"
#include "rt/tls_tickets.h"

namespace suoke::rt {

// What the handshake agreed on. Lives with its stream.
struct TlsFacts {
    std::string_view version;         // "TLSv1.3"
    std::string_view cipher;          // "TLS_AES_128_GCM_SHA256"
    std::string alpn;                 // "h2", "http/1.1"; empty: the peer named none
    std::string server_name;          // SNI, in lower case; empty: none
    bool resumed = false;
    // Of the client's certificate, always verified; empty: it has none.
    std::string client_subject;               // RFC 4514: "CN=device-7,O=Suoke"
    std::vector<std::string> client_names;    // "DNS:...", "URI:spiffe://...", "IP:...", "email:..."
    WallTime client_not_after = WallTime::max();   // the certificate's end; a connection may outlive it
    bool has_client_certificate = false;
};

enum class TlsVersion : std::uint8_t { tls12, tls13 };
enum class ClientAuth : std::uint8_t { none, optional, required };

// ---- the server's side

struct TlsServerOptions {
    // The first one answers clients that name no host, or one we do not have. An RSA and an ECDSA
    // certificate for the same name stand side by side: the client's signature algorithms choose.
    std::vector<CertificatePem> certificates;
    TlsVersion min_version = TlsVersion::tls12;
    std::vector<std::string> alpn = {"http/1.1"};   // our order counts (RFC 7301 §3.2)
    ClientAuth client_auth = ClientAuth::none;
    std::string client_ca;                          // PEM bundle; needed unless none
    std::shared_ptr<TicketKeys> tickets;            // null: no resumption
    Duration ticket_lifetime = std::chrono::hours(12);
};

class TlsServer {
 public:
    // Code::invalid_config says which certificate is bad and why.
    static Result<std::shared_ptr<const TlsServer>> make(TlsServerOptions options);
    virtual ~TlsServer() = default;
    // Of each certificate, in the order of the options.
    virtual const std::vector<CertificateFacts>& certificates() const = 0;
};

// Code::tls_failed, or Code::connect_timeout when the deadline came first.
Task<Result<StreamPtr>> tls_accept(StreamPtr below, std::shared_ptr<const TlsServer> server, TimePoint deadline);

// ---- the client's side

struct TlsClientOptions {
    std::string ca;                            // PEM bundle; empty: the system's
    bool insecure_skip_verify = false;         // believe anyone; for tests in a closed network
    std::string server_name;                   // verified and sent instead of the endpoint's host
    std::vector<CertificatePem> certificates;  // at most one, if the server asks
    TlsVersion min_version = TlsVersion::tls12;
    bool operator==(const TlsClientOptions&) const = default;
};

class TlsClient {
 public:
    static Result<std::shared_ptr<const TlsClient>> make(TlsClientOptions options);
    virtual ~TlsClient() = default;
};

// `host` is whom we mean to speak to (RFC 9525): a DNS name or an IP address, sent as SNI when it is a
// name (RFC 6066 §3). Sessions are kept and resumed per host and `endpoint` ("10.0.0.7:443").
// `alpn` is offered, our favourite first (RFC 7301); none at all for protocols that have no name there. It
// belongs to the connection: one client's rules are good for HTTP/1.1 and HTTP/2.
// Code::tls_failed, or Code::connect_timeout when the deadline came first.
Task<Result<StreamPtr>> tls_connect(StreamPtr below, std::shared_ptr<const TlsClient> client, std::string host,
                                    std::string endpoint, TimePoint deadline, std::vector<std::string> alpn = {"http/1.1"});

}  // namespace suoke::rt
