// SPDX-License-Identifier: MIT
// Compresses answers for clients that take it (RFC 9110 §8.4, §12.5.3): by media type and size, never
// what is encoded already, a part of something, an event stream, or marked no-transform. Short answers
// are compressed as a whole, so that their length is known; longer ones as they come.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "filters/ambient_credentials.h"
#include "filters/compressed_body.h"
#include "filters/filters.h"
#include "filters/media_type.h"
#include "filters/other_bytes.h"
#include "filters/plain_answer.h"
#include "gateway/worker.h"
#include "http/codings.h"
#include "http/grpc.h"

namespace suoke::filters {
namespace {

using gateway::Exchange;
using http::Coding;
using http::HeaderId;

constexpr std::size_t kWhole = 64 * 1024;  // with br a millisecond of the worker's time

Coding coding_of(config::ContentCoding from) {
    switch (from) {
        case config::ContentCoding::br: return Coding::brotli;
        case config::ContentCoding::zstd: return Coding::zstd;
        default: return Coding::gzip;
    }
}

// "text/*", "application/*+json" or a whole name.
class MediaType {
 public:
    explicit MediaType(std::string_view pattern) {
        std::size_t star = pattern.find('*');
        any_ = star != pattern.npos;
        head_ = pattern.substr(0, star);
        if (any_) tail_ = pattern.substr(star + 1);
    }
    bool fits(std::string_view type) const {
        std::size_t fixed = head_.size() + tail_.size();
        if (any_ ? type.size() < fixed : type.size() != fixed) return false;
        return iequals(type.substr(0, head_.size()), head_) && iequals(type.substr(type.size() - tail_.size()), tail_);
    }

 private:
    std::string head_, tail_;
    bool any_ = false;
};

bool says(const http::Headers& headers, std::string_view name, std::string_view word) {
    return std::any_of(headers.begin(), headers.end(), [&](const http::Field& field) {
        if (field.name.size() != name.size() || !iequals(field.name, name)) return false;
        for (std::string_view each : split_list(field.value))
            if (iequals(each, word)) return true;
        return false;
    });
}

// As far as it is known before anything is read of it.
std::optional<std::uint64_t> size_of(const Exchange& ex, const http::Response& response) {
    const std::string_view* told = response.headers.find(HeaderId::content_length);
    if (ex.request.head.method == http::Method::HEAD) return told ? parse_u64(*told) : std::nullopt;
    return response.body->remaining();
}

// BREACH: who can have a victim's browser ask, and see the lengths of the answers, learns what stands in
// them beside his own words, byte by byte, when they are compressed together.
bool may_be_watched(const Exchange& ex) {
    const http::Headers& headers = ex.request.head.headers;
    if (!has_ambient_credentials(ex.request) || !ex.over_tls) return false;
    if (const std::string_view* site = headers.find("Sec-Fetch-Site")) return iequals(*site, "cross-site");
    const std::string_view* origin = headers.find(HeaderId::origin);
    if (!origin) return false;
    std::size_t scheme_end = origin->find("://");
    if (scheme_end == origin->npos) return true;  // "null"
    return !iequals(origin->substr(scheme_end + 3), ex.request.head.authority);
}

void vary_by_coding(http::Headers& headers) {
    constexpr std::string_view kField = "Accept-Encoding";
    if (!says(headers, "Vary", kField) && !says(headers, "Vary", "*")) headers.add("Vary", kField);
}

class Compression final : public Check {
 public:
    Compression(const config::Compression& from, bool plain_text_streams)
        : min_size_(from.min_size),
          levels_{0, static_cast<int>(from.gzip_level), static_cast<int>(from.br_level), static_cast<int>(from.zstd_level)},
          breach_protection_(from.breach_protection),
          plain_text_streams_(plain_text_streams) {
        for (config::ContentCoding each : from.algorithms) offered_.push_back(coding_of(each));
        for (const std::string& each : from.types) types_.emplace_back(each);
    }

