// SPDX-License-Identifier: MIT
#pragma once
// Who is in which service. Puts together what the configuration, the registry and the sources of
// discovery say, and makes of it the members the workers use. Lives in the control loop.
//
//   directory.define(definitions, unlisted);                 // a configuration was loaded
//   directory.found("users", "dns", instances);              // a source has something new
//   ... and `changed` is told every service whose members are new.

#include <functional>
#include <map>
#include <memory>
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

    Directory(rt::Loop& loop, balance::States& states) : loop_(loop), states_(states), clock_(*this) {}
    void set_listener(std::function<void(const balance::MembersPtr&)> changed) { changed_ = std::move(changed); }

    // All services there are by configuration. `unlisted` describes those that only others know of.
    void define(std::vector<DefinitionPtr> definitions, DefinitionPtr unlisted);
    // What `source` knows of a service, in place of what it said before. No instances where there were
    // some: believed when it is still so after kEmptyGrace, or when none of them is up.
    void found(const std::string& service, const std::string& source, balance::Instances instances);
    // At once, whatever it said: the source is no more, or is the authority itself (the registry).
    void set(const std::string& service, const std::string& source, balance::Instances instances);

    // Null: no such service.
    balance::MembersPtr members(const std::string& service) const;
    std::map<std::string, balance::MembersPtr> all() const;
    const std::optional<HealthRules>* health_rules(const std::string& service) const;   // null: no such service
    // Statistics and changes of health that only time shows; about once a second.
    void tick();

 private:
    struct Service {
        DefinitionPtr definition;
        bool configured = false;
        std::map<std::string, std::shared_ptr<const balance::Instances>> found;  // by source
        std::map<std::string, TimePoint> emptied;         // since when a source says there are none
        balance::MembersPtr members;
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
    Service& service_of(const std::string& name);
    DefinitionPtr unlisted_as(const std::string& name) const;
    void rebuild(const std::string& name);
    balance::MembersPtr build(const Service& service) const;
    std::shared_ptr<balance::EndpointState> state_of(const Service& service, const balance::Member& member) const;
    bool any_up(const Service& service, const balance::Instances& among) const;
    void end_graces();
    void tell_health(const std::string& name, Service& service);

    rt::Loop& loop_;
    balance::States& states_;
    std::function<void(const balance::MembersPtr&)> changed_ = [](const balance::MembersPtr&) {};
    DefinitionPtr unlisted_ = std::make_shared<Definition>();
    std::map<std::string, Service> services_;
    GraceTimer clock_;
};

}  // namespace suoke::services
