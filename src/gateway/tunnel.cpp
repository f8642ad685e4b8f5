// SPDX-License-Identifier: MIT
#include "gateway/tunnel.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace suoke::gateway {

using http::Piece;
namespace ws = http::ws;

// How long a Close waits for the end of a frame, and the client's end for the upstream's.
constexpr Duration kGrace = std::chrono::seconds(5);

bool TokenBucket::take(std::uint64_t n, TimePoint now) {
    if (rate_ <= 0) return true;
    tokens_ = std::min(rate_, tokens_ + rate_ * seconds(now - filled_));
    filled_ = now;
    if (tokens_ <= 0) return false;
    tokens_ -= static_cast<double>(n);
    return true;
}

// ---- one direction

// From one side to the other. Its reader pulls it like any body.
class Tunnel::Lane {
 public:
    Lane(Tunnel& tunnel, Side from) : tunnel_(tunnel), from_(from), walker_(from, true), bell_(tunnel.parts_.loop) {}

    void attach(http::BodySource* bytes, http::Body owned) {
        owned_ = std::move(owned);
        inner_ = bytes;
    }
    void detach() {
        inner_ = nullptr;
        owned_.reset();
        given_end_ = true;
    }
    bool attached() const { return inner_ != nullptr; }
    void inspect(const ws::Deflate& deflate) { inspector_ = std::make_unique<ws::Inspector>(from_, deflate, tunnel_.rules_.messages); }

    Result<Piece> next();
    rt::Task<void> wait();
    std::uint64_t received() const { return inner_ ? inner_->received() : 0; }
    void forget_head() {
        if (inner_) inner_->forget_head();
    }

    // The reader shall hear this at the next border of two frames, and then the end.
    void end_with(const Word& word) {
        if (ending_) return;
        ending_ = true;
        word_ = word;
        bell_.ring();
    }
    void cut() {
        ending_ = cut_ = overdue_ = true;
        bell_.ring();
    }
    // There is a Listener, whom the client may have messages for, and who may have some for the client.
    void talk() { talk_ = std::make_unique<Talk>(); }
    void say(std::string_view text);
    void ring() { bell_.ring(); }
    bool given_end() const { return given_end_; }
    bool source_ended() const { return source_ended_; }

 private:
    struct Talk {
        bool holding = false;        // a frame of which nothing was passed yet
        std::string held;            // so much of it as has come
        std::size_t payload = 0;     // where that begins in it
        std::string clear;           // the same, unmasked
        std::string to_say, said;    // frames of our own; `said` is with the reader
    };

    Result<Piece> pass_spliced();
    Result<Piece> pass_inspected();
    bool may_be_ours(std::string_view payload) const;
    Piece begin_hold(std::size_t frame, std::size_t payload, bool head_was_held);
    Piece hold_on();
    Piece speak();
    Piece refuse_frame(std::size_t clean, bool partly_passed, const ws::Violation& violation);
    void heard(const ws::FrameHead& head);
    void watch_close(const ws::Step& step, std::uint64_t at);
    Piece give(std::string_view bytes);
    Piece end();
    Piece last_word();
    bool between_frames() const { return inspector_ ? inspector_->between_frames() : walker_.between_frames(); }
    bool speechless() const { return cut_ || closed_ || blind_; }
    bool may_end() const { return ending_ && (speechless() || broken_ || between_frames() || holds_head() || holds_frame()); }
    bool holds_head() const { return inspector_ && inspector_->inside_head(); }
    bool holds_frame() const { return talk_ && talk_->holding; }
    bool wants_to_speak() const { return talk_ && !talk_->to_say.empty() && !ending_ && !speechless(); }
    // Nothing but a control frame may stand between the fragments of a message (§5.4).
    bool may_speak() const { return wants_to_speak() && !mid_message_ && (between_frames() || holds_head()); }
    bool must_let_the_other_end() const;
    bool must_read_on() const;
    bool said_close() const { return spoken_ && word_.code && !speechless(); }

