// SPDX-License-Identifier: MIT
#include "store/sqlite_kv.h"

#include <algorithm>

#include "store/whole_number.h"

namespace suoke::store {
namespace {

// Keys are blobs: they compare byte by byte, which a range over a prefix needs. `expires` is in
// milliseconds of Unix time; NULL is for ever.
constexpr const char* kMigrations[] = {
    "CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL, expires INTEGER) WITHOUT ROWID;"
    "CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL",
};

constexpr const char* kSweep =
    "DELETE FROM kv WHERE key IN (SELECT key FROM kv WHERE expires IS NOT NULL AND expires <= ?1 ORDER BY expires LIMIT 256)";
constexpr std::int64_t kSweptAtOnce = 256;
constexpr Duration kBetweenSweeps = std::chrono::seconds(1);

// The first key behind all that begin with `prefix`; empty: there is none.
std::string behind(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

}  // namespace

Result<std::unique_ptr<SqliteKv>> SqliteKv::open(rt::Loop& loop, const std::string& path) {
    auto database = SqliteDatabase::open(path, kMigrations);
    if (!database) return database.error();
    return std::unique_ptr<SqliteKv>(new SqliteKv(loop, std::move(*database)));
}

SqliteKv::SqliteKv(rt::Loop& loop, std::unique_ptr<SqliteDatabase> database)
    : loop_(loop),
      database_(std::move(database)),
      get_("SELECT value FROM kv WHERE key = ?1 AND (expires IS NULL OR expires > ?2)"),
      put_("INSERT INTO kv (key, value, expires) VALUES (?1, ?2, ?3) "
           "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires"),
      put_if_absent_("INSERT INTO kv (key, value, expires) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE kv.expires <= ?4"),
      replace_("UPDATE kv SET value = ?2, expires = ?3 WHERE key = ?1 AND value = ?4 AND (expires IS NULL OR expires > ?5)"),
      erase_("DELETE FROM kv WHERE key = ?1 AND (expires IS NULL OR expires > ?2)"),
      set_sum_("UPDATE kv SET value = ?2 WHERE key = ?1"),
      list_("SELECT key, value FROM kv WHERE key >= ?1 AND key < ?2 AND (expires IS NULL OR expires > ?3) ORDER BY key LIMIT ?4"),
      list_all_("SELECT key, value FROM kv WHERE key >= ?1 AND (expires IS NULL OR expires > ?2) ORDER BY key LIMIT ?3"),
      sweep_(kSweep) {}

std::int64_t SqliteKv::now() const {
    return std::chrono::floor<std::chrono::milliseconds>(loop_.clock().wall().time_since_epoch()).count();
}

void SqliteKv::bind_lifetime(SqliteUse& use, int at, Duration lifetime) const {
    if (lifetime <= Duration::zero()) return;  // what is not bound is NULL
    using std::chrono::milliseconds;
    Duration since_epoch = loop_.clock().wall().time_since_epoch();
    Duration ends = lifetime > Duration::max() - since_epoch ? Duration::max() : since_epoch + lifetime;
    std::int64_t whole = std::chrono::floor<milliseconds>(ends).count();
    use.bind(at, whole + (ends > milliseconds(whole) ? 1 : 0));  // up: a lifetime never ends early
}

// What is expired is never shown; that it goes is a matter of space, so its failures do not matter.
void SqliteKv::sweep() {
    if (loop_.now() < next_sweep_) return;
    SqliteUse use(*database_, sweep_);
    Result<std::int64_t> swept = use.bind(1, now()).run();
    bool more = swept && *swept == kSweptAtOnce;
    next_sweep_ = more ? loop_.now() : loop_.now() + kBetweenSweeps;
}

rt::Task<Result<std::optional<std::string>>> SqliteKv::get(std::string key) {
    SqliteUse use(*database_, get_);
    Result<bool> row = use.bind(1, key).bind(2, now()).step();
    if (!row) co_return row.error();
    if (!*row) co_return std::optional<std::string>();
    co_return std::optional<std::string>(use.bytes(0));
}

rt::Task<Result<void>> SqliteKv::put(std::string key, std::string value, Duration lifetime) {
    sweep();
    SqliteUse use(*database_, put_);
    bind_lifetime(use.bind(1, key).bind(2, value), 3, lifetime);
    Result<std::int64_t> changed = use.run();
    if (!changed) co_return changed.error();
    co_return Result<void>();
}

rt::Task<Result<bool>> SqliteKv::put_if_absent(std::string key, std::string value, Duration lifetime) {
    sweep();
    SqliteUse use(*database_, put_if_absent_);
    bind_lifetime(use.bind(1, key).bind(2, value).bind(4, now()), 3, lifetime);
    Result<std::int64_t> changed = use.run();
    if (!changed) co_return changed.error();
    co_return *changed > 0;
}

rt::Task<Result<bool>> SqliteKv::replace(std::string key, std::string expected, std::string value, Duration lifetime) {
    sweep();
    SqliteUse use(*database_, replace_);
    bind_lifetime(use.bind(1, key).bind(2, value).bind(4, expected).bind(5, now()), 3, lifetime);
    Result<std::int64_t> changed = use.run();
    if (!changed) co_return changed.error();
    co_return *changed > 0;
}

rt::Task<Result<bool>> SqliteKv::erase(std::string key) {
    SqliteUse use(*database_, erase_);
    Result<std::int64_t> changed = use.bind(1, key).bind(2, now()).run();
    if (!changed) co_return changed.error();
    co_return *changed > 0;
}

rt::Task<Result<std::int64_t>> SqliteKv::add(std::string key, std::int64_t amount, Duration lifetime) {
    sweep();
    Result<void> begun = database_->execute("BEGIN IMMEDIATE");  // another process may add at the same time
    if (!begun) co_return begun.error();
    Result<std::int64_t> sum = add_locked(key, amount, lifetime);
    Result<void> ended = database_->execute(sum ? "COMMIT" : "ROLLBACK");
    if (sum && !ended) {
        (void)database_->execute("ROLLBACK");  // a commit that failed may have left the transaction open
        co_return ended.error();
    }
    co_return sum;
}

Result<std::int64_t> SqliteKv::add_locked(const std::string& key, std::int64_t amount, Duration lifetime) {
    SqliteUse reading(*database_, get_);
    Result<bool> row = reading.bind(1, key).bind(2, now()).step();
    if (!row) return row.error();
    Result<std::int64_t> sum = amount;
    if (*row) sum = sum_of(key, reading.bytes(0), amount);
    if (!sum) return sum;
    std::string text = std::to_string(*sum);
    SqliteUse writing(*database_, *row ? set_sum_ : put_);
    writing.bind(1, key).bind(2, text);
    if (!*row) bind_lifetime(writing, 3, lifetime);
    Result<std::int64_t> changed = writing.run();
    if (!changed) return changed.error();
    return sum;
}

rt::Task<Result<std::vector<Entry>>> SqliteKv::list(std::string prefix, std::size_t most) {
    std::string end = behind(prefix);
    SqliteUse use(*database_, end.empty() ? list_all_ : list_);
    auto limit = static_cast<std::int64_t>(std::min<std::size_t>(most, INT64_MAX));
    use.bind(1, prefix);
    if (end.empty()) use.bind(2, now()).bind(3, limit);
    else use.bind(2, end).bind(3, now()).bind(4, limit);
    std::vector<Entry> found;
    for (;;) {
        Result<bool> row = use.step();
        if (!row) co_return row.error();
        if (!*row) co_return found;
        found.push_back({use.bytes(0), use.bytes(1)});
    }
}

}  // namespace suoke::store
