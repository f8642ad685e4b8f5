// SPDX-License-Identifier: MIT
#pragma once
// What a shared ledger last said, in a store of this gateway's own: a gateway that starts while the
// ledger is away still knows whom it knew. Lives in the control loop.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rt/loop.h"
#include "rt/scope.h"
#include "services/record.h"
#include "store/kv.h"

namespace suoke::services {

class LedgerCopy {
 public:
    using Key = std::pair<std::string, std::string>;   // service, id
    using Records = std::map<Key, Record>;
    // Older ones are not believed: by then their addresses may be somebody else's.
    static constexpr Duration kOldest = std::chrono::hours(24);
    static constexpr Duration kTryAgain = std::chrono::seconds(1);   // what the store did not take

    // `records`: the ledger's, looked at whenever something is written. Both outlive the copy.
    LedgerCopy(rt::Loop& loop, store::Kv& kv, const Records& records);

    // What was there at the start; their leases begin anew. Asked before anything has changed.
    rt::Task<Result<std::vector<Record>>> recall();
    // It is in the records now, or no longer: written at once, unless there is too much for a turn of the loop.
    void changed(const Key& key);
    void all_changed();

 private:
    void begin_to_write();
    rt::Task<void> write();
    rt::Task<Result<void>> write_one(Key key);
    rt::Task<void> stay_young();

    rt::Loop& loop_;
    store::Kv& kv_;
    const Records& records_;
    std::map<Key, std::size_t> written_;   // and a hash of what was
    std::set<Key> dirty_;
    bool writing_ = false;
    TimePoint turn_began_{};
    std::size_t written_in_turn_ = 0;
    rt::TaskScope tasks_;                  // ends before everything above
};

}  // namespace suoke::services
