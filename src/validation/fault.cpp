// SPDX-License-Identifier: MIT
#include "validation/fault.h"

#include "base/json.h"

namespace suoke::validation {

std::string pointer_to(const std::vector<Step>& place) {
    std::string out;
    for (const Step& step : place) {
        out += '/';
        if (step.index >= 0) out += std::to_string(step.index);
        for (char c : step.name) {
            if (c == '~') out += "~0";
            else if (c == '/') out += "~1";
            else out += c;
        }
    }
    return out;
}

std::string list_of(const Faults& faults) {
    std::string out;
    JsonWriter j(out);
    j.open('[');
    for (const Fault& fault : faults) {
        j.open('{').field("type", fault.type).key("loc").open('[').value(fault.where);
        for (const Step& step : fault.place) step.index >= 0 ? j.value(step.index) : j.value(step.name);
        j.close(']').field("msg", fault.message).field("pointer", pointer_to(fault.place)).close('}');
    }
    j.close(']');
    return out;
}

std::string sentence_of(const Faults& faults) {
    std::string out;
    for (const Fault& fault : faults) {
        if (!out.empty()) out += "; ";
        std::string path;
        for (const Step& step : fault.place) {
            if (!path.empty()) path += '.';
            path += step.index >= 0 ? std::to_string(step.index) : step.name;
        }
        out += path.empty() ? fault.where : path;
        out += ": " + fault.message;
    }
    return out;
}

}  // namespace suoke::validation
