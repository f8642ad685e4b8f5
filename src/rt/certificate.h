// SPDX-License-Identifier: MIT
#pragma once
// Certificates as PEM texts (RFC 7468) and what is written in them (RFC 5280).
//
//   auto pem = rt::read_certificate("/etc/suoke/tls.crt", "/etc/suoke/tls.key");
//   auto facts = rt::certificate_facts(pem->chain);   // of the first one: names, not_after ...
//
// Every failure is Code::invalid_config with a sentence for the operator that names the file.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace suoke::rt {

// A certificate with the ones that lead to its root behind it, and its private key.
struct CertificatePem {
    std::string chain;
    std::string key;      // a secret: never shown
    std::string origin;   // what messages call it: the file's name
    bool operator==(const CertificatePem&) const = default;
};

struct CertificateFacts {
    std::string subject;              // RFC 4514: "CN=api.suoke.life,O=Suoke"
    std::vector<std::string> names;   // DNS names and addresses, in lower case: what a server may be called
    WallTime not_before{}, not_after{};
};

Result<CertificatePem> read_certificate(const std::string& cert_file, const std::string& key_file);
// A bundle of CA certificates, unparsed.
Result<std::string> read_pem_file(const std::string& file);
// Of the first certificate in the text.
Result<CertificateFacts> certificate_facts(std::string_view chain_pem);

// What to write into a certificate we sign ourselves: for development and tests, never for the world.
struct NewCertificate {
    enum KeyKind : std::uint8_t { ecdsa, rsa };     // P-256 or 2048 bits
    std::vector<std::string> names;                 // DNS names or IP addresses; the first is the CN
    std::vector<std::string> uris;                  // SPIFFE ids and the like; without commas
    KeyKind key = ecdsa;
    bool authority = false;                         // may sign others
    WallTime not_before{}, not_after{};             // zero: from an hour ago, for 90 days
};
// Signed by `issuer`, or by itself when that is null.
CertificatePem make_certificate(const NewCertificate& wanted, const CertificatePem* issuer = nullptr);
// What `suoke-gateway dev --tls` serves.
CertificatePem make_local_certificate(const std::vector<std::string>& names);

}  // namespace suoke::rt
