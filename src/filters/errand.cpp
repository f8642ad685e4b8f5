// SPDX-License-Identifier: MIT
#include "filters/errand.h"

#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using gateway::Exchange;
using http::HeaderId;

// About the body of the client's own message.
constexpr http::HeaderSet kOfBody = http::header_set(HeaderId::content_length, HeaderId::expect);
// What makes an answer one for this client alone.
constexpr http::HeaderSet kOwn = http::header_set(HeaderId::if_none_match, HeaderId::if_modified_since, HeaderId::if_range, HeaderId::range,
                                                  HeaderId::x_request_timeout);

std::size_t size_of(const Exchange& from) {
    const http::RequestHead& head = from.request.head;
    std::size_t size = 0;
    for (std::string_view text : {head.method_name, head.target, head.authority, head.path, head.query, from.host, from.path, from.request_id, from.client_ip,
                                  from.request.peer_host, from.match.rest})
        size += text.size();
    for (const http::Field& field : head.headers) size += field.name.size() + field.value.size();
    for (const gateway::Param& param : from.match.params) size += param.value.size();
    return size;
}

}  // namespace

Errand::Errand(const Exchange& from, gateway::Next next, Ask ask) : next_(next) {
    text_.reserve(size_of(from) + 64);
    copy_head(from.request.head, ask);
    if (from.request.peer) {
        peer_ = *from.request.peer;
        request_.peer = &peer_;
    }
    request_.peer_host = keep(from.request.peer_host);
    request_.secure = from.request.secure;
    request_.started = from.worker.loop().now();
    ex_.emplace(from.worker, from.local, from.site, request_, nobody_);
    ++from.local.exchanges;
    Exchange& ex = *ex_;
    ex.host = keep(from.host);
    ex.path = keep(from.path);
    copy_match(from);
    ex.route = from.route;
    ex.service = from.service;
    ex.target = from.target;
    ex.request_id = keep(from.request_id);
    ex.client_ip = keep(from.client_ip);
    ex.over_tls = from.over_tls;
    ex.who = from.who;
    // The route's own time, not what one client allows.
    ex.deadline = deadline_after(request_.started, from.route->timeout);
}

// A site that is no longer in force goes with the next exchange that ends.
Errand::~Errand() {
    answer_.reset();
    --ex_->local.exchanges;
}

std::string_view Errand::keep(std::string_view text) {
    CHECK(text.size() <= text_.capacity() - text_.size());
    std::size_t at = text_.size();
    text_.append(text);
    return std::string_view(text_).substr(at);
}

void Errand::copy_head(const http::RequestHead& head, Ask ask) {
    http::RequestHead& own = request_.head;
    const bool same = ask == Ask::same;
    own.method = same ? head.method : http::Method::GET;   // HEAD would bring nothing to store
    own.method_name = same ? keep(head.method_name) : "GET";
    if (same) own.framing = head.framing;
    own.version = head.version;
    own.target = keep(head.target);
    own.authority = keep(head.authority);
    own.path = keep(head.path);
    own.query = keep(head.query);
    own.has_query = head.has_query;
    const http::HeaderSet left_out = same ? kOfBody : kOfBody | kOwn;
    for (const http::Field& field : head.headers)
        if (!http::is_in(left_out, field.id)) own.headers.add(http::Field{keep(field.name), keep(field.value), field.id});
}

// Pieces of the path are pieces of our copy of it.
void Errand::copy_match(const Exchange& from) {
    auto moved = [&](std::string_view piece) {
        std::less_equal<const char*> before;
        bool inside = before(from.path.data(), piece.data()) && before(piece.data() + piece.size(), from.path.data() + from.path.size());
        return inside ? ex_->path.substr(static_cast<std::size_t>(piece.data() - from.path.data()), piece.size()) : keep(piece);
    };
    ex_->match = from.match;
    ex_->match.rest = moved(from.match.rest);
    for (gateway::Param& param : ex_->match.params) param.value = moved(param.value);
}

rt::Task<void> Errand::ask() { answer_.emplace(co_await next_.run(*ex_)); }

}  // namespace suoke::filters
