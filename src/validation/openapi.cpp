// SPDX-License-Identifier: MIT
#include "validation/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/uri.h"
#include "validation/media_type.h"

namespace suoke::validation {
namespace {

constexpr std::string_view kMethods[] = {"get", "put", "post", "delete", "options", "head", "patch", "trace"};

struct Unfit {
    std::string sentence;
};
[[noreturn]] void refuse(const std::string& where, const std::string& why) { throw Unfit{where + ": " + why}; }

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
}

// Reads one document; knows where in it it is.
class Reader {
 public:
    explicit Reader(const Tree& document) : document_(document) {
        std::string version = document.is_object() ? text_of(document, "openapi") : "";
        if (!version.starts_with("3.0") && !version.starts_with("3.1")) refuse("openapi", "should be 3.0 or 3.1");
        dialect_ = version.starts_with("3.0") ? Dialect::openapi_30 : Dialect::openapi_31;
    }

    // An object, or what its reference leads to.
    const Tree& resolved(const Tree& from, const std::string& where) const {
        const Tree* at = &from;
        for (int hops = 0; at->is_object() && at->contains("$ref"); ++hops) {
            const Tree& reference = (*at)["$ref"];
            std::string text = reference.is_string() ? reference.get<std::string>() : "";
            const Tree* next = text.starts_with('#') ? find_pointer(document_, std::string_view(text).substr(1)) : nullptr;
            if (!next || hops > 16) refuse(where, "refers to nothing in this document: " + text);
            at = next;
        }
        if (!at->is_object()) refuse(where, "should be an object");
        return *at;
    }

    Operation operation(const Tree& path_item, const Tree& from, const std::string& where) const {
        Operation made;
        for (auto in : {Parameters::In::path, Parameters::In::query, Parameters::In::header, Parameters::In::cookie})
            read_group(made, in, path_item, from, where);
        if (auto body = from.find("requestBody"); body != from.end()) read_body(made, resolved(*body, where + " requestBody"), where + " requestBody");
        return made;
    }

 private:
    static std::string text_of(const Tree& object, const char* key, const char* otherwise = "") {
        auto found = object.find(key);
        return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
    }
    static bool is_true(const Tree& object, const char* key) {
        auto found = object.find(key);
        return found != object.end() && *found == Tree(true);
    }

    // The parameters of one place: those of the operation, and those of the path that it does not say anew.
    void read_group(Operation& made, Parameters::In in, const Tree& path_item, const Tree& from, const std::string& where) const {
        Tree schema = Tree::object(), required = Tree::array();
        schema["type"] = "object";
        schema["properties"] = Tree::object();
        Parameters::Separators separators;
        for (const Tree* holder : {&from, &path_item}) {
            auto list = holder->find("parameters");
            if (list == holder->end()) continue;
            if (!list->is_array()) refuse(where, "parameters should be a list");
            for (const Tree& each : *list) {
                const Tree& parameter = resolved(each, where);
                std::string name = text_of(parameter, "name");
                if (in == Parameters::In::header) name = to_lower(name);
                if (text_of(parameter, "in") != name_of(in) || is_ours(in, name) || schema["properties"].contains(name)) continue;
                if (name.empty()) refuse(where, "a parameter should have a name");
                add_parameter(schema["properties"], separators, in, name, parameter, where + " " + name);
                if (is_true(parameter, "required") || in == Parameters::In::path) required.push_back(name);
            }
        }
        if (schema["properties"].empty()) return;
        schema["required"] = std::move(required);
        auto translated = translate(schema, document_, dialect_);
        if (!translated) refuse(where + " " + std::string(name_of(in)), translated.error().detail);
        auto group = Parameters::make(in, *translated, separators);
        if (!group) refuse(where + " " + std::string(name_of(in)), group.error().detail);
        made.parameters.push_back(std::move(*group));
    }

    // OpenAPI: such parameters are to be ignored.
    static bool is_ours(Parameters::In in, const std::string& name) {
        return in == Parameters::In::header && (name == "accept" || name == "content-type" || name == "authorization");
    }

    static void add_parameter(Tree& properties, Parameters::Separators& separators, Parameters::In in, const std::string& name, const Tree& parameter,
                              const std::string& where) {
        if (parameter.contains("content")) refuse(where, "a parameter with content is not understood here; give it a schema");
        bool in_query = in == Parameters::In::query, form = in_query || in == Parameters::In::cookie;
        std::string style = text_of(parameter, "style", form ? "form" : "simple");
        bool explode = parameter.contains("explode") ? is_true(parameter, "explode") : style == "form";
        if (in_query && style == "spaceDelimited") separators[name] = ' ';
        else if (in_query && style == "pipeDelimited") separators[name] = '|';
        else if (style != (form ? "form" : "simple")) refuse(where, "the style '" + style + "' is not understood here");
        else if (in_query && !explode) separators[name] = ',';
        auto schema = parameter.find("schema");
        properties[name] = schema == parameter.end() ? Tree::object() : *schema;
    }

