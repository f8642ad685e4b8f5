// SPDX-License-Identifier: MIT
// What a service gets for a form is JSON, one object of texts and lists of texts, no key twice, and no fields lost.
#include <nlohmann/json.hpp>
#include <set>

#include "filters/form.h"
#include "http/uri.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view form(reinterpret_cast<const char*>(data), size);
    auto made = filters::json_of_form(form);
    if (!made) return 0;
    std::set<std::string> keys;
    auto no_key_twice = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& part) {
        if (event == nlohmann::json::parse_event_t::key && !keys.insert(part.get<std::string>()).second) fuzz::expect("a key twice");
        return true;
    };
    nlohmann::json object = nlohmann::json::parse(*made, no_key_twice);   // throws when it is none
    std::size_t texts = 0;
    for (const nlohmann::json& values : object) {
        for (const nlohmann::json& value : values.is_array() ? values : nlohmann::json::array({values})) {
            if (!value.is_string()) fuzz::expect("a value that is no text");
            ++texts;
        }
    }
    if (texts != http::count_params(form)) fuzz::expect("a field is lost");
    return 0;
}
