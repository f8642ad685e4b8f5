// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>

#include "testing/scene.h"

namespace suoke::scene {

struct Reading {
    bool ended = false;      // nothing more will come
    bool head_only = false;  // leave the body where it is
    bool bodiless = false;   // there is no body, whatever the head says
};

// Takes the first message from the front; nothing while it is incomplete.
std::optional<Message> take_message(std::string& inbox, const Reading& how);

}  // namespace suoke::scene
