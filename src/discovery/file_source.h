// SPDX-License-Identifier: MIT
#pragma once
// A service's instances as files say them: one file, or all in a directory that are about the service
// (instance_file.h). Read again whenever something changes there. While any of them is bad, what was
// good stays.

#include <memory>
#include <optional>
#include <set>

#include "discovery/news.h"
#include "rt/process.h"

namespace suoke::discovery {

struct FileOptions {
    std::string path;              // a file, or a directory of *.json, *.yaml and *.yml
    std::string service;           // whose; empty, for one file: whatever service it is about
    std::size_t max_bytes = 1 << 20;  // of a file
    std::size_t max_files = 256;   // of a directory
    Duration reread = std::chrono::seconds(60);  // where changes are not told (network file systems)
    Duration retry = std::chrono::seconds(5);    // what was bad, or not there
};

class FileSource final : public Source, rt::Timer {
 public:
    FileSource(rt::Loop& loop, FileOptions options, Listener& listener);

 private:
    void expired() override;
    void look_at(TimePoint when) { loop_.timers().arm(*this, when); }
    void watch();
    Result<balance::Instances> read();
    Result<balance::Instances> read_directory();
    Result<std::set<std::string>> names_in_directory() const;
    bool is_ours_though_bad(const std::string& name, const std::string& text) const;

    rt::Loop& loop_;
    const FileOptions options_;
    News news_;
    std::set<std::string> ours_;  // files that were about the service when they were good
    bool failing_ = false;
    std::unique_ptr<rt::FileWatch> watch_;
};

}  // namespace suoke::discovery
