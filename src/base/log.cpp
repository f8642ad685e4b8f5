// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "base/json.h"
#include "base/text.h"

namespace suoke {
namespace {

constexpr auto kWindow = 1s;
constexpr std::size_t kMaxSentences = 512;  // distinct (module, message) pairs watched at a time

struct LevelRow {
    std::string_view name;
    std::string_view shown;   // in text lines, padded
    std::string_view colour;  // ANSI, only on a terminal
    spdlog::level::level_enum spdlog;
};

constexpr std::array<LevelRow, 6> kLevels{{
    {"debug", "DEBUG", "\033[2m", spdlog::level::debug},
    {"info", "INFO ", "\033[32m", spdlog::level::info},
    {"warning", "WARN ", "\033[33m", spdlog::level::warn},
    {"error", "ERROR", "\033[31m", spdlog::level::err},
    {"critical", "CRIT ", "\033[1;31m", spdlog::level::critical},
    {"off", "OFF  ", "", spdlog::level::off},
}};

const LevelRow& row_of(Level level) {
    return kLevels[static_cast<std::size_t>(level)];
}

// Hands each finished line to a function: tests, and whoever ships lines elsewhere.
class ListenerSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
    explicit ListenerSink(std::function<void(std::string_view)> listener)
        : listener_(std::move(listener)) {}

 private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        listener_({message.payload.data(), message.payload.size()});
    }
    void flush_() override {}
    std::function<void(std::string_view)> listener_;
};

// The sinks are the unlocked kind: Log's own mutex is held around every use.
std::unique_ptr<spdlog::sinks::sink> open_sink(const LogOptions& options) {
    using namespace spdlog::sinks;
    if (options.listener) return std::make_unique<ListenerSink>(options.listener);
    if (options.to == LogOptions::To::out) return std::make_unique<stdout_sink_st>();
    if (options.to == LogOptions::To::err) return std::make_unique<stderr_sink_st>();
    if (options.max_file_size == 0) return std::make_unique<basic_file_sink_st>(options.file);
    return std::make_unique<rotating_file_sink_st>(options.file, options.max_file_size,
                                                   options.max_files);
}

std::unique_ptr<spdlog::sinks::sink> open_plain_sink(const LogOptions& options) {
    auto sink = open_sink(options);
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));  // lines come ready
    return sink;
}

bool is_terminal(const LogOptions& options) {
    if (options.listener || options.to == LogOptions::To::file) return false;
    return ::isatty(options.to == LogOptions::To::out ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

// The level that rules a module: its own, else that of the nearest parent ("a.b" -> "a").
Level level_for(const LogLevels& levels, std::string_view module) {
    while (!module.empty()) {
        if (auto it = levels.modules.find(module); it != levels.modules.end()) return it->second;
        module = module.substr(0, module.rfind('.') == module.npos ? 0 : module.rfind('.'));
    }
    return levels.level;
}

// Nothing below this is written anywhere, so most debug calls end at one atomic read.
Level lowest(const LogLevels& levels) {
    Level floor = levels.level;
    for (const auto& [module, level] : levels.modules) floor = std::min(floor, level);
    return floor;
}

// What a line says, before it has a shape.
struct Record {
    WallTime time;
    Level level;
    std::string_view module;
    std::string_view message;
    Log::Fields fields;
};

std::string json_line(const Record& r) {
    std::string line;
    JsonWriter json(line);
    json.open('{')
        .field("timestamp", iso8601(r.time))
        .field("level", level_name(r.level))
        .field("logger", r.module)
        .field("message", r.message);
    for (const LogField& f : r.fields)
        std::visit([&](const auto& value) { json.field(f.key, value); }, f.value);
    json.close('}');
    return line;
}

void append_value(std::string& line, const LogField::Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value))
        return append_log_word(line, *text);
    JsonWriter json(line);
    std::visit([&](const auto& v) { json.value(v); }, value);
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

void append_sentence(std::string& line, std::string_view s) {
    if (std::none_of(s.begin(), s.end(), is_control)) {
        line += s;
    } else {
        append_json_string(line, s);
    }
}

std::string text_line(const Record& r, bool colour) {
    const LevelRow& level = row_of(r.level);
    std::string line = iso8601(r.time).substr(11, 12);  // 12:00:01.123
    line += ' ';
    if (colour) line += level.colour;
    line += level.shown;
    if (colour) line += "\033[0m";
    fmt::format_to(std::back_inserter(line), " {:<8}  ", r.module);
    append_sentence(line, r.message);
    for (const LogField& f : r.fields) {
        line += ' ';
        line += f.key;
        line += '=';
        append_value(line, f.value);
    }
    return line;
}

}  // namespace

std::string_view level_name(Level level) {
    return row_of(level).name;
}

