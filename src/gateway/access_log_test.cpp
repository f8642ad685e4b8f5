// SPDX-License-Identifier: MIT
#include "gateway/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "testing/files.h"

namespace suoke::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Pipe {
 public:
    Pipe() { CHECK(::pipe2(ends_, O_CLOEXEC) == 0); }
    ~Pipe() {
        close_reader();
        ::close(ends_[1]);
    }
    int writer() const { return ends_[1]; }
    void close_reader() {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ends_[0] = -1;
    }
    void fill() {
        ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
        const std::string block(4096, '#');
        while (::write(ends_[1], block.data(), block.size()) > 0) filled_ += block.size();
        ::fcntl(ends_[1], F_SETFL, 0);
    }
    // The next `count` lines, waiting as long as they take; what filled the pipe is left out.
    std::vector<std::string> read_lines(std::size_t count) {
        char block[65536];
        while (static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n')) < count) {
            ssize_t n = ::read(ends_[0], block, sizeof block);
            if (n <= 0) break;
            text_.append(block, static_cast<std::size_t>(n));
        }
        std::vector<std::string> lines;
        std::string_view rest = std::string_view(text_).substr(std::min(filled_, text_.size()));
        for (std::string_view line : split_list(rest, '\n')) lines.emplace_back(line);
        return lines;
    }

 private:
    int ends_[2] = {-1, -1};
    std::size_t filled_ = 0;
    std::string text_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::string_view line : split_list(text, '\n')) out.emplace_back(line);
    return out;
}

Facts a_request() {
    return {.started = WallTime(1735689600123ms),
            .duration = 12'345'678ns,
            .method = http::Method::GET,
            .method_name = "GET",
            .protocol = "HTTP/1.1",
            .host = "api.suoke.life",
            .request_id = "3f1c",
            .client_ip = "203.0.113.9",
            .user_agent = "SuokeLife/2.1",
            .request_bytes = 0,
            .response_bytes = 512,
            .route = "users",
            .path = "/users/{id}",
            .status = 200,
            .service = "user-service",
            .endpoint = "10.0.0.7:8080",
            .attempts = 1,
            .upstream_total = 11'200'000ns};
}

Facts a_refusal() {
    return {.started = WallTime(1735689600007ms),
            .duration = 40us,
            .method = http::Method::POST,
            .method_name = "POST",
            .request_id = "9",
            .client_ip = "2001:db8::1",
            .request_bytes = 3,
            .status = 404,
            .error = Code::no_route};
}

// Everything the log wrote for these facts.
std::string written(LogFormat format, const std::vector<Facts>& all) {
    std::string file = scene::own_file("access_log_test.log");
    std::filesystem::remove(file);
    ManualClock clock;
    {
        AccessLog log({.file = file, .format = format}, clock);
        AccessLogBuffer buffer(log);
        for (const Facts& facts : all) buffer.append(facts);
    }
    return scene::read_file(file);
}

TEST(AccessLog, writes_one_json_object_per_request) {
    EXPECT_EQ(written(LogFormat::json, {a_request()}),
              R"({"timestamp":"2025-01-01T00:00:00.123Z","level":"info","logger":"access",)"
              R"("message":"request","method":"GET","route":"users","path":"/users/{id}",)"
              R"("status_code":200,"response_time_ms":12.345,"request_size_bytes":0,)"
              R"("response_size_bytes":512,"request_id":"3f1c","client_ip":"203.0.113.9",)"
              R"("user_agent":"SuokeLife/2.1","protocol":"HTTP/1.1",)"
              R"("service":"user-service","instance":"10.0.0.7:8080","upstream_ms":11.200,)"
              R"("attempts":1})"
              "\n");
}

TEST(AccessLog, leaves_out_what_a_refused_request_does_not_have) {
    EXPECT_EQ(written(LogFormat::json, {a_refusal()}),
              R"({"timestamp":"2025-01-01T00:00:00.007Z","level":"info","logger":"access",)"
              R"("message":"request","method":"POST","status_code":404,"reason":"no_route",)"
              R"("response_time_ms":0.040,"request_size_bytes":3,"response_size_bytes":0,)"
              R"("request_id":"9","client_ip":"2001:db8::1"})"
              "\n");
}

TEST(AccessLog, writes_one_aligned_text_line_per_request) {
    Facts retried = a_request();
    retried.attempts = 2;
    retried.user_id = "u 7";
    EXPECT_THAT(
        lines_of(written(LogFormat::text, {a_request(), a_refusal(), retried})),
        ElementsAre("00:00:00.123 INFO  access    200 GET     12.345ms   /users/{id} 0B/512B "
                    "203.0.113.9 -> user-service 10.0.0.7:8080 11.200ms id=3f1c",
                    "00:00:00.007 INFO  access    404 POST    0.040ms    - 3B/0B 2001:db8::1 "
                    "reason=no_route id=9",
                    "00:00:00.123 INFO  access    200 GET     12.345ms   /users/{id} 0B/512B "
                    "203.0.113.9 -> user-service 10.0.0.7:8080 11.200ms attempts=2 id=3f1c "
                    "user=\"u 7\""));
}

