// SPDX-License-Identifier: MIT
#include "rt/certificate.h"

#include <arpa/inet.h>
#include <openssl/rand.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "rt/openssl.h"

namespace suoke::rt {
namespace openssl {

std::string last_error() {
    // The first one is the cause; those behind it say which functions it came through.
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "no reason given";
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : "error " + std::to_string(code);
}

namespace {

BioPtr reader_of(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// A key with a passphrase is refused; asking on the terminal is the default.
int no_passphrase(char*, int, int, void*) { return 0; }

// Names go into header fields and lists: what could end one there is percent-encoded.
std::string text_of(const ASN1_STRING* s) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string_view raw(reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)), static_cast<std::size_t>(ASN1_STRING_length(s)));
    std::string text;
    for (char c : raw) {
        auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && c != ',' && c != '"' && c != '\\') {
            text += c;
        } else {
            text += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return text;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
    char text[INET6_ADDRSTRLEN] = "";
    int length = ASN1_STRING_length(address);
    if (length == 4 || length == 16)
        ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
    return text;
}

WallTime wall_of(const ASN1_TIME* time) {
    std::tm broken{};
    if (ASN1_TIME_to_tm(time, &broken) != 1) return {};
    return WallTime(std::chrono::seconds(::timegm(&broken)));
}

}  // namespace

X509Ptr first_certificate(std::string_view pem) {
    BioPtr bio = reader_of(pem);
    return X509Ptr(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
}

static KeyPtr key_of(std::string_view pem) {
    BioPtr bio = reader_of(pem);
    return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

Result<void> use_certificate(SSL_CTX* ctx, const CertificatePem& pem) {
    auto fault = [&](const std::string& what) { return Error(Code::invalid_config, pem.origin + ": " + what + ": " + last_error()); };
    ERR_clear_error();
    BioPtr bio = reader_of(pem.chain);
    X509Ptr leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
    if (!leaf) return fault("holds no certificate in PEM form");
    KeyPtr key = key_of(pem.key);
    if (!key) return fault("its key is no unencrypted private key in PEM form");
    STACK_OF(X509)* chain = sk_X509_new_null();
    while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) sk_X509_push(chain, next);
    ERR_clear_error();  // the end of the text
    bool used = SSL_CTX_use_cert_and_key(ctx, leaf.get(), key.get(), chain, 1) == 1;
    sk_X509_pop_free(chain, X509_free);
    if (!used) return fault("certificate and key cannot be used together");
    return {};
}

Result<void> trust(SSL_CTX* ctx, std::string_view bundle) {
    BioPtr bio = reader_of(bundle);
    X509_STORE* store = SSL_CTX_get_cert_store(ctx);
    int count = 0;
    while (X509Ptr one{PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)})
        count += X509_STORE_add_cert(store, one.get());
    ERR_clear_error();
    if (count == 0) return Error(Code::invalid_config, "holds no CA certificate in PEM form");
    return {};
}

std::string subject_of(X509* certificate) {
    BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* text = nullptr;
    long length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

WallTime not_after_of(const X509* certificate) { return wall_of(X509_get0_notAfter(certificate)); }

AltNames alt_names_of(X509* certificate) {
    AltNames names;
    auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
        switch (name->type) {
            case GEN_DNS:
                names.hosts.push_back(to_lower(text_of(name->d.dNSName)));
                names.labelled.push_back("DNS:" + names.hosts.back());
                break;
            case GEN_IPADD:
                names.hosts.push_back(address_text(name->d.iPAddress));
                names.labelled.push_back("IP:" + names.hosts.back());
                break;
            case GEN_URI: names.labelled.push_back("URI:" + text_of(name->d.uniformResourceIdentifier)); break;
            case GEN_EMAIL: names.labelled.push_back("email:" + text_of(name->d.rfc822Name)); break;
            default: break;
        }
    }
    GENERAL_NAMES_free(all);
    return names;
}

}  // namespace openssl

