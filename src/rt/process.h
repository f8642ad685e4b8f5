// SPDX-License-Identifier: MIT
#pragma once
// What the process as a whole is told: signals, changed files; and which cores it may use.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rt/loop.h"

namespace suoke::rt {

// Delivers signals to a loop. Make it before any thread starts: it blocks them for all.
class SignalWatch {
 public:
    virtual ~SignalWatch() = default;
};
std::unique_ptr<SignalWatch> watch_signals(Loop& loop, std::vector<int> signals, std::function<void(int)> told);

// Tells when something in the file's directory changed (editors replace files, Kubernetes swaps
// links), 100 ms after the last change. Whoever is told compares the content.
class FileWatch {
 public:
    virtual ~FileWatch() = default;
};
std::unique_ptr<FileWatch> watch_file(Loop& loop, const std::string& path, std::function<void()> told);
// The same for a directory: also when a file in it goes away. Nothing comes while it does not exist.
std::unique_ptr<FileWatch> watch_directory(Loop& loop, const std::string& path, std::function<void()> told);

unsigned usable_cores();                 // of the affinity mask, at least 1
// To the system, of what was freed: reading a large configuration takes many times its size.
void give_back_memory();
void pin_this_thread(unsigned index);    // to the index-th usable core
void name_this_thread(const std::string& name);

}  // namespace suoke::rt
