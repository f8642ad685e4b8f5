// SPDX-License-Identifier: MIT
// Requests that are not what the route takes: refused by their query, their fields and their path before the body is looked
// at, by their body while it arrives. A body that has a schema is kept until it is whole; others pass as they come and break
// off where they go wrong.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"
#include "filters/form.h"
#include "filters/whole_body.h"
#include "gateway/replies.h"
#include "gateway/site.h"
#include "http/cookie.h"
#include "http/uri.h"
#include "rt/frame_cache.h"
#include "validation/json_checker.h"
#include "validation/media_type.h"
#include "validation/multipart_checker.h"
#include "validation/openapi.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;
using http::HeaderId;
using http::Piece;
using validation::Faults;
using validation::Given;
using validation::Operation;
using validation::Parameters;

Error refused(Exchange& ex, const Faults& faults, Code code = Code::invalid_request) {
    return gateway::unprocessable(ex, code, validation::sentence_of(faults), validation::list_of(faults));
}

// ---- bodies that are checked on their way

Code code_of(const validation::JsonChecker&) { return Code::invalid_request; }
Code code_of(const validation::MultipartChecker& checker) { return checker.code(); }

// No byte passes that is wrong, nor the end of what is incomplete.
template <class Checker>
class CheckedBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    CheckedBody(Exchange& ex, Checker checker) : ex_(ex), inner_(*ex.request.body), checker_(std::move(checker)) {}

    Result<Piece> next() override {
        if (failure_) return *failure_;
        Result<Piece> piece = inner_.next();
        if (!piece || piece->state == Piece::wait) return piece;
        bool fine = checker_.feed(piece->bytes) && (piece->state != Piece::end || checker_.finish());
        if (fine) return piece;
        failure_ = refused(ex_, {checker_.fault()}, code_of(checker_));
        return *failure_;
    }
    rt::Task<void> wait() override { return inner_.wait(); }
    std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }
    std::uint64_t received() const override { return inner_.received(); }
    const http::Headers* trailers() const override { return inner_.trailers(); }

 private:
    Exchange& ex_;
    http::BodySource& inner_;
    Checker checker_;
    std::optional<Error> failure_;
};

template <class Checker>
void watch(Exchange& ex, Checker checker) {
    ex.wrap_request_body(std::make_unique<CheckedBody<Checker>>(ex, std::move(checker)));
}

// ---- parameters as they were sent

std::vector<Given> query_of(const Exchange& ex) {
    std::vector<Given> all;
    http::for_each_param(ex.request.head.query, [&](std::string_view name, std::string_view value) {
        auto name_text = form_decoded(name), value_text = form_decoded(value);
        if (name_text && value_text) all.push_back({std::move(*name_text), std::move(*value_text)});
    });
    return all;
}

// Several fields of one name are one value, as lists are (RFC 9110 §5.3).
std::vector<Given> fields_of(const Exchange& ex, const Parameters& wanted) {
    std::vector<Given> all;
    for (const http::Field& field : ex.request.head.headers) {
        std::string name = to_lower(field.name);
        if (!wanted.knows(name)) continue;
        auto before = std::find_if(all.begin(), all.end(), [&](const Given& each) { return each.name == name; });
        if (before == all.end()) all.push_back({name, std::string(field.value)});
        else before->value.append(", ").append(field.value);
    }
    return all;
}

std::vector<Given> cookies_of(const Exchange& ex, const Parameters& wanted) {
    std::vector<Given> all;
    http::any_cookie(ex.request.head.headers, [&](std::string_view name, std::string_view value) {
        if (wanted.knows(name)) all.push_back({std::string(name), std::string(value)});
        return false;
    });
    return all;
}

void check_parameters(const Exchange& ex, const Operation& operation, const std::vector<Given>& path, Faults& faults) {
    for (const Parameters& group : operation.parameters) {
        switch (group.in()) {
            case Parameters::In::query: group.check(query_of(ex), faults); break;
            case Parameters::In::header: group.check(fields_of(ex, group), faults); break;
            case Parameters::In::cookie: group.check(cookies_of(ex, group), faults); break;
            case Parameters::In::path: group.check(path, faults); break;
        }
    }
}

// ---- what a body says it is

// Empty: nothing. Two fields, and one that is no media type, are read as something by somebody: those are refused.
Result<std::string_view> content_type_of(const http::Headers& headers) {
    const std::string_view* field = headers.find(HeaderId::content_type);
    if (!field) return std::string_view();
    bool one = headers.count(HeaderId::content_type) == 1 && !validation::media_type_of(*field).empty();
    if (!one) return Error(Code::unsupported_media, "a body should have one Content-Type, which is a media type");
    return *field;
}

bool is_encoded(const http::Headers& headers) {
    if (!headers.find(HeaderId::content_encoding)) return false;
    return std::any_of(headers.begin(), headers.end(), [](const http::Field& field) {
        return field.id == HeaderId::content_encoding && !iequals(field.value, "identity");
    });
}

