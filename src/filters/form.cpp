// SPDX-License-Identifier: MIT
#include "filters/form.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/json.h"
#include "http/uri.h"

namespace suoke::filters {

Result<std::string> form_decoded(std::string_view raw) {
    std::string blanks(raw), scratch;
    std::replace(blanks.begin(), blanks.end(), '+', ' ');
    auto text = http::percent_decode(blanks, scratch);
    if (!text) return text.error();
    return std::string(*text);
}

namespace {

struct Values {
    std::string list;   // JSON, without brackets
    bool several = false;
};

// By its name as JSON: two names may become one there, and an object should have no key twice.
using Fields = std::map<std::string, Values>;

std::optional<Error> add(Fields& fields, std::string_view raw_name, std::string_view raw_value) {
    auto name = form_decoded(raw_name), value = form_decoded(raw_value);
    if (!name || !value) return Error(Code::malformed_request, "the form has a malformed escape or %00");
    std::string key;
    append_json_string(key, *name);
    Values& values = fields[key];
    values.several = !values.list.empty();
    if (values.several) values.list += ',';
    append_json_string(values.list, *value);
    return std::nullopt;
}

}  // namespace

Result<std::string> json_of_form(std::string_view form) {
    if (http::count_params(form) > kMostFields)
        return Error(Code::body_too_large, "a form may have at most " + std::to_string(kMostFields) + " fields here");
    Fields fields;
    std::optional<Error> wrong;
    http::for_each_param(form, [&](std::string_view name, std::string_view value) {
        if (!wrong) wrong = add(fields, name, value);
    });
    if (wrong) return *wrong;
    std::string json = "{";
    for (const auto& [key, values] : fields) {
        if (json.size() > 1) json += ',';
        json.append(key).append(values.several ? ":[" : ":").append(values.list).append(values.several ? "]" : "");
    }
    return json + '}';
}

}  // namespace suoke::filters
