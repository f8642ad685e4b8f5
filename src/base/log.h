// SPDX-License-Identifier: MIT
#pragma once
// The application log: what the gateway has to say, a few lines a second at most. Requests have a
// log of their own (gateway/access_log.h).
//   Log log({.format = LogFormat::text}, clock);
//   log.warning("upstream", "connect failed", {{"endpoint", "10.0.0.7:80"}, {"attempt", 2}});
// JSON:  {"timestamp":"...Z","level":"warning","logger":"upstream","message":"connect failed",...}
// Text:  12:00:01.123 WARN  upstream  connect failed endpoint=10.0.0.7:80 attempt=2
// A Sensitive<T> is no field value, so logging a secret does not compile.

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/time.h"

namespace suoke {

enum class Level : std::uint8_t { debug, info, warning, error, critical, off };
enum class LogFormat : std::uint8_t { json, text };

std::string_view level_name(Level level);  // "warning"

// One key with its value; both are only looked at during the call.
struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
    std::string_view key;
    Value value;

    LogField(std::string_view k, bool v) : key(k), value(v) {}
    LogField(std::string_view k, std::floating_point auto v) : key(k), value(double{v}) {}
    LogField(std::string_view k, std::signed_integral auto v) : key(k), value(std::int64_t{v}) {}
    LogField(std::string_view k,
             std::unsigned_integral auto v) requires(!std::same_as<decltype(v), bool>)
        : key(k), value(std::uint64_t{v}) {}
    LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    LogField(std::string_view k, const std::convertible_to<std::string_view> auto& v)
        : key(k), value(std::string_view(v)) {}
};

struct LogLevels {
    Level level = Level::info;
    std::map<std::string, Level, std::less<>> modules;  // "upstream" also rules "upstream.pool"
};

struct LogOptions {
    enum class To : std::uint8_t { out, err, file };
    To to = To::out;
    std::string file;                            // for To::file
    std::uint64_t max_file_size = 100ull << 20;  // then it is rotated; 0 = never (logrotate does)
    std::uint32_t max_files = 5;                 // old ones kept
    LogFormat format = LogFormat::json;
    LogLevels levels;
    std::function<void(std::string_view line)> listener;  // gets the lines instead, one at a time
};

// Thread-safe. Every thread that logs waits for the write: say little, never once per request.
// The same sentence of the same module is written ten times a second at most (debug is exempt:
// whoever turned it on wants everything); the rest is told as a count when the second is over.
class Log {
 public:
    static constexpr int kSameLinesPerSecond = 10;

    Log(LogOptions options, const Clock& clock);  // StartupError when the file cannot be opened
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    using Fields = std::initializer_list<LogField>;
    bool enabled(Level level, std::string_view module) const;
    void write(Level level, std::string_view module, std::string_view message, Fields fields = {});

    void debug(std::string_view module, std::string_view message, Fields fields = {}) {
        write(Level::debug, module, message, fields);
    }
    void info(std::string_view module, std::string_view message, Fields fields = {}) {
        write(Level::info, module, message, fields);
    }
    void warning(std::string_view module, std::string_view message, Fields fields = {}) {
        write(Level::warning, module, message, fields);
    }
    void error(std::string_view module, std::string_view message, Fields fields = {}) {
        write(Level::error, module, message, fields);
    }
    void critical(std::string_view module, std::string_view message, Fields fields = {}) {
        write(Level::critical, module, message, fields);
    }

    void set_levels(LogLevels levels);  // a reload
    Result<void> reopen();              // after logrotate moved the file; the old one on error
    void tell_suppressed();             // counts that are due; a slow tick calls it
    std::uint64_t written(Level level) const;  // lines so far, for the metrics
    std::uint64_t lost() const;                // lines the sink refused (disk full ...)

 private:
    struct State;
    std::unique_ptr<State> state_;
};

// Appends `s` so that it stays one word of a text line: as it is, or quoted like JSON when it has
// blanks, quotes or control characters. A line break in a value cannot forge a line.
void append_log_word(std::string& out, std::string_view s);

}  // namespace suoke