// JSON is UTF-8 (RFC 8259 §8.1). A service that heeds another charset would read other values than are checked here:
// "+ACI-" of UTF-7 is a quotation mark.
bool is_utf8(std::string_view content_type) {
    auto parameters = validation::parameters_of(content_type);
    return parameters && std::all_of(parameters->begin(), parameters->end(), [](const validation::Parameter& each) {
        if (!iequals(each.name, "charset")) return !validation::is_extended(each);
        return iequals(each.value, "utf-8") || iequals(each.value, "utf8") || iequals(each.value, "us-ascii");
    });
}

bool usually_has_a_body(http::Method method) {
    return method == http::Method::POST || method == http::Method::PUT || method == http::Method::PATCH;
}

// ---- what a route's configuration is made into

struct Rules {
    Operation own;                               // what the route says itself
    std::optional<validation::OpenApi> api;
    config::Validation said;
    validation::JsonLimits json;
    std::optional<validation::MultipartLimits> multipart;
};

Result<validation::TreePtr> tree_of(const config::SchemaSource& from) {
    return from.schema_file.empty() ? validation::read_document(from.schema) : validation::read_document_file(from.schema_file);
}

Error about(std::string_view what, const Error& error) { return Error(Code::invalid_config, fmt::format("{}: {}", what, error.detail)); }

std::optional<Error> add_parameters(Operation& to, Parameters::In in, const std::optional<config::SchemaSource>& from, std::string_view what) {
    if (!from) return std::nullopt;
    auto schema = tree_of(*from);
    if (!schema) return about(what, schema.error());
    auto made = validation::read_parameters(in, **schema);
    if (!made) return about(what, made.error());
    to.parameters.push_back(std::move(*made));
    return std::nullopt;
}

std::optional<Error> add_body(Operation& to, const std::optional<config::SchemaSource>& from) {
    if (!from) return std::nullopt;
    auto schema = tree_of(*from);
    if (!schema) return about("body", schema.error());
    auto translated = validation::translate(**schema, **schema, validation::Dialect::json_schema);
    if (!translated) return about("body", translated.error());
    auto compiled = validation::compile(*translated);
    if (!compiled) return about("body", compiled.error());
    for (const char* range : {"application/json", "application/*+json"}) to.bodies.push_back({range, *compiled});
    to.body_required = true;
    return std::nullopt;
}

Result<std::shared_ptr<const Rules>> rules_of(const config::Validation& from) {
    auto rules = std::make_shared<Rules>();
    rules->said = from;
    if (auto error = add_parameters(rules->own, Parameters::In::query, from.query, "query")) return *error;
    if (auto error = add_parameters(rules->own, Parameters::In::header, from.headers, "headers")) return *error;
    if (auto error = add_body(rules->own, from.body)) return *error;
    if (!from.openapi_file.empty()) {
        auto document = validation::read_document_file(from.openapi_file);
        if (!document) return about("openapi_file", document.error());
        auto api = validation::OpenApi::read(**document);
        if (!api) return about("openapi_file", api.error());
        rules->api = std::move(*api);
    }
    rules->json = {from.max_depth, from.max_keys, from.max_string, from.reject_duplicate_keys};
    if (from.multipart) rules->multipart = {from.multipart->max_parts, from.multipart->max_part_size, from.multipart->max_file_size, from.multipart->types};
    return std::shared_ptr<const Rules>(std::move(rules));
}

// ---- the filter