    Tunnel& tunnel_;
    const Side from_;
    http::BodySource* inner_ = nullptr;
    http::Body owned_;
    std::string_view rest_;      // of the inner's last piece: not looked at yet
    bool source_ended_ = false;
    bool given_end_ = false;
    bool closed_ = false;        // a Close went through: no frame may follow
    bool blind_ = false;         // spliced, and its frames make no sense
    bool ending_ = false;
    bool cut_ = false;           // without a last word
    bool overdue_ = false;
    bool broken_ = false;        // its sender broke a rule: nothing of it passes any more
    bool mid_message_ = false;   // between its fragments
    bool spoken_ = false;
    Word word_;
    ws::FrameParser walker_;     // of a spliced lane
    std::unique_ptr<ws::Inspector> inspector_;           // most tunnels have none, and it is large
    std::unique_ptr<Talk> talk_;                         // null: nobody listens
    std::array<std::uint8_t, 2> code_{};                 // of a Close that a spliced lane walks over
    std::array<char, ws::kMaxControlFrame> own_frame_{};
    rt::Bell bell_;
};

Result<Piece> Tunnel::Lane::next() {
    if (given_end_ || !inner_) return end();
    if (!tunnel_.opened_) return Piece{{}, Piece::wait};
    if (may_end()) return last_word();
    if (may_speak()) return speak();
    if (rest_.empty()) {
        if (source_ended_) return end();
        Result<Piece> piece = inner_->next();
        if (!piece) return piece.error();
        source_ended_ = piece->state == Piece::end;
        rest_ = piece->bytes;
        if (rest_.empty()) return source_ended_ ? end() : *piece;
        tunnel_.touch(rest_.size());
        tunnel_.parts_.cells.bytes[static_cast<std::size_t>(from_)].add(rest_.size());
    }
    if (holds_frame()) return hold_on();
    return inspector_ ? pass_inspected() : pass_spliced();
}

rt::Task<void> Tunnel::Lane::wait() {
    bool last = tunnel_.opened_ && may_end();
    bool lingers = spoken_ && (must_let_the_other_end() || must_read_on());
    if (given_end_ || (last && !lingers)) co_return;
    // Only somebody's ring changes anything before the 101, and after the last word.
    bool only_ring = !tunnel_.opened_ || (last && (must_let_the_other_end() || !must_read_on()));
    rt::Task<void> bytes;
    if (!only_ring) bytes = inner_->wait();
    rt::Bell::Wait waiting(bell_, std::move(bytes));
    co_await waiting;
}

// Everything passes; the heads are walked over.
Result<Piece> Tunnel::Lane::pass_spliced() {
    std::string_view all = std::exchange(rest_, {});
    for (std::size_t at = 0; !blind_;) {
        if (ending_ && walker_.between_frames()) return give(all.substr(0, at));
        std::uint64_t before = walker_.offset();
        ws::Step step = walker_.next(all.substr(at));
        blind_ = step.kind == ws::Step::broken;
        if (blind_ || step.kind == ws::Step::need_more) break;
        at += step.consumed;
        if (step.kind == ws::Step::head) heard(walker_.head());
        if (walker_.head().opcode == ws::Opcode::close) watch_close(step, step.kind == ws::Step::head ? 0 : before);
    }
    return give(all);
}

