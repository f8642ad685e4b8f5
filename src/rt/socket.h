// SPDX-License-Identifier: MIT
#pragma once
// Sockets: addresses, listening, connecting. TCP over IPv4 and IPv6, and Unix sockets.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "rt/stream.h"

struct sockaddr;

namespace suoke::rt {

// A socket address; a value. Its text is "192.0.2.1:80", "[2001:db8::1]:80" or "unix:/run/x.sock".
class Address {
 public:
    Address() = default;
    // Literal IP addresses only, and "unix:/path"; names go through dns.h.
    static Result<Address> parse(std::string_view host, std::uint16_t port);
    static Address from(const sockaddr* raw, std::uint32_t length);

    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(storage_.data()); }
    std::uint32_t length() const { return length_; }
    int family() const;
    bool is_unix() const;
    std::uint16_t port() const;
    void set_port(std::uint16_t port);
    std::string host() const;       // without brackets; the path of a Unix socket
    std::string to_string() const;
    friend bool operator==(const Address& a, const Address& b) { return a.to_string() == b.to_string(); }

 private:
    alignas(8) std::array<char, 112> storage_{};  // fits sockaddr_un
    std::uint32_t length_ = 0;
};

// A network, for trusted proxies: "10.0.0.0/8", "2001:db8::/32", "192.0.2.7".
class Network {
 public:
    static Result<Network> parse(std::string_view text);
    bool contains(const Address& address) const;

 private:
    std::array<std::uint8_t, 16> prefix_{};
    int bits_ = 0;  // of the IPv6 form; IPv4 is mapped (::ffff:0:0/96)
};

// Is told about each accepted connection.
class Acceptor {
 public:
    virtual void accepted(StreamPtr stream, const Address& peer) = 0;

 protected:
    ~Acceptor() = default;
};

// A listening socket of one worker; several workers share an address by SO_REUSEPORT. When the
// process runs out of descriptors it stops accepting for a moment instead of spinning.
class Listener {
 public:
    virtual ~Listener() = default;
    virtual Address address() const = 0;  // the port is the real one when 0 was asked for
    virtual void accept_pending() = 0;    // what the kernel holds already; before closing
    virtual std::uint64_t pauses() const = 0;  // how often descriptors ran out
    // While paused, connections wait in the kernel. May be called from accepted().
    virtual void pause(bool paused) = 0;
};
// A Unix socket that listens, for any number of loops: a path has one owner, so that workers cannot
// bind it one by one. Closed, and its file removed, when the last listener has gone. Thread-safe.
class UnixSocket {
 public:
    // A file left over from a crash is replaced; one that somebody listens on is not. The file never
    // has more permissions than `mode`.
    static Result<std::shared_ptr<UnixSocket>> open(const Address& address, int backlog, unsigned mode);
    UnixSocket(int fd, const Address& address);
    ~UnixSocket();
    UnixSocket(const UnixSocket&) = delete;
    UnixSocket& operator=(const UnixSocket&) = delete;
    int fd() const { return fd_; }
    const Address& address() const { return address_; }

 private:
    int fd_;
    Address address_;
    std::uint64_t file_ = 0;  // its inode: another's file at the path is not ours to remove
};
// One connection wakes one of the loops that listen.
std::unique_ptr<Listener> listen(Loop& loop, std::shared_ptr<UnixSocket> socket, Acceptor& acceptor);

// `backlog` in connections. Failures name the address and the reason.
Result<std::unique_ptr<Listener>> listen(Loop& loop, const Address& address, int backlog,
                                         Acceptor& acceptor);

// Connects within the deadline: Code::connect_failed or Code::connect_timeout otherwise.
Task<Result<StreamPtr>> connect(Loop& loop, Address address, TimePoint deadline);

// Raises the soft descriptor limit to the hard one; returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace suoke::rt
