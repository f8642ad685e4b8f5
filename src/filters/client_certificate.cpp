// SPDX-License-Identifier: MIT
// Tells the service who the client is by its certificate, in fields that strip_identity took from
// everybody; refuses clients without one where the route requires it.
#include "filters/filters.h"
#include "rt/tls.h"

namespace suoke::filters {
namespace {

class ClientCertificate final : public Check {
 public:
    explicit ClientCertificate(bool required) : required_(required) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        const rt::TlsFacts* tls = ex.request.tls;
        if (!tls || !tls->has_client_certificate) {
            if (required_) return Error(Code::certificate_required);
            return gateway::go_on();
        }
        // The views live as long as the connection. A certificate may have an empty subject.
        if (!tls->client_subject.empty()) ex.request.head.headers.add("X-Client-Cert-Subject", tls->client_subject);
        std::string_view names;
        for (const std::string& name : tls->client_names)
            names = names.empty() ? std::string_view(name) : ex.arena.join({names, ",", name});
        if (!names.empty()) ex.request.head.headers.add("X-Client-Cert-SAN", names);
        return gateway::go_on();
    }
    bool required_;
};

}  // namespace

CheckPtr client_certificate(const config::Config& config, const config::Route& route) {
    bool required = route.client_certificate == config::ClientAuth::required;
    if (!required && config.server.tls.client_auth == config::ClientAuth::none) return nullptr;
    return std::make_shared<ClientCertificate>(required);
}

}  // namespace suoke::filters
