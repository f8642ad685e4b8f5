// SPDX-License-Identifier: MIT
// What requests must look like, and which are done once only.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

std::span<const Choice<DataClass>> choices(std::type_identity<DataClass>) {
    static constexpr Choice<DataClass> kAll[] = {
        {"public", DataClass::open}, {"internal", DataClass::internal}, {"phi", DataClass::phi}};
    return kAll;
}

std::span<const Choice<Undocumented>> choices(std::type_identity<Undocumented>) {
    static constexpr Choice<Undocumented> kAll[] = {{"refuse", Undocumented::refuse}, {"pass", Undocumented::pass}};
    return kAll;
}

std::span<const Choice<StoreAway>> choices(std::type_identity<StoreAway>) {
    static constexpr Choice<StoreAway> kAll[] = {{"refuse", StoreAway::refuse}, {"pass", StoreAway::pass}};
    return kAll;
}

// A media type, or a range of them: image/png, image/*, application/*+json.
static std::string_view media_range(std::string_view text) {
    constexpr std::string_view kRule = "must be a media type like application/json, image/* or application/*+json";
    std::size_t slash = text.find('/');
    if (slash == 0 || slash == text.npos || slash + 1 == text.size()) return kRule;
    bool good = rules::token(text.substr(0, slash)).empty() && rules::token(text.substr(slash + 1)).empty();
    return good ? std::string_view() : kRule;
}

const Fields& describe(std::type_identity<SchemaSource>) {
    static const Fields kFields = {
        field<&SchemaSource::schema>("schema", "The JSON Schema itself, as JSON or YAML text."),
        field<&SchemaSource::schema_file>("schema_file", "Or the file it is in; it is read when the configuration is."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Multipart>) {
    static const Fields kFields = {
        field<&Multipart::max_parts>("max_parts", "The most parts of a form.").range(1, 100'000),
        bytes<&Multipart::max_part_size>("max_part_size", "The largest part without a file name; 0: no limit of its own."),
        bytes<&Multipart::max_file_size>("max_file_size", "The largest file; 0: no limit of its own."),
        field<&Multipart::types>("types", "What the Content-Type of files may be, like image/png or image/*; none: anything.").check(media_range),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Validation>) {
    static const Fields kFields = {
        field<&Validation::query>("query", "A JSON Schema for the query: an object with a member for each parameter. A parameter that is repeated, "
                                           "or whose type is array, is a list; numbers and booleans are read by their type. Text is the schema itself.")
            .short_for("schema"),
        field<&Validation::headers>("headers", "The same for the request's header fields, whatever case they are in.").short_for("schema"),
        field<&Validation::body>("body", "A JSON Schema for the body, which must then be JSON. It is kept until it is whole and checked.").short_for("schema"),
        field<&Validation::openapi_file>("openapi_file", "An OpenAPI document (3.0 or 3.1, JSON or YAML): parameters and bodies must be as its "
                                                         "operations say. It is read when the configuration is."),
        field<&Validation::openapi_base>("openapi_base", "What stands before the document's paths in requests; without it: what the route strips.")
            .check(rules::path_or_nothing),
        field<&Validation::undocumented>("undocumented", "What becomes of requests whose path or method the document does not have."),
        field<&Validation::content_types>("content_types", "Media types of bodies, like application/json, image/* or application/*+json; others get 415. "
                                                           "None: those the schemas are for, or any.")
            .check(media_range),
        field<&Validation::max_depth>("max_depth", "How deep lists and objects of a JSON body may stand in each other.").range(1, 256),
        bytes<&Validation::max_size>("max_size", "The largest body that has a schema; a larger one gets 413.").range(1, 256 << 20),
        field<&Validation::max_keys>("max_keys", "The most keys of one object of a JSON body.").range(1, 10'000),
        bytes<&Validation::max_string>("max_string", "The longest text or key in a JSON body; 0: no limit of its own."),
        field<&Validation::reject_duplicate_keys>("reject_duplicate_keys", "Refuse an object that has a key twice: not everybody reads the same one of them."),
        field<&Validation::multipart>("multipart", "Limits of multipart/form-data, kept while it passes. Other multipart types get 415 "
                                                "unless content_types lists them."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Idempotency>) {
    static const Fields kFields = {
        field<&Idempotency::enabled>("enabled", "A request with an Idempotency-Key is done once; whoever repeats it gets the first answer."),
        field<&Idempotency::required>("required", "Refuse requests of these methods without a key."),
        field<&Idempotency::anonymous>("anonymous", "Let clients use keys that nobody has authenticated; they are told apart by their address."),
        field<&Idempotency::methods>("methods", "The methods it is for.").check(rules::method),
        field<&Idempotency::lifetime>("lifetime", "How long an answer is kept."),
        field<&Idempotency::in_flight>("in_flight", "How long a request without a timeout counts as under way when nothing more is heard of it."),
        bytes<&Idempotency::max_body>("max_body", "The largest request body (a larger one gets 413), and the largest answer that is kept.").range(1, 64 << 20),
        field<&Idempotency::headers>("headers", "Header fields of answers that are kept, besides those about content, Location, ETag and Link.").check(rules::token),
        field<&Idempotency::when_store_is_away>("when_store_is_away", "What becomes of requests with a key when the store cannot be reached: refuse (503) or pass."),
    };
    return kFields;
}

}  // namespace suoke::config
