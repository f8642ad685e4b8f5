// SPDX-License-Identifier: MIT
#pragma once
// One line per finished request. Each worker formats into its own buffer; a single writer thread
// does the writing, so a slow disk or a full pipe never stops a request:
//   AccessLog log({.file = "/var/log/suoke/access.log"}, clock);      // the process has one
//   AccessLogBuffer lines(log);                                       // each worker has one
//   lines.append(facts);                                              // every request
//   lines.flush();                                                    // every 100-200 ms, or idle
// When the writer cannot keep up, lines are dropped and counted, and the log says how many.
//
// JSON, one object a line; a field without a value is left out:
//   timestamp (when the request began), level, logger, message, method, route, path (the template),
//   status_code, grpc_status, reason, response_time_ms, request_size_bytes, response_size_bytes, request_id,
//   user_id, client_ip, user_agent, protocol, service, instance, upstream_ms, attempts.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "gateway/facts.h"

namespace suoke::gateway {

struct AccessLogOptions {
    std::string file;  // empty: `fd`
    int fd = 1;        // standard output; stays open
    LogFormat format = LogFormat::json;
    std::size_t max_queued = 64;  // buffers of 64 KiB that wait for the writer, whole process
    Duration patience = 2s;       // how long closing waits for an output that takes nothing
};

// Finished lines on their way to the writer.
struct AccessLines {
    static constexpr std::size_t kCapacity = 64 * 1024;
    std::size_t size = 0;
    std::uint64_t count = 0;
    std::array<char, kCapacity> bytes;
};

// Shared by the workers, thread-safe; outlives their buffers.
class AccessLog {
 public:
    AccessLog(AccessLogOptions options, const Clock& clock);  // StartupError: cannot open the file
    ~AccessLog();  // writes what was handed over, unless the output takes nothing for `patience`
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    LogFormat format() const { return options_.format; }
    void reopen();  // after logrotate moved the file; lines handed over before go to the old one

    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

    // For AccessLogBuffer. `give` takes full lines and returns empty ones, or returns them
    // untouched when the queue is full; `give_last` always takes them.
    std::unique_ptr<AccessLines> give(std::unique_ptr<AccessLines> lines);
    void give_last(std::unique_ptr<AccessLines> lines);
    void drop(std::uint64_t lines) { dropped_.fetch_add(lines, std::memory_order_relaxed); }

 private:
    void run();
    void write_out(const AccessLines& lines);
    std::size_t write_some(std::string_view bytes);
    bool wait_until_writable();
    void open_again();
    void tell_dropped();
    void say(Level level, std::string_view message, std::string_view key, std::uint64_t value);

    const AccessLogOptions options_;
    const Clock& clock_;
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> written_{0};

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<AccessLines>> queue_;  // null: reopen the file here
    std::vector<std::unique_ptr<AccessLines>> spare_;
    bool closing_ = false;

    // only the writer's
    int fd_;
    bool chunked_ = false;    // a pipe or terminal: write at most PIPE_BUF, after poll()
    Duration patience_;       // what is left of it
    std::uint64_t told_ = 0;  // of dropped_
    std::thread writer_;
};

// One worker's; no allocation per line.
class AccessLogBuffer {
 public:
    explicit AccessLogBuffer(AccessLog& log);
    ~AccessLogBuffer();
    AccessLogBuffer(const AccessLogBuffer&) = delete;
    AccessLogBuffer& operator=(const AccessLogBuffer&) = delete;

    void append(const Facts& facts);
    void flush();

 private:
    void refresh_stamp(std::int64_t second);

    AccessLog& log_;
    std::unique_ptr<AccessLines> lines_;
    std::int64_t second_ = -1;      // the second stamp_ shows
    std::array<char, 19> stamp_{};  // 2025-01-01T00:00:00
    std::string scratch_;           // for the rare value that needs escaping
};

}  // namespace suoke::gateway
