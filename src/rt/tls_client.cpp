// SPDX-License-Identifier: MIT
#include <arpa/inet.h>

#include <map>
#include <mutex>

#include "rt/tls_context.h"
#include "rt/tls_stream.h"

namespace suoke::rt {

using namespace openssl;

namespace {

constexpr std::size_t kSessionsPerEndpoint = 4;
constexpr std::size_t kEndpoints = 1024;

bool is_address(const std::string& host) {
    in6_addr scratch;
    return ::inet_pton(AF_INET, host.c_str(), &scratch) == 1 || ::inet_pton(AF_INET6, host.c_str(), &scratch) == 1;
}

// Where a connection remembers whom it speaks to.
int endpoint_slot() {
    static const int kSlot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                  [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(held); });
    return kSlot;
}

class Client final : public TlsClient {
 public:
    explicit Client(TlsClientOptions options) : options_(std::move(options)) {}

    Result<void> prepare() {
        ctx_ = new_context(TLS_client_method(), options_.min_version);
        SSL_CTX* ctx = ctx_.get();
        SSL_CTX_set_verify(ctx, options_.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
        if (!options_.ca.empty())
            if (auto trusted = trust(ctx, options_.ca); !trusted) return Error(Code::invalid_config, "the CA file " + trusted.error().detail);
        for (const CertificatePem& pem : options_.certificates)
            if (auto used = use_certificate(ctx, pem); !used) return used.error();
        SSL_CTX_set_app_data(ctx, this);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
        return {};
    }

    SslPtr new_connection(const std::string& host, const std::string& endpoint, const std::vector<std::string>& alpn) const {
        if (options_.ca.empty() && !options_.insecure_skip_verify) std::call_once(system_read_, &Client::trust_system, this);
        const std::string& name = options_.server_name.empty() ? host : options_.server_name;
        SslPtr ssl(SSL_new(ctx_.get()));
        CHECK(ssl);
        SSL_set_connect_state(ssl.get());
        auto offered = alpn_wire_form(alpn);
        if (!offered.empty()) SSL_set_alpn_protos(ssl.get(), offered.data(), static_cast<unsigned>(offered.size()));
        if (is_address(name)) {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
        } else {
            SSL_set_tlsext_host_name(ssl.get(), name.c_str());
            SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
            SSL_set1_host(ssl.get(), name.c_str());
        }
        auto key = std::make_unique<std::string>(name + " " + endpoint);
        if (SessionPtr session = take_session(*key)) SSL_set_session(ssl.get(), session.get());
        SSL_set_ex_data(ssl.get(), endpoint_slot(), key.release());
        return ssl;
    }

 private:
    // Reading the system's authorities takes tens of milliseconds, and most clients that would believe them
    // never connect: they are for instances that may yet join a service.
    void trust_system() const {
        SSL_CTX_set_default_verify_paths(ctx_.get());
        ERR_clear_error();
    }

    // A ticket of TLS 1.3 is used once (RFC 8446 §C.4), so it is taken out.
    SessionPtr take_session(const std::string& key) const {
        std::lock_guard lock(mutex_);
        auto found = sessions_.find(key);
        if (found == sessions_.end() || found->second.empty()) return nullptr;
        SessionPtr session = std::move(found->second.back());
        found->second.pop_back();
        return session;
    }

    static int keep_session(SSL* ssl, SSL_SESSION* session) {
        auto* key = static_cast<const std::string*>(SSL_get_ex_data(ssl, endpoint_slot()));
        if (!key || !SSL_SESSION_is_resumable(session)) return 0;
        const auto& client = *static_cast<const Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
        std::lock_guard lock(client.mutex_);
        if (client.sessions_.size() >= kEndpoints && !client.sessions_.contains(*key)) client.sessions_.clear();
        std::vector<SessionPtr>& kept = client.sessions_[*key];
        if (kept.size() >= kSessionsPerEndpoint) kept.erase(kept.begin());
        kept.emplace_back(session);
        return 1;  // it is ours now
    }

    TlsClientOptions options_;
    CtxPtr ctx_;
    mutable std::once_flag system_read_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, std::vector<SessionPtr>> sessions_;
};

}  // namespace

Result<std::shared_ptr<const TlsClient>> TlsClient::make(TlsClientOptions options) {
    auto client = std::make_shared<Client>(std::move(options));
    if (auto prepared = client->prepare(); !prepared) return prepared.error();
    return std::shared_ptr<const TlsClient>(std::move(client));
}

Task<Result<StreamPtr>> tls_connect(StreamPtr below, std::shared_ptr<const TlsClient> client, std::string host,
                                    std::string endpoint, TimePoint deadline, std::vector<std::string> alpn) {
    SslPtr ssl = static_cast<const Client&>(*client).new_connection(host, endpoint, alpn);
    auto stream = std::make_unique<TlsStream>(std::move(below), std::move(ssl), std::move(client));
    return shake_hands(std::move(stream), deadline);
}

}  // namespace suoke::rt
