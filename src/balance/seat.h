// SPDX-License-Identifier: MIT
#pragma once
// One attempt's place at an endpoint: counted among what it has under way until it dies, and the way
// back for what the attempt showed. A seat that dies untold says nothing (the client left, say).

#include <utility>

#include "balance/ejection.h"

namespace suoke::balance {

class Seat {
 public:
    Seat() = default;
    // `members` outlives the seat.
    Seat(const Members& members, const Member& member, Breaker::Admission admission)
        : members_(&members), member_(&member), admission_(admission) {
        member.state->begin();
    }
    Seat(Seat&& other) noexcept { *this = std::move(other); }
    Seat& operator=(Seat&& other) noexcept {
        std::swap(members_, other.members_);
        std::swap(member_, other.member_);
        std::swap(admission_, other.admission_);
        return *this;
    }
    ~Seat() {
        if (!member_) return;
        member_->state->breaker.give_up(admission_);
        member_->state->end();
    }

    explicit operator bool() const { return member_ != nullptr; }
    const Member& member() const { return *member_; }
    void tell(Verdict verdict, Duration took, TimePoint now);

 private:
    const Members* members_ = nullptr;
    const Member* member_ = nullptr;
    Breaker::Admission admission_ = Breaker::Admission::no;
};

// The breaker of the service itself, for one exchange; `none` when it lets nothing through.
class Fuse {
 public:
    Fuse() = default;
    Fuse(const Members& members, TimePoint now);
    Fuse(Fuse&& other) noexcept { *this = std::move(other); }
    Fuse& operator=(Fuse&& other) noexcept {
        std::swap(members_, other.members_);
        std::swap(admission_, other.admission_);
        return *this;
    }
    ~Fuse() {
        if (members_) members_->state->breaker.give_up(admission_);
    }
    bool blown() const { return members_ && admission_ == Breaker::Admission::no; }
    void tell(bool ok, Duration took, TimePoint now);

 private:
    const Members* members_ = nullptr;  // null: the service has no breaker
    Breaker::Admission admission_ = Breaker::Admission::no;
};

}  // namespace suoke::balance
