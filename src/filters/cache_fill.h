// SPDX-License-Identifier: MIT
#pragma once
// What becomes of an errand: its answer is stored while those who wait for it read it, or tells that what is stored
// is good again, or goes to the one client it was asked for.

#include <memory>
#include <string>

#include "cache/filling.h"
#include "cache/second_level.h"
#include "filters/errand.h"
#include "filters/cache_rules.h"

namespace suoke::filters {

// What a client's exchange tells of an upstream that an errand asked for it.
struct UpstreamFacts {
    gateway::ServiceViewPtr view;
    const balance::Member* endpoint = nullptr;
    std::uint32_t attempts = 0;
    bool reused = false;
    TimePoint began{};
    Duration connect{}, head{}, retry_after{};
    std::optional<Code> failure;
    int status = 0;                         // of its answer; 0: there was none

    void take_from(gateway::Exchange& ex);
    void give_to(gateway::Exchange& ex) const;
};

// What the errand leaves for the client it was begun for; both belong to one worker.
struct Handoff {
    UpstreamFacts facts;
    cache::EntryPtr own_head;               // with what is not stored of the head; null: nothing is missing
    std::unique_ptr<Errand> errand;         // its answer is for this client alone
    cache::Because because{};               // why
};

// Where requests for a URL and what is stored for it meet.
struct CacheUrl {
    std::string host;                       // without port, in lower case
    std::string path;                       // with its query
};
CacheUrl cache_url_of(const gateway::Exchange& ex);

// What an errand has to do with answers that gateways share.
struct Elsewhere {
    cache::SecondLevel* level = nullptr;    // null: nothing
    bool asked = false;                     // first, before the service
    bool only_fresh = false;                // there is something stale to go on with
    bool knows_own = false;                 // another gateway calls who asked the same
    cache::Stamp position = 0;              // level->position(), when the service was asked
};

struct Mission {
    const CacheRules& rules;                // of the errand's site
    cache::Asked asked;
    CacheUrl url;                           // as the client said it
    std::string shared, own;                // keys: for everybody, and for who asked; `own` empty: nobody said who
    cache::FillingPtr filling;
    cache::EntryPtr stale;                  // what it is to validate, when there is something
    bool stale_is_own = false;              // it lies under the key `own`
    std::weak_ptr<Handoff> leader;
    Elsewhere elsewhere;
    cache::SecondLevel::Names names() const { return {shared, elsewhere.knows_own ? std::string_view(own) : std::string_view()}; }
};

rt::Task<void> run_errand(std::unique_ptr<Errand> errand, Mission mission);

// What is stored of an answer that may be; its content comes later. `stamp`: Marks::now() when it was asked for.
std::shared_ptr<cache::Entry> stored_entry(gateway::Exchange& ex, const CacheUrl& url, const http::Response& response, const cache::ResponseFacts& facts,
                                           const cache::Life& life, const CacheRules& rules, cache::Stamp stamp);

// What is stored, with what a 304, or an answer to HEAD, told (RFC 9111 §4.3.4, §4.3.5). `keep` says whether it may
// be stored again.
std::shared_ptr<cache::Entry> updated_entry(gateway::Exchange& ex, const CacheUrl& url, const cache::Entry& stored, const http::Headers& told,
                                            const CacheRules& rules, const cache::Asked& asked, Duration delay, cache::Stamp stamp, bool& keep);

}  // namespace suoke::filters
