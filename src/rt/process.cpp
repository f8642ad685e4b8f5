// SPDX-License-Identifier: MIT
#include "rt/process.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"

namespace suoke::rt {
namespace {

// A descriptor whose events are read and told.
class Descriptor : Watched {
 public:
    Descriptor(Loop& loop, int fd) : loop_(loop), fd_(fd) {
        if (fd_ < 0) throw StartupError("cannot watch for signals or files: out of descriptors or inotify watches");
        loop_.watch(fd_, EPOLLIN, *this);
    }
    virtual ~Descriptor() {
        loop_.unwatch(fd_, *this);
        ::close(fd_);
    }

 protected:
    virtual void readable(int fd) = 0;
    Loop& loop_;
    int fd_;

 private:
    void on_events(std::uint32_t) override { readable(fd_); }
};

sigset_t set_of(const std::vector<int>& signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (int s : signals) ::sigaddset(&set, s);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

class Signals final : public SignalWatch, Descriptor {
 public:
    Signals(Loop& loop, const sigset_t& set, std::function<void(int)> told)
        : Descriptor(loop, ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)), told_(std::move(told)) {}

 private:
    void readable(int fd) override {
        signalfd_siginfo info{};
        while (::read(fd, &info, sizeof info) == sizeof info) told_(static_cast<int>(info.ssi_signo));
    }
    std::function<void(int)> told_;
};

constexpr int kMostLinks = 40;  // as many as the kernel follows

// The directories in which a change may make another file of `path`: its own, and those of the links
// on the way to it.
std::set<std::string> directories_on_the_way(std::filesystem::path path) {
    namespace fs = std::filesystem;
    std::set<std::string> all;
    std::error_code none;
    path = fs::absolute(path, none);
    for (int links = 0; links < kMostLinks; ++links) {
        fs::path so_far, target, rest;
        for (const fs::path& part : path) {
            if (!target.empty()) {
                rest /= part;
                continue;
            }
            so_far /= part;
            if (fs::is_symlink(so_far, none)) target = fs::read_symlink(so_far, none);
        }
        all.insert(so_far.parent_path());
        if (target.empty()) break;
        path = so_far.parent_path() / target / rest;
    }
    return all;
}

class Files final : public FileWatch, Descriptor, Timer {
 public:
    static constexpr std::uint32_t kComing = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB;
    static constexpr std::uint32_t kGoing = IN_DELETE | IN_MOVED_FROM;

    // For a directory `path` is any name in it.
    Files(Loop& loop, std::string path, std::uint32_t changes, std::function<void()> told)
        : Descriptor(loop, ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
          path_(std::move(path)),
          changes_(changes),
          told_(std::move(told)) {
        look_where();
    }

 private:

    void look_where() {
        std::set<int> now;
        for (const std::string& directory : directories_on_the_way(path_))
            now.insert(::inotify_add_watch(fd_, directory.c_str(), changes_));
        for (int old : watches_)
            if (!now.contains(old)) ::inotify_rm_watch(fd_, old);
        watches_ = std::move(now);
    }
    // A moment after the first change, because a file is often written in several steps; but not
    // after the last one, which may never come where other files change all the time.
    void readable(int fd) override {
        alignas(inotify_event) char events[4096];
        bool changed = false;
        for (ssize_t size; (size = ::read(fd, events, sizeof events)) > 0;) {
            for (ssize_t at = 0; at < size;) {
                const auto* event = reinterpret_cast<const inotify_event*>(events + at);
                changed |= (event->mask & (changes_ | IN_Q_OVERFLOW)) != 0;
                at += static_cast<ssize_t>(sizeof *event + event->len);
            }
        }
        if (changed && !armed()) loop_.timers().arm(*this, loop_.now() + std::chrono::milliseconds(100));
    }
    void expired() override {
        look_where();
        told_();
    }
    const std::string path_;
    const std::uint32_t changes_;
    std::set<int> watches_;
    std::function<void()> told_;
};

}  // namespace

std::unique_ptr<SignalWatch> watch_signals(Loop& loop, std::vector<int> signals, std::function<void(int)> told) {
    return std::make_unique<Signals>(loop, set_of(signals), std::move(told));
}

std::unique_ptr<FileWatch> watch_file(Loop& loop, const std::string& path, std::function<void()> told) {
    return std::make_unique<Files>(loop, path, Files::kComing, std::move(told));
}

std::unique_ptr<FileWatch> watch_directory(Loop& loop, const std::string& path, std::function<void()> told) {
    return std::make_unique<Files>(loop, path + "/any", Files::kComing | Files::kGoing, std::move(told));
}

void give_back_memory() { ::malloc_trim(0); }

unsigned usable_cores() {
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

void pin_this_thread(unsigned index) {
    cpu_set_t usable;
    if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return;
    unsigned left = index % static_cast<unsigned>(CPU_COUNT(&usable));
    for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &usable) || left-- > 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        ::pthread_setaffinity_np(::pthread_self(), sizeof one, &one);
        return;
    }
}

void name_this_thread(const std::string& name) { ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str()); }

}  // namespace suoke::rt
