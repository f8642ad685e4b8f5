// SPDX-License-Identifier: MIT
#include "upstream/fetch.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"
#include "http/h1_writer.h"
#include "http/uri.h"
#include "upstream/fetch_h2.h"
#include "upstream/url.h"

namespace suoke::upstream {
namespace {

using http::Piece;

const std::string* find(const FetchFields& fields, std::string_view name) {
    for (const FetchField& field : fields)
        if (iequals(field.name, name)) return &field.value;
    return nullptr;
}

bool valid_target(std::string_view target) {
    std::size_t query = std::min(target.find('?'), target.size());
    if (!http::valid_path(target.substr(0, query))) return false;
    return query == target.size() || http::valid_query(target.substr(query + 1));
}

bool valid_value(std::string_view value) {
    return std::none_of(value.begin(), value.end(), [](char c) { return http::grammar::is(http::grammar::control, c); });
}

// A token read from a file may have a line break in it, a path from a configuration a blank: such a
// request would be a different one to whoever reads it. Names the field and never shows its value.
std::optional<Error> refuse(const FetchRequest& request) {
    if (!http::grammar::is_token(request.method)) return Error(Code::invalid_config, "not a method: " + request.method);
    if (!valid_target(request.target))
        return Error(Code::invalid_config, "a target begins with / and has its odd bytes escaped: " + request.target);
    if (!request.host.empty() && !http::split_authority(request.host))
        return Error(Code::invalid_config, "not a host: " + request.host);
    for (const FetchField& field : request.fields)
        if (!http::grammar::is_token(field.name) || !valid_value(field.value))
            return Error(Code::invalid_config, "the field " + field.name + " has a byte that no header field may have");
    return std::nullopt;
}

bool expects_content(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

void write_head(http::H1Writer& out, const FetchRequest& request) {
    out.put(request.method).put(" ").put(request.target).put(" HTTP/1.1\r\n");
    out.field("Host", request.host);
    for (const FetchField& field : request.fields) out.field(field.name, field.value);
    if (!find(request.fields, "user-agent")) out.field("User-Agent", "suoke-gateway");
    if (!request.body.empty() || expects_content(request.method))
        out.put("Content-Length: ").put(request.body.size()).put("\r\n");
    out.put("Connection: close\r\n\r\n");
}

http::H1Body::Rules rules_for(Duration idle, TimePoint deadline) {
    http::H1Body::Rules rules{};
    rules.malformed = Code::upstream_invalid;
    rules.truncated = Code::upstream_truncated;
    rules.timed_out = Code::upstream_idle;
    rules.idle = idle;
    rules.deadline = deadline;
    return rules;
}

}  // namespace

const std::string* FetchResponse::field(std::string_view name) const { return find(fields, name); }
const std::string* FetchResponse::trailer(std::string_view name) const { return find(trailers, name); }

FetchFields owned(const http::Headers& fields) {
    FetchFields all;
    all.reserve(fields.size());
    for (const http::Field& field : fields) all.push_back({std::string(field.name), std::string(field.value)});
    return all;
}

Result<bool> keep(std::string& body, std::string_view more, const FetchRequest& request) {
    std::size_t room = request.max_body - body.size();
    if (more.size() > room && !request.cut)
        return Error(Code::upstream_invalid, "the answer is longer than " + format_bytes(request.max_body));
    body += more.substr(0, room);
    return !request.cut || body.size() < request.max_body;
}

// The deadline belongs to the fetch, whatever part of it was under way.
Error late(const Error& error, const FetchRequest& request) {
    if (error.code != Code::deadline_exceeded) return error;
    return Error(Code::upstream_timeout, request.endpoint.to_string() + " did not finish its answer in time");
}

rt::Task<Result<FetchResponse>> fetch(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers, FetchRequest request,
                                      TimePoint deadline) {
    // 1. A connection, on which the endpoint's protocol can begin.
    if (request.host.empty()) request.host = authority_of(request.endpoint);
    if (auto error = refuse(request)) co_return std::move(*error);
    auto stream = co_await reach(dialer, request.endpoint, deadline);
    if (!stream) co_return stream.error();
    if (request.endpoint.protocol == Protocol::h2) co_return co_await fetch_h2(std::move(*stream), buffers, std::move(request), deadline);
    // 2. The question, and the head of the answer.
    FetchStream answer(loop, dialer, buffers);
    auto begun = co_await answer.begin(std::move(*stream), request, deadline, rules_for(Duration::zero(), deadline));
    if (!begun) co_return begun.error();
    FetchResponse response;
    response.status = answer.status();
    response.fields = answer.fields();
    // 3. The body, as far as it is wanted.
    if (request.cut && request.max_body == 0) co_return response;
    for (;;) {
        auto piece = co_await answer.next();
        if (!piece) co_return late(piece.error(), request);
        if (piece->empty()) break;
        auto goes_on = keep(response.body, *piece, request);
        if (!goes_on) co_return goes_on.error();
        if (!*goes_on) co_return response;
    }
    if (const http::Headers* trailers = answer.body_->trailers()) response.trailers = owned(*trailers);
    co_return response;
}

rt::Task<Result<void>> FetchStream::open(FetchRequest request, TimePoint deadline, Duration idle) {
    if (request.host.empty()) request.host = authority_of(request.endpoint);
    if (auto error = refuse(request)) co_return std::move(*error);
    request.endpoint.protocol = Protocol::h1;
    auto stream = co_await reach(dialer_, request.endpoint, deadline);
    if (!stream) co_return stream.error();
    co_return co_await begin(std::move(*stream), std::move(request), deadline, rules_for(idle, kNever));
}

rt::Task<Result<void>> FetchStream::begin(rt::StreamPtr stream, FetchRequest request, TimePoint deadline,
                                          http::H1Body::Rules rules) {
    stream_ = std::move(stream);
    http::Method method = http::method_of(request.method);
    auto sent = co_await send(std::move(request), deadline);
    if (!sent) co_return sent.error();
    co_return co_await read_head(method, deadline, rules);
}

rt::Task<Result<void>> FetchStream::send(FetchRequest request, TimePoint deadline) {
    http::H1Writer out(buffers_);
    write_head(out, request);
    std::string_view pieces[] = {out.buffer().bytes(), request.body};
    for (;;) {
        rt::Io put = rt::write_some(*stream_, pieces);
        // A server that reads no further may still have answered: that is for the reader to find.
        if (put.failed() || !put.blocked()) co_return Result<void>();
        rt::Wake woken = co_await stream_->writable(deadline);
        if (woken == rt::Wake::timeout)
            co_return Error(Code::upstream_timeout, request.endpoint.to_string() + " did not read the request in time");
    }
}

rt::Task<Result<void>> FetchStream::read_head(http::Method method, TimePoint deadline, http::H1Body::Rules rules) {
    http::h1::Progress progress;
    http::ResponseHead head;
    for (int interims = 0;;) {
        auto length = http::h1::parse_response_head(in_.bytes(), kFetchHead, progress, method, head);
        if (!length) co_return length.error();
        if (*length > 0) {
            in_.drop(*length);
            if (!http::is_interim(head.status)) break;
            if (head.status == 101) co_return Error(Code::upstream_invalid, "the server switched protocols unasked");
            if (++interims > kMostInterims) co_return Error(Code::upstream_invalid, "one interim answer after the other");
            progress = {};
            head = {};
            continue;
        }
        auto more = read_some();
        if (!more) co_return more.error();
        if (*more) continue;
        rt::Wake woken = co_await stream_->readable(deadline);
        if (woken == rt::Wake::timeout) co_return Error(Code::upstream_timeout, "no answer in time");
    }
    status_ = head.status;
    fields_ = owned(head.headers);
    body_.emplace(*stream_, buffers_, std::move(in_), head.framing, rules);
    body_->forget_head();
    co_return Result<void>();
}

// False when nothing is here yet.
Result<bool> FetchStream::read_some() {
    if (!in_) in_ = buffers_.lease(rt::BufferPool::medium);
    if (in_.room().empty()) in_.compact();
    if (in_.room().empty()) {
        rt::Buffer larger = buffers_.lease_for(in_.capacity() + 1);
        larger.append(in_.bytes());
        in_ = std::move(larger);
    }
    rt::Io got = stream_->read(in_.room());
    if (got.blocked()) return false;
    if (got.failed() && in_.empty()) return Error(Code::upstream_reset, "the server closed the connection without an answer");
    if (got.failed()) return Error(Code::upstream_truncated, "the server closed the connection inside the answer's head");
    in_.filled(got.bytes);
    return true;
}

rt::Task<Result<std::string_view>> FetchStream::next() {
    while (!ended_) {
        Result<Piece> piece = body_->next();
        if (!piece) co_return piece.error();
        if (piece->state == Piece::wait) {
            co_await body_->wait();
            continue;
        }
        ended_ = piece->state == Piece::end;
        if (!piece->bytes.empty()) co_return piece->bytes;
    }
    co_return std::string_view();
}

}  // namespace suoke::upstream
