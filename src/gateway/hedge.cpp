// SPDX-License-Identifier: MIT
#include "gateway/hedge.h"

#include "gateway/no_interims.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "rt/bell.h"
#include "rt/pause.h"
#include "rt/scope.h"

namespace suoke::gateway {
namespace {

// One of those that are asked at the same time.
struct Runner {
    Runner(balance::Seat s, const Outgoing& r, TimePoint now) : seat(std::move(s)), request(r), began(now) {}
    balance::Seat seat;
    Outgoing request;
    TimePoint began;
    std::optional<Tried> tried;
};

rt::Task<void> run(Exchange& ex, Runner& runner, http::Responder& interims, rt::Bell& done) {
    Tried tried = co_await ask(ex, runner.seat.member(), runner.request, interims);
    tell(ex, runner.seat, tried);
    runner.tried.emplace(std::move(tried));
    done.ring();
}

// Who is given up would have taken longer than this: the balancer shall know. One that took much longer than
// the other has failed: else nobody would ever find out that it hangs.
void give_up(Runner& runner, const Runner& winner, TimePoint now) {
    constexpr int kMuchLonger = 4;
    Duration took = now - runner.began;
    bool failed = winner.tried->answered() && took >= kMuchLonger * std::max<Duration>(winner.tried->took, std::chrono::milliseconds(1));
    if (failed) runner.seat.tell(balance::Verdict::failed, took, now);
    else runner.seat.member().state->took_at_least(took, now);
}

rt::Task<void> until(rt::Loop& loop, TimePoint when) {
    rt::Pause pause(loop, when);
    co_await pause;
}

}  // namespace

bool may_be_hedged(const Exchange& ex, const Outgoing& request) {
    return ex.route->hedge_after > Duration::zero() && !request.more && !request.is_tunnel() && may_be_repeated(request.head);
}

rt::Task<Tried> ask_several(Exchange& ex, const Outgoing& request, balance::View::Wish wish, TriedEndpoints& before) {
    rt::Loop& loop = ex.worker.loop();
    NoInterims interims;  // of several endpoints they would be a muddle
    std::vector<std::unique_ptr<Runner>> runners;
    rt::Bell done(loop);
    rt::TaskScope scope;  // who has not finished when the answer is found is given up
    auto start = [&](balance::Seat seat) {
        runners.push_back(std::make_unique<Runner>(std::move(seat), request, loop.now()));
        scope.spawn(run(ex, *runners.back(), interims, done));
    };
    start(std::move(ex.seat));
    TimePoint next = loop.now() + ex.route->hedge_after;
    for (;;) {
        // 1. Is there an answer? A failure is one only when nobody else may do better.
        Runner* winner = nullptr;
        std::size_t finished = 0;
        for (auto& runner : runners) {
            if (!runner->tried) continue;
            ++finished;
            bool good = runner->tried->answered() && !retry_rules_of(ex).is_failure(runner->tried->attempt->head().status);
            if (good || (!winner && finished == runners.size())) winner = runner.get();
        }
        if (winner) {
            for (auto& runner : runners)
                if (!runner->tried) give_up(*runner, *winner, loop.now());
            ex.seat = std::move(winner->seat);
            ex.endpoint = &ex.seat.member();
            co_return std::move(*winner->tried);
        }
        // 2. Time to ask one more?
        if (loop.now() >= next && runners.size() <= ex.route->hedges) {
            wish.now = loop.now();
            wish.avoid = before;
            balance::Seat seat = ex.view->take(wish);
            bool allowed = seat && before.size() < before.max_size() && ex.target->budget.retry(loop.now(), retry_rules_of(ex).budget);
            if (allowed) {
                before.push_back(seat.member().state.get());
                start(std::move(seat));
                next = loop.now() + ex.route->hedge_after;
                continue;
            }
            next = kNever;
        }
        if (runners.size() > ex.route->hedges) next = kNever;
        co_await done.unless_rung(until(loop, next));
    }
}

}  // namespace suoke::gateway
