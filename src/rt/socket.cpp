// SPDX-License-Identifier: MIT
#include "rt/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace suoke::rt {
namespace {

template <class T>
T& as(std::array<char, 112>& storage) {
    return *reinterpret_cast<T*>(storage.data());
}
template <class T>
const T& as(const std::array<char, 112>& storage) {
    return *reinterpret_cast<const T*>(storage.data());
}

std::string reason_of(int error) { return std::strerror(error); }

}  // namespace

// ---- addresses

Result<Address> Address::parse(std::string_view host, std::uint16_t port) {
    Address a;
    if (host.starts_with("unix:")) {
        std::string_view path = host.substr(5);
        auto& un = as<sockaddr_un>(a.storage_);
        if (path.empty() || path.size() >= sizeof un.sun_path)
            return Error(Code::invalid_config, "a Unix socket path has 1 to 107 bytes: " + std::string(host));
        un.sun_family = AF_UNIX;
        std::memcpy(un.sun_path, path.data(), path.size());
        a.length_ = static_cast<std::uint32_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
        return a;
    }
    std::string text(host);
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    auto& v4 = as<sockaddr_in>(a.storage_);
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        a.length_ = sizeof v4;
        return a;
    }
    auto& v6 = as<sockaddr_in6>(a.storage_);
    if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        a.length_ = sizeof v6;
        return a;
    }
    return Error(Code::dns_failed, "not an IP address: " + std::string(host));
}

Address Address::from(const sockaddr* raw, std::uint32_t length) {
    Address a;
    a.length_ = std::min<std::uint32_t>(length, static_cast<std::uint32_t>(a.storage_.size()));
    std::memcpy(a.storage_.data(), raw, a.length_);
    return a;
}

int Address::family() const { return length_ ? raw()->sa_family : AF_UNSPEC; }
bool Address::is_unix() const { return family() == AF_UNIX; }

std::uint16_t Address::port() const {
    if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
    if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
    return 0;
}

void Address::set_port(std::uint16_t port) {
    if (family() == AF_INET) as<sockaddr_in>(storage_).sin_port = htons(port);
    if (family() == AF_INET6) as<sockaddr_in6>(storage_).sin6_port = htons(port);
}

std::string Address::host() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET) ::inet_ntop(AF_INET, &as<sockaddr_in>(storage_).sin_addr, text, sizeof text);
    if (family() == AF_INET6) {
        const in6_addr& v6 = as<sockaddr_in6>(storage_).sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            ::inet_ntop(AF_INET, v6.s6_addr + 12, text, sizeof text);
        } else {
            ::inet_ntop(AF_INET6, &v6, text, sizeof text);
        }
    }
    if (is_unix()) return as<sockaddr_un>(storage_).sun_path;
    return text;
}

std::string Address::to_string() const {
    if (length_ == 0) return "";
    if (is_unix()) return "unix:" + host();
    std::string h = host();
    if (h.find(':') != std::string::npos) h = "[" + h + "]";
    return h + ":" + std::to_string(port());
}

static std::optional<std::array<std::uint8_t, 16>> as_v6(const Address& address) {
    std::array<std::uint8_t, 16> out{};
    if (address.family() == AF_INET6) {
        std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr, 16);
        return out;
    }
    if (address.family() == AF_INET) {
        out[10] = out[11] = 0xff;
        std::memcpy(out.data() + 12, &reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr, 4);
        return out;
    }
    return std::nullopt;
}

Result<Network> Network::parse(std::string_view text) {
    auto fault = [&] {
        return Error(Code::invalid_config, "not a network (such as 10.0.0.0/8 or 2001:db8::/32): " + std::string(text));
    };
    std::size_t slash = text.find('/');
    auto address = Address::parse(text.substr(0, slash), 0);
    if (!address || address->is_unix()) return fault();
    bool v4 = address->family() == AF_INET;
    std::uint64_t bits = v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        auto given = parse_u64(text.substr(slash + 1));
        if (!given || *given > bits) return fault();
        bits = *given;
    }
    Network network;
    network.prefix_ = *as_v6(*address);
    network.bits_ = static_cast<int>(bits) + (v4 ? 96 : 0);
    return network;
}

bool Network::contains(const Address& address) const {
    auto other = as_v6(address);
    if (!other) return false;
    int whole = bits_ / 8;
    if (std::memcmp(other->data(), prefix_.data(), static_cast<std::size_t>(whole)) != 0) return false;
    int rest = bits_ % 8;
    if (rest == 0) return true;
    int shift = 8 - rest;
    auto at = static_cast<std::size_t>(whole);
    return ((*other)[at] >> shift) == (prefix_[at] >> shift);
}

// ---- streams

