// SPDX-License-Identifier: MIT
#include "rt/tls_stream.h"

#include <algorithm>
#include <cstring>

namespace suoke::rt {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;  // 16 KiB (RFC 8446 §5.1)

// ---- the BIO: OpenSSL's view of the stream below

struct TlsBio {
    static Stream& below(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio))->below_; }

    static int read(BIO* bio, char* space, std::size_t size, std::size_t* got) {
        BIO_clear_retry_flags(bio);
        *got = 0;
        Io io{Io::would_block, 0};
        if (below(bio).maybe_readable()) io = below(bio).read({space, size});
        if (io.blocked()) BIO_set_retry_read(bio);
        if (io.ended()) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        *got = io.bytes;
        return io.state == Io::done && io.bytes > 0;
    }

    static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* put) {
        BIO_clear_retry_flags(bio);
        *put = 0;
        Io io{Io::would_block, 0};
        if (below(bio).maybe_writable()) io = below(bio).write(std::string_view(bytes, size));
        if (io.blocked()) BIO_set_retry_write(bio);
        *put = io.bytes;
        return io.state == Io::done && io.bytes > 0;
    }

    static long control(BIO* bio, int what, long, void*) {
        if (what == BIO_CTRL_FLUSH) return 1;
        if (what == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        return 0;
    }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const kMethod = [] {
            BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "suoke stream");
            CHECK(made);
            BIO_meth_set_read_ex(made, read);
            BIO_meth_set_write_ex(made, write);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        return kMethod;
    }
};

TlsStream::TlsStream(StreamPtr below, openssl::SslPtr ssl, std::shared_ptr<const void> owner)
    : Stream(below->loop()), below_(std::move(below)), owner_(std::move(owner)), ssl_(std::move(ssl)), news_(*this) {
    BIO* bio = BIO_new(TlsBio::method());
    CHECK(bio);
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    below_->set_above(this);
    readable_ = below_->maybe_readable();
}

TlsStream::~TlsStream() {
    below_->set_above(nullptr);
    if (!reset_ && !closing_) say_goodbye();
    // Otherwise OpenSSL takes the session for spoiled, and it would not be resumed.
    if (!failed_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

// ---- the handshake

TlsStream::Step TlsStream::handshake() {
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return why_no_step(result);
    established_ = true;
    readable_ = SSL_has_pending(ssl_.get()) || below_->maybe_readable() || hung_up();
    writable_ = true;
    if (!readable_) release_if_drained();
    return Step::done;
}

TlsStream::Step TlsStream::why_no_step(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: readable_ = below_->maybe_readable(); return Step::wants_read;
        case SSL_ERROR_WANT_WRITE: writable_ = below_->maybe_writable(); return Step::wants_write;
        default: break;
    }
    failed_ = true;
    long verdict = SSL_get_verify_result(ssl_.get());
    fault_ = openssl::last_error();
    if (verdict != X509_V_OK) fault_ += std::string(": ") + X509_verify_cert_error_string(verdict);
    return Step::failed;
}

// ---- reading

Io TlsStream::read(std::span<char> space) {
    if (failed_) return {Io::reset, 0};
    std::size_t total = 0;
    while (total < space.size()) {  // what one flight brought in several records is one read
        std::size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(ssl_.get(), space.data() + total, space.size() - total, &got);
        if (result != 1) {
            Io io = why_not_read(result);
            // An end or a fault behind bytes is found again by the next read.
            if (total > 0) return {Io::done, total};
            return io;
        }
        total += got;
        if (!SSL_has_pending(ssl_.get())) break;
    }
    readable_ = SSL_has_pending(ssl_.get()) || below_->maybe_readable() || hung_up();
    if (!readable_) release_if_drained();
    return {Io::done, total};
}

Io TlsStream::why_not_read(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            readable_ = below_->maybe_readable();
            release_if_drained();
            return {Io::would_block, 0};
        case SSL_ERROR_WANT_WRITE:  // the answer to a KeyUpdate finds no room
            readable_ = below_->maybe_writable();
            read_wants_room_ = true;
            return {Io::would_block, 0};
        case SSL_ERROR_ZERO_RETURN:
            readable_ = true;
            if (!hung_up()) loop().defer(news_);
            return {Io::end, 0};
        default:
            ERR_clear_error();
            failed_ = true;
            readable_ = true;
            return {Io::reset, 0};
    }
}

