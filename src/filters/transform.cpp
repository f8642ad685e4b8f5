// SPDX-License-Identifier: MIT
// A route's transformations: the query and JSON bodies of requests on their way to the service, JSON
// bodies of answers on their way back. (Their headers are request_headers and response_headers:
// edit_headers.cpp.) What cannot be changed, because it is too long or no JSON, passes as it is; but a form that is to become
// JSON is refused then.
#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"
#include "filters/form.h"
#include "filters/json_shape.h"
#include "filters/media_type.h"
#include "filters/other_bytes.h"
#include "filters/plain_answer.h"
#include "http/codings.h"
#include "http/grpc.h"
#include "http/uri.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::Exchange;
using http::HeaderId;
using http::Piece;

// Of a body that is not encoded; empty otherwise.
std::string_view plain_type(const http::Headers& headers) { return http::is_encoded(headers) ? std::string_view() : media_type(headers); }

// application/json, or any type of its syntax (RFC 6839 §3.1); not application/grpc+json, whose frames would be waited for.
bool is_json(const http::Headers& headers) {
    std::string_view name = plain_type(headers);
    constexpr std::string_view kSuffix = "+json";
    if (iequals(name, "application/json")) return true;
    bool has_suffix = name.size() > kSuffix.size() && iequals(name.substr(name.size() - kSuffix.size()), kSuffix);
    return has_suffix && !http::grpc_type(headers);
}

bool is_form(const http::Headers& headers) { return iequals(plain_type(headers), "application/x-www-form-urlencoded"); }

Error too_large_a_form(std::uint64_t most) { return Error(Code::body_too_large, "a form may have at most " + format_bytes(most) + " here"); }

// What is made of a body.
struct Changes {
    const JsonShape* shape = nullptr;   // null: none
    bool of_form = false;               // it is a form, and must become JSON: its head says so already
    std::uint64_t most = 0;
};

// A body that is kept back until all of it is here, and is then given out as something else.
class ShapedBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    ShapedBody(http::BodySource& inner, Changes changes) : inner_(inner), changes_(changes) {}
    // The same of a body that is its own.
    ShapedBody(http::Body inner, Changes changes) : ShapedBody(*inner, changes) { owned_ = std::move(inner); }

    // Takes what is here, so that the length of a body that is whole is known.
    void take_what_is_here() {
        if (gathering()) gather();
    }
    const std::optional<Error>& failure() const { return failure_; }

    Result<Piece> next() override {
        if (given_) {
            std::string().swap(text_);
            return inner_.next();
        }
        take_what_is_here();
        if (failure_) return *failure_;
        if (gathering()) return Piece{{}, Piece::wait};
        given_ = true;
        return Piece{text_, whole_ ? Piece::end : Piece::more};
    }
    rt::Task<void> wait() override { return inner_.wait(); }
    std::optional<std::uint64_t> remaining() const override {
        if (failure_) return std::nullopt;
        std::size_t here = given_ ? 0 : text_.size();
        if (whole_) return trailers() ? std::nullopt : std::optional<std::uint64_t>(here);
        auto rest = inner_.remaining();
        return too_long_ && rest ? std::optional<std::uint64_t>(here + *rest) : std::nullopt;
    }
    std::uint64_t received() const override { return inner_.received(); }
    void forget_head() override { inner_.forget_head(); }
    const http::Headers* trailers() const override { return inner_.trailers(); }

 private:
    bool gathering() const { return !whole_ && !too_long_ && !failure_; }

    void gather() {
        for (;;) {
            Result<Piece> piece = inner_.next();
            if (!piece) {
                failure_ = piece.error();
                return;
            }
            text_ += piece->bytes;
            whole_ = piece->state == Piece::end;
            too_long_ = text_.size() > changes_.most;
            if (whole_ || too_long_) return change();
            if (piece->state == Piece::wait) return;
        }
    }

    void change() {
        if (changes_.of_form) become_json();
        if (failure_ || too_long_ || !changes_.shape) return;
        if (auto shaped = changes_.shape->apply(text_)) text_ = std::move(*shaped);
    }
    void become_json() {
        Result<std::string> json = too_long_ ? too_large_a_form(changes_.most) : json_of_form(text_);
        if (json) text_ = std::move(*json);
        else failure_ = json.error();
    }

    http::Body owned_;   // null: it belongs to the exchange
    http::BodySource& inner_;
    const Changes changes_;
    std::string text_;
    std::optional<Error> failure_;
    bool whole_ = false, too_long_ = false, given_ = false;
};

// ---- requests

class QueryEdits {
 public:
    explicit QueryEdits(const config::RequestTransformation& from) : names_(from.remove_query) {
        for (const auto& [name, value] : from.set_query) {
            names_.push_back(name);
            if (!set_.empty()) set_ += '&';
            http::append_percent_encoded(set_, name);
            set_ += '=';
            http::append_percent_encoded(set_, value);
        }
    }
    bool empty() const { return names_.empty(); }

