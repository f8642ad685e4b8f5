// SPDX-License-Identifier: MIT
#include "store/redis_reader.h"

#include <gtest/gtest.h>

#include "store/redis_options.h"
#include "store/redis_script.h"
#include "store/redis_slots.h"

namespace suoke::store {
namespace {

// All replies of `bytes`, given in pieces of `step` bytes; the last one may be "broken: why".
std::string read(std::string_view bytes, std::size_t step, RedisLimits limits = {}) {
    RedisReader reader(limits);
    std::string all;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.feed(bytes.substr(at, step));
        for (;;) {
            Result<std::optional<RedisValue>> reply = reader.next();
            if (!reply) return all + "broken: " + reply.error().detail;
            if (!*reply) break;
            all += (*reply)->to_string() + " ";
        }
    }
    return all;
}
std::string whole(std::string_view bytes, RedisLimits limits = {}) { return read(bytes, bytes.size(), limits); }

TEST(RedisReader, reads_every_kind_of_reply_however_it_is_cut) {
    std::string bytes =
        "+OK\r\n$5\r\nse\r\nn\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n:-12\r\n-ERR no\r\n*3\r\n:1\r\n*2\r\n$1\r\na\r\n-WRONG x\r\n$-1\r\n";
    for (std::size_t step : {1, 2, 3, 7, 1000})
        EXPECT_EQ(read(bytes, step), "\"OK\" \"se..n\" \"\" nil nil [] -12 error: ERR no [1, [\"a\", error: WRONG x], nil] ") << step;
}

TEST(RedisReader, what_is_no_reply_is_final) {
    for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", ":1x\r\n", "*99999999999\r\n", "$99999999999999999999\r\n"}) {
        RedisReader reader;
        reader.feed(bytes);
        EXPECT_FALSE(reader.next()) << bytes;
        reader.feed("+OK\r\n");
        EXPECT_FALSE(reader.next()) << bytes;
    }
}

TEST(RedisReader, resp3_is_not_understood_because_nobody_asked_for_it) {
    for (const char* bytes : {"%1\r\n+a\r\n:1\r\n", "~1\r\n:1\r\n", ">1\r\n+a\r\n", ",1.5\r\n", "#t\r\n", "_\r\n", "(1\r\n", "=5\r\ntxt:a\r\n"})
        EXPECT_TRUE(whole(bytes).starts_with("broken: ")) << bytes;
}

TEST(RedisReader, a_reply_takes_no_more_than_is_allowed) {
    RedisLimits limits{.bytes = 1000, .elements = 10, .depth = 3};
    EXPECT_EQ(whole("*9\r\n" + std::string(9 * 4, ':').replace(0, 36, ":1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n"), limits),
              "[1, 1, 1, 1, 1, 1, 1, 1, 1] ");
    EXPECT_EQ(whole("*11\r\n", limits), "broken: the reply is not understood: a list is too long");
    EXPECT_EQ(whole("*2\r\n*8\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*1\r\n", limits),
              "broken: the reply is not understood: a list is too long");
    EXPECT_EQ(whole("*1\r\n*1\r\n*1\r\n:1\r\n", limits), "[[[1]]] ");
    EXPECT_EQ(whole("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", limits), "broken: the reply is not understood: lists are nested too deeply");
    // A length is only a word: what is kept is what came.
    EXPECT_EQ(read("$4000000000\r\n" + std::string(2000, 'x'), 100, limits), "broken: the reply is not understood: a reply is too large");
    EXPECT_EQ(read("+" + std::string(2000, 'x'), 100, limits), "broken: the reply is not understood: a reply is too large");
}

TEST(RedisReader, small_replies_after_each_other_are_not_one_large_one) {
    RedisLimits limits{.bytes = 100};
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += "$5\r\nseven\r\n";
    EXPECT_EQ(read(bytes, 7, limits).substr(0, 16), "\"seven\" \"seven\" ");
    EXPECT_EQ(read(bytes, 7, limits).find("broken"), std::string::npos);
    EXPECT_EQ(whole(bytes, limits).find("broken"), std::string::npos);
}

TEST(RedisValue, an_error_of_the_server_is_told_without_what_it_quotes) {
    Error error = redis_error("redis:6379", RedisValue::error("ERR unknown command 'AUHT', with args beginning with: 'hunter2' "));
    EXPECT_EQ(error.code, Code::store_unavailable);
    EXPECT_EQ(error.detail, "Redis at redis:6379 refused: ERR unknown command 'AUHT'");
    EXPECT_EQ(RedisValue::error("MOVED 1 a:2").error_word(), "MOVED");
    EXPECT_EQ(RedisValue::string("MOVED 1 a:2").error_word(), "");
}