class Validation final : public Filter {
 public:
    explicit Validation(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

 private:
    rt::Task<Answer> run(Exchange& ex, Next next) const override {
        // 1. Which operation is it, by the document? A tunnel's frames are websocket's business, but it may yet be answered like any
        // other GET, which is what HTTP/2's CONNECT stands for.
        const bool is_tunnel = !ex.request.head.protocol.empty();
        validation::OpenApi::Found found;
        if (rules_->api) {
            std::string_view method = is_tunnel ? std::string_view("GET") : ex.request.head.method_name;
            if (auto path = path_in_document(ex)) found = rules_->api->find(method, *path);
            if (!found.operation && rules_->said.undocumented == config::Undocumented::refuse && ex.request.head.method != http::Method::OPTIONS)
                return answered(undocumented(ex, found));
        }
        // 2. Parameters, all their faults at once.
        Faults faults;
        check_parameters(ex, rules_->own, found.path, faults);
        if (found.operation) check_parameters(ex, *found.operation, found.path, faults);
        bool required = (rules_->own.body_required && usually_has_a_body(ex.request.head.method)) || (found.operation && found.operation->body_required);
        if (!ex.request.body && required) faults.push_back({"missing", "body", {}, "Field required"});
        if (!faults.empty()) return answered(refused(ex, faults));
        if (!ex.request.body || is_tunnel) return next.run(ex);
        // 3. The body, by its type.
        std::vector<validation::SchemaPtr> schemas;
        if (auto error = look_at_type(ex, found.operation, schemas)) return answered(std::move(*error));
        if (schemas.empty()) return next.run(ex);
        return run_with_body(ex, next, std::move(schemas));
    }

    static rt::Task<Answer> answered(Error error) { co_return error; }

    // The document is of the service, and so has paths as the service gets them, before its own prefix. Nothing: the path is not
    // below openapi_base.
    std::optional<std::string_view> path_in_document(const Exchange& ex) const {
        if (!rules_->said.openapi_base && !ex.route->strip_prefix) return ex.path;
        if (!rules_->said.openapi_base) return ex.match.rest.empty() ? std::string_view("/") : ex.match.rest;
        std::string_view base = *rules_->said.openapi_base, path = ex.path;
        while (base.ends_with('/')) base.remove_suffix(1);
        if (path == base) return "/";
        bool below = path.starts_with(base) && path[base.size()] == '/';
        return below ? std::optional(path.substr(base.size())) : std::nullopt;
    }

    static Error undocumented(Exchange& ex, const validation::OpenApi::Found& found) {
        if (found.allow.empty()) return Error(Code::not_found, "the API has no such path");
        ex.match.allow = found.allow;
        return Error(Code::method_not_allowed, "the API has no such method of this path");
    }

    static Error unsupported(std::string_view why) { return Error(Code::unsupported_media, std::string(why)); }

    bool lists(std::string_view type) const {
        const auto& listed = rules_->said.content_types;
        return std::any_of(listed.begin(), listed.end(), [&](const std::string& range) { return validation::is_in_range(type, range); });
    }

    // What the body has to fit, and what watches it on its way.
    std::optional<Error> look_at_type(Exchange& ex, const Operation* documented, std::vector<validation::SchemaPtr>& schemas) const {
        const http::Headers& headers = ex.request.head.headers;
        auto content_type = content_type_of(headers);
        if (!content_type) return content_type.error();
        std::string_view type = validation::media_type_of(*content_type);
        if (!rules_->said.content_types.empty() && !lists(type)) return unsupported("the route does not take bodies of this Content-Type");
        bool json = validation::is_json(type), multipart = rules_->multipart && validation::is_in_range(type, "multipart/*");
        for (const Operation* each : {&std::as_const(rules_->own), documented}) {
            if (!each || each->bodies.empty()) continue;
            const validation::BodyRule* rule = each->rule_for(type);
            if (!rule) return unsupported("the route does not take bodies of this Content-Type");
            if (rule->schema && json) schemas.push_back(rule->schema);
        }
        if ((json || multipart) && is_encoded(headers)) return unsupported("the route does not take bodies with a Content-Encoding");
        if (json && !is_utf8(*content_type)) return unsupported("JSON should be UTF-8, and its Content-Type well formed");
        if (json) watch(ex, validation::JsonChecker(rules_->json));
        return multipart ? look_at_form(ex, *content_type, type) : std::nullopt;
    }

    // Many services read any multipart type as a form; others than forms pass unlooked at only where they are listed.
    std::optional<Error> look_at_form(Exchange& ex, std::string_view content_type, std::string_view type) const {
        if (!validation::is_in_range(type, "multipart/form-data"))
            return lists(type) ? std::nullopt : std::optional(unsupported("the route takes forms as multipart/form-data only"));
        auto boundary = validation::boundary_of(content_type);
        if (!boundary) return unsupported("multipart/form-data should name its boundary");
        watch(ex, validation::MultipartChecker(*rules_->multipart, *boundary));
        return std::nullopt;
    }

    rt::Task<Answer> run_with_body(Exchange& ex, Next next, std::vector<validation::SchemaPtr> schemas) const {
        auto body = co_await whole_body(ex, rules_->said.max_size);
        if (!body) co_return body.error();
        if (auto error = faults_of(ex, (*body)->text(), schemas)) co_return std::move(*error);
        co_return co_await next.run(ex);
    }

    static std::optional<Error> faults_of(Exchange& ex, const std::string& text, const std::vector<validation::SchemaPtr>& schemas) {
        Faults faults;
        for (const validation::SchemaPtr& schema : schemas) validation::check_body(*schema, text, faults);
        if (faults.empty()) return std::nullopt;
        return refused(ex, faults);
    }

    const std::shared_ptr<const Rules> rules_;
};

// Of a configuration that was refused (see faults_of_validation()): it never comes into force.
class Unfit final : public Filter {
 public:
    explicit Unfit(Error why) : why_(std::move(why)) {}

 private:
    rt::Task<Answer> run(Exchange&, Next) const override { co_return why_; }
    const Error why_;
};

}  // namespace

FilterPtr validation(const config::Config&, const config::Route& route) {
    if (!route.validation || !route.forwards()) return nullptr;
    auto rules = rules_of(*route.validation);
    if (!rules) return std::make_shared<Unfit>(rules.error());
    return std::make_shared<Validation>(std::move(*rules));
}

std::optional<Error> fault_of_validation(const config::Route& route) {
    if (!route.validation) return std::nullopt;
    auto rules = rules_of(*route.validation);
    return rules ? std::nullopt : std::optional(rules.error());
}

}  // namespace suoke::filters