    void apply(Exchange& ex) const {
        http::RequestHead& head = ex.request.head;
        std::string query;
        bool changed = !set_.empty();
        for (std::string_view rest = head.query; !rest.empty();) {
            std::size_t end = std::min(rest.find('&'), rest.size());
            std::string_view piece = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (is_edited(piece.substr(0, piece.find('=')))) changed = true;
            else append(query, piece);
        }
        if (!changed) return;
        append(query, set_);
        head.query = ex.arena.copy(query);
        head.has_query = !query.empty();
    }

 private:
    static void append(std::string& query, std::string_view piece) {
        if (piece.empty()) return;
        if (!query.empty()) query += '&';
        query += piece;
    }
    // However its name is spelled: a service would take "%61" for an "a", and "+" for a blank.
    bool is_edited(std::string_view raw) const {
        auto name = form_decoded(raw);
        return name && std::find(names_.begin(), names_.end(), *name) != names_.end();
    }

    std::vector<std::string> names_;
    std::string set_;   // "a=1&b=2"
};

class TransformRequest final : public Check {
 public:
    explicit TransformRequest(const config::Transformations& from) : query_(from.request), from_form_(from.request.from_form), most_(from.max_body) {
        if (from.request.json != config::JsonEdits()) shape_.emplace(from.request.json);
    }

 private:
    gateway::Verdict on_request(Exchange& ex) const override {
        const http::RequestHead& head = ex.request.head;
        if (!head.protocol.empty()) return gateway::go_on();  // a tunnel
        if (!query_.empty()) query_.apply(ex);
        if (!ex.request.body) return gateway::go_on();
        bool form = from_form_ && is_form(head.headers);
        if (!form && !(shape_ && is_json(head.headers))) return gateway::go_on();
        return change_body(ex, {shape_ ? &*shape_ : nullptr, form, most_});
    }

    // Most bodies have come with their heads: their new length is known. Of others nobody knows it yet.
    static gateway::Verdict change_body(Exchange& ex, Changes changes) {
        auto length = ex.request.body->remaining();
        bool too_long = length && *length > changes.most;
        if (too_long && changes.of_form) return too_large_a_form(changes.most);
        if (too_long) return gateway::go_on();
        auto body = std::make_unique<ShapedBody>(*ex.request.body, changes);
        body->take_what_is_here();
        if (body->failure()) return *body->failure();
        auto now = body->remaining();
        http::RequestHead& head = ex.request.head;
        head.framing = now ? http::Framing{http::Framing::length, *now} : http::Framing{http::Framing::chunked, 0};
        say_other_bytes(ex, head.headers);
        if (changes.of_form) head.headers.set(HeaderId::content_type, "application/json");
        ex.wrap_request_body(std::move(body));
        return gateway::go_on();
    }

    QueryEdits query_;
    std::optional<JsonShape> shape_;
    bool from_form_;
    std::uint64_t most_;
};

// ---- answers

// Around whoever answers, inside of what keeps answers: what is kept has its new shape already.
class TransformResponse final : public Filter {
 public:
    explicit TransformResponse(const config::Transformations& from) : shape_(from.response.json), most_(from.max_body) {}

 private:
    // A part of an answer has no shape, and nothing is seen in one that is compressed: neither is asked for.
    rt::Task<Answer> run(Exchange& ex, gateway::Next next) const override {
        http::Headers& request = ex.request.head.headers;
        request.remove("Range");
        request.remove("If-Range");
        PlainAnswer plain(ex);
        Answer answer = co_await next.run(ex);
        if (answer) reshape(ex, *answer);
        co_return answer;
    }

    void reshape(Exchange& ex, http::Response& response) const {
        if (response.status == 304) return weaken_as_asked(ex, response.headers);
        if (http::has_no_body(response.status) || response.status == 206 || !is_json(response.headers)) return;
        bool head = ex.request.head.method == http::Method::HEAD;
        if (!head && !response.body) return;
        auto length = head ? std::nullopt : response.body->remaining();
        if (length && *length > most_) return;
        say_other_bytes(ex, response.headers);
        if (head) return;
        auto body = std::make_unique<ShapedBody>(std::move(response.body), Changes{&shape_, false, most_});
        body->take_what_is_here();
        response.body = std::move(body);
    }

    JsonShape shape_;
    std::uint64_t most_;
};

}  // namespace

CheckPtr transform_request(const config::Config&, const config::Route& route) {
    if (!route.transformations || !route.forwards()) return nullptr;
    const config::RequestTransformation& request = route.transformations->request;
    bool nothing = request.set_query.empty() && request.remove_query.empty() && !request.from_form && request.json == config::JsonEdits();
    return nothing ? nullptr : std::make_shared<TransformRequest>(*route.transformations);
}

FilterPtr transform_response(const config::Config&, const config::Route& route) {
    if (!route.transformations || !route.forwards()) return nullptr;
    bool nothing = route.transformations->response.json == config::JsonEdits();
    return nothing ? nullptr : std::make_shared<TransformResponse>(*route.transformations);
}

}  // namespace suoke::filters
