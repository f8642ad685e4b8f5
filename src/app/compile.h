// SPDX-License-Identifier: MIT
#pragma once
// Config -> Site: everything that can be decided once is decided here.

#include <vector>

#include "config/load.h"
#include "endpoints/builtin.h"
#include "gateway/site.h"
#include "services/directory.h"

namespace suoke::app {

// What a site is made of besides its configuration.
struct TlsInputs {
    std::shared_ptr<rt::TicketKeys> tickets;               // outlive every site
    std::vector<rt::CertificatePem> local_certificates;    // behind those of the configuration
};

// Null when a problem is an error; every problem is appended.
gateway::SitePtr compile(config::Config config, const std::vector<endpoints::Builtin>& builtins,
                         std::uint64_t generation, std::vector<config::Problem>& problems, const TlsInputs& tls = {});
// Tells the directory which services there are by this site.
void define_services(services::Directory& directory, const gateway::Site& site);
// Every file that TLS of this configuration is read from.
std::vector<std::string> tls_files(const config::Config& config);

}  // namespace suoke::app
