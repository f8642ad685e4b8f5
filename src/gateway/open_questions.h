// SPDX-License-Identifier: MIT
#pragma once
// What a worker's exchanges have others asked about credentials at the moment, on all routes: who has the same question
// waits for the same answer, and there are never too many.

#include <cstddef>

#include "gateway/authorities.h"
#include "gateway/same_question.h"

namespace suoke::gateway {

struct OpenQuestions {
    SameQuestion<Result<auth::IdentityPtr>> introspections;
    SameQuestion<ForwardAnswer> forwards;

    // Each is a connection of its own. As many as a worker usually has to an endpoint; who invents tokens all the time
    // must not use up what everybody needs to reach the services.
    std::size_t most = 1024;
    std::size_t asked = 0;   // and not answered yet
};

// One of them, while it is asked.
class OpenQuestion {
 public:
    explicit OpenQuestion(OpenQuestions& all) : all_(all) { ++all_.asked; }
    ~OpenQuestion() { --all_.asked; }
    OpenQuestion(const OpenQuestion&) = delete;
    OpenQuestion& operator=(const OpenQuestion&) = delete;
    bool is_too_many() const { return all_.asked > all_.most; }

 private:
    OpenQuestions& all_;
};

}  // namespace suoke::gateway
