// SPDX-License-Identifier: MIT
#include "cache/filling.h"

#include <algorithm>
#include <utility>

namespace suoke::cache {

using http::Piece;

Filling::Filling(Store& store, std::string key, const Hash& hash, Slot url, std::uint64_t largest)
    : store_(store), key_(std::move(key)), hash_(hash), url_(url), largest_(largest), stamp_(store.marks().now()), purges_(store.marks().purges()) {}

Filling::~Filling() {
    if (reserved_ > 0) store_.release(reserved_);
}

void Filling::keep_going() {
    std::lock_guard lock(mutex_);
    keeps_going_ = true;
}

bool Filling::abandoned() const {
    std::lock_guard lock(mutex_);
    return abandoned_;
}

// What was asked for before a purge is not for those who ask after it.
bool Filling::takes_followers() const {
    std::lock_guard lock(mutex_);
    bool open = stage_ == Stage::asking || stage_ == Stage::streaming || stage_ == Stage::valid;
    return open && !abandoned_ && !window_ && store_.marks().purges() == purges_ && store_.marks().stands(stamp_, url_);
}

// Wakes everybody who waits: those of the thread we are in without a detour. Under the lock, because it is what
// keeps a waiter on another thread, and its loop, alive until it was told.
void Filling::tell(rt::Loop* here) {
    ++version_;
    for (Waiting& each : waiting_) {
        if (each.loop == here) {
            each.loop->defer(*each.news);
            continue;
        }
        each.loop->post([letter = std::move(each.letter)] {
            if (letter->waiter) std::exchange(letter->waiter, {}).resume();
        });
    }
    waiting_.clear();
}

void Filling::settle(Stage stage, EntryPtr entry, std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    stage_ = stage;
    entry_ = std::move(entry);
    failure_ = std::move(error);
    tell(pump_loop_);
}

// ---- the body

void Filling::stream(std::shared_ptr<Entry> head, std::optional<std::uint64_t> length) {
    std::lock_guard lock(mutex_);
    stage_ = Stage::streaming;
    head_ = std::move(head);
    length_ = length;
    content_ = std::make_shared<Content>();
    if (length) content_->expect(*length);
    tell(pump_loop_);
}

std::uint64_t Filling::slowest() const {
    std::uint64_t least = content_->size();
    for (const Reader* reader : readers_) least = std::min(least, reader->done_);
    return least;
}

bool Filling::has_room() const {
    std::lock_guard lock(mutex_);
    return !window_ || content_->size() - slowest() < std::min<std::uint64_t>(largest_, 1 << 20);
}

void Filling::append(std::string_view bytes) {
    if (bytes.empty()) return;
    // Only we change these, so looking takes no lock; and the store's own must not be taken under ours.
    std::uint64_t more = window_ ? 0 : content_->needs(bytes.size());
    bool fits = !window_ && content_->size() + bytes.size() <= largest_ && (more == 0 || store_.reserve(more));
    std::lock_guard lock(mutex_);
    if (fits) reserved_ += more;
    else window_ = true;
    if (window_) {
        abandoned_ |= readers_.empty();   // there is nobody left to read what is not stored
        content_->forget_before(slowest());
    }
    content_->append(bytes);
    tell(pump_loop_);
}

EntryPtr Filling::finish() {
    std::lock_guard lock(mutex_);
    stage_ = Stage::complete;
    if (!window_) {
        // Those who read its head do not look at this; nobody looks at it before the lock is free.
        content_->trim();
        head_->content = content_;
        entry_ = head_;
    }
    if (reserved_ > 0) store_.release(std::exchange(reserved_, 0));
    tell(pump_loop_);
    return entry_;
}

void Filling::break_off(Error error) {
    std::lock_guard lock(mutex_);
    stage_ = Stage::broken;
    failure_ = std::move(error);
    tell(pump_loop_);
}

// ---- who fills it

Pump::Pump(FillingPtr filling, rt::Loop& loop) : bell(loop), filling_(std::move(filling)) {
    std::lock_guard lock(filling_->mutex_);
    filling_->pump_loop_ = &loop;
    filling_->pump_bell_ = &bell;
}

Pump::~Pump() {
    filling_->store_.land(*filling_);
    std::lock_guard lock(filling_->mutex_);
    rt::Loop* here = std::exchange(filling_->pump_loop_, nullptr);
    filling_->pump_bell_ = nullptr;
    if (filling_->stage_ != Stage::asking && filling_->stage_ != Stage::streaming) return;
    bool begun = filling_->stage_ == Stage::streaming;
    filling_->stage_ = begun ? Stage::broken : Stage::again;
    filling_->failure_ = Error(Code::upstream_truncated);
    filling_->tell(here);
}

// ---- who reads it

Reader::Reader(FillingPtr filling, rt::Loop& loop) : filling_(std::move(filling)), loop_(loop) {
    std::lock_guard lock(filling_->mutex_);
    late_ = filling_->abandoned_;
    filling_->readers_.push_back(this);
}

Reader::~Reader() { filling_->leave(*this, loop_); }

void Filling::leave(Reader& reader, rt::Loop& here) {
    std::lock_guard lock(mutex_);
    std::erase(readers_, &reader);
    if (window_) tell(&here);
    if (!readers_.empty() || keeps_going_ || abandoned_) return;
    abandoned_ = true;
    if (!pump_loop_) return;
    pump_loop_->post([self = shared_from_this()] {
        if (self->pump_bell_) self->pump_bell_->ring();
    });
}

Stage Reader::stage() {
    std::lock_guard lock(filling_->mutex_);
    seen_ = filling_->version_;
    return late_ && filling_->stage_ == Stage::streaming ? Stage::again : filling_->stage_;
}

EntryPtr Reader::head() const {
    std::lock_guard lock(filling_->mutex_);
    return filling_->head_;
}

EntryPtr Reader::whole() const {
    std::lock_guard lock(filling_->mutex_);
    return filling_->entry_;
}

Error Reader::failure() const {
    std::lock_guard lock(filling_->mutex_);
    return filling_->failure_.value_or(Error(Code::internal, "the cache has no answer"));
}

std::optional<std::uint64_t> Reader::length() const {
    std::lock_guard lock(filling_->mutex_);
    if (filling_->stage_ == Stage::complete) return filling_->content_->size();
    return filling_->length_;
}

Result<Piece> Reader::next() {
    std::lock_guard lock(filling_->mutex_);
    seen_ = filling_->version_;
    bool moved = done_ != at_;
    done_ = at_;
    if (filling_->window_ && moved) filling_->tell(&loop_);
    std::string_view piece = filling_->content_->piece(at_, filling_->content_->size());
    at_ += piece.size();
    bool at_end = at_ == filling_->content_->size();
    if (filling_->stage_ == Stage::complete && at_end) return Piece{piece, Piece::end};
    if (!piece.empty()) return Piece{piece, Piece::more};
    if (filling_->stage_ == Stage::broken) return *filling_->failure_;
    return Piece{{}, Piece::wait};
}

// ---- waiting

News::News(Filling& filling, rt::Loop& loop) : filling_(filling), loop_(loop), seen_([&] {
    std::lock_guard lock(filling.mutex_);
    return filling.version_;
}()) {}

bool News::await_suspend(std::coroutine_handle<> waiter) {
    std::lock_guard lock(filling_.mutex_);
    if (filling_.version_ != seen_) return false;
    letter_ = std::make_shared<Filling::Letter>();
    letter_->waiter = waiter;
    filling_.waiting_.push_back({this, &loop_, letter_});
    return true;
}

void News::run() {
    if (letter_ && letter_->waiter) std::exchange(letter_->waiter, {}).resume();
}

News::~News() {
    if (!letter_) return;
    std::lock_guard lock(filling_.mutex_);
    std::erase_if(filling_.waiting_, [this](const Filling::Waiting& each) { return each.news == this; });
    letter_->waiter = {};
}

// ---- bodies

rt::Task<void> FillingBody::wait() {
    News news(*reader_);
    co_await news;
}

std::optional<std::uint64_t> FillingBody::remaining() const {
    auto length = reader_->length();
    return length ? std::optional(*length - std::min(*length, reader_->position())) : std::nullopt;
}

Result<Piece> EntryBody::next() {
    if (!entry_->content || at_ == end_) return Piece{{}, Piece::end};
    std::string_view piece = entry_->content->piece(at_, end_);
    at_ += piece.size();
    given_ += piece.size();
    return Piece{piece, at_ == end_ ? Piece::end : Piece::more};
}

}  // namespace suoke::cache
