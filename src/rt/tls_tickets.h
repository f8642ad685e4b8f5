// SPDX-License-Identifier: MIT
#pragma once
// The keys that session tickets are sealed with (RFC 5077 §4, RFC 8446 §4.6.1), shared by all workers,
// so that a client is resumed by whichever it meets. They change by themselves; a ticket is good
// until its key is two changes old. They outlive reloads. Thread-safe.

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.h"

namespace suoke::rt {

struct TicketKey {
    std::array<unsigned char, 16> name;    // public: tells which key sealed a ticket
    std::array<unsigned char, 32> cipher;  // AES-256
    std::array<unsigned char, 32> mac;     // HMAC-SHA-256
    static TicketKey random();
};

class TicketKeys {
 public:
    TicketKeys(const Clock& clock, Duration rotation);

    TicketKey current();
    struct Found {
        TicketKey key;
        bool old;  // the client should get a new ticket
    };
    // The key of this name, if it is still good.
    std::optional<Found> find(const unsigned char* name);
    void set_rotation(Duration rotation);
    // Keys from elsewhere (a store that several gateways share), the sealing one first. From then on
    // nothing changes by itself.
    void install(std::vector<TicketKey> keys);
    // Nobody installs any more: those there are change by themselves again.
    void change_alone();

 private:
    void rotate_if_due();

    const Clock& clock_;
    std::mutex mutex_;
    Duration rotation_;
    TimePoint next_;
    bool own_ = true;
    std::vector<TicketKey> keys_;  // the sealing one first
};

}  // namespace suoke::rt
