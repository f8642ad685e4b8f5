// SPDX-License-Identifier: MIT
#pragma once
// One SQLite file, opened as we want it: WAL, readable by its owner alone, its tables brought up to
// date, and refused with a sentence when it is broken, newer than this gateway, or somebody else's.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace suoke::store {

class SqliteDatabase;

// A prepared statement, kept for as long as its database; made at its first use. One use at a time.
class SqliteStatement {
 public:
    explicit SqliteStatement(const char* sql) : sql_(sql) {}
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;
    ~SqliteStatement();

 private:
    friend class SqliteUse;
    const char* sql_;
    sqlite3_stmt* raw_ = nullptr;
};

// One run of a statement. Columns and parameters are counted as SQLite does: from 0, and from 1. What is
// bound has to live as long as the use; what fails on the way is told by step() or run().
class SqliteUse {
 public:
    SqliteUse(SqliteDatabase& database, SqliteStatement& statement);
    ~SqliteUse();
    SqliteUse(const SqliteUse&) = delete;
    SqliteUse& operator=(const SqliteUse&) = delete;

    SqliteUse& bind(int at, std::string_view bytes);
    SqliteUse& bind(int at, std::int64_t number);
    Result<bool> step();         // whether there is a row
    Result<std::int64_t> run();  // to its end; how many rows it changed
    std::string bytes(int column) const;

 private:
    SqliteDatabase& database_;
    sqlite3_stmt* statement_;
    int code_ = 0;  // what went wrong before the first step
};

class SqliteDatabase {
 public:
    // `migrations[n]` makes version n+1 of version n. What was released is never edited, only followed.
    static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path, std::span<const char* const> migrations);
    ~SqliteDatabase();
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    Result<void> execute(const char* sql);
    Error failure(int code) const;  // a sentence for what just failed

 private:
    friend class SqliteUse;
    explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}
    Result<void> connect();
    Result<void> check();
    Result<void> migrate(std::span<const char* const> migrations);
    Result<void> migrate_locked(std::span<const char* const> migrations);
    Result<std::int64_t> ask(const char* sql);  // one number
    Result<std::string> ask_text(const char* sql);

    std::string path_;
    sqlite3* raw_ = nullptr;
};

}  // namespace suoke::store
