// SPDX-License-Identifier: MIT
// The resolver against a DNS server of the test's own, over UDP on this machine.
#include "rt/dns.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "rt/scope.h"

namespace suoke::rt {
namespace {

std::string u16(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string u32(std::uint32_t n) { return u16(n >> 16) + u16(n & 0xFFFF); }
const std::string kSame = "\xC0\x0C";  // the question's name

enum Type : unsigned { kA = 1, kAaaa = 28, kSrv = 33 };

// Answers what it was told to; NXDOMAIN to everything else.
class Server final : Watched {
 public:
    explicit Server(Loop& loop) : loop_(loop), fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        Address any = *Address::parse("127.0.0.1", 0);
        EXPECT_EQ(::bind(fd_, any.raw(), any.length()), 0);
        loop_.watch(fd_, EPOLLIN, *this);
    }
    ~Server() {
        loop_.unwatch(fd_, *this);
        ::close(fd_);
    }
    std::string address() const {
        sockaddr_storage raw{};
        socklen_t size = sizeof raw;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&raw), &size);
        return Address::from(reinterpret_cast<sockaddr*>(&raw), size).to_string();
    }
    // One record; `bytes` are its data.
    void knows(const std::string& name, Type type, std::uint32_t ttl, const std::string& bytes) {
        std::string record = kSame + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(bytes.size())) + bytes;
        records_[name].emplace_back(type, record);
    }
    int asked = 0;
    bool silent = false;
    int failing = 0;  // with this code

 private:
    void on_events(std::uint32_t) override {
        char space[1500];
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        for (ssize_t got; (got = ::recvfrom(fd_, space, sizeof space, 0, reinterpret_cast<sockaddr*>(&from), &size)) > 0;) {
            ++asked;
            if (silent) continue;
            std::string answer = answer_to({space, static_cast<std::size_t>(got)});
            ::sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
        }
    }
    std::string answer_to(const std::string& question) const {
        std::string name;
        std::size_t at = 12;
        for (; question.at(at) != 0; at += static_cast<std::size_t>(question[at]) + 1)
            name += (name.empty() ? "" : ".") + question.substr(at + 1, static_cast<std::size_t>(question[at]));
        unsigned type = static_cast<unsigned char>(question.at(at + 2));
        std::string records;
        unsigned count = 0;
        auto known = records_.find(name);
        if (known != records_.end())
            for (const auto& [kind, record] : known->second)
                if (kind == type) records += record, ++count;
        unsigned code = failing ? static_cast<unsigned>(failing) : known == records_.end() ? 3 : 0;
        return question.substr(0, 2) + u16(0x8180 | code) + u16(1) + u16(code ? 0 : count) + u32(0) + question.substr(12, at + 5 - 12) +
               (code ? "" : records);
    }
    Loop& loop_;
    int fd_;
    std::map<std::string, std::vector<std::pair<unsigned, std::string>>> records_;
};

class DnsTest : public ::testing::Test {
 public:  // for the dialogues
    DnsTest() {
        ResolverOptions options;
        options.servers = server.address();
        options.timeout = 200ms;
        options.tries = 2;
        resolver.emplace(loop, options);
    }
    // Runs one dialogue to its end, in real time: c-ares has a clock of its own.
    void run(Task<void> dialogue) {
        scope.spawn(to_its_end(std::move(dialogue)));
        loop.run();
    }
    Task<void> to_its_end(Task<void> dialogue) {
        co_await dialogue;
        loop.stop();
    }
    TimePoint soon() { return loop.now() + 10s; }

    SystemClock clock;
    Loop loop{clock};
    Server server{loop};
    std::optional<Resolver> resolver;
    TaskScope scope;
};