// Passes whole frames, and of the frame that is under way what was found good. A head is passed when
// it is complete, so that what its head forbids never begins on the other side.
Result<Piece> Tunnel::Lane::pass_inspected() {
    if (closed_) {  // nothing counts behind a Close (§5.5.1)
        rest_ = {};
        return give({});
    }
    ws::Inspector& in = *inspector_;
    const bool head_held = in.inside_head();
    bool began_here = head_held || in.between_frames();  // nothing of the present frame was passed
    std::size_t frame = 0;                               // where it began
    for (std::size_t at = 0;;) {
        if (may_speak() || (ending_ && in.between_frames())) {
            std::string_view whole = rest_.substr(0, at);
            rest_ = ending_ ? std::string_view() : rest_.substr(at);
            return give(whole);
        }
        ws::Step step = in.next(rest_.substr(at));
        if (step.kind == ws::Step::broken) return refuse_frame(frame, !began_here, in.violation());
        if (step.kind == ws::Step::need_more) {  // what it consumed is the beginning of a head
            std::string_view good = rest_.substr(0, at);
            rest_ = {};
            return give(good);
        }
        if (step.kind == ws::Step::head) {
            ws::Violation why;
            if (from_ == Side::client && !tunnel_.may_begin(in, why)) return refuse_frame(frame, !began_here, why);
            heard(in.head());
        }
        at += step.consumed;
        const bool closes = in.close_code() != 0;
        if (closes) {
            closed_ = true;
            tunnel_.heard_close(from_, in.close_code());
        }
        const bool head_was_held = head_held && at == step.consumed;
        if (step.kind == ws::Step::head && may_be_ours(rest_.substr(at))) return begin_hold(frame, at, head_was_held);
        if (step.kind == ws::Step::head && head_was_held) {
            rest_.remove_prefix(at);
            return give(in.held());
        }
        if (closes) {
            std::string_view good = rest_.substr(0, at);
            rest_ = {};
            return give(good);
        }
        if (step.ends_frame) {
            frame = at;
            began_here = true;
        }
    }
}

Piece Tunnel::Lane::refuse_frame(std::size_t clean, bool partly_passed, const ws::Violation& violation) {
    std::string_view good = rest_.substr(0, partly_passed ? 0 : clean);
    rest_ = {};
    tunnel_.refuse(from_, violation);
    cut_ = partly_passed;
    broken_ = true;
    return give(good);
}

// ---- messages between the client and us

// The head of a frame of the client has come, and this of its payload.
bool Tunnel::Lane::may_be_ours(std::string_view payload) const {
    if (!talk_ || from_ != Side::client) return false;
    const ws::FrameHead& head = inspector_->head();
    if (head.opcode != tunnel_.our_opcode() || !head.fin || head.rsv1 || head.length == 0 || head.length > Listener::kLongest) return false;
    const std::size_t known = std::min<std::size_t>(head.length, Listener::kBeginning);
    if (payload.size() < known) return true;   // to be seen
    std::array<char, Listener::kBeginning> clear;
    ws::mask_bytes(payload.substr(0, known), clear.data(), head.mask, 0);
    return tunnel_.listener_->may_want({clear.data(), known});
}

// Gives what was before the frame; what has come of the frame itself is kept.
Piece Tunnel::Lane::begin_hold(std::size_t frame, std::size_t payload, bool head_was_held) {
    std::string_view before = rest_.substr(0, head_was_held ? 0 : frame);
    talk_->held.assign(head_was_held ? inspector_->held() : rest_.substr(frame, payload - frame));
    talk_->payload = talk_->held.size();
    talk_->holding = true;
    rest_.remove_prefix(payload);
    return give(before);
}

// Until it is known whether it is for us. What is not goes on as it came.
Piece Tunnel::Lane::hold_on() {
    ws::Inspector& in = *inspector_;
    ws::Step step = in.next(rest_);
    if (step.kind == ws::Step::broken) return refuse_frame(0, false, in.violation());
    talk_->held.append(rest_.substr(0, step.consumed));
    rest_.remove_prefix(step.consumed);
    std::string_view payload = std::string_view(talk_->held).substr(talk_->payload);
    if (!step.ends_frame && payload.size() < Listener::kBeginning) return give({});
    std::size_t size = step.ends_frame ? payload.size() : Listener::kBeginning;
    talk_->clear.resize(size);
    ws::mask_bytes(payload.substr(0, size), talk_->clear.data(), in.head().mask, 0);
    bool may_be = tunnel_.listener_->may_want(std::string_view(talk_->clear).substr(0, Listener::kBeginning));
    if (may_be && !step.ends_frame) return give({});
    talk_->holding = false;
    return give(may_be && tunnel_.listener_->hears(talk_->clear) ? std::string_view() : talk_->held);
}

