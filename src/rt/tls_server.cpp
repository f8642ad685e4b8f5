// SPDX-License-Identifier: MIT
#include <openssl/core_names.h>

#include <cstring>
#include <map>

#include "base/text.h"
#include "rt/tls_context.h"
#include "rt/tls_stream.h"

namespace suoke::rt {

using namespace openssl;

namespace {

int kind_of(const CertificatePem& pem) {
    X509Ptr leaf = first_certificate(pem.chain);
    return leaf ? EVP_PKEY_get_base_id(X509_get0_pubkey(leaf.get())) : 0;
}

std::vector<unsigned char> wire_form(const std::vector<std::string>& protocols) {
    std::vector<unsigned char> wire;
    for (const std::string& protocol : protocols) {
        wire.push_back(static_cast<unsigned char>(protocol.size()));
        wire.insert(wire.end(), protocol.begin(), protocol.end());
    }
    return wire;
}

}  // namespace

CtxPtr new_context(const SSL_METHOD* method, TlsVersion min_version) {
    CtxPtr ctx(SSL_CTX_new(method));
    CHECK(ctx);
    SSL_CTX* c = ctx.get();
    SSL_CTX_set_min_proto_version(c, min_version == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION);
    SSL_CTX_set_security_level(c, 2);  // RSA and DH of 2048 bits, no SHA-1
    // AES-128 first: nobody breaks it, and it is a third cheaper than AES-256.
    CHECK(SSL_CTX_set_cipher_list(c, "ECDHE+AES128+AESGCM:ECDHE+AES256+AESGCM:ECDHE+CHACHA20") == 1);
    CHECK(SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1);
    CHECK(SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") == 1);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(c, 1);  // one recv per flight instead of two per record
    return ctx;
}

std::vector<unsigned char> alpn_wire_form(const std::vector<std::string>& protocols) { return wire_form(protocols); }

namespace {

class Server final : public TlsServer {
 public:
    explicit Server(TlsServerOptions options) : options_(std::move(options)), alpn_(wire_form(options_.alpn)) {}

    Result<void> prepare() {
        if (options_.certificates.empty()) return Error(Code::invalid_config, "there is no certificate");
        for (const CertificatePem& pem : options_.certificates) {
            auto facts = certificate_facts(pem.chain);
            if (!facts) return Error(Code::invalid_config, pem.origin + ": " + facts.error().detail);
            facts_.push_back(std::move(*facts));
        }
        for (std::size_t i = 0; i < facts_.size(); ++i)
            for (const std::string& name : facts_[i].names) {
                if (by_name_.contains(name)) continue;
                auto ctx = context_for(name, i);
                if (!ctx) return ctx.error();
                by_name_[name] = *ctx;
            }
        auto first = context_for(facts_[0].names.empty() ? "" : facts_[0].names[0], 0);
        if (!first) return first.error();
        default_ = *first;
        return {};
    }

    const std::vector<CertificateFacts>& certificates() const override { return facts_; }

    SslPtr new_connection() const {
        SslPtr ssl(SSL_new(default_));
        CHECK(ssl);
        SSL_set_accept_state(ssl.get());
        return ssl;
    }

 private:
    // One context per set of certificates: the first of each kind of key that bears the name.
    Result<SSL_CTX*> context_for(const std::string& name, std::size_t at_least) {
        std::map<int, std::size_t> chosen;
        chosen.emplace(kind_of(options_.certificates[at_least]), at_least);
        for (std::size_t i = 0; i < facts_.size(); ++i)
            for (const std::string& other : facts_[i].names)
                if (other == name) chosen.emplace(kind_of(options_.certificates[i]), i);
        if (auto known = contexts_.find(chosen); known != contexts_.end()) return known->second.get();
        CtxPtr ctx = new_context(TLS_server_method(), options_.min_version);
        for (const auto& [kind, index] : chosen)
            if (auto used = use_certificate(ctx.get(), options_.certificates[index]); !used) return used.error();
        if (auto set = set_up(ctx.get()); !set) return set.error();
        return contexts_.emplace(chosen, std::move(ctx)).first->second.get();
    }

    Result<void> set_up(SSL_CTX* ctx) {
        SSL_CTX_set_app_data(ctx, this);
        SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
        SSL_CTX_set_tlsext_servername_arg(ctx, this);
        SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, this);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);  // tickets only: nothing kept per client
        if (options_.tickets) {
            SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, seal_ticket);
            SSL_CTX_set_num_tickets(ctx, 1);
            SSL_CTX_set_timeout(ctx, static_cast<long>(options_.ticket_lifetime / std::chrono::seconds(1)));
        } else {
            SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
            SSL_CTX_set_num_tickets(ctx, 0);
        }
        bind_sessions(ctx);
        return set_up_client_auth(ctx);
    }

    // A session is resumed only under the rules it was made by: who had to show no certificate then
    // does not get around showing one now.
    void bind_sessions(SSL_CTX* ctx) {
        std::string rules = std::to_string(static_cast<int>(options_.client_auth)) + options_.client_ca;
        unsigned char digest[32];
        EVP_Digest(rules.data(), rules.size(), digest, nullptr, EVP_sha256(), nullptr);
        SSL_CTX_set_session_id_context(ctx, digest, sizeof digest);
    }

