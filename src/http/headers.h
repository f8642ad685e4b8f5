// SPDX-License-Identifier: MIT
#pragma once
// Header and trailer fields (RFC 9110 §5), in the order and the spelling they came in.
// Views only: the bytes live in the head's buffer or in the exchange's arena, and must outlive this.

#include <cstdint>
#include <string_view>
#include <utility>

#include "rt/frame_cache.h"

namespace suoke::http {

// The fields the gateway itself reads or writes; everything else is `other` and found by name.
enum class HeaderId : std::uint8_t {
    other,
    accept,
    age,
    authorization,
    cache_control,
    connection,
    content_encoding,
    content_length,
    content_type,
    cookie,
    date,
    etag,
    expect,
    expires,
    forwarded,
    host,
    idempotency_key,
    if_modified_since,
    if_none_match,
    if_range,
    keep_alive,
    last_modified,
    location,
    origin,
    pragma,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    range,
    retry_after,
    server,
    set_cookie,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    vary,
    via,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_port,
    x_forwarded_proto,
    x_gateway_duration,
    x_gateway_instance,
    x_gateway_service,
    x_proxy_by,
    x_proxy_instance,
    x_proxy_service,
    x_real_ip,
    x_request_id,
    x_request_timeout,
    x_response_time,
};

// Several of them at once: a bit each.
using HeaderSet = std::uint64_t;
template <class... Ids>
constexpr HeaderSet header_set(Ids... ids) {
    return ((HeaderSet{1} << static_cast<unsigned>(ids)) | ...);
}
constexpr bool is_in(HeaderSet set, HeaderId id) { return set >> static_cast<unsigned>(id) & 1; }

HeaderId header_id(std::string_view name);        // any case; `other` when unknown
std::string_view canonical_name(HeaderId id);     // "Content-Length"; empty for `other`
std::string_view lower_name(HeaderId id);         // "content-length"

struct Field {
    std::string_view name;
    std::string_view value;
    HeaderId id = HeaderId::other;
};

// Moving one is four words, because a response moves through every filter; its fields lie in a
// block from the thread's frame cache. It knows which of the known fields it has, so asking for one
// that is not there, the usual case, looks at none.
class Headers {
 public:
    Headers() = default;
    Headers(Headers&& other) noexcept { swap(other); }
    Headers& operator=(Headers&& other) noexcept {
        swap(other);
        return *this;
    }
    Headers(const Headers& other) {
        for (const Field& field : other) add(field);
    }
    Headers& operator=(const Headers&) = delete;
    ~Headers() { rt::frame_free(fields_, capacity_ * sizeof(Field)); }

    void add(HeaderId id, std::string_view value) { add({canonical_name(id), value, id}); }
    void add(std::string_view name, std::string_view value) { add({name, value, header_id(name)}); }
    void add(const Field& field) {
        if (size_ == capacity_) [[unlikely]]
            grow();
        fields_[size_++] = field;
        present_ |= header_set(field.id);
    }

    bool has(HeaderId id) const { return is_in(present_, id); }
    bool has_any(HeaderSet ids) const { return (present_ & ids) != 0; }
    // The first value, or nullptr. By name: any case.
    const std::string_view* find(HeaderId id) const;
    const std::string_view* find(std::string_view name) const;
    std::size_t count(HeaderId id) const;

    // Replaces every field of that name by one.
    void set(HeaderId id, std::string_view value);
    void set(std::string_view name, std::string_view value);
    void remove(HeaderId id) { remove_all(header_set(id)); }
    void remove(std::string_view name);
    void remove_all(HeaderSet ids) {
        if (has_any(ids)) remove_if([ids](const Field& field) { return is_in(ids, field.id); });
    }
    template <class Predicate>
    void remove_if(Predicate gone) {
        Field* keep = fields_;
        present_ = 0;
        for (const Field& field : *this) {
            if (gone(field)) continue;
            if (keep != &field) *keep = field;
            present_ |= header_set(keep->id);
            ++keep;
        }
        size_ = static_cast<std::uint32_t>(keep - fields_);
    }

    void swap(Headers& other) noexcept {
        std::swap(fields_, other.fields_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(present_, other.present_);
    }

    const Field* begin() const { return fields_; }
    const Field* end() const { return fields_ + size_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void clear() { size_ = 0, present_ = 0; }

 private:
    void grow();
    void set(const Field& field);
    Field* fields_ = nullptr;
    HeaderSet present_ = 0;
    std::uint32_t size_ = 0, capacity_ = 0;
};

}  // namespace suoke::http