TEST(AccessLog, stays_valid_json_whatever_a_client_sends) {
    for (std::string_view nasty : {"\"", "\\", "a\nb", "\x7F", "\x01", "\xFF\xFE", "12345678\"",
                                   "1234567\x1F", "\xC3\xBC", "\xE7\xB4\xA2\xE5\x85\x8B", "1\t2"}) {
        Facts facts = a_request();
        facts.user_agent = nasty;
        facts.method_name = nasty;
        std::string line = written(LogFormat::json, {facts});
        auto json = nlohmann::json::parse(line, nullptr, false);
        ASSERT_FALSE(json.is_discarded()) << line;
        EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
        if (nasty[0] != '\xFF') {
            EXPECT_EQ(json["user_agent"], nasty);
        }
    }
}

TEST(AccessLog, escapes_every_byte_at_every_place_of_a_word) {
    std::vector<Facts> all;
    std::vector<std::string> texts;
    for (int byte = 0; byte < 128; ++byte)
        for (std::size_t at = 0; at < 9; ++at) {
            texts.emplace_back(9, 'x');
            texts.back()[at] = static_cast<char>(byte);
        }
    for (const std::string& text : texts) {
        all.push_back(a_request());
        all.back().user_agent = text;
    }
    auto lines = lines_of(written(LogFormat::json, all));
    ASSERT_THAT(lines, SizeIs(texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i)
        ASSERT_EQ(nlohmann::json::parse(lines[i])["user_agent"], texts[i]);
}

TEST(AccessLog, cuts_long_texts_between_characters) {
    Facts facts = a_request();
    std::string agent(255, 'a');
    agent += "\xE7\xB4\xA2 and more";
    std::string id(1000, '7');
    facts.user_agent = agent;
    facts.request_id = id;
    auto json = nlohmann::json::parse(written(LogFormat::json, {facts}));
    EXPECT_EQ(json["user_agent"], std::string(255, 'a'));
    EXPECT_EQ(json["request_id"], std::string(128, '7'));
}

TEST(AccessLog, has_room_for_the_longest_line_there_can_be) {
    std::string worst(10'000, '\x01');
    Facts facts = a_request();
    for (auto* text : {&facts.method_name, &facts.protocol, &facts.request_id, &facts.client_ip,
                       &facts.user_agent, &facts.user_id, &facts.route, &facts.path, &facts.service,
                       &facts.endpoint})
        *text = worst;
    facts.error = Code::too_many_query_params;
    facts.request_bytes = facts.response_bytes = ~0ull;
    facts.duration = facts.upstream_total = Duration::max();
    facts.attempts = ~0u;
    for (LogFormat format : {LogFormat::json, LogFormat::text})
        EXPECT_THAT(lines_of(written(format, std::vector(20, facts))), SizeIs(20));
}

TEST(AccessLog, keeps_every_line_in_order_across_full_buffers) {
    std::vector<Facts> all;
    for (int i = 0; i < 3000; ++i) {  // about a megabyte
        all.push_back(a_request());
        all.back().status = i;
    }
    auto lines = lines_of(written(LogFormat::json, all));
    ASSERT_THAT(lines, SizeIs(3000));
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(nlohmann::json::parse(lines[i])["status_code"], i);
}

TEST(AccessLog, never_waits_for_a_reader_and_counts_what_it_drops) {
    constexpr std::uint64_t kLines = 2000;  // more than the writer's one, two queued, one here
    Pipe pipe;
    pipe.fill();
    ManualClock clock;
    AccessLog log({.fd = pipe.writer(), .max_queued = 2}, clock);
    {
        AccessLogBuffer buffer(log);
        for (std::uint64_t i = 0; i < kLines; ++i) buffer.append(a_request());
    }
    const std::uint64_t dropped = log.dropped();
    EXPECT_GT(dropped, 0u);
    EXPECT_EQ(log.written(), 0u);

    // The reader comes back: what was kept arrives, and a line that accounts for all the others.
    std::uint64_t requests = 0, told = 0;
    for (const std::string& line : pipe.read_lines(kLines - dropped + 1)) {
        auto json = nlohmann::json::parse(line);
        requests += json["message"] == "request";
        if (json["message"] != "access lines dropped") continue;
        EXPECT_EQ(json["level"], "warning");
        told += json["dropped"].get<std::uint64_t>();
    }
    EXPECT_EQ(told, dropped);
    EXPECT_EQ(requests + dropped, kLines);
}

TEST(AccessLog, keeps_lines_in_the_workers_buffer_while_the_queue_is_full) {
    Pipe pipe;
    pipe.fill();
    ManualClock clock;
    AccessLog log({.fd = pipe.writer(), .max_queued = 1}, clock);
    AccessLogBuffer buffer(log);
    for (int i = 0; i < 50; ++i) {  // far less than a buffer, however often it is flushed
        buffer.append(a_request());
        buffer.flush();
    }
    EXPECT_EQ(log.dropped(), 0u);
    pipe.close_reader();  // nobody will read: closing must not wait
}

TEST(AccessLog, closes_in_time_when_the_output_takes_nothing) {
    Pipe pipe;
    pipe.fill();
    ManualClock clock;
    std::uint64_t lost = 0;
    {
        AccessLog log({.fd = pipe.writer(), .max_queued = 4, .patience = 0s}, clock);
        {
            AccessLogBuffer buffer(log);
            for (int i = 0; i < 400; ++i) buffer.append(a_request());
        }
        lost = log.dropped();
        EXPECT_EQ(log.written(), 0u);
    }
    EXPECT_EQ(lost, 0u) << "until it closed there was room for them";
}

TEST(AccessLog, goes_on_when_its_reader_has_gone) {
    Pipe pipe;
    pipe.close_reader();
    ManualClock clock;
    AccessLog log({.fd = pipe.writer()}, clock);
    {
        AccessLogBuffer buffer(log);
        for (int i = 0; i < 10; ++i) buffer.append(a_request());
    }
    while (log.dropped() < 10) std::this_thread::yield();  // SIGPIPE would have ended the program
    EXPECT_EQ(log.written(), 0u);
}

TEST(AccessLog, writes_whole_lines_to_a_pipe_that_others_use_too) {
    Pipe pipe;
    ManualClock clock;
    AccessLog log({.fd = pipe.writer()}, clock);
    std::vector<std::thread> workers;
    for (int w = 0; w < 3; ++w)
        workers.emplace_back([&log] {
            AccessLogBuffer buffer(log);
            for (int i = 0; i < 500; ++i) {
                buffer.append(a_request());
                if (i % 100 == 0) buffer.flush();
            }
        });
    std::thread application([&pipe] {
        const std::string line = "{\"message\":\"application\"}\n";
        for (int i = 0; i < 100; ++i)
            ASSERT_EQ(::write(pipe.writer(), line.data(), line.size()), ssize_t(line.size()));
    });
    std::map<std::string, int> seen;
    for (const std::string& line : pipe.read_lines(1600))
        ++seen[nlohmann::json::parse(line)["message"]];
    for (std::thread& w : workers) w.join();
    application.join();
    EXPECT_EQ(seen["application"], 100);
    EXPECT_EQ(seen["request"], 1500);
    EXPECT_EQ(log.dropped(), 0u);
}

TEST(AccessLog, follows_a_file_that_logrotate_moved) {
    std::string file = scene::own_file("access_log_rotated.log");
    ManualClock clock;
    {
        AccessLog log({.file = file}, clock);
        AccessLogBuffer buffer(log);
        Facts facts = a_request();
        facts.request_id = "before";
        buffer.append(facts);
        buffer.flush();
        std::filesystem::rename(file, file + ".1");
        log.reopen();
        log.reopen();
        facts.request_id = "after";
        buffer.append(facts);
    }
    EXPECT_THAT(scene::read_file(file + ".1"), HasSubstr("before"));
    EXPECT_THAT(scene::read_file(file + ".1"), Not(HasSubstr("after")));
    EXPECT_THAT(scene::read_file(file), HasSubstr("after"));
}

TEST(AccessLog, stays_with_the_old_file_when_it_cannot_reopen) {
    std::string directory = scene::own_file("access_log_directory");
    std::filesystem::create_directory(directory);
    ManualClock clock;
    {
        AccessLog log({.file = directory + "/a.log", .format = LogFormat::text}, clock);
        AccessLogBuffer buffer(log);
        std::filesystem::rename(directory, directory + ".gone");
        log.reopen();
        buffer.append(a_request());
    }
    EXPECT_THAT(lines_of(scene::read_file(directory + ".gone/a.log")),
                ElementsAre("00:16:40.000 ERROR access    cannot reopen the access log errno=2",
                            HasSubstr("/users/{id}")));
}

TEST(AccessLog, refuses_to_start_with_a_file_it_cannot_open) {
    ManualClock clock;
    try {
        AccessLog log({.file = "/proc/no/such/place.log"}, clock);
        FAIL() << "it opened";
    } catch (const StartupError& e) {
        EXPECT_THAT(e.what(), StartsWith("Cannot open the access log /proc/no/such/place.log: "));
    }
}

TEST(AccessLog, counts_lines_the_disk_did_not_take) {
    ManualClock clock;
    AccessLog log({.file = "/dev/full"}, clock);
    { AccessLogBuffer(log).append(a_request()); }
    while (log.dropped() == 0) std::this_thread::yield();
    EXPECT_EQ(log.dropped(), 1u);
    EXPECT_EQ(log.written(), 0u);
}

TEST(Facts, go_into_the_cells_of_their_route) {
    RouteCells cells;
    record(a_request(), cells);
    record(a_refusal(), cells);
    EXPECT_EQ(cells.duration.sum(), 12'345'678u + 40'000u);
    EXPECT_EQ(cells.upstream.sum(), 11'200'000u);
    EXPECT_EQ(cells.errors.count(Code::no_route), 1u);
    auto statuses = cells.statuses.read();
    ASSERT_THAT(statuses, SizeIs(2));
    EXPECT_NE(statuses[0].method, statuses[1].method);
}

}  // namespace
}  // namespace suoke::gateway
