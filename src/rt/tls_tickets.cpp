// SPDX-License-Identifier: MIT
#include "rt/tls_tickets.h"

#include <openssl/rand.h>

#include <cstring>

#include "base/error.h"

namespace suoke::rt {

TicketKey TicketKey::random() {
    TicketKey key;
    CHECK(RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1);
    CHECK(RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1);
    CHECK(RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1);
    return key;
}

TicketKeys::TicketKeys(const Clock& clock, Duration rotation)
    : clock_(clock), rotation_(rotation), next_(deadline_after(clock.now(), rotation)), keys_{TicketKey::random()} {}

void TicketKeys::rotate_if_due() {
    TimePoint now = clock_.now();
    if (!own_ || now < next_) return;
    // After two intervals without a client, what was "previous" is too old as well.
    bool long_ago = now - next_ >= rotation_;
    std::vector<TicketKey> keys = {TicketKey::random()};
    if (!long_ago) keys.push_back(keys_.front());
    keys_ = std::move(keys);
    next_ = deadline_after(now, rotation_);
}

TicketKey TicketKeys::current() {
    std::lock_guard lock(mutex_);
    rotate_if_due();
    return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name) {
    std::lock_guard lock(mutex_);
    rotate_if_due();
    for (const TicketKey& key : keys_)
        if (std::memcmp(key.name.data(), name, key.name.size()) == 0) return Found{key, &key != &keys_.front()};
    return std::nullopt;
}

void TicketKeys::set_rotation(Duration rotation) {
    std::lock_guard lock(mutex_);
    if (rotation == rotation_) return;
    rotation_ = rotation;
    next_ = deadline_after(clock_.now(), rotation);
}

void TicketKeys::install(std::vector<TicketKey> keys) {
    CHECK(!keys.empty());
    std::lock_guard lock(mutex_);
    own_ = false;
    keys_ = std::move(keys);
}

void TicketKeys::change_alone() {
    std::lock_guard lock(mutex_);
    own_ = true;
    next_ = deadline_after(clock_.now(), rotation_);
}

}  // namespace suoke::rt
