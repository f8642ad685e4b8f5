// SPDX-License-Identifier: MIT
#pragma once
// Stand-ins for the platform's services, so that `suoke-gateway dev` has something to forward to.
// They run in this process, on 127.0.0.1, and are no part of `serve`.

#include <map>
#include <memory>
#include <string>

#include "base/sensitive.h"

namespace suoke::app {

class DemoServices {
 public:
    // Opens a port per service, whichever are free; StartupError when that fails.
    DemoServices();
    ~DemoServices();

    // Which ports, as a configuration may name them: {"DEMO_AUTH_PORT", "41873"}...
    const std::map<std::string, std::string>& variables() const { return variables_; }
    // Begins to answer, in a thread of its own. Start it after the App was made: a thread takes
    // over which signals are blocked, and this one is to leave them all to the App.
    // `key`: its auth-service signs tokens with it (HS256); none: what it gives out opens nothing.
    void start(const Secret& key = {});

 private:
    class Server;
    std::unique_ptr<Server> server_;
    std::map<std::string, std::string> variables_;
};

// Routes of all three URL families to the demo services: what `dev` serves when told nothing else.
const std::string& demo_yaml();

}  // namespace suoke::app