using namespace openssl;

Result<std::string> read_pem_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream content;
    if (in) content << in.rdbuf();
    if (!in || content.str().empty())
        return Error(Code::invalid_config, file + ": " + (errno ? std::strerror(errno) : "is empty"));
    return content.str();
}

Result<CertificatePem> read_certificate(const std::string& cert_file, const std::string& key_file) {
    auto chain = read_pem_file(cert_file);
    if (!chain) return chain.error();
    auto key = read_pem_file(key_file);
    if (!key) return key.error();
    return CertificatePem{std::move(*chain), std::move(*key), cert_file};
}

Result<CertificateFacts> certificate_facts(std::string_view chain_pem) {
    X509Ptr leaf = first_certificate(chain_pem);
    if (!leaf) return Error(Code::invalid_config, "no certificate in PEM form: " + last_error());
    CertificateFacts facts;
    facts.subject = subject_of(leaf.get());
    facts.names = alt_names_of(leaf.get()).hosts;
    facts.not_before = wall_of(X509_get0_notBefore(leaf.get()));
    facts.not_after = not_after_of(leaf.get());
    return facts;
}

// ---- making them

namespace {

std::string pem_of(const auto& write) {
    BioPtr out(BIO_new(BIO_s_mem()));
    CHECK(write(out.get()) == 1);
    char* text = nullptr;
    long length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    CHECK(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

std::string alt_names_text(const NewCertificate& wanted) {
    std::string all;
    auto add = [&](const std::string& label, const std::string& name) { all += (all.empty() ? "" : ",") + label + name; };
    for (const std::string& name : wanted.names) {
        in6_addr scratch;
        bool address = ::inet_pton(AF_INET, name.c_str(), &scratch) == 1 || ::inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
        add(address ? "IP:" : "DNS:", name);
    }
    for (const std::string& uri : wanted.uris) add("URI:", uri);
    return all;
}

std::time_t seconds_of(WallTime t) { return static_cast<std::time_t>(t.time_since_epoch() / std::chrono::seconds(1)); }

}  // namespace

CertificatePem make_certificate(const NewCertificate& wanted, const CertificatePem* issuer) {
    CHECK(!wanted.names.empty());
    KeyPtr key(wanted.key == NewCertificate::rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
    X509Ptr certificate(X509_new());
    CHECK(key && certificate);
    X509* x = certificate.get();
    std::time_t now = ::time(nullptr);
    X509_set_version(x, X509_VERSION_3);
    unsigned char serial[16];
    RAND_bytes(serial, sizeof serial);
    serial[0] &= 0x7f;
    BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &now);
    ASN1_TIME_set(X509_getm_notBefore(x), wanted.not_before == WallTime{} ? now - 3600 : seconds_of(wanted.not_before));
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after == WallTime{} ? now + 90 * 86400 : seconds_of(wanted.not_after));
    X509_set_pubkey(x, key.get());
    const std::string& name = wanted.names.front();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
    X509Ptr signer = issuer ? first_certificate(issuer->chain) : nullptr;
    X509* by = signer ? signer.get() : x;
    X509_set_issuer_name(x, X509_get_subject_name(by));
    extend(x, by, NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(x, by, NID_key_usage, wanted.authority ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature,keyEncipherment");
    extend(x, by, NID_subject_key_identifier, "hash");
    extend(x, by, NID_subject_alt_name, alt_names_text(wanted));
    KeyPtr signing = issuer ? key_of(issuer->key) : nullptr;
    CHECK(X509_sign(x, signing ? signing.get() : key.get(), EVP_sha256()) > 0);

    CertificatePem pem;
    pem.origin = name;
    pem.chain = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, x); });
    pem.key = pem_of([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return pem;
}

CertificatePem make_local_certificate(const std::vector<std::string>& names) {
    NewCertificate wanted;
    wanted.names = names;
    return make_certificate(wanted);
}

}  // namespace suoke::rt