    Result<void> set_up_client_auth(SSL_CTX* ctx) {
        if (options_.client_auth == ClientAuth::none) return {};
        if (auto trusted = trust(ctx, options_.client_ca); !trusted)
            return Error(Code::invalid_config, "the client CA file " + trusted.error().detail);
        int mode = SSL_VERIFY_PEER | (options_.client_auth == ClientAuth::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
        SSL_CTX_set_verify(ctx, mode, nullptr);
        BioPtr bio(BIO_new_mem_buf(options_.client_ca.data(), static_cast<int>(options_.client_ca.size())));
        while (X509Ptr ca{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) SSL_CTX_add_client_CA(ctx, ca.get());
        ERR_clear_error();
        return {};
    }

    SSL_CTX* named(const std::string& name) const {
        if (auto exact = by_name_.find(name); exact != by_name_.end()) return exact->second;
        std::size_t dot = name.find('.');
        if (dot == std::string::npos) return nullptr;
        auto wildcard = by_name_.find("*" + name.substr(dot));
        return wildcard == by_name_.end() ? nullptr : wildcard->second;
    }

    static int choose_certificate(SSL* ssl, int*, void* self) {
        const auto& server = *static_cast<const Server*>(self);
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        if (!name) return SSL_TLSEXT_ERR_NOACK;
        SSL_CTX* ctx = server.named(to_lower(name));
        if (!ctx) return SSL_TLSEXT_ERR_NOACK;
        if (ctx != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, ctx);
        return SSL_TLSEXT_ERR_OK;
    }

    static int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                               unsigned int offered_length, void* self) {
        const std::vector<unsigned char>& ours = static_cast<const Server*>(self)->alpn_;
        unsigned char* chosen = nullptr;
        int found = SSL_select_next_proto(&chosen, length, ours.data(), static_cast<unsigned>(ours.size()), offered, offered_length);
        *out = chosen;
        return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    // Both ways: `seal` writes a ticket with the newest key, otherwise finds the key of the given name.
    static int seal_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
        auto* server = static_cast<const Server*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
        TicketKeys& keys = *server->options_.tickets;
        TicketKeys::Found found{};
        if (seal) {
            found.key = keys.current();
            std::memcpy(name, found.key.name.data(), found.key.name.size());
            if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
        } else {
            auto known = keys.find(name);
            if (!known) return 0;  // a full handshake
            found = *known;
        }
        char digest[] = "SHA256";
        OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, found.key.mac.data(), found.key.mac.size()),
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
        int ready = seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found.key.cipher.data(), iv)
                         : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found.key.cipher.data(), iv);
        bool usable = ready == 1 && EVP_MAC_CTX_set_params(mac, parameters) == 1;
        OPENSSL_cleanse(&found.key, sizeof found.key);
        if (!usable) return -1;
        // 2 renews: a TLS 1.3 client uses a ticket once (RFC 8446 §C.4), so each use brings the next.
        bool renew = !seal && (found.old || SSL_version(ssl) == TLS1_3_VERSION);
        return renew ? 2 : 1;
    }

    TlsServerOptions options_;
    std::vector<unsigned char> alpn_;
    std::vector<CertificateFacts> facts_;
    std::map<std::map<int, std::size_t>, CtxPtr> contexts_;
    std::map<std::string, SSL_CTX*> by_name_;
    SSL_CTX* default_ = nullptr;
};

}  // namespace

Result<std::shared_ptr<const TlsServer>> TlsServer::make(TlsServerOptions options) {
    auto server = std::make_shared<Server>(std::move(options));
    if (auto prepared = server->prepare(); !prepared) return prepared.error();
    return std::shared_ptr<const TlsServer>(std::move(server));
}

void learn_facts(TlsStream& stream) {
    SSL* ssl = stream.ssl();
    TlsFacts& facts = stream.facts();
    facts.version = SSL_get_version(ssl);
    facts.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
    const unsigned char* alpn = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &length);
    facts.alpn.assign(reinterpret_cast<const char*>(alpn), length);
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) facts.server_name = to_lower(name);
    facts.resumed = SSL_session_reused(ssl) == 1;
    if (!SSL_is_server(ssl)) return;
    X509* peer = SSL_get0_peer_certificate(ssl);
    if (!peer) return;
    facts.has_client_certificate = true;
    facts.client_subject = subject_of(peer);
    facts.client_names = alt_names_of(peer).labelled;
    facts.client_not_after = not_after_of(peer);
}

Task<Result<StreamPtr>> shake_hands(std::unique_ptr<TlsStream> stream, TimePoint deadline) {
    for (;;) {
        Wake woken = Wake::ready;
        switch (stream->handshake()) {
            case TlsStream::Step::done:
                learn_facts(*stream);
                co_return StreamPtr(std::move(stream));
            case TlsStream::Step::failed: co_return Error(Code::tls_failed, "TLS with " + stream->peer() + ": " + stream->fault());
            case TlsStream::Step::wants_read: woken = co_await stream->readable(deadline); break;
            case TlsStream::Step::wants_write: woken = co_await stream->writable(deadline); break;
        }
        if (woken == Wake::timeout) co_return Error(Code::connect_timeout, "the TLS handshake with " + stream->peer() + " took too long");
    }
}

Task<Result<StreamPtr>> tls_accept(StreamPtr below, std::shared_ptr<const TlsServer> server, TimePoint deadline) {
    SslPtr ssl = static_cast<const Server&>(*server).new_connection();
    auto stream = std::make_unique<TlsStream>(std::move(below), std::move(ssl), std::move(server));
    return shake_hands(std::move(stream), deadline);
}

}  // namespace suoke::rt
