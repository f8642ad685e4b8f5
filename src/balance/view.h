// SPDX-License-Identifier: MIT
#pragma once
// One worker's view of a service: who of its members may get traffic at the moment, and which is next.
// Looks again when anybody's health changed, or when time alone changes it (an ejection ends, a slow
// start goes on); otherwise a choice costs what its strategy costs.

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "balance/balancer.h"
#include "balance/seat.h"

namespace suoke::balance {

class View {
 public:
    View(MembersPtr members, Random& random, std::uint32_t start);
    virtual ~View() = default;
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    struct Wish {
        TimePoint now;
        std::uint64_t hash = 0;                           // see Rules::hash
        std::optional<std::uint64_t> preferred{};         // Member::hash that a sticky session names
        std::span<const EndpointState* const> avoid{};    // tried already
    };
    // An empty seat: nobody may have it.
    Seat take(const Wish& wish);

    const Members& members() const { return *members_; }
    const MembersPtr& pointer() const { return members_; }
    std::uint32_t index_of(const Member& member) const { return static_cast<std::uint32_t>(&member - members_->all.data()); }
    std::uint32_t cursor() const { return cursor_; }
    // How many may get traffic now.
    std::size_t fit(TimePoint now);

 private:
    struct Level {
        std::vector<Candidate> candidates;
        double share = 0;   // of the requests; the levels' sum is 1
        std::unique_ptr<Balancer> balancer;
    };
    void refresh_when_stale(TimePoint now);
    void refresh(TimePoint now);
    struct Levels {
        std::vector<Level> all;
        std::size_t up = 0, members = 0;   // of all levels, those included that get nothing now
    };
    Levels levels_of(TimePoint now, bool whatever_their_health);
    double weight_of(const Member& member, TimePoint now);
    std::unique_ptr<Balancer> balancer_of(const Level& level);
    Level& choose_level();
    Seat try_take(const Wish& wish, std::uint32_t member);
    Seat take_any(const Wish& wish);
    void changes_at(TimePoint when) { next_change_ = std::min(next_change_, when); }

    MembersPtr members_;
    Random& random_;
    std::uint32_t cursor_;
    std::uint64_t seen_ = 0;
    TimePoint next_change_{};
    std::vector<Level> levels_;

    friend void intrusive_ptr_add_ref(View* view) { ++view->users_; }
    friend void intrusive_ptr_release(View* view) {
        if (--view->users_ == 0) delete view;
    }
    std::uint32_t users_ = 0;  // of this worker
};

}  // namespace suoke::balance
