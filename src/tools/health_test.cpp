// SPDX-License-Identifier: MIT
#include "tools/health.h"

#include <gtest/gtest.h>

#include "rt/socket.h"

namespace suoke::tools {
namespace {

TEST(HealthUrl, without_a_path_asks_for_health) {
    for (const char* url : {"http://localhost:8000", "http://localhost:8000/", "localhost:8000"}) {
        auto parsed = parse_http_url(url);
        ASSERT_TRUE(parsed) << url;
        EXPECT_EQ(parsed->host, "localhost");
        EXPECT_EQ(parsed->authority, "localhost:8000");
        EXPECT_EQ(parsed->port, 8000);
        EXPECT_EQ(parsed->path, "/health");
    }
    EXPECT_EQ(parse_http_url("http://gw/health/ready")->path, "/health/ready");
    EXPECT_EQ(parse_http_url("http://gw")->port, 80);
}

TEST(HealthUrl, an_ipv6_address_loses_its_brackets) {
    auto parsed = parse_http_url("http://[::1]:8000");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->host, "::1");
    EXPECT_EQ(parsed->authority, "[::1]:8000");
}

TEST(HealthUrl, what_is_none_is_refused) {
    for (const char* url : {"", "http://", "https://gw", "http://user@gw/", "http://gw:port",
                            "http://gw/a b", "http://gw/\r\nx: y", "http://gw/?a=\r\nx"})
        EXPECT_FALSE(parse_http_url(url)) << url;
}

// Accepts and says what it is told, or nothing.
class Peer final : public rt::Acceptor {
 public:
    explicit Peer(std::string says) : says_(std::move(says)) {
        listener_ = std::move(*rt::listen(loop_, *rt::Address::parse("127.0.0.1", 0), 8, *this));
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Peer() {
        loop_.post([this] { loop_.stop(); });
        thread_.join();
    }
    HttpUrl url() const {
        return *parse_http_url("http://127.0.0.1:" + std::to_string(listener_->address().port()));
    }

 private:
    void accepted(rt::StreamPtr stream, const rt::Address&) override {
        stream->write(says_);
        if (!says_.empty()) stream->shutdown_write();
        streams_.push_back(std::move(stream));
    }
    std::string says_;
    SystemClock clock_;
    rt::Loop loop_{clock_};
    std::unique_ptr<rt::Listener> listener_;
    std::vector<rt::StreamPtr> streams_;
    std::thread thread_;
};

TEST(Health, reads_an_answer_of_any_status_and_framing) {
    Peer chunked("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n");
    auto answer = fetch_health(chunked.url(), std::chrono::seconds(10));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(answer->body, "bad");
    Peer until_close("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\nfine");
    EXPECT_EQ(fetch_health(until_close.url(), std::chrono::seconds(10))->body, "fine");
}

TEST(Health, gives_up_when_the_time_is_over) {
    Peer silent("");
    auto answer = fetch_health(silent.url(), std::chrono::milliseconds(30));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::deadline_exceeded);
}

TEST(Health, refuses_what_is_not_http_or_ends_early) {
    Peer other("SSH-2.0-OpenSSH\r\n\r\n");
    EXPECT_EQ(fetch_health(other.url(), std::chrono::seconds(10)).error().code,
              Code::upstream_invalid);
    Peer cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    EXPECT_EQ(fetch_health(cut.url(), std::chrono::seconds(10)).error().code,
              Code::upstream_truncated);
}

}  // namespace
}  // namespace suoke::tools