// An idle connection holds no record buffers (17 KiB each).
void TlsStream::release_if_drained() { SSL_free_buffers(ssl_.get()); }

void TlsStream::below_became_readable() {
    if (!established_ || failed_ || has_reader() || readable_) return became_readable();
    // Nobody waits, so look what it is: a session ticket must not spoil an idle connection, and a
    // goodbye should end it.
    char first;
    std::size_t got = 0;
    ERR_clear_error();
    int result = SSL_peek_ex(ssl_.get(), &first, 1, &got);
    if (result == 1) return became_readable();
    Io io = why_not_read(result);
    if (io.state == Io::reset) return peer_hung_up(true);
    if (readable_) became_readable();
}

void TlsStream::said_goodbye() {
    if (!hung_up()) peer_hung_up(false);
}

void TlsStream::below_hung_up(bool broken) { peer_hung_up(broken); }

// ---- writing

Io TlsStream::write(std::span<const iovec> pieces) {
    if (failed_ || closing_) return {Io::reset, 0};
    if (sealed_ > 0) {
        Io::State state = flush_sealed();
        if (state != Io::done) return {state, 0};
    }
    std::size_t wanted = 0;
    for (const iovec& piece : pieces) wanted += piece.iov_len;
    std::size_t taken = std::min(credit_, wanted);  // these are in the record that has just left
    credit_ -= taken;

    static thread_local char scratch[kRecord];
    std::size_t skip = taken;
    auto piece = pieces.begin();
    while (taken < wanted) {
        while (skip >= piece->iov_len) skip -= (piece++)->iov_len;
        const char* bytes = static_cast<const char*>(piece->iov_base) + skip;
        std::size_t size = std::min(piece->iov_len - skip, kRecord);
        if (size < kRecord && taken + size < wanted) {
            // A short piece with others behind it: one record for all that fit.
            std::memcpy(scratch, bytes, size);
            for (auto next = piece + 1; next != pieces.end() && size < kRecord; ++next) {
                std::size_t n = std::min(next->iov_len, kRecord - size);
                std::memcpy(scratch + size, next->iov_base, n);
                size += n;
            }
            bytes = scratch;
        }
        Io::State state = put(bytes, size);
        if (state == Io::would_block) break;
        if (state != Io::done) return {Io::reset, 0};
        taken += size;
        skip += size;
    }
    if (taken == 0 && wanted > 0) return {Io::would_block, 0};
    return {Io::done, taken};
}

// One record, one send.
Io::State TlsStream::put(const char* bytes, std::size_t size) {
    std::size_t written = 0;
    ERR_clear_error();
    int result = SSL_write_ex(ssl_.get(), bytes, size, &written);
    if (result == 1) return Io::done;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_WRITE:
            sealed_ = size;
            writable_ = below_->maybe_writable();
            return Io::would_block;
        case SSL_ERROR_WANT_READ:  // cannot be: we never renegotiate
        default:
            ERR_clear_error();
            failed_ = true;
            return Io::reset;
    }
}

// OpenSSL wants the call repeated with the same length; at the bytes it looks no more.
Io::State TlsStream::flush_sealed() {
    static const char kSame[kRecord] = {};
    std::size_t size = std::exchange(sealed_, 0);
    Io::State state = put(kSame, size);
    if (state == Io::done) credit_ = size;
    return state;
}

void TlsStream::below_became_writable() {
    if (closing_) return say_goodbye();
    if (std::exchange(read_wants_room_, false)) {
        bool nobody_writes = sealed_ == 0 && writable_;
        if (nobody_writes) return became_readable();
        readable_ = true;  // the reader, if it waits, is woken by what comes or by its deadline
    }
    became_writable();
}

// ---- the end

void TlsStream::shutdown_write() {
    if (closing_) return;
    say_goodbye();
}

// close_notify (RFC 8446 §6.1), behind the record that may still be waiting for room.
void TlsStream::say_goodbye() {
    closing_ = true;
    if (closed_) return;
    if (established_ && !failed_) {
        if (sealed_ > 0 && flush_sealed() == Io::would_block) return;
        ERR_clear_error();
        int result = failed_ ? 0 : SSL_shutdown(ssl_.get());
        if (result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE) return;
        ERR_clear_error();
    }
    closed_ = true;
    below_->shutdown_write();
}

void TlsStream::reset_on_close() {
    reset_ = true;
    below_->reset_on_close();
}

}  // namespace suoke::rt
