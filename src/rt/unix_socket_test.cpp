// SPDX-License-Identifier: MIT
// Listening on a path: shared by loops, with the permissions asked for, and never in another's place.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "rt/scope.h"
#include "rt/socket.h"

namespace suoke::rt {
namespace {

struct Counting final : Acceptor {
    void accepted(StreamPtr stream, const Address& peer) override {
        EXPECT_TRUE(peer.is_unix());
        streams.push_back(std::move(stream));
    }
    std::vector<StreamPtr> streams;
};

Task<void> connect_into(Loop& loop, Address address, std::vector<StreamPtr>& streams, int& refused) {
    auto stream = co_await connect(loop, address, kNever);
    if (stream) streams.push_back(std::move(*stream));
    else ++refused;
}

class UnixSockets : public ::testing::Test {
 protected:
    void TearDown() override { ::unlink(path.c_str()); }
    void connect_one() {
        scope.spawn(connect_into(loop, address, clients, refused));
        loop.settle();
    }
    unsigned mode() const {
        struct stat info {};
        return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
    }
    bool exists() const { return ::access(path.c_str(), F_OK) == 0; }

    std::string path = "/tmp/suoke-unix-" + std::to_string(::getpid()) + ".sock";
    Address address = *Address::parse("unix:" + path, 0);
    ManualClock clock;
    Loop loop{clock}, other{clock};
    Counting here, there;
    std::vector<StreamPtr> clients;
    int refused = 0;
    TaskScope scope;
};

TEST_F(UnixSockets, are_shared_by_any_number_of_loops) {
    auto socket = UnixSocket::open(address, 16, 0600);
    ASSERT_TRUE(socket) << socket.error().detail;
    auto first = listen(loop, *socket, here);
    auto second = listen(other, *socket, there);
    socket = Error(Code::internal, "let go");
    connect_one();
    EXPECT_EQ(here.streams.size(), 1u);
    EXPECT_EQ(second->address(), address);
    // The first one leaves: the second one takes what comes.
    first.reset();
    connect_one();
    EXPECT_EQ(here.streams.size(), 1u);
    other.settle();
    EXPECT_EQ(there.streams.size(), 1u);
    EXPECT_TRUE(exists());
    second.reset();
    EXPECT_FALSE(exists());
    connect_one();
    EXPECT_EQ(refused, 1);
}

TEST_F(UnixSockets, have_the_permissions_asked_for_whatever_the_umask) {
    for (unsigned wanted : {0600u, 0660u, 0666u}) {
        mode_t before = ::umask(0077);
        auto socket = UnixSocket::open(address, 16, wanted);
        ::umask(before);
        ASSERT_TRUE(socket) << socket.error().detail;
        EXPECT_EQ(mode(), wanted);
    }
}

TEST_F(UnixSockets, take_the_place_of_one_left_over_but_not_of_one_that_lives) {
    {
        int left_over = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(::bind(left_over, address.raw(), address.length()), 0);
        ::close(left_over);
    }
    ASSERT_TRUE(exists());
    auto alive = UnixSocket::open(address, 16, 0660);
    ASSERT_TRUE(alive) << alive.error().detail;
    auto second = UnixSocket::open(address, 16, 0660);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().detail.find("is another gateway running?"), std::string::npos);
    EXPECT_TRUE(exists()) << "the refused one must not remove the other's file";
}

TEST_F(UnixSockets, never_remove_a_file_that_is_none_of_theirs) {
    std::ofstream(path) << "precious";
    EXPECT_FALSE(UnixSocket::open(address, 16, 0660));
    EXPECT_TRUE(exists());
    ::unlink(path.c_str());
    auto ours = UnixSocket::open(address, 16, 0660);
    ASSERT_TRUE(ours);
    ::unlink(path.c_str());
    std::ofstream(path) << "another's";
    ours = Error(Code::internal, "let go");
    EXPECT_TRUE(exists());
}

}  // namespace
}  // namespace suoke::rt
