// SPDX-License-Identifier: MIT
#pragma once
// A Stream that speaks TLS through another Stream. OpenSSL reads and writes that one directly, by a BIO
// of ours: no memory BIO, no second copy, and no system call when the stream below is known to have
// nothing (or no room), which saves the failing recv() after every flight.

#include "rt/openssl.h"
#include "rt/tls.h"

namespace suoke::rt {

class TlsStream final : public Stream, StreamAbove {
 public:
    // `ssl` knows its side (accept or connect). `owner` is what its callbacks point into.
    TlsStream(StreamPtr below, openssl::SslPtr ssl, std::shared_ptr<const void> owner);
    ~TlsStream() override;

    enum class Step : std::uint8_t { done, wants_read, wants_write, failed };
    Step handshake();
    const std::string& fault() const { return fault_; }  // why it failed
    SSL* ssl() { return ssl_.get(); }
    TlsFacts& facts() { return facts_; }

    Io read(std::span<char> space) override;
    // Gathers small pieces into one record, so one write is one send. What a blocked write did not take
    // must be offered again before anything else: it may be sealed in a record already.
    Io write(std::span<const iovec> pieces) override;
    void shutdown_write() override;  // close_notify, then the end of the stream below
    void reset_on_close() override;
    std::string peer() const override { return below_->peer(); }
    const TlsFacts* tls() const override { return &facts_; }

 private:
    friend struct TlsBio;
    // The peer's close_notify, learnt inside read(), is told at loop level.
    struct News final : Deferred {
        explicit News(TlsStream& s) : stream(s) {}
        void run() override { stream.said_goodbye(); }
        TlsStream& stream;
    };

    void below_became_readable() override;
    void below_became_writable() override;
    void below_hung_up(bool broken) override;
    void said_goodbye();

    Io why_not_read(int result);
    Io::State put(const char* bytes, std::size_t size);
    Io::State flush_sealed();
    Step why_no_step(int result);
    void say_goodbye();
    void release_if_drained();

    StreamPtr below_;
    std::shared_ptr<const void> owner_;
    openssl::SslPtr ssl_;
    News news_;
    TlsFacts facts_;
    std::string fault_;
    std::size_t sealed_ = 0;     // bytes in a record that OpenSSL could not get rid of yet
    std::size_t credit_ = 0;     // bytes that went, but were told to the caller as blocked
    bool established_ = false;
    bool failed_ = false;        // OpenSSL forbids to go on after a fatal error
    bool read_wants_room_ = false;
    bool closing_ = false;       // close_notify is on its way
    bool closed_ = false;
    bool reset_ = false;
};

}  // namespace suoke::rt
