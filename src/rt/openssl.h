// SPDX-License-Identifier: MIT
#pragma once
// OpenSSL's objects with owners, for the files of rt/ that speak to it; no public header includes this.

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rt/certificate.h"

namespace suoke::rt::openssl {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* thing) const {
        release(thing);
    }
};
using BioPtr = std::unique_ptr<BIO, Release<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using CtxPtr = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Release<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;

// Why the last call failed, in OpenSSL's words; empties its queue of errors, which is the thread's
// and would otherwise be taken for the next connection's.
std::string last_error();

X509Ptr first_certificate(std::string_view pem);
// Loads chain and key; a sentence when they are no pair, or no PEM.
Result<void> use_certificate(SSL_CTX* ctx, const CertificatePem& pem);
// Makes the bundle the ones that peers' certificates must lead to.
Result<void> trust(SSL_CTX* ctx, std::string_view bundle);
std::string subject_of(X509* certificate);
WallTime not_after_of(const X509* certificate);

struct AltNames {
    std::vector<std::string> hosts;   // DNS names and addresses
    std::vector<std::string> labelled;  // "DNS:a.example", "IP:192.0.2.1", "URI:spiffe://...", "email:..."
};
AltNames alt_names_of(X509* certificate);

}  // namespace suoke::rt::openssl
