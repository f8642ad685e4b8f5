// SPDX-License-Identifier: MIT
#pragma once
// Every decision about a request is a filter. Filters wrap each other; the innermost one answers.
//
//   class Maintenance final : public Check {
//       Verdict on_request(Exchange& ex) const override {
//           if (!closed_) return go_on();
//           return Error(Code::draining, "back at six");
//       }
//   };
//
// A filter belongs to a Site: it is immutable and shared by all workers. State lives outside.

#include <memory>
#include <optional>
#include <vector>

#include "gateway/exchange.h"
#include "http/handler.h"
#include "rt/task.h"

namespace suoke::gateway {

using Answer = Result<http::Response>;
// Nothing: go on to the next filter. Otherwise the exchange's answer.
using Verdict = std::optional<Answer>;
inline Verdict go_on() { return std::nullopt; }

class Chain;

// The rest of the chain, as a filter sees it.
class Next {
 public:
    Next(const Chain& chain, std::size_t from) : chain_(chain), from_(from) {}
    rt::Task<Answer> run(Exchange& ex) const;

 private:
    const Chain& chain_;
    std::size_t from_;
};

// A filter that may wait, or look at the answer before others do (cache, retry ...).
class Filter {
 public:
    virtual ~Filter() = default;
    // No: the chain goes on behind it, without a frame for it.
    virtual bool wanted(const Exchange&) const { return true; }
    virtual rt::Task<Answer> run(Exchange& ex, Next next) const = 0;
};

// A filter that never waits: all of them together run in one frame.
class Check {
 public:
    virtual ~Check() = default;
    virtual Verdict on_request(Exchange&) const { return go_on(); }
    // For every response of an exchange that passed on_request, rendered errors included.
    virtual void on_response(Exchange&, http::Response&) const {}
};

class Chain {
 public:
    void add(std::shared_ptr<const Check> check) { links_.push_back({std::move(check), nullptr}); }
    void add(std::shared_ptr<const Filter> filter) { links_.push_back({nullptr, std::move(filter)}); }

    rt::Task<Answer> run(Exchange& ex, std::size_t from = 0) const;
    // on_response of the checks that were passed, the innermost first.
    void finish(Exchange& ex, http::Response& response) const;

 private:
    struct Link {
        std::shared_ptr<const Check> check;    // one of the two
        std::shared_ptr<const Filter> filter;
    };
    std::vector<Link> links_;
};

inline rt::Task<Answer> Next::run(Exchange& ex) const { return chain_.run(ex, from_); }

}  // namespace suoke::gateway