    void read_body(Operation& made, const Tree& body, const std::string& where) const {
        made.body_required = is_true(body, "required");
        auto content = body.find("content");
        if (content == body.end() || !content->is_object() || content->empty()) refuse(where, "should have content");
        for (const auto& [range, media] : content->items()) {
            std::string type(media_type_of(range));
            if (type.empty()) refuse(where, "'" + range + "' is no media type");
            BodyRule rule{type, nullptr};
            bool has_schema = media.is_object() && media.contains("schema");
            bool raw = has_schema && media["schema"].is_object() && text_of(media["schema"], "format") == "binary";   // stands for any bytes
            bool has_json = is_json(type) || (is_in_range("application/json", type) && !raw);                        // ranges have JSON in them, too
            if (has_schema && has_json) rule.schema = body_schema(media["schema"], where + " " + range);
            made.bodies.push_back(std::move(rule));
        }
    }

    SchemaPtr body_schema(const Tree& schema, const std::string& where) const {
        auto translated = translate(schema, document_, dialect_);
        if (!translated) refuse(where, translated.error().detail);
        auto compiled = compile(*translated);
        if (!compiled) refuse(where, compiled.error().detail);
        return *compiled;
    }

    const Tree& document_;
    Dialect dialect_ = Dialect::openapi_31;
};

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> all;
    if (path.starts_with('/')) path.remove_prefix(1);
    for (;;) {
        std::size_t end = path.find('/');
        all.push_back(path.substr(0, end));
        if (end == path.npos) return all;
        path.remove_prefix(end + 1);
    }
}

}  // namespace

Result<OpenApi::Path> OpenApi::read_path(const std::string& text) {
    Path path;
    if (!text.starts_with('/')) return Error(Code::invalid_config, "paths: '" + text + "' should begin with /");
    for (std::string_view segment : segments_of(text)) {
        std::size_t open = segment.find('{'), close = segment.find('}');
        Segment made;
        if (open == segment.npos && close == segment.npos) {
            made.before = segment;
        } else {
            bool whole = open != segment.npos && close != segment.npos && open + 1 < close;
            bool one = whole && segment.find('{', open + 1) == segment.npos && segment.find('}', close + 1) == segment.npos;
            if (!one) return Error(Code::invalid_config, "paths: '" + text + "' has a segment with more than one parameter, or half of one");
            made.before = segment.substr(0, open);
            made.name = segment.substr(open + 1, close - open - 1);
            made.after = segment.substr(close + 1);
        }
        path.order += made.name.empty() ? '0' : made.before.empty() && made.after.empty() ? '2' : '1';
        path.segments.push_back(std::move(made));
    }
    return path;
}

Result<OpenApi> OpenApi::read(const Tree& document) {
    try {
        Reader reader(document);
        auto paths = document.find("paths");
        if (paths == document.end() || !paths->is_object()) refuse("paths", "should be an object");
        OpenApi api;
        for (const auto& [text, item] : paths->items()) {
            if (text.starts_with("x-")) continue;
            auto path = read_path(text);
            if (!path) return path.error();
            const Tree& path_item = reader.resolved(item, text);
            for (std::string_view method : kMethods) {
                auto operation = path_item.find(std::string(method));
                if (operation == path_item.end()) continue;
                std::string where = upper(method) + " " + text;
                if (!operation->is_object()) refuse(where, "should be an object");
                path->operations.emplace(upper(method), reader.operation(path_item, *operation, where));
            }
            api.by_length_[path->segments.size()].push_back(std::move(*path));
        }
        for (auto& [length, all] : api.by_length_)
            std::stable_sort(all.begin(), all.end(), [](const Path& a, const Path& b) { return a.order < b.order; });
        return api;
    } catch (const Unfit& unfit) {
        return Error(Code::invalid_config, unfit.sentence);
    }
}

bool OpenApi::matches(const Path& path, const std::vector<std::string_view>& segments, std::vector<Given>& given) {
    given.clear();
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& wanted = path.segments[i];
        std::string_view found = segments[i];
        if (wanted.name.empty()) {
            if (found != wanted.before) return false;
            continue;
        }
        bool fits = found.size() > wanted.before.size() + wanted.after.size() && found.starts_with(wanted.before) && found.ends_with(wanted.after);
        if (!fits) return false;
        std::string_view value = found.substr(wanted.before.size(), found.size() - wanted.before.size() - wanted.after.size());
        std::string scratch;
        auto decoded = http::percent_decode(value, scratch);
        if (!decoded) return false;
        given.push_back({wanted.name, std::string(*decoded)});
    }
    return true;
}

OpenApi::Found OpenApi::find(std::string_view method, std::string_view path) const {
    Found found;
    std::vector<std::string_view> segments = segments_of(path);
    auto candidates = by_length_.find(segments.size());
    if (candidates == by_length_.end()) return found;
    for (const Path& each : candidates->second) {
        if (!matches(each, segments, found.path)) continue;
        auto operation = each.operations.find(method);
        if (operation == each.operations.end() && method == "HEAD") operation = each.operations.find("GET");
        if (operation != each.operations.end()) {
            found.operation = &operation->second;
            return found;
        }
        for (const auto& [name, known] : each.operations) found.allow += (found.allow.empty() ? "" : ", ") + name;
    }
    found.path.clear();
    return found;
}

std::size_t OpenApi::size() const {
    std::size_t count = 0;
    for (const auto& [length, paths] : by_length_)
        for (const Path& path : paths) count += path.operations.size();
    return count;
}

}  // namespace suoke::validation
