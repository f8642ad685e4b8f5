// SPDX-License-Identifier: MIT
// What SQLite promises beyond the contract (kv_contract_test.cpp): it survives restarts, shares its file,
// and treats files it does not understand with respect.
#include "store/sqlite_kv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/files.h"

namespace suoke::store {
namespace {

using ::testing::HasSubstr;

class OnDisk : public ::testing::Test {
 protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        path = scene::own_directory() + test->name() + ".db";
    }
    std::unique_ptr<SqliteKv> open() {
        auto opened = SqliteKv::open(loop, path);
        EXPECT_TRUE(opened) << opened.error().detail;
        return opened ? std::move(*opened) : nullptr;
    }
    std::string refused() {
        auto opened = SqliteKv::open(loop, path);
        EXPECT_FALSE(opened);
        if (opened) return "";
        EXPECT_EQ(opened.error().code, Code::store_unavailable);
        EXPECT_THAT(opened.error().detail, HasSubstr(path));
        return opened.error().detail;
    }
    template <class T>
    static T now(rt::Task<T> task) {
        CHECK(task.start());
        return task.take();
    }
    static std::string get(Kv& kv, const std::string& key) { return now(kv.get(key))->value_or("(none)"); }
    static void put(Kv& kv, const std::string& key, const std::string& value, Duration lifetime = {}) {
        Result<void> done = now(kv.put(key, value, lifetime));
        EXPECT_TRUE(done) << done.error().detail;
    }
    // As another program sees the file.
    std::string sql(const char* text) {
        sqlite3* raw = nullptr;
        std::string answer;
        EXPECT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        auto take = [](void* into, int, char** columns, char**) {
            *static_cast<std::string*>(into) = columns[0] ? columns[0] : "NULL";
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(raw, text, take, &answer, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
        sqlite3_close(raw);
        return answer;
    }
    unsigned mode_of(const std::string& file) const {
        struct stat info {};
        return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
    }
    std::string path;
    ManualClock clock;
    rt::Loop loop{clock};
};

TEST_F(OnDisk, what_was_put_is_there_after_a_restart_for_as_long_as_it_lives) {
    auto kv = open();
    put(*kv, "ever", "1");
    put(*kv, "hour", "2", std::chrono::hours(1));
    kv.reset();
    clock.advance(std::chrono::minutes(59));
    kv = open();
    EXPECT_EQ(get(*kv, "ever"), "1");
    EXPECT_EQ(get(*kv, "hour"), "2");
    kv.reset();
    clock.advance(std::chrono::minutes(2));
    kv = open();
    EXPECT_EQ(get(*kv, "hour"), "(none)");
}

TEST_F(OnDisk, is_for_its_owner_alone_with_all_its_files) {
    std::ofstream(path).close();
    ::chmod(path.c_str(), 0644);
    auto kv = open();
    put(*kv, "a", "1");
    EXPECT_EQ(mode_of(path), 0600u);
    EXPECT_EQ(mode_of(path + "-wal"), 0600u);
    EXPECT_EQ(sql("PRAGMA journal_mode"), "wal");
}

TEST_F(OnDisk, two_of_them_share_a_file) {
    auto one = open(), two = open();
    put(*one, "a", "1");
    EXPECT_EQ(get(*two, "a"), "1");
    EXPECT_EQ(*now(two->add("n", 1, Duration::zero())), 1);
    EXPECT_EQ(*now(one->add("n", 1, Duration::zero())), 2);
    EXPECT_FALSE(*now(two->put_if_absent("a", "2", Duration::zero())));
}

TEST_F(OnDisk, a_writer_that_takes_too_long_is_an_error_and_not_a_hang) {
    auto kv = open();
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    Result<void> done = now(kv->put("a", "1", Duration::zero()));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().detail, HasSubstr("another process has been writing for too long"));
    EXPECT_FALSE(now(kv->add("a", 1, Duration::zero())));
    EXPECT_EQ(get(*kv, "a"), "(none)");  // readers are not held up
    ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    put(*kv, "a", "1");
    EXPECT_EQ(*now(kv->add("a", 1, Duration::zero())), 2);
}

TEST_F(OnDisk, removes_what_has_expired_a_batch_at_a_time) {
    auto kv = open();
    for (int i = 0; i < 600; ++i) put(*kv, std::to_string(i), "v", std::chrono::seconds(1));
    EXPECT_EQ(sql("SELECT count(*) FROM kv"), "600");
    clock.advance(std::chrono::seconds(3));
    loop.settle();
    put(*kv, "a", "1");
    EXPECT_EQ(sql("SELECT count(*) FROM kv"), "345");  // 600 - 256 + 1
    put(*kv, "a", "1");
    put(*kv, "a", "1");
    EXPECT_EQ(sql("SELECT count(*) FROM kv"), "1");
}

TEST_F(OnDisk, a_database_of_a_newer_gateway_is_refused_and_left_alone) {
    open().reset();
    EXPECT_EQ(sql("PRAGMA user_version"), "1");
    sql("PRAGMA user_version = 7");
    EXPECT_THAT(refused(), HasSubstr("it is of version 7, written by a newer gateway; this one knows versions up to 1"));
    EXPECT_EQ(sql("PRAGMA user_version"), "7");
}

TEST_F(OnDisk, another_programs_database_is_refused_and_left_alone) {
    sql("CREATE TABLE bookmarks (url TEXT)");
    EXPECT_THAT(refused(), HasSubstr("belongs to another program"));
    EXPECT_EQ(sql("SELECT count(*) FROM sqlite_master"), "1");
    EXPECT_EQ(sql("PRAGMA journal_mode"), "delete");
}

TEST_F(OnDisk, migrations_run_once_and_in_order) {
    const char* first[] = {"CREATE TABLE t (a)"};
    const char* both[] = {"CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b DEFAULT 2"};
    ASSERT_TRUE(SqliteDatabase::open(path, first));
    sql("INSERT INTO t VALUES (1)");
    ASSERT_TRUE(SqliteDatabase::open(path, both));
    ASSERT_TRUE(SqliteDatabase::open(path, both));
    EXPECT_EQ(sql("SELECT a || b FROM t"), "12");
    EXPECT_EQ(sql("PRAGMA user_version"), "2");
}

TEST_F(OnDisk, a_migration_that_fails_leaves_everything_as_it_was) {
    const char* broken[] = {"CREATE TABLE t (a)", "ALTER TABLE missing ADD COLUMN b"};
    auto opened = SqliteDatabase::open(path, broken);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("no such table: missing"));
    EXPECT_EQ(sql("PRAGMA user_version"), "0");
    EXPECT_EQ(sql("SELECT count(*) FROM sqlite_master"), "0");
}

TEST_F(OnDisk, what_is_no_database_is_reported_and_never_replaced) {
    std::string text = "These are my notes, and no database at all.\n" + std::string(2000, 'x');
    std::ofstream(path) << text;
    std::string why = refused();
    EXPECT_THAT(why, HasSubstr("file is not a database"));
    EXPECT_THAT(why, HasSubstr("restore it from a backup, or move it away"));
    EXPECT_EQ(scene::read_file(path), text);
}

TEST_F(OnDisk, a_damaged_database_is_reported_and_never_replaced) {
    auto kv = open();
    for (int i = 0; i < 500; ++i) put(*kv, "key" + std::to_string(i), std::string(100, 'v'));
    kv.reset();
    std::string bytes = scene::read_file(path);
    ASSERT_GT(bytes.size(), 20'000u);
    for (std::size_t at = 4096; at < 16'000; ++at) bytes[at] = '\x5a';
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_THAT(refused(), HasSubstr("malformed"));
    EXPECT_EQ(scene::read_file(path), bytes);
}

TEST_F(OnDisk, damage_that_is_found_later_is_an_error_of_the_call) {
    auto kv = open();
    for (int i = 0; i < 500; ++i) put(*kv, "key" + std::to_string(i), std::string(100, 'v'));
    EXPECT_EQ(sql("PRAGMA wal_checkpoint(TRUNCATE)"), "0");
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);
    file << std::string(100'000, '\x5a');
    file.close();
    auto other = SqliteKv::open(loop, path);  // its cache is empty, so it must look
    EXPECT_FALSE(other);
    Result<std::vector<Entry>> all = now(kv->list("", 1000));
    EXPECT_TRUE(all || all.error().code == Code::store_unavailable);
}

TEST_F(OnDisk, a_path_that_cannot_be_used_is_reported) {
    path = scene::own_directory() + "nowhere/state.db";
    EXPECT_THAT(refused(), HasSubstr("No such file or directory"));
    path = scene::own_directory() + "here";
    std::filesystem::create_directory(path);
    EXPECT_THAT(refused(), HasSubstr("it is not a file"));
}

}  // namespace
}  // namespace suoke::store
