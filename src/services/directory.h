// SPDX-License-Identifier: MIT
#pragma once
// Who is in which service. Puts together what the configuration, the registry and the sources of
// discovery say, and makes of it the members the workers use. Lives in the control loop.
//
//   directory.define(definitions, unlisted);                 // a configuration was loaded
//   directory.found("users", "dns", instances);              // a source has something new
//   ... and `changed` is told every service whose members are new, at the end of the loop's turn: however
//   many changes a turn brought, members are made of them once.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "balance/states.h"
#include "rt/loop.h"
#include "services/definition.h"

namespace suoke::services {

class Directory {
 public:
    // How long a service keeps its members after a source said that there are none any more.
    static constexpr Duration kEmptyGrace = std::chrono::seconds(30);
    // A service with more members than this is told of no more often than that.
    static constexpr std::size_t kLarge = 1'000;
    static constexpr Duration kLargePause = std::chrono::milliseconds(20);
    // Says what its source knows of a service at this moment.
    using Teller = std::function<balance::Instances(const std::string& service)>;

    Directory(rt::Loop& loop, balance::States& states) : loop_(loop), states_(states), clock_(*this), publisher_(*this) {}
    void set_listener(std::function<void(const balance::MembersPtr&)> changed) { changed_ = std::move(changed); }

    // All services there are by configuration. `unlisted` describes those that only others know of. The
    // listener is told of all of them before this returns.
    void define(std::vector<DefinitionPtr> definitions, DefinitionPtr unlisted);
    // What `source` knows of a service, in place of what it said before. Nobody up where somebody was:
    // believed when it is still so after kEmptyGrace, or when we know none of them to be up.
    void found(const std::string& service, const std::string& source, balance::Instances instances);
    // The source fails: that there is nobody any more is nothing it confirms meanwhile.
    void doubt(const std::string& service, const std::string& source);
    // At once, whatever it said: the source is no more, or is the authority itself (the registry).
    void set(const std::string& service, const std::string& source, balance::Instances instances);
    // The same for a source whose instances change one by one: it is asked when members are made, if it has
    // said that they are others now. Null: there is no such source any more.
    void set_teller(const std::string& source, Teller teller);
    void changed(const std::string& service, const std::string& source);
    // What is new is told now, not at the end of the turn.
    void flush();

    // With all that was said until now. Null: no such service.
    balance::MembersPtr members(const std::string& service);
    std::map<std::string, balance::MembersPtr> all();
    const std::optional<HealthRules>* health_rules(const std::string& service) const;   // null: no such service
    // Statistics and changes of health that only time shows; about once a second.
    void tick();

 private:
    struct Service {
        DefinitionPtr definition;
        bool configured = false;
        std::map<std::string, std::shared_ptr<const balance::Instances>> found;  // by source
        std::map<std::string, TimePoint> emptied;         // since when a source says there are none
        std::set<std::string> unasked;                    // sources that have something new to tell
        balance::MembersPtr members;
        bool stale = true;                                // they lack what was said since
        TimePoint published{};
        TimePoint judged{};                               // when statistics were last looked at
        const char* health = "";
    };
    class GraceTimer final : public rt::Timer {
     public:
        explicit GraceTimer(Directory& directory) : directory_(directory) {}
        void expired() override { directory_.end_graces(); }

     private:
        Directory& directory_;
    };
    class Publisher final : public rt::Deferred, public rt::Timer {
     public:
        explicit Publisher(Directory& directory) : directory_(directory) {}
        void run() override { directory_.publish_due(); }
        void expired() override { directory_.publish_due(); }

     private:
        Directory& directory_;
    };
    Service& service_of(const std::string& name);
    DefinitionPtr unlisted_as(const std::string& name) const;
    void put(Service& service, const std::string& source, balance::Instances instances);
    void touch(const std::string& name, Service& service);
    const balance::MembersPtr& refresh(const std::string& name, Service& service);
    void publish(const std::string& name);
    void publish_due();
    static TimePoint due(const Service& service);
    balance::MembersPtr build(const Service& service) const;
    std::shared_ptr<balance::EndpointState> state_of(const Service& service, const balance::Member& member) const;
    bool any_up(const balance::Members& members, const balance::Instances& among) const;
    void end_graces();
    void tell_health(const std::string& name, Service& service);

    rt::Loop& loop_;
    balance::States& states_;
    std::function<void(const balance::MembersPtr&)> changed_ = [](const balance::MembersPtr&) {};
    DefinitionPtr unlisted_ = std::make_shared<Definition>();
    std::map<std::string, Service> services_;
    std::map<std::string, Teller> tellers_;   // by source
    std::set<std::string> unpublished_;       // services
    GraceTimer clock_;
    Publisher publisher_;
};

}  // namespace suoke::services
