// SPDX-License-Identifier: MIT
#pragma once
// An answer on its way into the cache. One asks for it (the pump); everybody who wants it, on any worker, reads it
// as it grows, each at their own pace: a slow reader holds up nobody, because what it has not read yet is kept. Only
// when the answer turns out larger than may be stored the slowest one sets the pace, so that never more than that is held.
//
//   Flight flight = store.join(key, largest);
//   Reader reader(flight.filling, loop);              // while nobody has one it is given up
//   if (flight.leads) background.spawn(ask(...));     // makes a Pump
//   while (reader.stage() == Stage::asking) {
//       News news(reader);
//       co_await news;
//   }

#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cache/entry.h"
#include "cache/store.h"
#include "http/body.h"
#include "rt/bell.h"
#include "rt/frame_cache.h"
#include "rt/loop.h"

namespace suoke::cache {

enum class Stage : std::uint8_t {
    asking,      // nobody knows yet what the answer is
    refused,     // it is not for sharing: everyone asks for themselves
    again,       // who asked gave up before there was an answer
    failed,      // there will be none: failure()
    found,       // it is stored now, because somebody else had it: look again
    stale,       // the upstream fails and what is stored may be served instead
    valid,       // what is stored is good again: whole()
    streaming,   // there is a head(); the body comes
    complete,    // all of it is there
    broken,      // the body broke off: failure()
};

class News;
class Pump;
class Reader;

class Filling : public std::enable_shared_from_this<Filling> {
 public:
    // `key` empty: nobody can find it. `largest`: more is not stored.
    Filling(Store& store, std::string key, const Hash& hash, Slot url, std::uint64_t largest);
    ~Filling();
    Filling(const Filling&) = delete;
    Filling& operator=(const Filling&) = delete;

    const std::string& key() const { return key_; }
    const Hash& hash() const { return hash_; }
    Stamp stamp() const { return stamp_; }
    // It goes on when nobody reads it any more.
    void keep_going();
    bool takes_followers() const;
    bool abandoned() const;

    // ---- of the pump
    void refuse() { settle(Stage::refused, nullptr, std::nullopt); }
    void fail(Error error) { settle(Stage::failed, nullptr, std::move(error)); }
    void find_again() { settle(Stage::found, nullptr, std::nullopt); }
    void serve_stale() { settle(Stage::stale, nullptr, std::nullopt); }
    void answer(EntryPtr entry) { settle(Stage::valid, std::move(entry), std::nullopt); }
    // Readers may begin. `length`: of the body, where it is known.
    void stream(std::shared_ptr<Entry> head, std::optional<std::uint64_t> length);
    // False: whoever reads slowest has to catch up first; wait for news.
    bool has_room() const;
    void append(std::string_view bytes);
    // The entry, when it may be stored; null when it grew too large.
    EntryPtr finish();
    void break_off(Error error);

 private:
    friend class Reader;
    friend class News;
    friend class Pump;
    // Lies on the heap, because whoever rings may be another thread.
    struct Letter {
        std::coroutine_handle<> waiter;   // only its own thread looks at it
    };
    struct Waiting {
        News* news = nullptr;
        rt::Loop* loop = nullptr;
        std::shared_ptr<Letter> letter;
    };

    void settle(Stage stage, EntryPtr entry, std::optional<Error> error);
    void tell(rt::Loop* here);             // locked
    std::uint64_t slowest() const;         // locked
    void leave(Reader& reader, rt::Loop& here);

    Store& store_;
    const std::string key_;
    const Hash hash_;
    const Slot url_;
    const std::uint64_t largest_;
    const Stamp stamp_, purges_;           // when it was asked for

    mutable std::mutex mutex_;
    Stage stage_ = Stage::asking;
    bool keeps_going_ = false, abandoned_ = false;
    bool window_ = false;                  // it is not stored any more: what all have read is forgotten
    std::shared_ptr<Entry> head_;          // of streaming
    EntryPtr entry_;                       // of valid and complete
    std::optional<Error> failure_;
    std::optional<std::uint64_t> length_;
    std::shared_ptr<Content> content_;
    std::uint64_t reserved_ = 0;           // of the store's budget
    std::uint64_t version_ = 0;            // changes with everything above
    std::vector<Reader*> readers_;
    std::vector<Waiting> waiting_;
    rt::Loop* pump_loop_ = nullptr;        // null: nobody fills it
    rt::Bell* pump_bell_ = nullptr;        // only the pump's thread looks at it
};

// Who asks and fills, for as long as it lives; when it dies before there is an answer another one has to ask.
class Pump {
 public:
    Pump(FillingPtr filling, rt::Loop& loop);
    ~Pump();
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;
    // Rings when nobody wants it any more.
    rt::Bell bell;

 private:
    FillingPtr filling_;
};

// One who wants it. Belongs to one thread.
class Reader {
 public:
    Reader(FillingPtr filling, rt::Loop& loop);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // What is known now; the next News waits for something else.
    Stage stage();
    EntryPtr head() const;                 // of streaming and complete
    EntryPtr whole() const;                // of valid and complete; null when it was too large to be stored
    Error failure() const;
    std::optional<std::uint64_t> length() const;

    Result<http::Piece> next();            // of the body, once it streams
    std::uint64_t position() const { return at_; }

 private:
    friend class Filling;
    friend class News;
    const FillingPtr filling_;
    rt::Loop& loop_;
    bool late_ = false;                    // it had been given up before we came
    std::uint64_t seen_ = 0;
    std::uint64_t at_ = 0, done_ = 0;      // given out, and not looked at any more
};

// Waits until something has changed since the reader looked.
class [[nodiscard]] News final : rt::Deferred {
 public:
    explicit News(Reader& reader) : filling_(*reader.filling_), loop_(reader.loop_), seen_(reader.seen_) {}
    // Of the pump, which waits for room.
    News(Filling& filling, rt::Loop& loop);
    ~News();
    News(const News&) = delete;
    News& operator=(const News&) = delete;

    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> waiter);
    void await_resume() {}

 private:
    friend class Filling;
    void run() override;
    Filling& filling_;
    rt::Loop& loop_;
    const std::uint64_t seen_;
    std::shared_ptr<Filling::Letter> letter_;
};

// The body of an answer that is read while it fills.
class FillingBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    // `shown`: whose fields are sent; they live as long as the body.
    FillingBody(std::unique_ptr<Reader> reader, EntryPtr shown) : reader_(std::move(reader)), shown_(std::move(shown)) {}
    Result<http::Piece> next() override { return reader_->next(); }
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override;
    std::uint64_t received() const override { return reader_->position(); }

 private:
    std::unique_ptr<Reader> reader_;
    EntryPtr shown_;
};

// The body of an entry, or a part of it; keeps it alive.
class EntryBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    explicit EntryBody(EntryPtr entry) : entry_(std::move(entry)), end_(entry_->size()) {}
    EntryBody(EntryPtr entry, std::uint64_t begin, std::uint64_t end) : entry_(std::move(entry)), at_(begin), end_(end) {}
    Result<http::Piece> next() override;
    rt::Task<void> wait() override { co_return; }
    std::optional<std::uint64_t> remaining() const override { return end_ - at_; }
    std::uint64_t received() const override { return given_; }

 private:
    EntryPtr entry_;
    std::uint64_t at_ = 0, end_ = 0, given_ = 0;
};

}  // namespace suoke::cache
