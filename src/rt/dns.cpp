// SPDX-License-Identifier: MIT
#include "rt/dns.h"

#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <unordered_map>

namespace suoke::rt {
namespace {

constexpr int kLeastTtl = 1, kMostTtl = 3600;  // seconds
constexpr std::size_t kMostNames = 4096;

struct Answer {
    std::vector<Address> addresses;
    TimePoint expires;
};

// One question; outlives its asker, because c-ares calls back even for what nobody waits for.
struct Question {
    bool answered = false;
    int status = ARES_SUCCESS;
    Answer answer;
    Loop* loop = nullptr;
    std::coroutine_handle<> waiter;
};

// Waits for the answer or the deadline.
class AnswerWait final : Timer {
 public:
    AnswerWait(Loop& loop, std::shared_ptr<Question> question, TimePoint deadline)
        : loop_(loop), question_(std::move(question)), deadline_(deadline) {}
    ~AnswerWait() { question_->waiter = {}; }
    bool await_ready() const { return question_->answered; }
    void await_suspend(std::coroutine_handle<> waiter) {
        question_->waiter = waiter;
        loop_.timers().arm(*this, deadline_);
    }
    void await_resume() { disarm(); }

 private:
    void expired() override { question_->waiter.resume(); }
    Loop& loop_;
    std::shared_ptr<Question> question_;
    TimePoint deadline_;
};

Answer read_answer(const ares_addrinfo& info, TimePoint now) {
    Answer answer;
    int ttl = kMostTtl;
    for (const ares_addrinfo_node* node = info.nodes; node; node = node->ai_next) {
        answer.addresses.push_back(Address::from(node->ai_addr, static_cast<std::uint32_t>(node->ai_addrlen)));
        ttl = std::min(ttl, node->ai_ttl);
    }
    answer.expires = now + std::chrono::seconds(std::clamp(ttl, kLeastTtl, kMostTtl));
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

    explicit Library(Loop& l) : loop(l) {
        ares_library_init(ARES_LIB_INIT_ALL);
        ares_options options{};
        options.sock_state_cb = on_socket;
        options.sock_state_cb_data = this;
        options.timeout = 2000;
        options.tries = 3;
        if (ares_init_options(&channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
            throw StartupError("cannot start the DNS resolver (is /etc/resolv.conf readable?)");
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

    static void on_answer(void* argument, int status, int, ares_addrinfo* info) {
        std::unique_ptr<std::shared_ptr<Question>> held(static_cast<std::shared_ptr<Question>*>(argument));
        Question& question = **held;
        question.answered = true;
        question.status = status;
        if (info) {
            question.answer = read_answer(*info, question.loop->now());
            ares_freeaddrinfo(info);
        }
        if (status == ARES_EDESTRUCTION || !question.waiter) return;
        question.waiter.resume();
    }

    std::shared_ptr<Question> ask(const std::string& host) {
        auto question = std::make_shared<Question>();
        question->loop = &loop;
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, on_answer, new std::shared_ptr<Question>(question));
        schedule();
        return question;
    }

    Loop& loop;
    ares_channel channel = nullptr;
    std::unordered_map<int, std::unique_ptr<Socket>> sockets;
    std::vector<std::unique_ptr<Socket>> graveyard;
    std::unordered_map<std::string, Answer> cache;
};

Resolver::Resolver(Loop& loop) : library_(std::make_unique<Library>(loop)) {}
Resolver::~Resolver() = default;

Task<Result<std::vector<Address>>> Resolver::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
    Library& library = *library_;
    auto known = library.cache.find(host);
    if (known == library.cache.end() || known->second.expires <= library.loop.now()) {
        auto question = library.ask(host);
        AnswerWait answered(library.loop, question, deadline);
        co_await answered;
        if (!question->answered) co_return Error(Code::dns_failed, "no DNS answer for " + host + " in time");
        if (question->status != ARES_SUCCESS || question->answer.addresses.empty())
            co_return Error(Code::dns_failed, "cannot resolve " + host + ": " + ares_strerror(question->status));
        if (library.cache.size() >= kMostNames) library.cache.clear();
        known = library.cache.insert_or_assign(host, std::move(question->answer)).first;
    }
    std::vector<Address> addresses = known->second.addresses;
    for (Address& address : addresses) address.set_port(port);
    co_return addresses;
}

}  // namespace suoke::rt
