// SPDX-License-Identifier: MIT
#include "rt/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace suoke::rt {
namespace {

constexpr int kLeastTtl = 1, kMostTtl = 3600;  // seconds
constexpr std::size_t kMostNames = 4096;

struct Answer {
    std::vector<Address> addresses;
    Duration ttl{};
    TimePoint expires;
};

// Waits for an answer or the deadline. Resumed at loop level: c-ares calls back from inside itself, and
// what goes on then may ask again or give everything up.
class AnswerWait;

// One question; outlives its asker, because c-ares calls back even for what nobody waits for.
struct Question {
    bool answered = false;
    int status = ARES_SUCCESS;
    Answer answer;              // of a host
    std::string name = {};      // of a service
    std::optional<Result<SrvAnswer>> services = {};
    Loop* loop = nullptr;
    AnswerWait* waiter = nullptr;
};
using QuestionPtr = std::shared_ptr<Question>;

class AnswerWait final : Timer, Deferred {
 public:
    AnswerWait(Loop& loop, QuestionPtr question, TimePoint deadline)
        : loop_(loop), question_(std::move(question)), deadline_(deadline) {}
    ~AnswerWait() { question_->waiter = nullptr; }
    bool await_ready() const { return question_->answered; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        question_->waiter = this;
        loop_.timers().arm(*this, deadline_);
    }
    void await_resume() {
        disarm();
        question_->waiter = nullptr;
    }
    void answered() { loop_.defer(*this); }

 private:
    void expired() override {
        if (!Deferred::linked()) waiter_.resume();
    }
    void run() override { waiter_.resume(); }
    Loop& loop_;
    QuestionPtr question_;
    TimePoint deadline_;
    std::coroutine_handle<> waiter_;
};

Duration clamped(std::int64_t ttl) { return std::chrono::seconds(std::clamp<std::int64_t>(ttl, kLeastTtl, kMostTtl)); }

Answer read_answer(const ares_addrinfo& info, TimePoint now) {
    Answer answer;
    int ttl = kMostTtl;
    for (const ares_addrinfo_node* node = info.nodes; node; node = node->ai_next) {
        answer.addresses.push_back(Address::from(node->ai_addr, static_cast<std::uint32_t>(node->ai_addrlen)));
        ttl = std::min(ttl, node->ai_ttl);
    }
    answer.ttl = clamped(ttl);
    answer.expires = now + answer.ttl;
    return answer;
}

}  // namespace

struct Resolver::Library final : Timer {
    struct Socket final : Watched {
        Socket(Library& l, int f) : library(l), fd(f) {}
        void on_events(std::uint32_t events) override {
            bool in = events & (EPOLLIN | EPOLLERR | EPOLLHUP);
            bool out = events & EPOLLOUT;
            library.process(in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
        }
        Library& library;
        int fd;
    };

    Library(Loop& l, const ResolverOptions& wanted) : loop(l) {
        ares_library_init(ARES_LIB_INIT_ALL);
        ares_options options{};
        options.sock_state_cb = on_socket;
        options.sock_state_cb_data = this;
        options.timeout = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wanted.timeout).count());
        options.tries = wanted.tries;
        if (ares_init_options(&channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
            throw StartupError("cannot start the DNS resolver (is /etc/resolv.conf readable?)");
        if (wanted.servers.empty()) return;
        if (ares_set_servers_ports_csv(channel, wanted.servers.c_str()) == ARES_SUCCESS) return;
        ares_destroy(channel);
        ares_library_cleanup();
        throw StartupError("not a list of DNS servers, such as 192.0.2.53,[2001:db8::53]:5353: " + wanted.servers);
    }
    ~Library() {
        ares_destroy(channel);
        ares_library_cleanup();
    }

    static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
        auto& library = *static_cast<Library*>(self);
        std::uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
        auto found = library.sockets.find(fd);
        if (events == 0) {
            if (found == library.sockets.end()) return;
            library.loop.unwatch(fd, *found->second);
            library.graveyard.push_back(std::move(found->second));  // it may be calling us
            library.sockets.erase(found);
        } else if (found == library.sockets.end()) {
            auto& socket = library.sockets[fd] = std::make_unique<Socket>(library, fd);
            library.loop.watch(fd, events, *socket);
        } else {
            library.loop.rewatch(fd, events, *found->second);
        }
    }

