// SPDX-License-Identifier: MIT
// A route's transformations: the query and JSON bodies of requests on their way to the service, JSON
// bodies of answers on their way back. (Their headers are request_headers and response_headers:
// edit_headers.cpp.) What cannot be changed, because it is too long or no JSON, passes as it is.
#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"
#include "filters/json_shape.h"
#include "filters/other_bytes.h"
#include "filters/plain_answer.h"
#include "http/codings.h"
#include "http/uri.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::Exchange;
using http::HeaderId;
using http::Piece;

// application/json, or any type of its syntax (RFC 6839 §3.1); never what is encoded.
bool is_json(const http::Headers& headers) {
    const std::string_view* type = headers.find(HeaderId::content_type);
    if (!type || http::is_encoded(headers)) return false;
    constexpr std::string_view kName = "application/json", kSuffix = "+json";
    std::string_view name = trim(type->substr(0, type->find(';')));
    if (iequals(name, kName)) return true;
    return name.size() > kSuffix.size() && iequals(name.substr(name.size() - kSuffix.size()), kSuffix);
}

// A body that is kept back until all of it is here, and is then given out in its new shape.
class ShapedBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    ShapedBody(http::BodySource& inner, const JsonShape& shape, std::uint64_t most) : inner_(inner), shape_(shape), most_(most) {}
    // The same of a body that is its own.
    ShapedBody(http::Body inner, const JsonShape& shape, std::uint64_t most) : ShapedBody(*inner, shape, most) { owned_ = std::move(inner); }

    // Takes what is here, and says whether that was all.
    bool is_here() {
        if (gathering()) gather();
        return whole_;
    }

    Result<Piece> next() override {
        if (given_) {
            std::string().swap(text_);
            return inner_.next();
        }
        if (gathering()) gather();
        if (failure_) return *failure_;
        if (gathering()) return Piece{{}, Piece::wait};
        given_ = true;
        return Piece{text_, whole_ ? Piece::end : Piece::more};
    }
    rt::Task<void> wait() override { return inner_.wait(); }
    std::optional<std::uint64_t> remaining() const override {
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
            too_long_ = text_.size() > most_;
            if (whole_ && !too_long_)
                if (auto shaped = shape_.apply(text_)) text_ = std::move(*shaped);
            if (whole_ || too_long_ || piece->state == Piece::wait) return;
        }
    }

    http::Body owned_;   // null: it belongs to the exchange
    http::BodySource& inner_;
    const JsonShape& shape_;
    const std::uint64_t most_;
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
        std::string blanks(raw), scratch;
        std::replace(blanks.begin(), blanks.end(), '+', ' ');
        auto name = http::percent_decode(blanks, scratch);
        return name && std::find(names_.begin(), names_.end(), *name) != names_.end();
    }

    std::vector<std::string> names_;
    std::string set_;   // "a=1&b=2"
};

class TransformRequest final : public Check {
 public:
    explicit TransformRequest(const config::Transformations& from) : query_(from.request), most_(from.max_body) {
        if (from.request.json != config::JsonEdits()) shape_.emplace(from.request.json);
    }

 private:
    gateway::Verdict on_request(Exchange& ex) const override {
        if (!ex.request.head.protocol.empty()) return gateway::go_on();  // a tunnel
        if (!query_.empty()) query_.apply(ex);
        if (shape_ && ex.request.body && is_json(ex.request.head.headers)) reshape(ex);
        return gateway::go_on();
    }

    // Most bodies have come with their heads: their new length is known. Of others nobody knows it yet.
    void reshape(Exchange& ex) const {
        auto length = ex.request.body->remaining();
        if (length && *length > most_) return;
        auto body = std::make_unique<ShapedBody>(*ex.request.body, *shape_, most_);
        body->is_here();
        auto now = body->remaining();
        http::RequestHead& head = ex.request.head;
        head.framing = now ? http::Framing{http::Framing::length, *now} : http::Framing{http::Framing::chunked, 0};
        say_other_bytes(ex, head.headers);
        ex.wrap_request_body(std::move(body));
    }

    QueryEdits query_;
    std::optional<JsonShape> shape_;
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
        auto body = std::make_unique<ShapedBody>(std::move(response.body), shape_, most_);
        body->is_here();
        response.body = std::move(body);
    }

    JsonShape shape_;
    std::uint64_t most_;
};

}  // namespace

CheckPtr transform_request(const config::Config&, const config::Route& route) {
    if (!route.transformations || !route.forwards()) return nullptr;
    const config::RequestTransformation& request = route.transformations->request;
    bool nothing = request.set_query.empty() && request.remove_query.empty() && request.json == config::JsonEdits();
    return nothing ? nullptr : std::make_shared<TransformRequest>(*route.transformations);
}

FilterPtr transform_response(const config::Config&, const config::Route& route) {
    if (!route.transformations || !route.forwards()) return nullptr;
    bool nothing = route.transformations->response.json == config::JsonEdits();
    return nothing ? nullptr : std::make_shared<TransformResponse>(*route.transformations);
}

}  // namespace suoke::filters
