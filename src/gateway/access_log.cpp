// SPDX-License-Identifier: MIT
#include "gateway/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace suoke::gateway {
namespace {

// How much of each text is kept. What a client sends is cut here; the rest is ours or checked
// before, and has a limit so that a line has one.
constexpr std::size_t kMethod = 32, kName = 256, kRequestId = 128, kUserId = 128, kAddress = 64,
                      kUserAgent = 256, kService = 128, kProtocol = 16, kReason = 64;
constexpr std::size_t kTexts = kMethod + 2 * kName + kRequestId + kUserId + kAddress + kUserAgent +
                               2 * kService + kProtocol + kReason;
// One byte becomes six at worst (\u0007); names, numbers and brackets take less than 700.
constexpr std::size_t kMaxLine = 6 * kTexts + 700;
static_assert(4 * kMaxLine < AccessLines::kCapacity);

constexpr std::size_t kMaxSpare = 8;  // empty buffers kept for the next burst
constexpr auto kTick = 50ms;          // how often a blocked writer looks whether it should close

// Does one of eight bytes need an escape in JSON: control, quote, backslash, DEL, not ASCII? Each
// term sets a byte's high bit for such a byte; borrows and carries start only where one is.
constexpr std::uint64_t each(unsigned char c) {
    return 0x0101010101010101ull * c;
}
constexpr std::uint64_t to_escape(std::uint64_t x) {
    std::uint64_t quote = (x ^ each('"')) - each(1);
    std::uint64_t backslash = (x ^ each('\\')) - each(1);
    return ((x - each(0x20)) | quote | backslash | (x + each(1)) | x) & each(0x80);
}

std::uint64_t load(const char* eight) {
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    return word;
}

// Nearly never true, so it looks at everything before it branches (a line: 390 ns -> 310).
bool needs_escape(std::string_view s) {
    std::uint64_t found = 0;
    if (s.size() < sizeof found) {
        for (char c : s) found |= to_escape(each(static_cast<unsigned char>(c)));
        return found != 0;
    }
    const char* last = s.data() + s.size() - sizeof found;  // may overlap the word before
    for (const char* at = s.data(); at < last; at += sizeof found) found |= to_escape(load(at));
    return (found | to_escape(load(last))) != 0;
}

// The first `limit` bytes, or a few less so that no UTF-8 sequence is cut in two.
std::string_view cut(std::string_view s, std::size_t limit) {
    if (s.size() <= limit) return s;
    std::size_t end = limit;
    while (end > limit - 3 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) --end;
    return s.substr(0, end);
}

// A cursor that writes one line; whoever makes it has kMaxLine bytes free there.
class Line {
 public:
    Line(char* begin, std::string& scratch) : begin_(begin), at_(begin), scratch_(scratch) {}
    std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

    template <std::size_t N>
    Line& text(const char (&literal)[N]) {
        std::memcpy(at_, literal, N - 1);
        at_ += N - 1;
        return *this;
    }
    Line& raw(std::string_view s) {
        std::memcpy(at_, s.data(), s.size());
        at_ += s.size();
        return *this;
    }
    Line& number(std::uint64_t n) {
        at_ = std::to_chars(at_, at_ + 20, n).ptr;
        return *this;
    }
    Line& three_digits(std::uint64_t n) {
        *at_++ = static_cast<char>('0' + n / 100 % 10);
        *at_++ = static_cast<char>('0' + n / 10 % 10);
        *at_++ = static_cast<char>('0' + n % 10);
        return *this;
    }
    Line& millis(Duration d) {  // 12.345
        auto micros = static_cast<std::uint64_t>(std::max(d, Duration::zero()).count() / 1000);
        number(micros / 1000).text(".");
        return three_digits(micros % 1000);
    }
    Line& quoted(std::string_view s, std::size_t limit) {
        s = cut(s, limit);
        if (!needs_escape(s)) return text("\"").raw(s).text("\"");
        scratch_.clear();
        append_json_string(scratch_, s);
        return raw(scratch_);
    }
    Line& word(std::string_view s, std::size_t limit) {
        scratch_.clear();
        append_log_word(scratch_, cut(s, limit));
        return raw(scratch_);
    }
    Line& pad(std::size_t from, std::size_t width) {  // blanks until `width` after `from`
        while (size() < from + width) *at_++ = ' ';
        return *this;
    }

