// SPDX-License-Identifier: MIT
// Tells browsers what to refuse: frames, guessed types, plain HTTP ... A header that the service sends itself stays,
// it knows its pages better; what the operator writes under security.headers has the last word.
#include <algorithm>

#include "base/text.h"
#include "filters/filters.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

constexpr std::string_view kHsts = "Strict-Transport-Security";   // never in the clear, whoever says it (RFC 6797 §7.2)

struct Line {
    std::string name, value;       // no value: the header is taken out
    bool last_word = false;        // replaces what the service says
    bool only_over_tls = false;
    HeaderId id = HeaderId::other; // of the name
};

// Our own lines, which the service's go before, stand in front of the operator's.
class SecurityHeaders final : public Check {
 public:
    explicit SecurityHeaders(std::vector<Line> lines) : lines_(std::move(lines)) {
        for (Line& line : lines_) {
            line.id = http::header_id(line.name);
            lengths_ |= std::uint64_t{1} << std::min<std::size_t>(line.name.size(), 63);
        }
    }

 private:
    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        http::Headers& headers = response.headers;
        bool secure = ex.over_tls;
        std::uint64_t there = 0;  // of our own lines, which are few: a bit each
        headers.remove_if([&](const http::Field& field) {
            std::size_t i = find(field);
            if (i == lines_.size()) return false;
            if (lines_[i].last_word || (lines_[i].only_over_tls && !secure)) return true;
            there |= std::uint64_t{1} << i;
            return false;
        });
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            const Line& line = lines_[i];
            bool theirs = !line.last_word && (there >> i & 1);
            if (!theirs && !line.value.empty() && (secure || !line.only_over_tls)) headers.add(http::Field{line.name, line.value, line.id});
        }
    }

    // Most fields are none of ours already by their length.
    std::size_t find(const http::Field& field) const {
        if (!(lengths_ >> std::min<std::size_t>(field.name.size(), 63) & 1)) return lines_.size();
        auto same = [&](const Line& line) {
            return line.id == field.id && (line.id != HeaderId::other || iequals(line.name, field.name));
        };
        return static_cast<std::size_t>(std::find_if(lines_.begin(), lines_.end(), same) - lines_.begin());
    }

    std::vector<Line> lines_;
    std::uint64_t lengths_ = 0;
};

std::string hsts_value(const config::SecurityHeaders& from) {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(from.hsts_max_age).count();
    std::string value = "max-age=" + std::to_string(seconds);
    if (from.hsts_include_subdomains) value += "; includeSubDomains";
    if (from.hsts_preload) value += "; preload";
    return value;
}

std::vector<Line> lines_of(const config::SecurityHeaders& from, bool in_earnest) {
    std::vector<Line> lines = {
        {"X-Frame-Options", "DENY"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-XSS-Protection", "1; mode=block"},
        {"Referrer-Policy", "strict-origin-when-cross-origin"},
        {"Permissions-Policy",
         "geolocation=(), microphone=(), camera=(), payment=(), usb=(), magnetometer=(), gyroscope=(), speaker=()"},
        {"Server", "", true},  // whose software it is helps nobody but attackers
    };
    if (from.csp.value_or(in_earnest)) lines.push_back({"Content-Security-Policy", from.csp_policy});
    if (from.hsts.value_or(in_earnest)) lines.push_back({std::string(kHsts), hsts_value(from), false, true});
    for (const auto& said : from.headers) {
        std::erase_if(lines, [&](const Line& line) { return iequals(line.name, said.first); });
        lines.push_back({said.first, said.second, true, iequals(said.first, kHsts)});
    }
    return lines;
}

}  // namespace

CheckPtr security_headers(const config::Config& config, const config::Route&) {
    const config::SecurityHeaders& said = config.security.headers;
    config::Environment environment = config.app.environment;
    bool in_earnest = environment == config::Environment::staging || environment == config::Environment::production;
    if (!said.enabled.value_or(in_earnest)) return nullptr;
    return std::make_shared<SecurityHeaders>(lines_of(said, in_earnest));
}

}  // namespace suoke::filters
