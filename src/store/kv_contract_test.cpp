// SPDX-License-Identifier: MIT
// What every engine promises, asked of each of them. Time is virtual where the engine lets us; a real
// Redis keeps its own.
#include <gtest/gtest.h>

#include <functional>

#include "store/memory_kv.h"
#include "store/redis_kv.h"
#include "store/sqlite_kv.h"
#include "testing/files.h"
#include "testing/redis_server.h"

namespace suoke::store {
namespace {

// One engine with what it stands on.
class Engine {
 public:
    virtual ~Engine() = default;
    virtual rt::Loop& loop() = 0;
    virtual Kv& kv() = 0;
    virtual void pass(Duration time) = 0;
};

class InVirtualTime : public Engine {
 public:
    rt::Loop& loop() override { return loop_; }
    void pass(Duration time) override {
        clock_.advance(time);
        loop_.settle();
    }

 protected:
    ManualClock clock_;
    rt::Loop loop_{clock_};
};

class Memory final : public InVirtualTime {
 public:
    Kv& kv() override { return kv_; }

 private:
    MemoryKv kv_{loop_};
};

class Sqlite final : public InVirtualTime {
 public:
    Sqlite() {
        static int count = 0;
        auto opened = SqliteKv::open(loop_, scene::own_directory() + "contract" + std::to_string(++count) + ".db");
        if (!opened) throw StartupError(opened.error().detail);
        kv_ = std::move(*opened);
    }
    Kv& kv() override { return *kv_; }

 private:
    std::unique_ptr<SqliteKv> kv_;
};

class RealRedis final : public Engine {
 public:
    rt::Loop& loop() override { return loop_; }
    Kv& kv() override { return kv_; }
    void pass(Duration time) override {
        TimePoint until = loop_.fresh_now() + time;
        while (loop_.fresh_now() < until) scene::nap();
    }