TEST(RedisScript, is_known_by_the_sha1_of_its_text) {
    EXPECT_EQ(Script("return 1").sha(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

// ---- slots

TEST(RedisSlots, a_key_has_the_slot_of_its_crc_or_of_its_tag) {
    EXPECT_EQ(redis_slot_of("123456789"), 0x31c3);  // the check value of CRC16/XMODEM
    EXPECT_EQ(redis_slot_of("foo"), 12182);
    EXPECT_EQ(redis_slot_of(""), 0);
    EXPECT_EQ(redis_slot_of("{user1000}.following"), redis_slot_of("user1000"));
    EXPECT_EQ(redis_slot_of("foo{bar}{zap}"), redis_slot_of("bar"));
    EXPECT_EQ(redis_slot_of("foo{{bar}}zap"), redis_slot_of("{bar"));
    EXPECT_NE(redis_slot_of("foo{}bar"), redis_slot_of(""));
    EXPECT_NE(redis_slot_of("foo{bar"), redis_slot_of("bar"));
}

RedisValue range(std::int64_t first, std::int64_t last, RedisValue host, std::int64_t port) {
    RedisValue node = RedisValue::array({std::move(host), RedisValue::integer(port)});
    return RedisValue::array({RedisValue::integer(first), RedisValue::integer(last), std::move(node)});
}
RedisValue text(const char* t) { return RedisValue::string(t); }
const RedisNode kAsked{"10.0.0.1", 7000};

TEST(RedisSlots, reads_a_map_where_a_node_may_not_know_its_own_host) {
    auto slots = RedisSlots::parse(RedisValue::array({range(0, 99, text(""), 7000), range(100, 199, RedisValue(), 7000), range(200, 16383, text("b"), 7001)}), kAsked);
    ASSERT_TRUE(slots) << slots.error().detail;
    EXPECT_EQ(*slots->master_of(150), kAsked);
    EXPECT_EQ(*slots->master_of(16383), (RedisNode{"b", 7001}));
    EXPECT_EQ(slots->masters().size(), 2u);
    EXPECT_TRUE(slots->complete());
}

TEST(RedisSlots, refuses_a_map_that_is_none) {
    std::vector<RedisValue> wrong = {
        text("OK"),
        RedisValue::array({}),
        RedisValue::array({text("x")}),
        RedisValue::array({range(-1, 5, text("a"), 1)}),
        RedisValue::array({range(5, 4, text("a"), 1)}),
        RedisValue::array({range(0, 16384, text("a"), 1)}),
        RedisValue::array({range(0, 1, text("a"), 0)}),
        RedisValue::array({range(0, 1, text("a"), 65536)}),
        RedisValue::array({range(0, 1, text("a b"), 1)}),
        RedisValue::array({range(0, 1, text("unix:/run/x"), 1)}),
        RedisValue::array({range(0, 1, RedisValue::string(std::string(300, 'a')), 1)}),
        RedisValue::array({RedisValue::array({RedisValue::integer(0), RedisValue::integer(1)})}),
    };
    for (const RedisValue& answer : wrong) EXPECT_FALSE(RedisSlots::parse(answer, kAsked)) << answer.to_string();
    std::vector<RedisValue> many;
    for (std::int64_t i = 0; i < 1000; ++i) many.push_back(range(i, i, text("a"), i + 1));
    EXPECT_FALSE(RedisSlots::parse(RedisValue::array(std::move(many)), kAsked));
}

TEST(RedisSlots, follows_redirects_and_knows_what_is_missing) {
    auto slots = RedisSlots::parse(RedisValue::array({range(0, 99, text("a"), 1)}), kAsked);
    ASSERT_TRUE(slots);
    EXPECT_FALSE(slots->complete());
    EXPECT_EQ(slots->master_of(100), nullptr);
    EXPECT_TRUE(slots->move(100, {"b", 2}));
    EXPECT_EQ(*slots->master_of(100), (RedisNode{"b", 2}));
}

std::string redirect(const char* error) {
    auto parsed = parse_redirect(RedisValue::error(error), kAsked);
    if (!parsed) return "none";
    return (parsed->ask ? "ask " : "moved ") + std::to_string(parsed->slot) + " " + parsed->to.to_string();
}

TEST(RedisSlots, reads_redirects_strictly) {
    EXPECT_EQ(redirect("MOVED 3999 127.0.0.1:6381"), "moved 3999 127.0.0.1:6381");
    EXPECT_EQ(redirect("ASK 3999 2001:db8::1:6381"), "ask 3999 [2001:db8::1]:6381");
    EXPECT_EQ(redirect("MOVED 3999 :6381"), "moved 3999 10.0.0.1:6381");
    for (const char* wrong : {"MOVED", "MOVED 3999", "MOVED 16384 a:1", "MOVED x a:1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:1 b", "ERR x"})
        EXPECT_EQ(redirect(wrong), "none") << wrong;
}

// ---- addresses

std::string shown(std::string_view url) {
    auto parsed = parse_redis_url(url);
    if (!parsed) return "refused: " + parsed.error().detail;
    const RedisOptions& o = *parsed;
    std::string all = o.mode == RedisMode::single ? "single" : o.mode == RedisMode::cluster ? "cluster" : "sentinel " + o.master_name;
    for (const RedisNode& node : o.nodes) all += " " + node.to_string();
    if (!o.password.empty()) all += " as " + o.username + ":" + o.password.reveal();
    if (o.db != 0) all += " db " + std::to_string(o.db);
    return all + (o.tls ? " tls" : "");
}

TEST(RedisUrl, is_read) {
    EXPECT_EQ(shown("redis://localhost"), "single localhost:6379");
    EXPECT_EQ(shown("redis://localhost/"), "single localhost:6379");
    EXPECT_EQ(shown("redis://user:p%40ss%2f@10.0.0.7:6380/2"), "single 10.0.0.7:6380 as user:p@ss/ db 2");
    EXPECT_EQ(shown("redis://:secret@host"), "single host:6379 as :secret");
    EXPECT_EQ(shown("redis://[2001:db8::1]:7000"), "single [2001:db8::1]:7000");
    EXPECT_EQ(shown("rediss://host"), "single host:6379 tls");
    EXPECT_EQ(shown("redis+unix:///run/redis.sock?db=3"), "single unix:/run/redis.sock db 3");
    EXPECT_EQ(shown("redis+unix://:pw@/run/redis.sock"), "single unix:/run/redis.sock as :pw");
    EXPECT_EQ(shown("redis+sentinel://u:p@s1,s2:26380/mymaster/4"), "sentinel mymaster s1:26379 s2:26380 as u:p db 4");
    EXPECT_EQ(shown("redis+cluster://n1:7000,n2:7001"), "cluster n1:7000 n2:7001");
}

TEST(RedisUrl, is_refused_when_it_is_none_and_the_password_is_not_told) {
    for (const char* wrong : {"", "localhost:6379", "http://localhost", "redis://", "redis://:pw@", "redis://host:0", "redis://host:65536",
                              "redis://host:x", "redis://host/x", "redis://host/1/2", "redis://a,b", "redis://u@host", "redis://:hunter2%zz@host",
                              "redis://[::1", "redis+sentinel://s1", "redis+cluster://n1/3", "redis://host?tls=1", "redis+unix://run/x",
                              "redis://:%0@host", "redis://ho st"}) {
        EXPECT_TRUE(shown(wrong).starts_with("refused: ")) << wrong;
        EXPECT_EQ(shown(wrong).find("hunter2"), std::string::npos);
    }
}

TEST(RedisUrl, a_password_that_is_not_encoded_is_refused_and_no_part_of_it_is_told) {
    for (const char* wrong : {"redis://:hunter2/secret@host", "redis://u:secret/hunter2@host:6379/2", "redis://:secret?hunter2@host",
                              "redis://:a@b/hunter2@host", "redis+sentinel://u:p/hunter2@s1/m", "redis+unix://:hunter2/x@/run/redis.sock"}) {
        EXPECT_NE(shown(wrong).find("/ is %2F"), std::string::npos) << wrong << " " << shown(wrong);
        EXPECT_EQ(shown(wrong).find("hunter2"), std::string::npos);
    }
    for (const char* wrong : {"redis://user:hunter2", "redis://host/hunter2", "redis://host?db=hunter2", "redis://[::1]hunter2", "redis://u:p@host:hunter2"})
        EXPECT_EQ(shown(wrong).find("hunter2"), std::string::npos) << wrong;
    EXPECT_EQ(shown("redis://u:a@b@host"), "single host:6379 as u:a@b") << "an @ needs no encoding, the last one counts";
}

TEST(RedisNode, is_a_host_with_or_without_a_port) {
    auto read = [](std::string_view text) {
        auto node = parse_redis_node(text, 26379);
        return node ? node->to_string() : "refused";
    };
    EXPECT_EQ(read("s1"), "s1:26379");
    EXPECT_EQ(read("s1:7"), "s1:7");
    EXPECT_EQ(read("[2001:db8::1]"), "[2001:db8::1]:26379");
    EXPECT_EQ(read("[2001:db8::1]:7"), "[2001:db8::1]:7");
    EXPECT_EQ(read("unix:/run/redis.sock"), "unix:/run/redis.sock");
    for (const char* wrong : {"", ":7", "s1:", "s1:0", "s1:65536", "[::1", "[::1]7", "::1", "u@s1", "s 1"}) EXPECT_EQ(read(wrong), "refused") << wrong;
}

}  // namespace
}  // namespace suoke::store