    void process(int readable, int writable) {
        ares_process_fd(channel, readable, writable);
        graveyard.clear();
        schedule();
    }
    // c-ares resends and gives up by itself, if it is called often enough.
    void schedule() {
        if (sockets.empty()) return disarm();
        loop.timers().arm(*this, loop.now() + std::chrono::milliseconds(200));
    }
    void expired() override { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

    // The reference that c-ares held for us, with what it says.
    static QuestionPtr answered(void* argument, int status) {
        std::unique_ptr<QuestionPtr> held(static_cast<QuestionPtr*>(argument));
        (*held)->answered = true;
        (*held)->status = status;
        if (status != ARES_EDESTRUCTION && (*held)->waiter) (*held)->waiter->answered();
        return *held;
    }
    static void on_host(void* argument, int status, int, ares_addrinfo* info) {
        QuestionPtr question = answered(argument, status);
        if (!info) return;
        question->answer = read_answer(*info, question->loop->now());
        ares_freeaddrinfo(info);
    }
    static void on_services(void* argument, int status, int, unsigned char* bytes, int size) {
        QuestionPtr question = answered(argument, status);
        if (status != ARES_SUCCESS || !bytes || size < 0) return;
        std::string_view message(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        question->services = parse_srv_answer(message, question->name);
    }

    QuestionPtr ask(const std::string& host) {
        auto question = std::make_shared<Question>();
        question->loop = &loop;
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, on_host, new QuestionPtr(question));
        schedule();
        return question;
    }
    QuestionPtr ask_for_services(const std::string& name) {
        auto question = std::make_shared<Question>();
        question->loop = &loop;
        question->name = name;
        ares_query(channel, name.c_str(), ns_c_in, ns_t_srv, on_services, new QuestionPtr(question));
        schedule();
        return question;
    }

    Loop& loop;
    ares_channel channel = nullptr;
    std::unordered_map<int, std::unique_ptr<Socket>> sockets;
    std::vector<std::unique_ptr<Socket>> graveyard;
    std::unordered_map<std::string, Answer> cache;
};

Resolver::Resolver(Loop& loop, const ResolverOptions& options) : library_(std::make_unique<Library>(loop, options)) {}
Resolver::~Resolver() = default;

static Error no_answer(const std::string& name) { return Error(Code::dns_failed, "no DNS answer for " + name + " in time"); }
static Error unresolved(const std::string& name, int status) {
    return Error(Code::dns_failed, "cannot resolve " + name + ": " + ares_strerror(status));
}

Task<Result<std::vector<Address>>> Resolver::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
    auto known = library_->cache.find(host);
    if (known != library_->cache.end() && known->second.expires > library_->loop.now()) {
        std::vector<Address> addresses = known->second.addresses;
        for (Address& address : addresses) address.set_port(port);
        co_return addresses;
    }
    auto fresh = co_await resolve_fresh(std::move(host), port, deadline);
    if (!fresh) co_return fresh.error();
    co_return std::move(fresh->addresses);
}

Task<Result<Resolved>> Resolver::resolve_fresh(std::string host, std::uint16_t port, TimePoint deadline) {
    Library& library = *library_;
    QuestionPtr question = library.ask(host);
    AnswerWait answered(library.loop, question, deadline);
    co_await answered;
    if (!question->answered) co_return no_answer(host);
    if (question->status != ARES_SUCCESS || question->answer.addresses.empty()) co_return unresolved(host, question->status);
    if (library.cache.size() >= kMostNames) library.cache.clear();
    library.cache[host] = question->answer;
    Resolved resolved{std::move(question->answer.addresses), question->answer.ttl};
    for (Address& address : resolved.addresses) address.set_port(port);
    co_return resolved;
}

Task<Result<SrvAnswer>> Resolver::resolve_srv(std::string name, TimePoint deadline) {
    QuestionPtr question = library_->ask_for_services(name);
    AnswerWait answered(library_->loop, question, deadline);
    co_await answered;
    if (!question->answered) co_return no_answer(name);
    if (!question->services) co_return unresolved(name, question->status);
    if (!*question->services) co_return question->services->error();
    SrvAnswer answer = std::move(**question->services);
    answer.ttl = clamped(std::chrono::duration_cast<std::chrono::seconds>(answer.ttl).count());
    co_return answer;
}

}  // namespace suoke::rt