 private:
    RedisOptions options() {
        RedisOptions options;
        options.nodes = {{server_.host(), server_.port()}};
        options.command_timeout = std::chrono::seconds(20);  // the machine may be busy
        options.silence = std::chrono::seconds(20);
        return options;
    }
    scene::RedisServer server_;
    SystemClock clock_;
    rt::Loop loop_{clock_};
    upstream::SocketDialer dialer_{loop_};
    Redis redis_{loop_, dialer_, Random(1), options()};
    RedisKv kv_{loop_, redis_};
};

class KvContract : public ::testing::TestWithParam<const char*> {
 protected:
    void SetUp() override {
        std::string name = GetParam();
        if (name == "redis" && !scene::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        if (name == "memory") engine_ = std::make_unique<Memory>();
        if (name == "sqlite") engine_ = std::make_unique<Sqlite>();
        if (name == "redis") engine_ = std::make_unique<RealRedis>();
    }
    Kv& kv() { return engine_->kv(); }
    template <class T>
    T of(rt::Task<Result<T>> task) {
        Result<T> got = scene::await(engine_->loop(), std::move(task));
        EXPECT_TRUE(got) << got.error().detail;
        return got ? *got : T();
    }
    void done(rt::Task<Result<void>> task) {
        Result<void> got = scene::await(engine_->loop(), std::move(task));
        EXPECT_TRUE(got) << got.error().detail;
    }
    template <class T>
    Error error(rt::Task<Result<T>> task) {
        Result<T> got = scene::await(engine_->loop(), std::move(task));
        EXPECT_FALSE(got);
        return got ? Error() : got.error();
    }
    std::string get(const std::string& key) { return of(kv().get(key)).value_or("(none)"); }
    void put(const std::string& key, const std::string& value, Duration lifetime = {}) { done(kv().put(key, value, lifetime)); }
    void pass(Duration time) { engine_->pass(time); }
    std::string listed(const std::string& prefix, std::size_t most = 100) {
        std::string all;
        for (const Entry& entry : of(kv().list(prefix, most))) all += entry.key + "=" + entry.value + " ";
        return all;
    }

 private:
    std::unique_ptr<Engine> engine_;
};

constexpr Duration kShort = std::chrono::milliseconds(60), kLong = std::chrono::hours(1);

TEST_P(KvContract, says_which_engine_it_is) {
    EXPECT_STREQ(kv().engine(), GetParam());
}

TEST_P(KvContract, gives_back_what_was_put) {
    EXPECT_EQ(get("a"), "(none)");
    put("a", "one");
    EXPECT_EQ(get("a"), "one");
    put("a", "two");
    EXPECT_EQ(get("a"), "two");
    put("a", "");
    EXPECT_EQ(get("a"), "");
}

TEST_P(KvContract, takes_any_bytes_as_value_and_any_text_as_key) {
    std::string bytes("\0\r\n\xff\x80 x", 8);
    put("a key/with {braces} * ? [x] \\ and ü", bytes);
    EXPECT_EQ(get("a key/with {braces} * ? [x] \\ and ü"), bytes);
    put("", "the empty key");
    EXPECT_EQ(get(""), "the empty key");
    std::string large(1'000'000, 'v');
    put("large", large);
    EXPECT_EQ(get("large"), large);
}

TEST_P(KvContract, forgets_when_the_lifetime_is_over) {
    put("short", "1", kShort);
    put("long", "2", kLong);
    put("ever", "3");
    EXPECT_EQ(get("short"), "1");
    pass(kShort * 2);
    EXPECT_EQ(get("short"), "(none)");
    EXPECT_FALSE(of(kv().erase("short")));
    EXPECT_EQ(listed(""), "ever=3 long=2 ");
}

TEST_P(KvContract, a_put_gives_the_lifetime_anew) {
    put("a", "1", kShort);
    put("a", "2");
    put("b", "1");
    put("b", "2", kShort);
    pass(kShort * 2);
    EXPECT_EQ(get("a"), "2");
    EXPECT_EQ(get("b"), "(none)");
}

TEST_P(KvContract, puts_only_what_is_absent_when_asked_so) {
    EXPECT_TRUE(of(kv().put_if_absent("a", "1", kShort)));
    EXPECT_FALSE(of(kv().put_if_absent("a", "2", kLong)));
    EXPECT_EQ(get("a"), "1");
    pass(kShort * 2);
    EXPECT_TRUE(of(kv().put_if_absent("a", "3", Duration::zero())));
    EXPECT_EQ(get("a"), "3");
}

TEST_P(KvContract, replaces_only_what_is_still_as_expected) {
    EXPECT_FALSE(of(kv().replace("a", "1", "2", Duration::zero())));
    EXPECT_FALSE(of(kv().replace("a", "", "2", Duration::zero())));
    EXPECT_EQ(get("a"), "(none)");
    put("a", "1", kLong);
    EXPECT_FALSE(of(kv().replace("a", "0", "2", Duration::zero())));
    EXPECT_TRUE(of(kv().replace("a", "1", "2", kShort)));
    EXPECT_EQ(get("a"), "2");
    pass(kShort * 2);
    EXPECT_FALSE(of(kv().replace("a", "2", "3", Duration::zero())));
    EXPECT_EQ(get("a"), "(none)");
}

TEST_P(KvContract, erases_and_says_whether_there_was_something) {
    EXPECT_FALSE(of(kv().erase("a")));
    put("a", "1");
    EXPECT_TRUE(of(kv().erase("a")));
    EXPECT_FALSE(of(kv().erase("a")));
    EXPECT_EQ(get("a"), "(none)");
}

TEST_P(KvContract, adds_from_nothing_and_to_what_is_there) {
    EXPECT_EQ(of(kv().add("n", 5, Duration::zero())), 5);
    EXPECT_EQ(of(kv().add("n", -7, Duration::zero())), -2);
    EXPECT_EQ(get("n"), "-2");
    put("n", "9007199254740993");  // 2^53 + 1: no double
    EXPECT_EQ(of(kv().add("n", 2, Duration::zero())), 9007199254740995);
}

TEST_P(KvContract, the_lifetime_of_a_sum_counts_from_the_first_addition) {
    EXPECT_EQ(of(kv().add("n", 1, kShort)), 1);
    EXPECT_EQ(of(kv().add("n", 1, kLong)), 2);
    pass(kShort * 2);
    EXPECT_EQ(of(kv().add("n", 1, kLong)), 1);
    put("ever", "1");
    EXPECT_EQ(of(kv().add("ever", 1, kShort)), 2);
    pass(kShort * 2);
    EXPECT_EQ(get("ever"), "2");
}

TEST_P(KvContract, does_not_add_to_what_is_no_number_or_beyond_64_bits) {
    for (const char* text : {"x", "", "007", "+1", " 1", "1.0", "-0", "9223372036854775808"}) {
        put("n", text);
        EXPECT_EQ(error(kv().add("n", 1, Duration::zero())).code, Code::store_unavailable) << text;
        EXPECT_EQ(get("n"), text);
    }
    put("n", "9223372036854775807");
    EXPECT_EQ(error(kv().add("n", 1, Duration::zero())).code, Code::store_unavailable);
    EXPECT_EQ(get("n"), "9223372036854775807");
}

TEST_P(KvContract, lists_by_key_what_begins_with_a_prefix) {
    for (const char* key : {"b/2", "b/1", "b", "a", "b/", "b0", "c"}) put(key, "v");
    EXPECT_EQ(listed("b/"), "b/=v b/1=v b/2=v ");
    EXPECT_EQ(listed("b/", 2), "b/=v b/1=v ");
    EXPECT_EQ(listed("nothing"), "");
    EXPECT_EQ(listed("", 3), "a=v b=v b/=v ");
    EXPECT_EQ(listed("", 0), "");
}

TEST_P(KvContract, a_prefix_stands_for_itself) {
    put("a*c", "1");
    put("abc", "2");
    put("a?", "3");
    put("a[b]", "4");
    put("a\\", "5");
    put("\xff\xff", "6");
    put("\xff\xff\x01", "7");
    EXPECT_EQ(listed("a*"), "a*c=1 ");
    EXPECT_EQ(listed("a?"), "a?=3 ");
    EXPECT_EQ(listed("a[b]"), "a[b]=4 ");
    EXPECT_EQ(listed("a\\"), "a\\=5 ");
    EXPECT_EQ(listed("\xff"), "\xff\xff=6 \xff\xff\x01=7 ");
}

TEST_P(KvContract, lists_thousands) {
    for (int i = 0; i < 3000; ++i) put("many/" + std::to_string(10'000 + i), std::to_string(i));
    std::vector<Entry> all = of(kv().list("many/", 10'000));
    ASSERT_EQ(all.size(), 3000u);
    EXPECT_EQ(all.front(), (Entry{"many/10000", "0"}));
    EXPECT_EQ(all.back(), (Entry{"many/12999", "2999"}));
    EXPECT_EQ(of(kv().list("many/", 10)).back(), (Entry{"many/10009", "9"}));
}

INSTANTIATE_TEST_SUITE_P(Engines, KvContract, ::testing::Values("memory", "sqlite", "redis"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace suoke::store