TEST_F(DnsTest, tells_addresses_and_for_how_long) {
    server.knows("users.test", kA, 300, {10, 0, 0, 1});
    server.knows("users.test", kA, 60, {10, 0, 0, 2});
    server.knows("users.test", kAaaa, 90, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
    struct Dialogue {
        static Task<void> hold(DnsTest& t) {
            auto resolved = co_await t.resolver->resolve_fresh("users.test", 8080, t.soon());
            EXPECT_TRUE(resolved);
            if (!resolved) co_return;
            std::set<std::string> all;
            for (const Address& address : resolved->addresses) all.insert(address.to_string());
            std::set<std::string> wanted;
            for (const char* one : {"10.0.0.1:8080", "10.0.0.2:8080", "[2001:db8::1]:8080"}) wanted.insert(one);
            EXPECT_EQ(all, wanted);
            EXPECT_EQ(resolved->ttl, 60s);
        }
    };
    run(Dialogue::hold(*this));
}

TEST_F(DnsTest, keeps_an_answer_for_those_who_do_not_ask_for_a_fresh_one) {
    server.knows("users.test", kA, 300, {10, 0, 0, 1});
    struct Dialogue {
        static Task<void> hold(DnsTest& t) {
            auto first = co_await t.resolver->resolve("users.test", 80, t.soon());
            int asked = t.server.asked;
            auto second = co_await t.resolver->resolve("users.test", 81, t.soon());
            EXPECT_EQ(t.server.asked, asked);
            EXPECT_TRUE(second && second->front().to_string() == "10.0.0.1:81");
            auto fresh = co_await t.resolver->resolve_fresh("users.test", 81, t.soon());
            EXPECT_GT(t.server.asked, asked);
            EXPECT_TRUE(first && fresh);
        }
    };
    run(Dialogue::hold(*this));
}

TEST_F(DnsTest, tells_where_a_service_is) {
    std::string target("\1a\5users\4test\0", 14);
    server.knows("_http._tcp.users.test", kSrv, 30, u16(1) + u16(10) + u16(8080) + target);
    server.knows("_http._tcp.users.test", kSrv, 45, u16(2) + u16(0) + u16(8081) + target);
    struct Dialogue {
        static Task<void> hold(DnsTest& t) {
            auto answer = co_await t.resolver->resolve_srv("_http._tcp.users.test", t.soon());
            EXPECT_TRUE(answer) << (answer ? "" : answer.error().detail);
            if (!answer) co_return;
            std::vector<SrvTarget> wanted;
            wanted.push_back({"a.users.test", 8080, 1, 10});
            wanted.push_back({"a.users.test", 8081, 2, 0});
            EXPECT_EQ(answer->targets, wanted);
            EXPECT_EQ(answer->ttl, 30s);
        }
    };
    run(Dialogue::hold(*this));
}

TEST_F(DnsTest, says_why_there_is_no_answer) {
    server.knows("users.test", kA, 300, {10, 0, 0, 1});
    struct Dialogue {
        static Task<void> hold(DnsTest& t) {
            auto none = co_await t.resolver->resolve_srv("_http._tcp.nowhere.test", t.soon());
            EXPECT_TRUE(none.has_error() && none.error().code == Code::dns_failed);
            auto no_srv = co_await t.resolver->resolve_srv("users.test", t.soon());
            EXPECT_TRUE(no_srv.has_error());
            auto no_host = co_await t.resolver->resolve_fresh("nowhere.test", 80, t.soon());
            EXPECT_TRUE(no_host.has_error() && no_host.error().detail.find("nowhere.test") != std::string::npos);
            t.server.failing = 2;
            auto failed = co_await t.resolver->resolve_srv("users.test", t.soon());
            EXPECT_TRUE(failed.has_error());
            t.server.failing = 0;
            t.server.silent = true;
            auto late = co_await t.resolver->resolve_srv("users.test", t.loop.now() + 50ms);
            EXPECT_TRUE(late.has_error() && late.error().detail.find("in time") != std::string::npos);
            auto timeout = co_await t.resolver->resolve_fresh("users.test", 80, t.soon());
            EXPECT_TRUE(timeout.has_error());
        }
    };
    run(Dialogue::hold(*this));
}

TEST_F(DnsTest, a_name_that_is_none_is_refused) {
    struct Dialogue {
        static Task<void> hold(DnsTest& t) {
            auto answer = co_await t.resolver->resolve_srv("a..b", t.soon());
            EXPECT_TRUE(answer.has_error());
            std::string longest(300, 'a');
            auto longer = co_await t.resolver->resolve_srv(std::move(longest), t.soon());
            EXPECT_TRUE(longer.has_error());
        }
    };
    run(Dialogue::hold(*this));
}

TEST_F(DnsTest, an_asker_may_leave_and_the_resolver_may_end) {
    server.silent = true;
    struct Dialogue {
        static Task<void> ask(DnsTest& t) { co_await t.resolver->resolve_srv("users.test", t.soon()); }
    };
    scope.spawn(Dialogue::ask(*this));
    loop.settle();
    scope.cancel();
    loop.settle();
    resolver.reset();
    loop.settle();
    EXPECT_EQ(loop.timers().next(), kNever);
}

TEST(Dns, servers_must_be_addresses) {
    SystemClock clock;
    Loop loop(clock);
    ResolverOptions options;
    options.servers = "not an address";
    EXPECT_THROW(Resolver(loop, options), StartupError);
}

}  // namespace
}  // namespace suoke::rt
