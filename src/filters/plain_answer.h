// SPDX-License-Identifier: MIT
#pragma once
// While it lives the service is asked for an answer that is not compressed; afterwards the request says
// again what the client takes, for who compresses what comes of it.

#include "base/text.h"
#include "gateway/exchange.h"

namespace suoke::filters {

class PlainAnswer {
 public:
    explicit PlainAnswer(gateway::Exchange& ex) : ex_(ex) {
        for (const http::Field& field : headers())
            if (is_it(field)) wishes_.add(field);
        headers().set(kName, "identity");
    }
    ~PlainAnswer() {
        headers().remove(kName);
        for (const http::Field& field : wishes_) headers().add(field);
    }
    PlainAnswer(const PlainAnswer&) = delete;
    PlainAnswer& operator=(const PlainAnswer&) = delete;

 private:
    static constexpr std::string_view kName = "Accept-Encoding";
    static bool is_it(const http::Field& field) { return field.name.size() == kName.size() && iequals(field.name, kName); }
    http::Headers& headers() { return ex_.request.head.headers; }

    gateway::Exchange& ex_;
    http::Headers wishes_;
};

}  // namespace suoke::filters