 private:
    char* const begin_;
    char* at_;
    std::string& scratch_;
};

struct Moment {
    std::string_view second;  // 2025-01-01T00:00:00
    std::uint64_t millis;
};

template <std::size_t N>
void optional_text(Line& line, const char (&key)[N], std::string_view s, std::size_t limit) {
    if (!s.empty()) line.text(key).quoted(s, limit);
}

void json_line(Line& line, const Moment& when, const Facts& f) {
    line.text(R"({"timestamp":")").raw(when.second).text(".").three_digits(when.millis);
    line.text(R"(Z","level":"info","logger":"access","message":"request","method":)");
    line.quoted(f.method_name, kMethod);
    optional_text(line, R"(,"route":)", f.route, kName);
    optional_text(line, R"(,"path":)", f.path, kName);
    line.text(R"(,"status_code":)").number(static_cast<std::uint64_t>(std::max(f.status, 0)));
    if (f.grpc_status) line.text(R"(,"grpc_status":)").number(static_cast<std::uint64_t>(*f.grpc_status));
    optional_text(line, R"(,"reason":)", f.reason(), kReason);
    line.text(R"(,"response_time_ms":)").millis(f.duration);
    line.text(R"(,"request_size_bytes":)").number(f.request_bytes);
    line.text(R"(,"response_size_bytes":)").number(f.response_bytes);
    optional_text(line, R"(,"request_id":)", f.request_id, kRequestId);
    optional_text(line, R"(,"user_id":)", f.user_id, kUserId);
    optional_text(line, R"(,"client_ip":)", f.client_ip, kAddress);
    optional_text(line, R"(,"user_agent":)", f.user_agent, kUserAgent);
    optional_text(line, R"(,"protocol":)", f.protocol, kProtocol);
    optional_text(line, R"(,"service":)", f.service, kService);
    optional_text(line, R"(,"instance":)", f.endpoint, kService);
    if (f.attempts > 0) {
        line.text(R"(,"upstream_ms":)").millis(f.upstream_total);
        line.text(R"(,"attempts":)").number(f.attempts);
    }
    line.text("}\n");
}

// 12:00:01.123 INFO  access    200 GET     12.345ms /users/{id} 0B/512B 1.2.3.4 -> users ...
void text_line(Line& line, const Moment& when, const Facts& f) {
    line.raw(when.second.substr(11)).text(".").three_digits(when.millis).text(" INFO  access    ");
    line.number(static_cast<std::uint64_t>(std::max(f.status, 0))).text(" ");
    std::size_t column = line.size();
    line.word(f.method_name, kMethod).pad(column, 7).text(" ");
    column = line.size();
    line.millis(f.duration).text("ms ").pad(column, 11);
    line.word(f.path.empty() ? std::string_view("-") : f.path, kName);
    line.text(" ").number(f.request_bytes).text("B/").number(f.response_bytes).text("B");
    if (!f.client_ip.empty()) line.text(" ").word(f.client_ip, kAddress);
    if (f.attempts > 0) {
        line.text(" -> ").word(f.service, kService).text(" ").word(f.endpoint, kService);
        line.text(" ").millis(f.upstream_total).text("ms");
    }
    if (f.attempts > 1) line.text(" attempts=").number(f.attempts);
    if (f.grpc_status) line.text(" grpc=").number(static_cast<std::uint64_t>(*f.grpc_status));
    if (f.error) line.text(" reason=").word(f.reason(), kReason);
    if (!f.request_id.empty()) line.text(" id=").word(f.request_id, kRequestId);
    if (!f.user_id.empty()) line.text(" user=").word(f.user_id, kUserId);
    line.text("\n");
}

int open_file(const std::string& file) {
    return ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int open_output(const AccessLogOptions& options) {
    if (options.file.empty()) return options.fd;
    int fd = open_file(options.file);
    if (fd < 0)
        throw StartupError(
            fmt::format("Cannot open the access log {}: {}", options.file, std::strerror(errno)));
    return fd;
}

// Writing to a regular file waits for no reader; to anything else it may.
bool may_block(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode);
}

// At most `limit` bytes, ending with a line when there is one: a write of up to PIPE_BUF is atomic,
// so lines of the application log on the same pipe come between ours and not into them.
std::string_view whole_lines(std::string_view bytes, std::size_t limit) {
    if (bytes.size() <= limit) return bytes;
    std::size_t end = bytes.rfind('\n', limit - 1);
    return bytes.substr(0, end == bytes.npos ? limit : end + 1);
}

// The writer takes no signals: they are for the thread that waits for them, and SIGPIPE becomes an
// error of write().
std::thread start_without_signals(auto&& body) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::forward<decltype(body)>(body));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

std::unique_ptr<AccessLines> empty_lines() {
    return std::make_unique_for_overwrite<AccessLines>();  // 64 KiB that nobody needs zeroed
}

}  // namespace

AccessLog::AccessLog(AccessLogOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      fd_(open_output(options_)),
      chunked_(may_block(fd_)),
      patience_(options_.patience),
      writer_(start_without_signals([this] { run(); })) {}

AccessLog::~AccessLog() {
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    writer_.join();
    if (!options_.file.empty()) ::close(fd_);
}

void AccessLog::reopen() {
    {
        std::lock_guard lock(mutex_);
        if (queue_.empty() || queue_.back()) queue_.push_back(nullptr);
    }
    wake_.notify_one();
}

std::unique_ptr<AccessLines> AccessLog::give(std::unique_ptr<AccessLines> lines) {
    std::unique_ptr<AccessLines> empty;
    {
        std::lock_guard lock(mutex_);
        if (queue_.size() >= options_.max_queued) return lines;
        queue_.push_back(std::move(lines));
        if (!spare_.empty()) {
            empty = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    wake_.notify_one();
    return empty ? std::move(empty) : empty_lines();
}

void AccessLog::give_last(std::unique_ptr<AccessLines> lines) {
    {
        std::lock_guard lock(mutex_);
        queue_.push_back(std::move(lines));
    }
    wake_.notify_one();
}

void AccessLog::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return closing_ || !queue_.empty(); });
        if (queue_.empty()) break;
        auto lines = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        if (lines) {
            write_out(*lines);
            tell_dropped();
            lines->size = lines->count = 0;
        } else {
            open_again();
        }
        lock.lock();
        if (lines && spare_.size() < kMaxSpare) spare_.push_back(std::move(lines));
    }
    lock.unlock();
    tell_dropped();
}

