// SPDX-License-Identifier: MIT
#pragma once

#include "rt/list.h"

namespace suoke::http {

// The server side of one connection, whatever is spoken on it.
class Session : public rt::ListHook<Session> {
 public:
    // No exchange after the present ones; ends after a moment of grace when there is none.
    virtual void drain() = 0;

 protected:
    ~Session() = default;
};

}  // namespace suoke::http
