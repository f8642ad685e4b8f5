// SPDX-License-Identifier: MIT
#pragma once
// Where the instances of a service are learnt. A source lives in the control loop; it begins when it
// is made and ends when it is destroyed. It says nothing until it knows something.

#include "balance/instance.h"
#include "base/error.h"

namespace suoke::discovery {

// Who wants to know. Told at loop level; may destroy the source only later, not from inside a call.
class Listener {
 public:
    // All instances there are, whenever they changed (the first time: as soon as they are known).
    // An empty list is an answer, too; what to make of it is the listener's decision.
    virtual void found(balance::Instances all) = 0;
    // The source cannot be asked at present. It goes on trying; what it found last stays good.
    virtual void failed(const Error& why) = 0;

 protected:
    ~Listener() = default;
};

class Source {
 public:
    virtual ~Source() = default;
};

}  // namespace suoke::discovery
