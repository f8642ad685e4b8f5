// SPDX-License-Identifier: MIT
#pragma once
// What an exchange remembers of the limits it met: how its client stands, and its place among what that has
// under way.

#include <array>
#include <cstdint>
#include <utility>

#include "base/time.h"
#include "limits/policy.h"
#include "limits/table.h"

namespace suoke::limits {

// With the policy that leaves the client the least. Its site lives at least as long as the exchange.
struct Standing {
    const Policy* policy = nullptr;      // null: no rate holds for it
    std::uint64_t remaining = 0;         // tokens it has left
    Duration reset{};                    // until it has all of them; of a refused one: until it may come again
};

// One of the requests that a key has under way; counted until it is destroyed.
class Place {
 public:
    Place() = default;
    explicit Place(Cell& cell) : cell_(&cell) {}
    Place(Place&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
        std::swap(cell_, other.cell_);
        return *this;
    }
    explicit operator bool() const { return cell_ != nullptr; }
    ~Place() {
        if (cell_) cell_->word.fetch_sub(1, std::memory_order_acq_rel);
    }

 private:
    Cell* cell_ = nullptr;
};
using Places = std::array<Place, Plan::kMostAtOnce>;

}  // namespace suoke::limits
