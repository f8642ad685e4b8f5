// SPDX-License-Identifier: MIT
// What is changed on the way: compression, versions of the API, transformations.
#include "base/text.h"
#include "config/api_version.h"
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {
namespace {

std::string_view media_type(std::string_view s) {
    constexpr std::string_view kWanted = "must be a media type, like application/json, text/* or application/*+json";
    std::size_t slash = s.find('/');
    if (slash == s.npos || s.find('*') != s.rfind('*')) return kWanted;
    bool named = rules::token(s.substr(0, slash)).empty() && rules::token(s.substr(slash + 1)).empty();
    return named && s.substr(0, slash).find('*') == s.npos ? "" : kWanted;
}

std::string_view api_version(std::string_view s) {
    return parse_api_version(s) ? "" : "must be a version, like v1, v1.2 or 1.2.3";
}

std::string_view day(std::string_view s) {
    return s.empty() || parse_day(s) ? "" : "must be a day like 2026-06-30, or a time in UTC like 2026-06-30T12:00:00Z";
}

// It goes into a Link field, between angle brackets.
std::string_view link(std::string_view s) {
    bool safe = s.find_first_of("<>\" \t") == s.npos && rules::header_value(s).empty();
    bool absolute = s.starts_with("https://") || s.starts_with("http://") || s.starts_with("/");
    return s.empty() || (safe && absolute) ? "" : "must be a URL, like https://docs.suoke.life/v1";
}

std::string_view key_path(std::string_view s) {
    bool gap = s.empty() || s.starts_with('.') || s.ends_with('.') || s.find("..") != s.npos;
    return gap ? "must be keys with a dot between them, like user.address.city" : "";
}

}  // namespace

std::span<const Choice<ContentCoding>> choices(std::type_identity<ContentCoding>) {
    static constexpr Choice<ContentCoding> kAll[] = {
        {"br", ContentCoding::br}, {"zstd", ContentCoding::zstd}, {"gzip", ContentCoding::gzip}, {"brotli", ContentCoding::br}};
    return kAll;
}

std::span<const Choice<VersionFrom>> choices(std::type_identity<VersionFrom>) {
    static constexpr Choice<VersionFrom> kAll[] = {{"url_path", VersionFrom::url_path},
                                                   {"query_param", VersionFrom::query_param},
                                                   {"header", VersionFrom::header},
                                                   {"subdomain", VersionFrom::subdomain},
                                                   {"custom_header", VersionFrom::custom_header}};
    return kAll;
}

std::span<const Choice<KeyCase>> choices(std::type_identity<KeyCase>) {
    static constexpr Choice<KeyCase> kAll[] = {{"keep", KeyCase::keep},     {"snake", KeyCase::snake},      {"camel", KeyCase::camel},
                                               {"pascal", KeyCase::pascal}, {"snake_case", KeyCase::snake}, {"camel_case", KeyCase::camel},
                                               {"pascal_case", KeyCase::pascal}};
    return kAll;
}

const Fields& describe(std::type_identity<Compression>) {
    static const Fields kFields = {
        field<&Compression::enabled>("enabled", "Compress answers for clients that take it; saying anything else here switches it on as well.")
            .also({"middleware.compression", "middleware.compression.enabled"}),
        field<&Compression::algorithms>("algorithms", "Which, the best first; of those that the client likes equally the first is taken.")
            .also({"middleware.compression.algorithms"}),
        bytes<&Compression::min_size>("min_size", "Shorter answers are sent as they are.")
            .also({"middleware.compression.min_size", "middleware.compression.minimum_size"})
            .range(0, 1 << 20),
        field<&Compression::br_level>("br_level", "From fast to small.").range(1, 9),
        field<&Compression::zstd_level>("zstd_level", "From fast to small.").range(1, 9),
        field<&Compression::gzip_level>("gzip_level", "From fast to small.").also({"middleware.compression.level"}).range(1, 9),
        field<&Compression::types>("types", "Media types that are worth it; * stands for any part behind the slash. Event streams and gRPC never are.")
            .also({"middleware.compression.types"})
            .check(media_type),
        field<&Compression::breach_protection>(
            "breach_protection", "Over TLS, requests with cookies that another site has made get no compressed answer: its size could tell that "
                                 "site what is in it."),
        field<&Compression::plain_upstream>("plain_upstream", "Ask services for answers that are not compressed, whatever the client takes, so that "
                                                              "the gateway does it."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Deprecation>) {
    static const Fields kFields = {
        field<&Deprecation::since>("since", "The day it became deprecated, like 2026-01-31; none: long ago.").check(day),
        field<&Deprecation::sunset>("sunset", "The day from which it may be gone; none: not known.").check(day),
        field<&Deprecation::link>("link", "What to read about it.").check(link),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Versioning>) {
    static const Fields kFields = {
        field<&Versioning::enabled>("enabled", "Settle which version of the API a request is for; saying anything else here switches it on as well."),
        field<&Versioning::strategy>("strategy", "Where clients say it: url_path (the first or second segment, /v1/ or /api/v1/), query_param, header "
                                                 "(Accept: application/vnd.api+json;version=1), subdomain (v1.api.suoke.life), custom_header."),
        field<&Versioning::default_version>("default", "Of requests that say none, or one that is not known.").check(api_version),
        field<&Versioning::supported>("supported", "Those there are. One that is not among them gets the newest of the same major version that is "
                                                   "not older, or else the default.")
            .check(api_version),
        field<&Versioning::deprecated>("deprecated", "Those that will go: answers say so in Deprecation, Sunset, Link and Warning.").check_keys(api_version),
        field<&Versioning::header>("header", "The header of custom_header.").check(rules::edited_header),
        field<&Versioning::parameter>("parameter", "The query parameter of query_param.").check(rules::token),
        field<&Versioning::strict>("strict", "Refuse versions that are not known (400), instead of taking the default."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<JsonEdits>) {
    static const Fields kFields = {
        field<&JsonEdits::rename>("rename", "New names of members, by the path they have: {user.mail: email}.").not_empty().check_keys(key_path),
        field<&JsonEdits::remove>("remove", "Paths of members that are taken out.").check(key_path),
        field<&JsonEdits::set>("set", "Values of members, new ones or other ones, by their path: what is JSON is that, anything else a text.")
            .check_keys(key_path)
            .credentials(),
        field<&JsonEdits::key_case>("case", "How all other keys are written that are names of letters, digits and _."),
        field<&JsonEdits::drop_nulls>("drop_nulls", "Take out members that are null."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RequestTransformation>) {
    static const Fields kFields = {
        field<&RequestTransformation::set_headers>("set_headers", "The same as request_headers.set of the route.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials()
            .input(),
        field<&RequestTransformation::add_headers>("add_headers", "The same as request_headers.add of the route.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials()
            .input(),
        field<&RequestTransformation::remove_headers>("remove_headers", "The same as request_headers.remove of the route.")
            .check(rules::edited_header)
            .input(),
        field<&RequestTransformation::set_query>("set_query", "Query parameters that get this value, whatever they had.").credentials(),
        field<&RequestTransformation::remove_query>("remove_query", "Query parameters that are taken out."),
        field<&RequestTransformation::from_form>("from_form", "Make a JSON object of a body of application/x-www-form-urlencoded, with a text for each name, "
                                                              "or a list of texts where it is repeated. What cannot be read as such gets 400."),
        field<&RequestTransformation::json>("json", "What is made of a JSON body."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ResponseTransformation>) {
    static const Fields kFields = {
        field<&ResponseTransformation::set_headers>("set_headers", "The same as response_headers.set of the route.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials()
            .input(),
        field<&ResponseTransformation::add_headers>("add_headers", "The same as response_headers.add of the route.")
            .check_keys(rules::edited_header)
            .check(rules::header_value)
            .credentials()
            .input(),
        field<&ResponseTransformation::remove_headers>("remove_headers", "The same as response_headers.remove of the route.")
            .check(rules::edited_header)
            .input(),
        field<&ResponseTransformation::json>("json", "What is made of a JSON body."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Transformations>) {
    static const Fields kFields = {
        field<&Transformations::request>("request", "Of what the service gets."),
        field<&Transformations::response>("response", "Of what the client gets."),
        bytes<&Transformations::max_body>("max_body", "A body is gathered to be changed; larger JSON passes as it is, a larger form that is to become JSON gets 413.")
            .range(1, 64 << 20),
    };
    return kFields;
}

}  // namespace suoke::config