void Tunnel::Lane::say(std::string_view text) {
    if (!talk_ || ending_ || speechless()) return;
    std::array<char, ws::kMaxHead> head;
    std::size_t size = ws::write_head(head, {.fin = true, .opcode = tunnel_.our_opcode(), .length = text.size()});
    talk_->to_say.append(head.data(), size).append(text);
    bell_.ring();
}

Piece Tunnel::Lane::speak() {
    talk_->said = std::exchange(talk_->to_say, {});
    return give(talk_->said);
}

void Tunnel::Lane::heard(const ws::FrameHead& head) {
    if (!ws::is_control(head.opcode)) mid_message_ = !head.fin;
    bool whole = head.fin && !ws::is_control(head.opcode);
    if (whole) tunnel_.parts_.cells.messages[static_cast<std::size_t>(from_)].add();
}

void Tunnel::Lane::watch_close(const ws::Step& step, std::uint64_t at) {
    const ws::FrameHead& head = walker_.head();
    for (char c : step.bytes) {
        if (at >= 2) break;
        code_[at] = static_cast<std::uint8_t>(static_cast<unsigned char>(c) ^ (head.masked ? head.mask[at] : 0));
        ++at;
    }
    if (!step.ends_frame || closed_) return;
    closed_ = true;
    const unsigned code = head.length < 2 ? unsigned{ws::kNoCode} : code_[0] * 256u + code_[1];
    tunnel_.heard_close(from_, static_cast<std::uint16_t>(code));
}

Piece Tunnel::Lane::give(std::string_view bytes) {
    if (source_ended_ && rest_.empty() && !ending_) {
        given_end_ = true;
        return {bytes, Piece::end};
    }
    return {bytes, Piece::more};
}

// The client's stream ends the exchange, so the upstream hears its last word first.
bool Tunnel::Lane::must_let_the_other_end() const {
    if (from_ == Side::client || overdue_) return false;
    const Lane& other = tunnel_.lane(Side::client);
    return other.attached() && !other.given_end();
}

// A socket that is closed with bytes unread resets its connection, and what was passed on last may be
// lost with it. So an upstream that was told Close is read to its end, as long as the grace lasts.
bool Tunnel::Lane::must_read_on() const {
    return from_ == Side::upstream && !overdue_ && !source_ended_ && tunnel_.lane(Side::client).said_close();
}

Piece Tunnel::Lane::end() {
    given_end_ = true;
    if (from_ == Side::client) tunnel_.lane(Side::upstream).ring();
    return {{}, Piece::end};
}

Piece Tunnel::Lane::last_word() {
    if (!spoken_) {
        spoken_ = true;
        if (!speechless() && word_.code) {
            std::optional<std::array<std::uint8_t, 4>> mask;
            if (from_ == Side::client) {
                std::uint64_t random = tunnel_.parts_.random.next();
                std::memcpy(mask.emplace().data(), &random, 4);
            }
            std::size_t size = ws::write_close(own_frame_, word_.code, word_.reason, mask);
            return {{own_frame_.data(), size}, Piece::more};
        }
    }
    if (must_let_the_other_end()) return {{}, Piece::wait};
    while (must_read_on()) {
        Result<Piece> unread = inner_->next();
        source_ended_ = !unread || unread->state == Piece::end;
        if (unread && unread->state == Piece::wait) return {{}, Piece::wait};
    }
    return end();
}

// ---- what its readers hold

class Tunnel::Source final : public http::BodySource {
 public:
    Source(std::shared_ptr<Tunnel> tunnel, Side from) : tunnel_(std::move(tunnel)), lane_(tunnel_->lane(from)) {}
    ~Source() override { lane_.detach(); }
    Result<Piece> next() override { return lane_.next(); }
    rt::Task<void> wait() override { return lane_.wait(); }
    void forget_head() override { lane_.forget_head(); }
    std::uint64_t received() const override { return lane_.received(); }

 private:
    std::shared_ptr<Tunnel> tunnel_;
    Lane& lane_;
};

// ---- both directions