namespace {

constexpr unsigned kUnixMode = 0660;
constexpr std::uint32_t kEverything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

class SocketStream final : public Stream, Watched {
 public:
    SocketStream(Loop& loop, int fd, const Address& peer) : Stream(loop), fd_(fd), peer_(peer) {
        loop.watch(fd_, kEverything, *this);
    }
    ~SocketStream() override {
        if (died_) *died_ = true;
        loop().unwatch(fd_, *this);
        if (reset_) {
            linger hard{1, 0};
            ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        ::close(fd_);
    }

    Io read(std::span<char> space) override { return receive(space, MSG_DONTWAIT); }
    Io peek(std::span<char> space) override { return receive(space, MSG_DONTWAIT | MSG_PEEK); }

    Io write(std::span<const iovec> pieces) override {
        ssize_t n;
        if (pieces.size() == 1) {
            n = ::send(fd_, pieces[0].iov_base, pieces[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            msghdr message{};
            message.msg_iov = const_cast<iovec*>(pieces.data());
            message.msg_iovlen = pieces.size();
            n = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (n >= 0) {
            std::size_t wanted = 0;
            for (const iovec& piece : pieces) wanted += piece.iov_len;
            if (static_cast<std::size_t>(n) < wanted) writable_ = false;
            return {Io::done, static_cast<std::size_t>(n)};
        }
        if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
            writable_ = errno == EINTR;
            return {Io::would_block, 0};
        }
        return {Io::reset, 0};
    }

    void shutdown_write() override { ::shutdown(fd_, SHUT_WR); }
    void reset_on_close() override { reset_ = true; }
    std::string peer() const override { return peer_.to_string(); }
    // Not writable before it is connected.
    void expect_connect() { writable_ = false; }

 private:
    Io receive(std::span<char> space, int flags) {
        ssize_t n = ::recv(fd_, space.data(), space.size(), flags);
        if (n > 0) {
            // Less than asked for means the socket is empty: edge-triggered epoll will tell of more,
            // so the usual second, failing recv is saved. A hang-up is told only once.
            bool emptied = static_cast<std::size_t>(n) < space.size() && !(flags & MSG_PEEK);
            if (emptied && !hung_up()) readable_ = false;
            return {Io::done, static_cast<std::size_t>(n)};
        }
        if (n == 0) return {Io::end, 0};
        if (errno == EAGAIN || errno == EINTR) {
            readable_ = errno == EINTR;
            return {Io::would_block, 0};
        }
        return {Io::reset, 0};
    }

    void on_events(std::uint32_t events) override {
        bool died = false;  // what is woken below may destroy this
        died_ = &died;
        if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
            peer_hung_up((events & (EPOLLERR | EPOLLHUP)) != 0);
        } else if (events & EPOLLIN) {
            became_readable();
        }
        if (!died && (events & EPOLLOUT) && !writable_) became_writable();
        if (!died) died_ = nullptr;
    }

    int fd_;
    Address peer_;
    bool reset_ = false;
    bool* died_ = nullptr;
};

void set_no_delay(int fd, const Address& address) {
    if (address.is_unix()) return;
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// ---- listening

class SocketListener final : public Listener, Watched, Timer {
 public:
    SocketListener(Loop& loop, int fd, const Address& address, Acceptor& acceptor)
        : loop_(loop), fd_(fd), address_(address), acceptor_(acceptor) {
        loop_.watch(fd_, EPOLLIN, *this);
    }
    SocketListener(Loop& loop, std::shared_ptr<UnixSocket> shared, Acceptor& acceptor)
        : loop_(loop), fd_(shared->fd()), address_(shared->address()), acceptor_(acceptor), shared_(std::move(shared)) {
        begin_shared();
    }
    ~SocketListener() {
        if (died_) *died_ = true;
        if (shared_) {
            loop_.unwatch_shared(fd_, *this);
            return;
        }
        loop_.unwatch(fd_, *this);
        ::close(fd_);
    }

    Address address() const override { return address_; }
    void accept_pending() override {
        while (accept_one()) {
        }
    }
    std::uint64_t pauses() const override { return pauses_; }
    void pause(bool paused) override {
        paused_ = paused;
        if (!armed()) listen_for(paused ? 0u : std::uint32_t{EPOLLIN});
    }

 private:
    static constexpr int kPerTurn = 64;  // leave room for the connections we have

    void on_events(std::uint32_t) override {
        bool died = false;
        died_ = &died;
        for (int i = 0; i < kPerTurn && accept_one() && !died; ++i) {
        }
        if (!died) died_ = nullptr;
    }

    bool accept_one() {
        if (paused_) return false;
        sockaddr_storage raw{};
        socklen_t length = sizeof raw;
        int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&raw), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            Address peer = Address::from(reinterpret_cast<sockaddr*>(&raw), length);
            set_no_delay(fd, peer);
            acceptor_.accepted(std::make_unique<SocketStream>(loop_, fd, peer), peer);
            return true;
        }
        bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (exhausted) rest();
        return errno == ECONNABORTED || errno == EINTR;
    }

    // Out of descriptors: look away for a moment. The kernel keeps the waiting connections.
    void rest() {
        ++pauses_;
        if (shared_) loop_.unwatch_shared(fd_, *this);
        else listen_for(0);
        loop_.timers().arm(*this, loop_.now() + std::chrono::milliseconds(100));
    }
    void expired() override {
        if (shared_) begin_shared();
        else listen_for(paused_ ? 0u : std::uint32_t{EPOLLIN});
    }
    // Exclusive watching cannot be changed, only begun anew.
    void begin_shared() { loop_.watch(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this); }
    void listen_for(std::uint32_t events) { loop_.rewatch(fd_, events, *this); }

    Loop& loop_;
    int fd_;
    Address address_;
    Acceptor& acceptor_;
    std::shared_ptr<UnixSocket> shared_;
    std::uint64_t pauses_ = 0;
    bool paused_ = false;
    bool* died_ = nullptr;
};

int open_socket(const Address& address) {
    return ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// A socket file that nobody listens on any more is left over from a crash.
void remove_stale_unix_socket(const Address& address) {
    struct stat info{};
    if (::stat(address.host().c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
    int probe = open_socket(address);
    bool alive = ::connect(probe, address.raw(), address.length()) == 0;
    ::close(probe);
    if (!alive) ::unlink(address.host().c_str());
}

std::uint64_t inode_of(const Address& address) {
    struct stat info{};
    return ::stat(address.host().c_str(), &info) == 0 ? info.st_ino : 0;
}

Error cannot_listen(const Address& address, int error) {
    std::string hint;
    if (error == EADDRINUSE) hint = address.is_unix() ? " (is another gateway running?)" : " (is another gateway running? try --port)";
    return Error(Code::invalid_config, "cannot listen on " + address.to_string() + ": " + reason_of(error) + hint);
}

}  // namespace

// ---- Unix sockets

UnixSocket::UnixSocket(int fd, const Address& address) : fd_(fd), address_(address), file_(inode_of(address)) {}

UnixSocket::~UnixSocket() {
    if (file_ != 0 && inode_of(address_) == file_) ::unlink(address_.host().c_str());
    ::close(fd_);
}

Result<std::shared_ptr<UnixSocket>> UnixSocket::open(const Address& address, int backlog, unsigned mode) {
    int fd = open_socket(address);
    if (fd < 0) return cannot_listen(address, errno);
    remove_stale_unix_socket(address);
    // Linux makes the file with the mode of the socket, less the umask; which chmod gives back.
    ::fchmod(fd, mode);
    if (::bind(fd, address.raw(), address.length()) != 0) {
        int error = errno;
        ::close(fd);
        return cannot_listen(address, error);
    }
    auto socket = std::make_shared<UnixSocket>(fd, address);
    if (::chmod(address.host().c_str(), mode) != 0 || ::listen(fd, backlog) != 0) return cannot_listen(address, errno);
    return socket;
}

std::unique_ptr<Listener> listen(Loop& loop, std::shared_ptr<UnixSocket> socket, Acceptor& acceptor) {
    return std::make_unique<SocketListener>(loop, std::move(socket), acceptor);
}

// ---- listening

Result<std::unique_ptr<Listener>> listen(Loop& loop, const Address& address, int backlog,
                                         Acceptor& acceptor) {
    if (address.is_unix()) {
        auto socket = UnixSocket::open(address, backlog, kUnixMode);
        if (!socket) return socket.error();
        return listen(loop, std::move(*socket), acceptor);
    }
    auto fault = [&](int error) { return cannot_listen(address, error); };
    int fd = open_socket(address);
    if (fd < 0) return fault(errno);
    int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::bind(fd, address.raw(), address.length()) != 0 || ::listen(fd, backlog) != 0) {
        int error = errno;
        ::close(fd);
        return fault(error);
    }
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length);
    Address bound = Address::from(reinterpret_cast<sockaddr*>(&raw), length);
    return std::unique_ptr<Listener>(std::make_unique<SocketListener>(loop, fd, bound, acceptor));
}

// ---- connecting

Task<Result<StreamPtr>> connect(Loop& loop, Address address, TimePoint deadline) {
    auto fault = [&](int error) {
        return Error(Code::connect_failed, "cannot connect to " + address.to_string() + ": " + reason_of(error));
    };
    int fd = open_socket(address);
    if (fd < 0) co_return fault(errno);
    set_no_delay(fd, address);
    int status = ::connect(fd, address.raw(), address.length());
    int error = status == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) {
        ::close(fd);
        co_return fault(error);
    }
    auto stream = std::make_unique<SocketStream>(loop, fd, address);
    if (error == EINPROGRESS) {
        stream->expect_connect();
        Wake woken = co_await stream->writable(deadline);
        if (woken == Wake::timeout)
            co_return Error(Code::connect_timeout, "no answer from " + address.to_string());
        socklen_t length = sizeof error;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) co_return fault(error);
    }
    co_return StreamPtr(std::move(stream));
}

std::uint64_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace suoke::rt
