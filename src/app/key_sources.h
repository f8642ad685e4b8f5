// SPDX-License-Identifier: MIT
#pragma once
// Where the keys come from that tokens are verified with: a secret, files, and servers that publish
// theirs (JWKS, RFC 7517 §5). Keeps them fresh, and tells of a new picture of all of them, for the
// workers. What a server once said holds across reloads, and while it cannot be reached, up to
// jwks_max_age. Lives in the control loop.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "auth/credentials.h"
#include "base/events.h"
#include "base/random.h"
#include "config/load.h"
#include "rt/buffer.h"
#include "upstream/dialer.h"

namespace suoke::app {

class KeySources {
 public:
    static constexpr Duration kTimeout = 5s;       // of one question
    static constexpr Duration kReadAgain = 1min;   // files, when nobody told that they changed
    static constexpr Duration kLookAgain = 10s;    // for a key that was not there
    static constexpr Duration kUnknown = 1min;     // so long a key that was not there is not looked for again
    static constexpr std::size_t kMostUnknown = 1000;

    KeySources(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Events& events);
    ~KeySources();
    // Is told of each new ring, also from within adopt().
    void set_listener(std::function<void(const auth::KeyRingPtr&)> changed) { changed_ = std::move(changed); }
    void adopt(const config::Auth& auth);
    const auth::KeyRingPtr& ring() const { return ring_; }

    // As auth::KeyDesk has it. The ring was told of when it returns. Gives the time before which it is
    // of no use to ask again for this provider.
    rt::Task<TimePoint> look_for(std::string provider, std::string key_id, TimePoint deadline);

 private:
    class Source;
    Source* find(const std::string& provider);
    void publish();

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool& buffers_;
    Events& events_;
    Random random_;
    std::function<void(const auth::KeyRingPtr&)> changed_ = [](const auth::KeyRingPtr&) {};
    auth::KeyRingPtr ring_ = std::make_shared<auth::KeyRing>();
    std::map<std::string, std::string> marks_;                  // what the ring's keys were read from
    std::map<std::string, std::unique_ptr<Source>> sources_;    // by provider; "" is auth.jwt
};

// Who publishes or has keys by this configuration, by name; "" is auth.jwt. None when authentication is off.
std::map<std::string, config::JwtProvider> key_providers(const config::Auth& auth);
// The secret's and the files' keys. Code::invalid_config says what is wrong with which.
Result<auth::KeySetPtr> local_keys(const config::JwtProvider& provider);
// The server's. For `token verify`, which has no gateway.
rt::Task<Result<auth::KeySetPtr>> fetch_keys(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, config::JwtProvider provider);
// What is wrong with them, before anybody depends on it.
void check_keys(const config::Auth& auth, std::vector<config::Problem>& problems);

}  // namespace suoke::app