Tunnel::Tunnel(Parts parts, const TunnelRules& rules)
    : parts_(std::move(parts)),
      rules_(rules),
      messages_(rules.messages_per_second, parts_.loop.now()),
      bytes_(rules.bytes_per_second, parts_.loop.now()) {
    for (Side from : {Side::client, Side::upstream})
        lanes_[static_cast<std::size_t>(from)] = std::make_unique<Lane>(*this, from);
}

Tunnel::~Tunnel() {
    if (opened_) count_close(lane(Side::upstream).source_ended() ? CloseCells::upstream : CloseCells::client, ws::kNoClose);
}

http::Body Tunnel::from_client(http::BodySource& bytes) {
    lane(Side::client).attach(&bytes, nullptr);
    return std::make_unique<Source>(shared_from_this(), Side::client);
}

http::Body Tunnel::from_upstream(http::Body bytes) {
    http::BodySource* inner = bytes.get();
    lane(Side::upstream).attach(inner, std::move(bytes));
    return std::make_unique<Source>(shared_from_this(), Side::upstream);
}

bool Tunnel::watches_client() const { return lanes_[0]->attached(); }

void Tunnel::open(const ws::Deflate& deflate) {
    opened_ = true;
    parts_.cells.opened.add();
    touch(0);
    for (auto& lane : lanes_) {
        if (rules_.inspect) lane->inspect(deflate);
        lane->ring();
    }
    if (!closing_) parts_.loop.timers().arm(*this, deadline_after(last_bytes_, rules_.idle));
}

void Tunnel::listen(Listener& listener) {
    listener_ = &listener;
    for (auto& lane : lanes_) lane->talk();
}

void Tunnel::tell_client(std::string_view text) { lane(Side::upstream).say(text); }

void Tunnel::close(std::uint16_t code, std::string_view reason) {
    count_close(CloseCells::gateway, code);
    say({code, reason}, {code, reason});
}

void Tunnel::refuse(Side offender, const ws::Violation& violation) {
    count_close(CloseCells::gateway, violation.code);
    const Word to_offender{violation.code, violation.reason};
    const Word to_other{ws::kGoingAway, "the other side broke the rules"};
    if (offender == Side::client) {
        say(to_offender, to_other);
    } else {
        say(to_other, to_offender);
    }
}

void Tunnel::say(const Word& to_client, const Word& to_upstream) {
    if (closing_) return;
    closing_ = true;
    lane(Side::client).end_with(to_upstream);
    lane(Side::upstream).end_with(to_client);
    parts_.loop.timers().arm(*this, parts_.loop.now() + kGrace);
}

// Both have said it: RFC 6455 §7.1.1 leaves the rest to TCP.
void Tunnel::heard_close(Side from, std::uint16_t code) {
    count_close(from == Side::client ? CloseCells::client : CloseCells::upstream, code);
    if (++closes_heard_ == 2) say({}, {});
}

void Tunnel::count_close(CloseCells::By by, std::uint16_t code) {
    if (!counted_) parts_.cells.closes.add(by, code);
    counted_ = true;
}

bool Tunnel::may_begin(const ws::Inspector& in, ws::Violation& why) {
    const TimePoint now = parts_.loop.now();
    const bool counts = in.began_message() || ws::is_control(in.head().opcode);
    if (counts && !messages_.take(1, now)) {
        why = {ws::kPolicy, "too many messages"};
        return false;
    }
    if (!bytes_.take(in.head().length + 2, now)) {
        why = {ws::kPolicy, "too many bytes"};
        return false;
    }
    return true;
}

// Rearmed here and not with every byte: once in a while instead of all the time.
void Tunnel::expired() {
    if (closing_) {
        for (auto& lane : lanes_) lane->cut();
        return;
    }
    TimePoint due = deadline_after(last_bytes_, rules_.idle);
    if (due > parts_.loop.now()) return parts_.loop.timers().arm(*this, due);
    close(ws::kGoingAway, "nobody has said anything for too long");
}

}  // namespace suoke::gateway
