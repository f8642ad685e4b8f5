// SPDX-License-Identifier: MIT
// Routes, and what they may say.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

const Fields& describe(std::type_identity<Hedge>) {
    static const Fields kFields = {
        field<&Hedge::after>("after", "When nothing was answered for so long, ask another endpoint as well and take the first answer. "
                                      "Only for requests that may be repeated; counts as a retry. 0: never."),
        field<&Hedge::max>("max", "How many besides the first.").range(1, 5),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Split>) {
    static const Fields kFields = {
        field<&Split::service>("service", "One of the services.").not_empty(),
        field<&Split::weight>("weight", "Its share beside the others'.").range(0, 1'000'000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Mirror>) {
    static const Fields kFields = {
        field<&Mirror::service>("service", "Gets copies of the requests; its answers are thrown away.").not_empty(),
        field<&Mirror::percent>("percent", "Of the requests.").range(0, 100),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Condition>) {
    static const Fields kFields = {
        field<&Condition::name>("name", "The name of the header, parameter or cookie.").not_empty(),
        field<&Condition::equals>("equals", "The value it must have."),
        field<&Condition::regex>("regex", "An RE2 expression that its whole value must match."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<HeaderEdit>) {
    static const Fields kFields = {
        field<&HeaderEdit::set>("set", "Headers that get this value, whatever they had.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials(),
        field<&HeaderEdit::add>("add", "Headers that get this value besides those they have.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials(),
        field<&HeaderEdit::remove>("remove", "Headers that are taken out.")
            .check(rules::edited_header),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Redirect>) {
    static const Fields kFields = {
        field<&Redirect::to>("to", "Where to: a URL or a path; $1 and {param} are filled in.")
            .not_empty()
            .check(rules::header_value),
        field<&Redirect::status>("status", "301, 302, 303, 307 or 308."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<FixedResponse>) {
    static const Fields kFields = {
        field<&FixedResponse::status>("status", "The status of the answer.").range(200, 599),
        field<&FixedResponse::body>("body", "Its body, as it is."),
        field<&FixedResponse::content_type>("content_type", "The Content-Type of the body.")
            .check(rules::header_value),
    };
    return kFields;
}

const Fields& describe(std::type_identity<GrpcMatch>) {
    static const Fields kFields = {
        field<&GrpcMatch::service>("service", "Its full name, like suoke.rag.v1.RagService.")
            .check(rules::grpc_name),
        field<&GrpcMatch::method>("method", "One of its methods; empty: all.")
            .check(rules::grpc_name),
    };
    return kFields;
}

const Fields& describe(std::type_identity<WebSocketRules>) {
    static const Fields kFields = {
        bytes<&WebSocketRules::max_message_size>(
            "max_message_size",
            "The largest message of either side, as sent; 0: no limit. This, or one of the next "
            "four, has every frame inspected."),
        bytes<&WebSocketRules::max_inflated_size>(
            "max_inflated_size", "The largest compressed message after inflation; 0: no limit."),
        field<&WebSocketRules::messages_per_second>(
            "messages_per_second",
            "Messages and control frames of one client; as many at once. 0: no limit."),
        bytes<&WebSocketRules::bytes_per_second>(
            "bytes_per_second", "Bytes of one client; as many at once. 0: no limit."),
        field<&WebSocketRules::allow>("allow", "Which messages either side may send."),
        field<&WebSocketRules::idle_timeout>(
            "idle_timeout", "Instead of websocket.idle_timeout; 0: no limit."),
        field<&WebSocketRules::max_connections>(
            "max_connections", "WebSockets open on this route, in the whole process; 0: no limit."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<GrpcWeb>) {
    static const Fields kFields = {
        field<&GrpcWeb::enabled>("enabled", "Translate between gRPC-Web and gRPC."),
        field<&GrpcWeb::allow_origins>(
            "allow_origins", "Pages that may call, like https://app.suoke.life; or *: any.")
            .check(rules::origin),
        field<&GrpcWeb::allow_headers>(
            "allow_headers", "Headers pages may send besides those gRPC-Web needs.")
            .check(rules::token),
        field<&GrpcWeb::expose_headers>(
            "expose_headers", "Headers pages may read besides grpc-status and grpc-message.")
            .check(rules::token),
        field<&GrpcWeb::allow_credentials>(
            "allow_credentials", "Pages may send cookies; not with the origin *."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Sse>) {
    static const Fields kFields = {
        field<&Sse::heartbeat>(
            "heartbeat",
            "After this much silence of the upstream the client gets a comment, between two events; "
            "0: never."),
        field<&Sse::first_event_timeout>(
            "first_event_timeout",
            "From the head of the response to the end of its first event; 0: no limit."),
        field<&Sse::event_timeout>(
            "event_timeout",
            "From the end of one event, or comment of the upstream's, to the end of the next. It "
            "takes the place of the idle timeout; 0: no limit."),
        field<&Sse::retry>("retry",
                           "When the gateway ends a stream (drain, reload) it tells the client to "
                           "come back after about this, drawn between half and one and a half."),
        field<&Sse::replay_memory>("replay_memory",
                                   "What routes keep for clients that come back (their sse.replay), all together."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<SseReplay>) {
    static const Fields kFields = {
        field<&SseReplay::subject>(
            "subject",
            "What tells clients apart: a header, a cookie, or their certificate. A client without it is neither "
            "recorded nor given anything."),
        field<&SseReplay::subject_name>(
            "subject_name",
            "Of the header or the cookie. Without the header's: who the client is by its credential (auth), else "
            "Authorization.")
            .check(rules::token),
        field<&SseReplay::events>("events", "Events kept of one client's stream.").range(1, 100'000),
        field<&SseReplay::bytes>("bytes", "Bytes kept of one client's stream."),
        field<&SseReplay::keep>("keep", "How long after the last one."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RouteSse>) {
    static const Fields kFields = {
        field<&RouteSse::heartbeat>("heartbeat", "Instead of sse.heartbeat; 0: never."),
        field<&RouteSse::first_event_timeout>("first_event_timeout",
                                              "Instead of sse.first_event_timeout; 0: no limit."),
        field<&RouteSse::event_timeout>("event_timeout",
                                        "Instead of sse.event_timeout; 0: no limit."),
        field<&RouteSse::plain_text>(
            "plain_text", "What the upstream sends as text/plain is an event stream as well."),
        field<&RouteSse::early>("early",
                                "Every answer is an event stream: begin it before the upstream "
                                "does, so that heartbeats bridge its silence. What the upstream "
                                "answers instead of a stream becomes an error event."),
        field<&RouteSse::replay>("replay",
                                 "Keep the latest events of each client, so that one that comes back with "
                                 "Last-Event-ID gets what it missed and the upstream is asked to go on behind "
                                 "that. Only for upstreams that heed Last-Event-ID, or whose streams go on by "
                                 "themselves."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<WebSocket>) {
    static const Fields kFields = {
        field<&WebSocket::enabled>("enabled", "Forward WebSockets; false: they are refused."),
        field<&WebSocket::max_connections>(
            "max_connections", "WebSockets open in the whole process; 0: no limit of their own."),
        field<&WebSocket::idle_timeout>(
            "idle_timeout", "A WebSocket is closed when neither side sent anything for so long; "
                            "0: no limit."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Route>) {
    static const Fields kFields = {
        field<&Route::name>(
            "name", "What logs, metrics and `explain` call it; made from its path when empty."),
        field<&Route::hosts>("hosts",
                             "The hosts it is for, like api.suoke.life or *.suoke.life; none: any.")
            .check(rules::site_name),
        field<&Route::prefix>("prefix",
                              "Matches this path and everything below it. At most one of prefix, "
                              "path, regex; none: every path.")
            .check(rules::path_or_nothing),
        field<&Route::path>(
            "path",
            "Matches exactly this path; {param} stands for a segment, a trailing /* for the rest.")
            .check(rules::path_or_nothing),
        field<&Route::regex>("regex",
                             "An RE2 expression that the whole normalised path must match."),
        field<&Route::grpc>(
            "grpc",
            "Instead of a path: a gRPC service and, when only that is meant, one of its methods.")
            .input(),
        field<&Route::methods>("methods", "The methods it is for; none: any.").check(rules::method),
        field<&Route::headers>("headers", "Headers the request must have."),
        field<&Route::query>("query", "Query parameters the request must have."),
        field<&Route::cookies>("cookies", "Cookies the request must have."),
        field<&Route::priority>("priority", "Higher ones are tried first, before any other order."),
        field<&Route::service>(
            "service", "The service to forward to. Exactly one of service, redirect, respond."),
        field<&Route::redirect>("redirect", "Answer with a redirect."),
        field<&Route::respond>("respond", "Answer with this."),
        field<&Route::strip_prefix>("strip_prefix",
                                    "Forward only what follows the prefix. The forwarded path is "
                                    "the upstream prefix, then this, then rewritten."),
        field<&Route::upstream_prefix>(
            "upstream_prefix", "Instead of the service's upstream_prefix; \"\": nothing in front.")
            .check(rules::path_or_nothing),
        field<&Route::rewrite_path>(
            "rewrite_path",
            "Rewrites the path to forward: 'regex => template', with $1 for the first group.")
            .check(rules::rewrite),
        field<&Route::timeout>("timeout", "For the whole exchange; 0: no limit, for streams."),
        field<&Route::response_timeout>(
            "response_timeout",
            "To the head of the response, instead of the service's; 0: no limit."),
        field<&Route::idle_timeout>("idle_timeout",
                                    "The longest silence inside the response, instead of "
                                    "performance.timeouts.idle; 0: no limit."),
        bytes<&Route::max_request_size>(
            "max_request_size", "The largest request body, instead of security.max_request_size."),
        field<&Route::host_header>("host_header", "Instead of the service's host_header.")
            .check(rules::host_header),
        field<&Route::client_certificate>(
            "client_certificate",
            "required: 403 for clients without a certificate; needs server.tls.client_auth."),
        field<&Route::request_headers>("request_headers",
                                       "Edits of the header that the upstream sees."),
        field<&Route::response_headers>("response_headers",
                                        "Edits of the header that the client sees."),
        field<&Route::grpc_web>("grpc_web", "Let browsers call this gRPC service."),
        field<&Route::sse>("sse", "Server-Sent Events, where they differ from the section sse."),
        field<&Route::websocket>("websocket", "What its WebSockets may do."),
        field<&Route::retry>("retry", "Instead of the service's; what is not said here is as there. A number is max_retries.").short_for("max_retries"),
        field<&Route::hedge>("hedge", "Ask another endpoint when one is slow.").short_for("after"),
        field<&Route::split>("split", "Instead of service: several, each with its share of the requests."),
        field<&Route::mirror>("mirror", "Send copies of the requests to another service. Nobody waits for it."),
        field<&Route::fallback>("fallback", "Instead of the service's."),
        field<&Route::auth>("auth", "Who may use it; the mode alone works too.").short_for("mode"),
        field<&Route::auth, &RouteAuth::auth_required>("auth_required", "Older way to say auth.mode: true is required (but public paths are public), false is none."),
        field<&Route::auth, &RouteAuth::roles_required>("roles_required", "Older way to say auth.roles."),
        field<&Route::access>("access", "Whose clients it is for, by their address."),
        field<&Route::cors>("cors", "What pages of other origins may do here, instead of the section cors."),
        field<&Route::maintenance>("maintenance", "Instead of the section maintenance; `true` closes this route alone.").short_for("enabled"),
        field<&Route::rate_limit>("rate_limit", "How often clients may use it; a rate alone works too.").short_for("rate"),
        field<&Route::importance>("importance", "Under load the least important requests are refused first."),
        field<&Route::validation>("validation", "What requests must look like; others get 422 with a list of what is wrong."),
        field<&Route::idempotency>("idempotency", "Requests with an Idempotency-Key are done once; what is not said here is as in the section idempotency.").short_for("enabled"),
        field<&Route::cache>("cache", "Keep its answers; what is not said here is as in the section cache.").short_for("enabled"),
        field<&Route::cache_words, &RouteCacheWords::cache_enabled>("cache_enabled", "Older way to say cache.enabled.").input(),
        field<&Route::cache_words, &RouteCacheWords::cache_ttl>("cache_ttl", "Older way to say cache.ttl.").input(),
        field<&Route::compression>("compression", "Of its answers; what is not said here is as in the section compression.").short_for("enabled"),
        field<&Route::versioning>("versioning", "Of its API; what is not said here is as in the section versioning.").short_for("enabled"),
        field<&Route::transformations>("transformations", "What is changed of its requests and answers on their way."),
        field<&Route::data_class>("data_class", "What its requests and answers are: public, internal, or phi (protected health information), which is never "
                                                "stored, mirrored, or sent without TLS, and only for clients that are known; see the guide."),
    };
    return kFields;
}

}  // namespace suoke::config
