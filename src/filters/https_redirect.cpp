// SPDX-License-Identifier: MIT
// Sends what came in the clear to https:// (308 keeps method and body, RFC 9110 §15.4.9). A trusted
// proxy's word that its client used TLS counts. Probes of /health* are answered as they come.
#include "filters/filters.h"
#include "filters/probe.h"
#include "gateway/replies.h"

namespace suoke::filters {
namespace {

class HttpsRedirect final : public Check {
 public:
    explicit HttpsRedirect(std::string port) : port_(std::move(port)) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        const http::RequestHead& head = ex.request.head;
        if (ex.over_tls || ex.refusal || ex.host.empty() || !head.path.starts_with('/')) return gateway::go_on();
        http::Response response = gateway::text_response(308, "text/plain", "");
        response.headers.add(http::HeaderId::location,
                             ex.arena.join({"https://", ex.host, port_, head.path, head.has_query ? "?" : "", head.query}));
        return gateway::Answer(std::move(response));
    }
    std::string port_;  // ":8443"; empty: the usual one
};

}  // namespace

CheckPtr https_redirect(const config::Config& config, const config::Route& route) {
    const config::ServerTls& tls = config.server.tls;
    if (!tls.redirect_http || answers_probes(route)) return nullptr;
    bool ours = tls.enabled && !tls.certificates.empty() && tls.port != 443;
    return std::make_shared<HttpsRedirect>(ours ? ":" + std::to_string(tls.port) : "");
}

}  // namespace suoke::filters
