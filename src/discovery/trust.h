// SPDX-License-Identifier: MIT
#pragma once
// A TLS client that believes the authorities of a file, made anew when the file has changed.

#include <memory>
#include <string>

#include "base/text.h"
#include "discovery/small_file.h"
#include "rt/tls.h"

namespace suoke::discovery {

class Trust {
 public:
    // `ca_file` is PEM; no name: the system's authorities. A file that is no good is an error, never a
    // connection that is not verified; and one that is empty, as it may be while somebody writes it, does
    // not mean the system's.
    Result<std::shared_ptr<const rt::TlsClient>> client(const std::string& ca_file) {
        constexpr std::size_t kMostCa = 1 << 20;
        auto ca = ca_file.empty() ? Result<std::string>(std::string()) : read_small_file(ca_file, kMostCa);
        if (!ca) return ca.error();
        if (!ca_file.empty() && trim(*ca).empty()) return Error(Code::invalid_config, ca_file + ": is empty");
        if (client_ && *ca == ca_) return client_;
        rt::TlsClientOptions trusting;
        trusting.ca = *ca;
        auto made = rt::TlsClient::make(std::move(trusting));
        if (!made) return made.error();
        client_ = std::move(*made);
        ca_ = std::move(*ca);
        return client_;
    }

 private:
    std::shared_ptr<const rt::TlsClient> client_;
    std::string ca_;
};

}  // namespace suoke::discovery
