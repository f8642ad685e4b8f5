// SPDX-License-Identifier: MIT
#pragma once
// The engine "sqlite": survives a restart, in one file (and its -wal and -shm). Lifetimes are kept by
// wall clock. Each call is finished when it returns, in the loop's thread: writes are small, and a
// commit in WAL mode waits for no disk. Whose latency must not suffer does not use it on a request.
//
//   auto kv = store::SqliteKv::open(loop, "/var/lib/suoke/state.db");
//   if (!kv) throw StartupError(kv.error().detail);

#include <memory>

#include "rt/loop.h"
#include "store/kv.h"
#include "store/sqlite_database.h"

namespace suoke::store {

class SqliteKv final : public Kv {
 public:
    // Code::store_unavailable says what is wrong with the file and what to do; the file is left alone.
    static Result<std::unique_ptr<SqliteKv>> open(rt::Loop& loop, const std::string& path);

    rt::Task<Result<std::optional<std::string>>> get(std::string key) override;
    rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> put_if_absent(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> replace(std::string key, std::string expected, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> erase(std::string key) override;
    rt::Task<Result<std::int64_t>> add(std::string key, std::int64_t amount, Duration lifetime) override;
    rt::Task<Result<std::vector<Entry>>> list(std::string prefix, std::size_t most) override;
    const char* engine() const override { return "sqlite"; }

 private:
    SqliteKv(rt::Loop& loop, std::unique_ptr<SqliteDatabase> database);
    std::int64_t now() const;
    void bind_lifetime(SqliteUse& use, int at, Duration lifetime) const;
    Result<std::int64_t> add_locked(const std::string& key, std::int64_t amount, Duration lifetime);
    void sweep();

    rt::Loop& loop_;
    std::unique_ptr<SqliteDatabase> database_;  // outlives the statements
    SqliteStatement get_, put_, put_if_absent_, replace_, erase_, set_sum_, list_, list_all_, sweep_;
    TimePoint next_sweep_{};
};

}  // namespace suoke::store