void append_log_word(std::string& out, std::string_view s) {
    auto plain = [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '='; };
    if (!s.empty() && std::all_of(s.begin(), s.end(), plain)) {
        out += s;
    } else {
        append_json_string(out, s);
    }
}

struct Log::State {
    // How often one sentence was said in the window that began at `since`.
    struct Sentence {
        std::string module;
        std::string message;
        Level level = Level::info;
        TimePoint since{};
        int said = 0;
        std::uint64_t suppressed = 0;
    };

    LogOptions options;
    const Clock& clock;
    const bool colour;
    std::atomic<Level> floor;
    std::array<std::atomic<std::uint64_t>, kLevels.size()> written{};
    std::atomic<std::uint64_t> lost{0};

    mutable std::mutex mutex;  // for everything below
    LogLevels levels;
    std::unique_ptr<spdlog::sinks::sink> sink;
    std::unordered_map<std::string, Sentence> sentences;
    TimePoint next_sweep{};

    State(LogOptions o, const Clock& c)
        : options(std::move(o)),
          clock(c),
          colour(is_terminal(options)),
          floor(lowest(options.levels)),
          levels(options.levels),
          sink(open_plain_sink(options)) {}

    void emit(const Record& record) {
        std::string line =
            options.format == LogFormat::json ? json_line(record) : text_line(record, colour);
        try {
            sink->log(spdlog::details::log_msg({}, {}, row_of(record.level).spdlog, line));
            sink->flush();
            written[static_cast<std::size_t>(record.level)].fetch_add(1, std::memory_order_relaxed);
        } catch (const std::exception&) {  // disk full: the gateway goes on, the count tells
            lost.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void tell(const Sentence& s) {
        if (s.suppressed == 0) return;
        emit({clock.wall(), s.level, s.module, s.message, {{"suppressed", s.suppressed}}});
    }

    void tell_all_before(TimePoint now) {
        if (now < next_sweep) return;
        next_sweep = now + kWindow;
        std::erase_if(sentences, [&](const auto& entry) {
            if (now - entry.second.since < kWindow) return false;
            tell(entry.second);
            return true;
        });
    }

    Sentence& sentence(std::string_view module, std::string_view message) {
        std::string key = fmt::format("{}\n{}", module, message);
        auto it = sentences.find(key);
        if (it != sentences.end()) return it->second;
        if (sentences.size() >= kMaxSentences) {  // too many different ones share one allowance
            module = "log";
            message = "too many different messages";
            key.clear();
        }
        return sentences.try_emplace(key, Sentence{std::string(module), std::string(message)})
            .first->second;
    }

    bool admit(Level level, std::string_view module, std::string_view message, TimePoint now) {
        Sentence& s = sentence(module, message);
        if (s.said == 0 || now - s.since >= kWindow) {
            tell(s);
            s.since = now;
            s.said = 0;
            s.suppressed = 0;
        }
        s.level = level;
        bool allowed = s.said < kSameLinesPerSecond;
        allowed ? void(++s.said) : void(++s.suppressed);
        return allowed;
    }
};

Log::Log(LogOptions options, const Clock& clock) try
    : state_(std::make_unique<State>(std::move(options), clock)) {
} catch (const spdlog::spdlog_ex& e) {
    throw StartupError(fmt::format("Cannot open the log: {}", e.what()));
}

Log::~Log() {
    for (auto& [key, sentence] : state_->sentences) state_->tell(sentence);
}

bool Log::enabled(Level level, std::string_view module) const {
    if (level >= Level::off || level < state_->floor.load(std::memory_order_relaxed)) return false;
    std::lock_guard lock(state_->mutex);
    return level >= level_for(state_->levels, module);
}

void Log::write(Level level, std::string_view module, std::string_view message, Fields fields) {
    if (!enabled(level, module)) return;
    std::lock_guard lock(state_->mutex);
    TimePoint now = state_->clock.now();
    state_->tell_all_before(now);
    if (level > Level::debug && !state_->admit(level, module, message, now)) return;
    state_->emit({state_->clock.wall(), level, module, message, fields});
}

void Log::set_levels(LogLevels levels) {
    std::lock_guard lock(state_->mutex);
    state_->floor.store(lowest(levels), std::memory_order_relaxed);
    state_->levels = std::move(levels);
}

Result<void> Log::reopen() {
    std::lock_guard lock(state_->mutex);
    try {
        state_->sink = open_plain_sink(state_->options);
        return {};
    } catch (const spdlog::spdlog_ex& e) {
        return Error(Code::internal, fmt::format("Cannot reopen the log: {}", e.what()));
    }
}

void Log::tell_suppressed() {
    std::lock_guard lock(state_->mutex);
    state_->tell_all_before(state_->clock.now());
}

std::uint64_t Log::written(Level level) const {
    return state_->written[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
}

std::uint64_t Log::lost() const {
    return state_->lost.load(std::memory_order_relaxed);
}

}  // namespace suoke
