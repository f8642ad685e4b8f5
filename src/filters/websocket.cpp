// SPDX-License-Identifier: MIT
// WebSockets of a route: is the request one, is there room for it, and what may pass through it. The
// tunnel itself is gateway/tunnel.h; who carries the bytes is the session and the innermost filter. How it
// ends is websocket_stream.h.
#include "base/text.h"
#include "filters/filters.h"
#include "filters/websocket_stream.h"
#include "gateway/renewal.h"
#include "gateway/site.h"
#include "gateway/tunnel.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using gateway::Tunnel;
constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";

gateway::TunnelRules rules_of(const config::Config& config, const config::Route& route, const gateway::RenewalRules& renewal) {
    const config::WebSocketRules& from = route.websocket;
    gateway::TunnelRules rules;
    rules.messages = {.max_size = from.max_message_size,
                      .max_inflated = from.max_inflated_size,
                      .text = from.allow != config::Messages::binary,
                      .binary = from.allow != config::Messages::text};
    rules.messages_per_second = from.messages_per_second;
    rules.bytes_per_second = from.bytes_per_second;
    rules.idle = from.idle_timeout.value_or(config.websocket.idle_timeout);
    rules.inspect = from.max_message_size || from.max_inflated_size || from.messages_per_second ||
                    from.bytes_per_second || from.allow != config::Messages::any || renewal.any();
    return rules;
}

class WebSocket final : public Check {
 public:
    WebSocket(const config::Config& config, const config::Route& route)
        : enabled_(config.websocket.enabled),
          most_(config.websocket.max_connections),
          most_here_(route.websocket.max_connections),
          renewal_(gateway::renewal_rules(config, route)),
          rules_(rules_of(config, route, renewal_)) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::RequestHead& head = ex.request.head;
        if (head.protocol != "websocket") return gateway::go_on();
        // 1. Is it one, and do we take any?
        if (!enabled_) return Error(Code::websocket_off);
        if (auto good = http::ws::check_request(head); !good) return good.error();
        // 2. Is there room? Both counts are the whole process', and a reload does not reset them.
        auto here = ex.local.tunnels[ex.route->index]->take(most_here_);
        if (!here) return Error(Code::overloaded, "too many WebSockets are open on this route");
        auto anywhere = ex.worker.all_tunnels().take(most_);
        if (!anywhere) return Error(Code::overloaded, "too many WebSockets are open");
        // 3. What we inspect must speak nothing that we do not understand.
        if (rules_.inspect) offer_only_what_we_read(ex);
        // 4. The client's bytes are watched from the first one on.
        Tunnel::Parts parts{ex.worker.loop(), ex.worker.random(), ex.worker.cells().tunnels,
                            {std::move(*here), std::move(*anywhere)}};
        ex.tunnel = std::make_shared<Tunnel>(std::move(parts), rules_);
        if (ex.request.body) ex.wrap_request_body(ex.tunnel->from_client(*ex.request.body));
        return gateway::go_on();
    }

    // A compressed message may need those before it: none can be taken out. So where we take some, none is compressed.
    void offer_only_what_we_read(gateway::Exchange& ex) const {
        http::Headers& headers = ex.request.head.headers;
        std::string offers = renewal_.any() ? std::string() : http::ws::deflate_offers(headers);
        headers.remove(kExtensions);
        if (!offers.empty()) headers.add(kExtensions, ex.arena.copy(offers));
    }

    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        if (ex.failure == Code::websocket_version) {  // RFC 6455 §4.4, RFC 9110 §15.5.22
            response.headers.add("Sec-WebSocket-Version", "13");
            if (ex.request.head.version != http::Version::http2) response.headers.add("Upgrade", "websocket");
        }
        if (ex.tunnel && response.status == 101 && !ex.tunnel->is_open()) open(ex, response);
    }

    void open(gateway::Exchange& ex, http::Response& response) const {
        Tunnel& tunnel = *ex.tunnel;
        // A session that knows its client's bytes only now.
        if (ex.request.body && !tunnel.watches_client()) ex.wrap_request_body(tunnel.from_client(*ex.request.body));
        if (response.body) response.body = tunnel.from_upstream(std::move(response.body));
        Result<http::ws::Deflate> deflate = http::ws::Deflate();
        if (rules_.inspect) deflate = http::ws::read_deflate(response.headers);
        if (ex.request.head.version == http::Version::http2) response.headers.remove("Sec-WebSocket-Accept");
        tunnel.open(deflate ? *deflate : http::ws::Deflate());
        auto listed = std::make_shared<WebSocketStream>(ex, renewal_);
        tunnel.keep(listed);
        ex.worker.streams().opened(*listed);
        // Too late to answer with an error: what follows cannot be read, so nothing of it is passed.
        if (!deflate) tunnel.close(http::ws::kInternal, "the upstream settled on an extension nobody offered");
    }

    bool enabled_;
    std::uint32_t most_, most_here_;
    gateway::RenewalRules renewal_;
    gateway::TunnelRules rules_;
};

}  // namespace

CheckPtr websocket(const config::Config& config, const config::Route& route) {
    return !route.forwards() ? nullptr : std::make_shared<WebSocket>(config, route);
}

}  // namespace suoke::filters