 private:
    void on_response(Exchange& ex, http::Response& response) const override {
        if (response.status == 304) return freshen(ex, response.headers);
        if (!is_worth_it(ex, response)) return;
        Coding coding = http::choose_coding(ex.request.head.headers, offered_);
        if (coding != Coding::identity && breach_protection_ && may_be_watched(ex)) coding = Coding::identity;
        if (coding == Coding::identity) return vary_by_coding(response.headers);
        bool compressed = ex.request.head.method == http::Method::HEAD || compress(ex, response, coding);
        if (compressed) tell(ex, response.headers, coding);
    }

    // It says the Vary that its 200 had (RFC 9110 §15.4.5): a cache takes it over, and would give what is in br to
    // everybody without ours. Mostly it does not say its type; then it may be of what is compressed.
    void freshen(Exchange& ex, http::Headers& headers) const {
        weaken_as_asked(ex, headers);
        if (media_type(headers).empty() || has_good_type(headers)) vary_by_coding(headers);
    }

    bool is_worth_it(const Exchange& ex, const http::Response& response) const {
        const http::Headers& headers = response.headers;
        bool head = ex.request.head.method == http::Method::HEAD;
        if (http::has_no_body(response.status) || response.status == 206 || (!head && !response.body)) return false;
        if (!has_good_type(headers) || http::is_encoded(headers) || headers.find("Content-Range")) return false;
        std::optional<std::uint64_t> size = size_of(ex, response);
        if (size && *size < min_size_) return false;
        return !says(headers, "Cache-Control", "no-transform") && !says(ex.request.head.headers, "Cache-Control", "no-transform");
    }

    bool has_good_type(const http::Headers& headers) const {
        std::string_view type = media_type(headers);
        if (type.empty() || iequals(type, "text/event-stream") || http::grpc_type(headers)) return false;
        if (plain_text_streams_ && iequals(type, "text/plain")) return false;
        return std::any_of(types_.begin(), types_.end(), [&](const MediaType& each) { return each.fits(type); });
    }

    // False when it is left as it is.
    bool compress(Exchange& ex, http::Response& response, Coding coding) const {
        auto body = std::make_unique<Peeked>(std::move(response.body), min_size_);
        http::EncoderPtr encoder;
        bool short_after_all = body->is_all() && body->bytes().size() < min_size_;
        if (!short_after_all) {
            vary_by_coding(response.headers);
            encoder = http::lease_encoder(coding, levels_[static_cast<std::size_t>(coding)], body->remaining());
        }
        if (!encoder) {
            response.body = std::move(body);
            return false;
        }
        rt::BufferPool& buffers = ex.worker.buffers();
        if (!body->is_all() || body->bytes().size() > kWhole) {
            response.body = std::make_unique<CompressedBody>(std::move(body), std::move(encoder), buffers, ex.worker.loop());
            return true;
        }
        std::optional<rt::Buffer> whole = compress_whole(body->bytes(), *encoder, buffers);
        if (whole) response.body = std::make_unique<CompressedWhole>(std::move(body), std::move(*whole));
        else response.body = std::move(body);
        return whole.has_value();
    }

    static void tell(Exchange& ex, http::Headers& headers, Coding coding) {
        say_other_bytes(ex, headers);
        headers.set(HeaderId::content_encoding, http::coding_name(coding));
        vary_by_coding(headers);
    }

    std::vector<Coding> offered_;
    std::vector<MediaType> types_;
    std::uint64_t min_size_;
    std::array<int, 4> levels_;  // by Coding
    bool breach_protection_, plain_text_streams_;
};

class PlainUpstream final : public Filter {
    rt::Task<gateway::Answer> run(Exchange& ex, gateway::Next next) const override {
        PlainAnswer plain(ex);
        gateway::Answer answer = co_await next.run(ex);
        co_return answer;
    }
};

const config::Compression& rules_of(const config::Config& config, const config::Route& route) {
    return route.compression ? *route.compression : config.compression;
}

}  // namespace

CheckPtr compression(const config::Config& config, const config::Route& route) {
    const config::Compression& rules = rules_of(config, route);
    return rules.on() ? std::make_shared<Compression>(rules, route.sse.plain_text) : nullptr;
}

FilterPtr plain_upstream(const config::Config& config, const config::Route& route) {
    const config::Compression& rules = rules_of(config, route);
    return rules.on() && rules.plain_upstream && route.forwards() ? std::make_shared<PlainUpstream>() : nullptr;
}

}  // namespace suoke::filters