void AccessLog::write_out(const AccessLines& lines) {
    std::string_view rest(lines.bytes.data(), lines.size);
    while (std::size_t n = write_some(rest)) rest.remove_prefix(n);
    auto left = static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
    written_.fetch_add(lines.count - left, std::memory_order_relaxed);
    if (left > 0) drop(left);
}

// 0: nothing left to write, or it cannot be written (disk full, reader gone, no patience left).
std::size_t AccessLog::write_some(std::string_view bytes) {
    while (!bytes.empty()) {
        if (chunked_) {
            if (!wait_until_writable()) return 0;
            bytes = whole_lines(bytes, PIPE_BUF);
        }
        ssize_t n = ::write(fd_, bytes.data(), bytes.size());
        if (n > 0) return static_cast<std::size_t>(n);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return 0;
    }
    return 0;
}

bool AccessLog::wait_until_writable() {
    pollfd output{.fd = fd_, .events = POLLOUT, .revents = 0};
    for (;;) {
        int wait = patience_ > Duration::zero() ? static_cast<int>(kTick / 1ms) : 0;
        if (::poll(&output, 1, wait) != 0) return true;  // writable, or write() will say what is up
        std::lock_guard lock(mutex_);
        if (!closing_) continue;
        if (patience_ <= Duration::zero()) return false;
        patience_ -= kTick;
    }
}

void AccessLog::open_again() {
    if (options_.file.empty()) return;
    int fd = open_file(options_.file);
    if (fd < 0)
        return say(Level::error, "cannot reopen the access log", "errno",
                   static_cast<std::uint64_t>(errno));
    ::close(std::exchange(fd_, fd));
    chunked_ = may_block(fd_);
}

void AccessLog::tell_dropped() {
    std::uint64_t lost = dropped() - told_;
    if (lost == 0) return;
    told_ += lost;
    say(Level::warning, "access lines dropped", "dropped", lost);
}

// A line of the log about itself; lost like any other when the output does not take it.
void AccessLog::say(Level level, std::string_view message, std::string_view key,
                    std::uint64_t value) {
    std::string line;
    std::string now = iso8601(clock_.wall());
    if (options_.format == LogFormat::json) {
        JsonWriter(line)
            .open('{')
            .field("timestamp", now)
            .field("level", level_name(level))
            .field("logger", "access")
            .field("message", message)
            .field(key, value)
            .close('}');
    } else {
        line = fmt::format("{} {:<5} access    {} {}={}", now.substr(11, 12),
                           level == Level::error ? "ERROR" : "WARN", message, key, value);
    }
    line += '\n';
    std::string_view rest = line;
    while (std::size_t n = write_some(rest)) rest.remove_prefix(n);
}

AccessLogBuffer::AccessLogBuffer(AccessLog& log) : log_(log), lines_(empty_lines()) {
    scratch_.reserve(6 * kName + 2);
}

AccessLogBuffer::~AccessLogBuffer() {
    if (lines_->size > 0) log_.give_last(std::move(lines_));
}

// A full queue leaves the lines here: they go with the next flush, and only what finds no room in
// the worker's own buffer is dropped.
void AccessLogBuffer::flush() {
    if (lines_->size > 0) lines_ = log_.give(std::move(lines_));
}

void AccessLogBuffer::append(const Facts& facts) {
    if (AccessLines::kCapacity - lines_->size < kMaxLine) flush();
    if (AccessLines::kCapacity - lines_->size < kMaxLine) return log_.drop(1);

    std::int64_t millis = facts.started.time_since_epoch() / 1ms;
    refresh_stamp(millis / 1000);
    const Moment when{{stamp_.data(), stamp_.size()}, static_cast<std::uint64_t>(millis % 1000)};
    Line line(lines_->bytes.data() + lines_->size, scratch_);
    if (log_.format() == LogFormat::json) {
        json_line(line, when, facts);
    } else {
        text_line(line, when, facts);
    }
    lines_->size += line.size();
    ++lines_->count;
}

// Once a second and worker instead of once a line.
void AccessLogBuffer::refresh_stamp(std::int64_t second) {
    if (second == second_) return;
    second_ = second;
    std::string text = iso8601(WallTime(std::chrono::seconds(second)));
    std::memcpy(stamp_.data(), text.data(), std::min(stamp_.size(), text.size()));
}

}  // namespace suoke::gateway
