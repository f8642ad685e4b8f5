// SPDX-License-Identifier: MIT
#include "store/redis_connection.h"

#include <hiredis/hiredis.h>

#include <array>
#include <new>
#include <vector>

namespace suoke::store {
namespace {

constexpr std::size_t kReadAtOnce = 32 * 1024;
constexpr std::size_t kKeptBuffer = 256 * 1024;  // what a burst needed beyond it is given back

Error unavailable(const RedisNode& node, const std::string& what) {
    return Error(Code::store_unavailable, "Redis at " + node.to_string() + " " + what);
}

// An upper bound of what the command takes on the wire.
std::size_t size_of(std::span<const std::string> args) {
    std::size_t bytes = 16;
    for (const std::string& arg : args) bytes += arg.size() + 32;
    return bytes;
}

void append_command(std::string& out, std::span<const std::string> args) {
    std::vector<const char*> pointers;
    std::vector<std::size_t> sizes;
    for (const std::string& arg : args) {
        pointers.push_back(arg.data());
        sizes.push_back(arg.size());
    }
    char* raw = nullptr;
    auto size = redisFormatCommandArgv(&raw, static_cast<int>(args.size()), pointers.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    std::unique_ptr<char, void (*)(char*)> owned(raw, [](char* p) { redisFreeCommand(p); });
    out.append(raw, static_cast<std::size_t>(size));
}

const std::string kAsking = "ASKING";

// Not upstream::reach: Redis has no name among ALPN's, and a proxy before it may refuse those it does not know.
rt::Task<Result<rt::StreamPtr>> connect(upstream::Dialer& dialer, RedisNode node, std::shared_ptr<const rt::TlsClient> tls, TimePoint deadline) {
    upstream::EndpointAddress endpoint;
    endpoint.host = node.host;
    endpoint.port = node.port;
    Result<rt::StreamPtr> stream = co_await dialer.dial(std::move(endpoint), deadline);
    if (!stream || !tls) co_return stream;
    std::vector<std::string> no_alpn;
    stream = co_await rt::tls_connect(std::move(*stream), std::move(tls), node.host, node.to_string(), deadline, std::move(no_alpn));
    co_return stream;
}

}  // namespace

// ---- waiting for a reply

RedisReply::RedisReply(rt::Loop& loop, RedisConnection& connection, std::uint64_t ticket, TimePoint deadline)
    : loop_(loop), connection_(&connection), ticket_(ticket), deadline_(deadline) {
    connection.slots_[ticket - connection.first_ticket_].waiter = this;
}

void RedisReply::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    if (deadline_ != kNever) loop_.timers().arm(*this, deadline_);
}

// The waiter goes on at loop level: it may destroy the connection, or send its next command.
void RedisReply::settle(RedisOutcome outcome) {
    connection_ = nullptr;
    disarm();
    outcome_.emplace(std::move(outcome));
    if (waiter_) loop_.defer(*this);
}

void RedisReply::leave() {
    if (connection_) connection_->slots_[ticket_ - connection_->first_ticket_].waiter = nullptr;
    connection_ = nullptr;
}

void RedisReply::expired() {
    bool sent = connection_->sent_ > connection_->slots_[ticket_ - connection_->first_ticket_].begins_at;
    outcome_.emplace(RedisOutcome{unavailable(connection_->node(), "did not answer in time"), sent});
    leave();
    waiter_.resume();
}

// ---- beginning

RedisConnection::RedisConnection(rt::Loop& loop, rt::StreamPtr stream, RedisNode node, const RedisOptions& options)
    : loop_(loop),
      stream_(std::move(stream)),
      node_(std::move(node)),
      silence_after_(options.silence),
      most_in_flight_(options.most_in_flight),
      most_queued_bytes_(options.most_queued_bytes),
      reader_(options.limits),
      last_heard_(loop.now()) {
    scope_.spawn(write_all());
    scope_.spawn(read_all());
}

RedisConnection::~RedisConnection() {
    give_up(unavailable(node_, "is not used any more"));
    scope_.cancel();
}

rt::Task<Result<std::unique_ptr<RedisConnection>>> RedisConnection::open(rt::Loop& loop, upstream::Dialer& dialer, RedisNode node,
                                                                         RedisOptions options) {
    TimePoint deadline = deadline_after(loop.now(), options.connect_timeout);
    Result<rt::StreamPtr> stream = co_await connect(dialer, node, options.tls, deadline);
    if (!stream) {
        std::string why(stream.error().reason());
        if (!stream.error().detail.empty()) why += ": " + stream.error().detail;
        co_return unavailable(node, "cannot be reached: " + why);
    }
    auto connection = std::make_unique<RedisConnection>(loop, std::move(*stream), std::move(node), options);
    Result<void> welcome = co_await connection->say_hello(std::move(options), deadline);
    if (!welcome) co_return welcome.error();
    co_return std::move(connection);
}

// All of it in one round trip. The PING tells what the others do not: that the data is loaded, and that
// a login was not left out.
rt::Task<Result<void>> RedisConnection::say_hello(RedisOptions options, TimePoint deadline) {
    std::vector<std::vector<std::string>> commands;
    const std::string& password = options.password.reveal();
    if (!password.empty() && options.username.empty()) commands.push_back({"AUTH", password});
    if (!password.empty() && !options.username.empty()) commands.push_back({"AUTH", options.username, password});
    if (options.db != 0) commands.push_back({"SELECT", std::to_string(options.db)});
    if (!options.client_name.empty()) commands.push_back({"CLIENT", "SETNAME", options.client_name});
    commands.push_back({"PING"});

    std::deque<RedisReply> replies;
    for (const auto& args : commands) {
        if (std::optional<Error> refused = no_room(size_of(args))) {
            replies.emplace_back(loop_, std::move(*refused));
            continue;
        }
        queue(args);
        replies.emplace_back(loop_, *this, take_slot(), deadline);
    }
    for (std::size_t i = 0; i < commands.size(); ++i) {
        RedisReply& reply = replies[i];  // g++ 12 would copy what is awaited without a name
        RedisOutcome outcome = co_await reply;
        if (!outcome.reply) co_return outcome.reply.error();
        // A name is for people, and a user may be allowed neither CLIENT nor PING and all we need.
        bool matters = commands[i][0] != "CLIENT" && outcome.reply->error_word() != "NOPERM";
        if (outcome.reply->is_error() && (matters || commands[i][0] == "AUTH")) co_return redis_error(node_.to_string(), *outcome.reply);
    }
    co_return Result<void>();
}

// ---- commands

std::optional<Error> RedisConnection::no_room(std::size_t bytes) const {
    if (why_) return *why_;
    if (slots_.size() + 2 > most_in_flight_)
        return unavailable(node_, "has " + std::to_string(slots_.size()) + " commands to answer already");
    if (out_.size() - out_done_ + bytes > most_queued_bytes_) return unavailable(node_, "does not take what is queued for it");
    return std::nullopt;
}

void RedisConnection::queue(std::span<const std::string> args) {
    std::size_t before = out_.size();
    append_command(out_, args);
    queued_ += out_.size() - before;
    work_.tell();
}

// For what was queued last but one byte or more: the ticket names its place among the replies.
std::uint64_t RedisConnection::take_slot() {
    slots_.push_back({nullptr, queued_ - 1});
    if (!silence_.armed()) listen_for_silence();  // more commands do not make a dead server younger
    return first_ticket_ + slots_.size() - 1;
}

RedisReply RedisConnection::command(std::span<const std::string> args, TimePoint deadline, bool asking) {
    if (std::optional<Error> refused = no_room(size_of(args))) return RedisReply(loop_, std::move(*refused));
    if (asking) {
        queue(std::span(&kAsking, 1));
        take_slot();  // nobody waits for its OK: an error will be the command's, too
    }
    std::uint64_t begins_at = queued_;
    queue(args);
    std::uint64_t ticket = take_slot();
    slots_.back().begins_at = begins_at;
    return RedisReply(loop_, *this, ticket, deadline);
}

void RedisConnection::say(std::span<const std::string> args) {
    if (why_) return;
    if (std::optional<Error> refused = no_room(size_of(args))) return give_up(std::move(*refused));
    queue(args);
}

// ---- the two directions

rt::Task<void> RedisConnection::write_all() {
    for (;;) {
        if (why_) co_return;
        if (out_.empty()) {
            co_await work_.wait(kNever);  // at loop level: what the turn gathers goes in one write
            continue;
        }
        rt::Io put = stream_->write(std::string_view(out_).substr(out_done_));
        if (put.failed()) {
            give_up(unavailable(node_, "closed the connection"));
            co_return;
        }
        sent_ += put.bytes;
        out_done_ += put.bytes;
        if (out_done_ == out_.size()) {
            out_.clear();
            out_done_ = 0;
            if (out_.capacity() > kKeptBuffer) out_.shrink_to_fit();
            continue;
        }
        if (out_done_ > kKeptBuffer) {
            out_.erase(0, out_done_);
            out_done_ = 0;
        }
        co_await stream_->writable(kNever);  // that it never comes is noticed as silence
    }
}

rt::Task<void> RedisConnection::read_all() {
    std::vector<char> space(kReadAtOnce);
    for (;;) {
        if (why_) co_return;
        rt::Io got = stream_->read(space);
        if (got.blocked()) {
            co_await stream_->readable(kNever);
            continue;
        }
        if (got.failed()) {
            give_up(unavailable(node_, got.ended() ? "closed the connection" : "broke the connection"));
            co_return;
        }
        if (!understand(std::string_view(space.data(), got.bytes))) co_return;
    }
}

bool RedisConnection::understand(std::string_view bytes) {
    last_heard_ = loop_.now();
    reader_.feed(bytes);
    for (;;) {
        Result<std::optional<RedisValue>> reply = reader_.next();
        if (!reply) {
            give_up(unavailable(node_, "is not understood: " + reply.error().detail));
            return false;
        }
        if (!*reply) break;
        if (!deliver(std::move(**reply))) return false;
    }
    silence_.disarm();
    listen_for_silence();
    return true;
}

bool RedisConnection::deliver(RedisValue value) {
    if (!slots_.empty()) {
        RedisReply* waiter = slots_.front().waiter;
        slots_.pop_front();
        ++first_ticket_;
        if (waiter) waiter->settle(RedisOutcome{std::move(value), true});
        return true;
    }
    if (pushes_) {
        pushes_->pushed(std::move(value));
        return !why_;
    }
    // "-ERR max number of clients reached", "-DENIED ..." are said unasked, before the connection ends.
    give_up(value.is_error() ? redis_error(node_.to_string(), value) : unavailable(node_, "said something that nobody asked for"));
    return false;
}

// ---- ending

void RedisConnection::listen_for_silence() {
    if (!slots_.empty() && silence_after_ > Duration::zero()) loop_.timers().arm(silence_, loop_.now() + silence_after_);
}

void RedisConnection::fell_silent() { give_up(unavailable(node_, "is silent with commands in flight")); }

void RedisConnection::give_up(Error why) {
    if (why_) return;
    why_ = std::move(why);
    silence_.disarm();
    for (Slot& slot : slots_)
        if (slot.waiter) slot.waiter->settle(RedisOutcome{*why_, sent_ > slot.begins_at});
    slots_.clear();
    work_.tell();
    ended_.tell();
}

}  // namespace suoke::store
