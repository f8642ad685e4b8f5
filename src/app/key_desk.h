// SPDX-License-Identifier: MIT
#pragma once
// Where a worker asks control for a key that nobody has. When it is answered the worker has the ring
// as it is by then: control posts that first.

#include <map>
#include <string>

#include "app/key_sources.h"
#include "rt/loop.h"
#include "rt/scope.h"

namespace suoke::app {

class KeyDesk final : public auth::KeyDesk {
 public:
    // `sources` belongs to the loop `control`, and the questions to `tasks`; all outlive the desk.
    KeyDesk(rt::Loop& own, rt::Loop& control, rt::TaskScope& tasks, KeySources& sources)
        : own_(own), control_(control), tasks_(tasks), sources_(sources) {}
    rt::Task<void> look_for(std::string provider, std::string key_id, TimePoint deadline) override;

 private:
    rt::Loop& own_;
    rt::Loop& control_;
    rt::TaskScope& tasks_;
    KeySources& sources_;
    std::map<std::string, TimePoint, std::less<>> quiet_;  // by provider: asking is of no use until then
};

}  // namespace suoke::app
