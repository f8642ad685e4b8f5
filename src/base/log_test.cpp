// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/sensitive.h"
#include "testing/files.h"

namespace suoke {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Lines {
 public:
    LogOptions options(LogFormat format = LogFormat::json) {
        return {.format = format,
                .listener = [this](std::string_view line) { lines.emplace_back(line); }};
    }
    std::vector<std::string> lines;
};

static_assert(!std::constructible_from<LogField, std::string_view, Secret>, "secrets stay secret");

TEST(Log, writes_one_json_object_with_every_kind_of_value) {
    Lines out;
    ManualClock clock;
    Log log(out.options(), clock);
    log.warning("upstream", "connect failed",
                {{"endpoint", "10.0.0.7:80"},
                 {"attempt", 2},
                 {"bytes", std::size_t{18446744073709551615u}},
                 {"port", std::uint16_t{80}},
                 {"share", 0.5},
                 {"reused", false},
                 {"name", std::string("users")}});
    EXPECT_THAT(
        out.lines,
        ElementsAre(R"({"timestamp":"2025-01-01T00:16:40.000Z","level":"warning",)"
                    R"("logger":"upstream","message":"connect failed","endpoint":"10.0.0.7:80",)"
                    R"("attempt":2,"bytes":18446744073709551615,"port":80,"share":0.5,)"
                    R"("reused":false,"name":"users"})"));
}

TEST(Log, writes_aligned_text_and_quotes_only_what_needs_it) {
    Lines out;
    ManualClock clock;
    clock.advance(123ms);
    Log log(out.options(LogFormat::text), clock);
    log.info("upstream", "connected", {{"endpoint", "10.0.0.7:80"}, {"attempt", -2}});
    log.error("tls", "no certificate", {{"file", "/etc/my certs/a.pem"}, {"empty", ""}});
    log.critical("configuration", "gone");
    EXPECT_THAT(
        out.lines,
        ElementsAre(
            "00:16:40.123 INFO  upstream  connected endpoint=10.0.0.7:80 attempt=-2",
            R"(00:16:40.123 ERROR tls       no certificate file="/etc/my certs/a.pem" empty="")",
            "00:16:40.123 CRIT  configuration  gone"));
}

TEST(Log, cannot_be_made_to_forge_a_line) {
    Lines out;
    ManualClock clock;
    Log text(out.options(LogFormat::text), clock);
    text.info("http", "bad\nrequest", {{"value", "a\r\n12:00:00.000 ERROR forged"}, {"v", "a=b"}});
    Log json(out.options(), clock);
    json.info("http", "x", {{"value", "a\"}\n{\xFF"}});
    ASSERT_THAT(out.lines, SizeIs(2));
    EXPECT_THAT(out.lines[0], HasSubstr(R"("bad\nrequest" value="a\r\n12:00)"));
    EXPECT_THAT(out.lines[0], HasSubstr(R"(v="a=b")"));
    EXPECT_EQ(nlohmann::json::parse(out.lines[1])["value"], "a\"}\n{\xEF\xBF\xBD");
    for (const std::string& line : out.lines) EXPECT_EQ(line.find('\n'), line.npos);
}

TEST(Log, has_a_level_for_each_module_that_a_reload_changes) {
    Lines out;
    ManualClock clock;
    LogOptions options = out.options();
    options.levels = {.level = Level::warning, .modules = {{"upstream", Level::debug}}};
    Log log(options, clock);
    EXPECT_FALSE(log.enabled(Level::info, "http"));
    EXPECT_TRUE(log.enabled(Level::warning, "http"));
    EXPECT_TRUE(log.enabled(Level::debug, "upstream"));
    EXPECT_TRUE(log.enabled(Level::debug, "upstream.pool.idle"));
    EXPECT_FALSE(log.enabled(Level::debug, "upstreams"));

    log.set_levels({.level = Level::off, .modules = {{"upstream.pool", Level::error}}});
    EXPECT_FALSE(log.enabled(Level::critical, "upstream"));
    EXPECT_TRUE(log.enabled(Level::error, "upstream.pool"));
    EXPECT_FALSE(log.enabled(Level::off, "upstream.pool"));
    log.critical("upstream", "nobody hears this");
    EXPECT_THAT(out.lines, SizeIs(0));
    EXPECT_EQ(log.written(Level::critical), 0u);
}

TEST(Log, says_the_same_sentence_ten_times_a_second_and_then_how_often) {
    Lines out;
    ManualClock clock;
    Log log(out.options(), clock);
    for (int i = 0; i < 25; ++i) log.warning("upstream", "connect failed", {{"attempt", i}});
    log.warning("upstream", "another sentence");
    log.warning("dns", "connect failed");
    EXPECT_THAT(out.lines, SizeIs(12));

    clock.advance(999ms);
    log.tell_suppressed();
    EXPECT_THAT(out.lines, SizeIs(12));
    clock.advance(1ms);
    log.tell_suppressed();
    ASSERT_THAT(out.lines, SizeIs(13));
    auto told = nlohmann::json::parse(out.lines.back());
    EXPECT_EQ(told["message"], "connect failed");
    EXPECT_EQ(told["level"], "warning");
    EXPECT_EQ(told["suppressed"], 15);

    clock.advance(1s);
    log.tell_suppressed();
    EXPECT_THAT(out.lines, SizeIs(13)) << "told once";
    log.warning("upstream", "connect failed");
    EXPECT_THAT(out.lines, SizeIs(14)) << "a new second, a new allowance";
}

TEST(Log, tells_a_count_before_the_sentence_that_ends_its_silence) {
    Lines out;
    ManualClock clock;
    Log log(out.options(), clock);
    for (int i = 0; i < 11; ++i) log.error("a", "b");
    clock.advance(2s);
    log.error("a", "b");
    ASSERT_THAT(out.lines, SizeIs(12));
    EXPECT_THAT(out.lines[10], HasSubstr("\"suppressed\":1}"));
    EXPECT_THAT(out.lines[11], HasSubstr("\"message\":\"b\"}"));
}

TEST(Log, tells_what_it_kept_back_when_it_ends) {
    Lines out;
    ManualClock clock;
    {
        Log log(out.options(), clock);
        for (int i = 0; i < 12; ++i) log.info("a", "b");
    }
    EXPECT_THAT(out.lines.back(), HasSubstr("\"suppressed\":2"));
}

TEST(Log, bounds_the_number_of_different_sentences_it_watches) {
    Lines out;
    ManualClock clock;
    Log log(out.options(), clock);
    for (int i = 0; i < 2000; ++i) log.info("a", "sentence " + std::to_string(i));
    EXPECT_THAT(out.lines, SizeIs(512 + Log::kSameLinesPerSecond));
    clock.advance(1s);
    log.tell_suppressed();
    EXPECT_THAT(out.lines.back(), HasSubstr("\"suppressed\":1478"));
}

TEST(Log, does_not_hold_back_debug_lines) {
    Lines out;
    ManualClock clock;
    LogOptions options = out.options();
    options.levels.level = Level::debug;
    Log log(options, clock);
    for (int i = 0; i < 50; ++i) log.debug("a", "b");
    EXPECT_THAT(out.lines, SizeIs(50));
    EXPECT_EQ(log.written(Level::debug), 50u);
}

TEST(Log, refuses_to_start_with_a_file_it_cannot_open) {
    ManualClock clock;
    LogOptions options{.to = LogOptions::To::file, .file = "/proc/no/such/place.log"};
    try {
        Log log(options, clock);
        FAIL() << "it opened";
    } catch (const StartupError& e) {
        EXPECT_THAT(e.what(), HasSubstr("/proc/no/such/place.log"));
    }
}

TEST(Log, follows_a_file_that_logrotate_moved) {
    std::string file = scene::own_file("log_test_moved.log");
    ManualClock clock;
    Log log({.to = LogOptions::To::file, .file = file, .max_file_size = 0}, clock);
    log.info("a", "first");
    std::filesystem::rename(file, file + ".1");
    ASSERT_TRUE(log.reopen());
    log.info("a", "second");
    EXPECT_THAT(scene::read_file(file + ".1"), HasSubstr("first"));
    EXPECT_THAT(scene::read_file(file), HasSubstr("second"));
}

TEST(Log, keeps_the_old_file_when_it_cannot_reopen) {
    std::string directory = scene::own_file("log_test_directory");
    std::string file = directory + "/app.log";
    ManualClock clock;
    Log log({.to = LogOptions::To::file, .file = file, .max_file_size = 0}, clock);
    std::filesystem::rename(directory, directory + ".gone");
    std::ofstream(directory) << "now a file is in the way";
    EXPECT_FALSE(log.reopen());
    log.info("a", "still here");
    EXPECT_THAT(scene::read_file(directory + ".gone/app.log"), HasSubstr("still here"));
}

TEST(Log, rotates_a_file_that_grew_too_large) {
    std::string file = scene::own_file("log_test_rotated.log");
    ManualClock clock;
    Log log({.to = LogOptions::To::file, .file = file, .max_file_size = 200, .max_files = 1},
            clock);
    for (const char* word : {"one", "two", "three", "four"}) log.info("a", word);
    EXPECT_THAT(scene::read_file(file), HasSubstr("four"));
    EXPECT_LE(std::filesystem::file_size(file), 200u);
    EXPECT_TRUE(std::filesystem::exists(scene::own_file("log_test_rotated.1.log")));
}

TEST(Log, counts_lines_the_disk_did_not_take) {
    ManualClock clock;
    Log log({.to = LogOptions::To::file, .file = "/dev/full", .max_file_size = 0}, clock);
    log.info("a", "b");
    EXPECT_EQ(log.lost() + log.written(Level::info), 1u);
    EXPECT_EQ(log.lost(), 1u);
}

TEST(Log, may_be_used_by_many_threads_while_its_levels_change) {
    Lines out;
    ManualClock clock;
    Log log(out.options(), clock);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&log, t] {
            for (int i = 0; i < 5; ++i) log.info("thread " + std::to_string(t), "line");
        });
    for (int i = 0; i < 20; ++i)
        log.set_levels({.level = Level::info, .modules = {{"x", Level::off}}});
    for (std::thread& t : threads) t.join();
    EXPECT_THAT(out.lines, SizeIs(20));
    EXPECT_EQ(log.written(Level::info), 20u);
}

}  // namespace
}  // namespace suoke
