// SPDX-License-Identifier: MIT
#pragma once
// Where the registry keeps its records: in a store of this gateway alone, or in Redis, where all
// gateways write and hear of each other. The ledger decides who holds an id, so that there is one answer.

#include <string>
#include <vector>

#include "base/error.h"
#include "rt/task.h"
#include "services/record.h"

namespace suoke::services {

class Ledger {
 public:
    // Told of every change, this gateway's own included, at loop level.
    class Listener {
     public:
        virtual void changed(const Record& record) = 0;
        // A heartbeat: the same record, for longer.
        virtual void extended(const Record& record) = 0;
        virtual void removed(const std::string& service, const std::string& id, std::uint64_t revision, bool lapsed) = 0;
        // Everything there is, when single changes may have been missed.
        virtual void replaced(std::vector<Record> all) = 0;

     protected:
        ~Listener() = default;
    };
    virtual ~Ledger() = default;
    virtual void set_listener(Listener* listener) = 0;

    // Reads everything; the listener is told.
    virtual rt::Task<Result<void>> load() = 0;
    // Writes a registration. Code::conflict: somebody else holds the id, until the time the error says.
    virtual rt::Task<Result<Record>> hold(Record wanted, std::string lease) = 0;
    // Extends the lease. Code::not_found: there is none any more; conflict: `lease` is shown, and another one holds.
    virtual rt::Task<Result<Record>> extend(std::string service, std::string id, std::string lease) = 0;
    // Writes a changed record, when it is still held by the same lease. Code::conflict: it is of an older revision
    // than what is there, of which the listener has been told now.
    virtual rt::Task<Result<Record>> change(Record record) = 0;
    virtual rt::Task<Result<void>> release(std::string service, std::string id) = 0;
    // Takes it out if its lease has run out by the ledger's own clock.
    virtual rt::Task<Result<void>> lapse(std::string service, std::string id) = 0;
    // False: what is known may be old, so nothing is taken out for its lease alone.
    virtual bool is_current() const = 0;
    // What is written here does not reach other gateways at present.
    virtual bool is_alone() const { return false; }
};

}  // namespace suoke::services
