// SPDX-License-Identifier: MIT
#include "store/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace suoke::store {
namespace {

// The loop stands still while another process writes: long enough for its transaction, no longer.
constexpr int kBusyMilliseconds = 500;
constexpr unsigned kOwnerOnly = 0600;
constexpr std::int64_t kApplication = 0x53554f4b;  // "SUOK", PRAGMA application_id

Error cannot_use(const std::string& path, const std::string& why) {
    return Error(Code::store_unavailable, "cannot use the database " + path + ": " + why);
}

// SQLite gives its side files (-wal, -shm) the permissions of the database. An existing file must not
// be opened and closed here: closing any descriptor of it drops the process' locks on it (fcntl).
Result<void> make_private_file(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
    if (fd >= 0) {
        ::close(fd);
        return {};
    }
    if (errno != EEXIST) return cannot_use(path, std::strerror(errno));
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return cannot_use(path, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return cannot_use(path, "it is not a file");
    if ((info.st_mode & 0077) != 0 && ::chmod(path.c_str(), kOwnerOnly) != 0)
        return cannot_use(path, std::string("others may read it, and that cannot be changed: ") + std::strerror(errno));
    return {};
}

}  // namespace

SqliteStatement::~SqliteStatement() { sqlite3_finalize(raw_); }

SqliteUse::SqliteUse(SqliteDatabase& database, SqliteStatement& statement) : database_(database) {
    if (!statement.raw_)
        code_ = sqlite3_prepare_v3(database.raw_, statement.sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement.raw_, nullptr);
    statement_ = statement.raw_;
}

SqliteUse::~SqliteUse() {
    if (!statement_) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

SqliteUse& SqliteUse::bind(int at, std::string_view bytes) {
    const char* data = bytes.data() ? bytes.data() : "";  // a null pointer would bind NULL
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_blob64(statement_, at, data, bytes.size(), SQLITE_STATIC);
    return *this;
}

SqliteUse& SqliteUse::bind(int at, std::int64_t number) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, at, number);
    return *this;
}

Result<bool> SqliteUse::step() {
    if (code_ != SQLITE_OK) return database_.failure(code_);
    int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return database_.failure(code);
}

Result<std::int64_t> SqliteUse::run() {
    for (;;) {
        Result<bool> row = step();
        if (!row) return row.error();
        if (!*row) return static_cast<std::int64_t>(sqlite3_changes64(database_.raw_));
    }
}

std::string SqliteUse::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    int size = sqlite3_column_bytes(statement_, column);
    return data ? std::string(static_cast<const char*>(data), static_cast<std::size_t>(size)) : std::string();
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(raw_); }

Error SqliteDatabase::failure(int code) const {
    std::string why = sqlite3_errstr(code);
    switch (code & 0xff) {  // an extended code has its kind in the lowest byte
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            why += "; the file is damaged or not of SQLite, and was left as it is: restore it from a backup, or move it away "
                   "(with its -wal and -shm) to begin with an empty one";
            break;
        case SQLITE_FULL:
            why += "; make room on the disk";
            break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            why += "; another process has been writing for too long";
            break;
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            why += "; this user must be able to write the file and its directory";
            break;
        default:
            if (raw_ && std::strcmp(sqlite3_errmsg(raw_), why.c_str()) != 0) why += std::string(": ") + sqlite3_errmsg(raw_);
    }
    return cannot_use(path_, why);
}

Result<void> SqliteDatabase::execute(const char* sql) {
    int code = sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code);
    return {};
}

// Unlike the statements that are kept, these may be the first to touch a broken file: preparing can fail.
Result<std::string> SqliteDatabase::ask_text(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(raw_, sql, -1, &statement, nullptr);
    std::string text;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            const auto* raw = sqlite3_column_text(statement, 0);
            text = raw ? reinterpret_cast<const char*>(raw) : "";
        }
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return failure(code);
    return text;
}

Result<std::int64_t> SqliteDatabase::ask(const char* sql) {
    Result<std::string> text = ask_text(sql);
    if (!text) return text.error();
    return static_cast<std::int64_t>(std::strtoll(text->c_str(), nullptr, 10));
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path, std::span<const char* const> migrations) {
    std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
    Result<void> made = make_private_file(path);
    if (made) made = database->connect();
    if (made) made = database->check();
    if (made) made = database->migrate(migrations);
    if (!made) return made.error();
    return database;
}

Result<void> SqliteDatabase::connect() {
    int code = sqlite3_open_v2(path_.c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return failure(code);
    sqlite3_extended_result_codes(raw_, 1);
    sqlite3_busy_timeout(raw_, kBusyMilliseconds);
    Result<void> closed_schema = execute("PRAGMA trusted_schema = OFF");  // functions a foreign file may hold are not run
    if (!closed_schema) return closed_schema;
    return {};
}

// Before anything is written into it: is it whole, and is it ours?
Result<void> SqliteDatabase::check() {
    Result<std::string> verdict = ask_text("PRAGMA quick_check(1)");
    if (!verdict) return verdict.error();
    if (*verdict != "ok") {
        Error damaged = failure(SQLITE_CORRUPT);
        damaged.detail += " (" + *verdict + ")";
        return damaged;
    }
    Result<std::int64_t> owner = ask("PRAGMA application_id");
    if (!owner) return owner.error();
    Result<std::int64_t> tables = ask("SELECT count(*) FROM sqlite_master");
    if (!tables) return tables.error();
    if (*owner != kApplication && (*owner != 0 || *tables != 0))
        return cannot_use(path_, "it belongs to another program; name another path");
    return {};
}

Result<void> SqliteDatabase::migrate(std::span<const char* const> migrations) {
    // A commit in WAL mode is durable at the next checkpoint, and never half there; where the file
    // system cannot do WAL, the same promise needs every commit to be synchronised.
    Result<std::string> mode = ask_text("PRAGMA journal_mode = WAL");
    if (!mode) return mode.error();
    Result<void> done = execute(*mode == "wal" ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
    if (done) done = execute("BEGIN IMMEDIATE");  // two gateways that start together migrate once
    if (!done) return done;
    done = migrate_locked(migrations);
    Result<void> ended = execute(done ? "COMMIT" : "ROLLBACK");
    return done ? ended : done;
}

Result<void> SqliteDatabase::migrate_locked(std::span<const char* const> migrations) {
    Result<std::int64_t> version = ask("PRAGMA user_version");
    if (!version) return version.error();
    auto newest = static_cast<std::int64_t>(migrations.size());
    if (*version > newest || *version < 0)
        return cannot_use(path_, "it is of version " + std::to_string(*version) + ", written by a newer gateway; this one knows versions up to " +
                                     std::to_string(newest) + ": run that newer gateway, or name another path");
    if (*version == newest) return {};
    for (std::int64_t at = *version; at < newest; ++at) {
        Result<void> done = execute(migrations[static_cast<std::size_t>(at)]);
        if (!done) return done;
    }
    std::string marks = "PRAGMA application_id = " + std::to_string(kApplication) + "; PRAGMA user_version = " + std::to_string(newest);
    return execute(marks.c_str());
}

}  // namespace suoke::store
