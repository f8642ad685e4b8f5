// SPDX-License-Identifier: MIT
// What a token costs: when it is seen first, beside what OpenSSL alone takes for the same signature, and when it is known.
//   cmake --build --preset release --target jwt_bench && build/release/bench/jwt_bench
//
// Each round does the three in turn, so that they share whatever else the machine does; read the ratios:
//   of_digest_verify  ours / EVP_DigestVerifyInit and EVP_DigestVerify with a key that is ready (goal: at most 1.1)
//   of_prepared       ours / EVP_PKEY_verify in a context that was set up once: no program can do with less
#include <benchmark/benchmark.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "auth/base64url.h"
#include "auth/judge_token.h"
#include "auth/token_cache.h"
#include "base/error.h"
#include "base/random.h"

namespace suoke::auth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};
constexpr std::size_t kTokens = 64;

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

std::string pem_of(EVP_PKEY* pkey) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    CHECK(PEM_write_bio_PrivateKey(bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string public_pem_of(EVP_PKEY* pkey) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    CHECK(PEM_write_bio_PUBKEY(bio.get(), pkey) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

// As the platform's issuer makes them.
std::string claims_of(std::size_t number) {
    return R"({"iss":"suoke-auth-service","aud":"suoke-life","sub":"user-)" + std::to_string(number) +
           R"(","name":"Li Wei","type":"access","roles":["doctor","premium"],"scope":"read write","jti":"c0ffee-)" + std::to_string(number) +
           R"(","iat":1735689600,"nbf":1735689600,"exp":1735693200})";
}

// What OpenSSL wants of an ES256 signature; one of RSA is as it is.
std::string openssl_signature(std::string_view raw, bool is_ecdsa) {
    if (!is_ecdsa) return std::string(raw);
    const int half = static_cast<int>(raw.size() / 2);
    std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> numbers(ECDSA_SIG_new(), &ECDSA_SIG_free);
    ECDSA_SIG_set0(numbers.get(), BN_bin2bn(bytes_of(raw), half, nullptr), BN_bin2bn(bytes_of(raw) + half, half, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(numbers.get(), &der);
    CHECK(size > 0);
    std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

// Tokens of one key, and the means to verify them in each of the three ways. Lives as long as the program.
class Tokens {
 public:
    Tokens(Algorithm algorithm, EVP_PKEY* pkey) : pkey_(pkey), sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
        auto signer = Key::of_pem(pem_of(pkey), {algorithm}, "key-2024-12");
        auto verifier = Key::of_pem(public_pem_of(pkey), {algorithm}, "key-2024-12");
        CHECK(signer && verifier);
        for (std::size_t i = 0; i < kTokens; ++i) {
            texts_.push_back(*mint(claims_of(i), **signer, algorithm));
            const std::size_t dot = texts_.back().rfind('.');
            signed_parts_.push_back(texts_.back().substr(0, dot));
            signatures_.push_back(openssl_signature(*from_base64url(std::string_view(texts_.back()).substr(dot + 1)), algorithm == Algorithm::es256));
        }
        auto keys = std::make_shared<KeySet>();
        keys->keys = {*verifier};
        ring_.providers[""].keys = std::move(keys);
        rules_.resize(1);
        rules_[0].algorithms = {algorithm};
        prepared_ = EVP_PKEY_CTX_new(pkey, nullptr);
        CHECK(EVP_PKEY_verify_init(prepared_) == 1 && EVP_PKEY_CTX_set_signature_md(prepared_, sha256_) == 1);
        if (algorithm == Algorithm::rs256) CHECK(EVP_PKEY_CTX_set_rsa_padding(prepared_, RSA_PKCS1_PADDING) == 1);
    }

    // As a worker does it, with another generation of keys each time: the cache is looked into, in vain.
    void first_sight(std::size_t i) {
        ++generation_;
        CHECK(!cache_.find(Method::jwt, texts_[i], kNow, generation_, revoked_));
        TokenJudgement judged = judge_token(texts_[i], rules_, ring_, revoked_, kNow);
        CHECK(judged.who);
        cache_.put(Method::jwt, texts_[i], std::move(judged.who), generation_, revoked_);
    }

    void digest_verify(std::size_t i) {
        EVP_MD_CTX_reset(digest_);
        CHECK(EVP_DigestVerifyInit(digest_, nullptr, sha256_, nullptr, pkey_) == 1);
        CHECK(EVP_DigestVerify(digest_, bytes_of(signatures_[i]), signatures_[i].size(), bytes_of(signed_parts_[i]), signed_parts_[i].size()) == 1);
    }

    void prepared_verify(std::size_t i) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        CHECK(EVP_Digest(signed_parts_[i].data(), signed_parts_[i].size(), digest, &size, sha256_, nullptr) == 1);
        CHECK(EVP_PKEY_verify(prepared_, bytes_of(signatures_[i]), signatures_[i].size(), digest, size) == 1);
    }

 private:
    EVP_PKEY* const pkey_;
    EVP_MD* const sha256_;
    EVP_MD_CTX* const digest_ = EVP_MD_CTX_new();
    EVP_PKEY_CTX* prepared_ = nullptr;
    std::vector<std::string> texts_, signed_parts_, signatures_;
    std::vector<JwtRules> rules_;
    KeyRing ring_;
    Revocations revoked_;
    TokenCache cache_;
    std::uint64_t generation_ = 0;
};

void first_sight(benchmark::State& state, Tokens& tokens) {
    using Seconds = std::chrono::duration<double>;
    Seconds ours{}, digest_verify{}, prepared{};
    std::size_t i = 0;
    for (auto _ : state) {
        i = (i + 1) % kTokens;
        const auto start = Clock::now();
        tokens.digest_verify(i);
        const auto second = Clock::now();
        tokens.prepared_verify(i);
        const auto third = Clock::now();
        tokens.first_sight(i);
        const auto end = Clock::now();
        digest_verify += second - start;
        prepared += third - second;
        ours += end - third;
        state.SetIterationTime(Seconds(end - third).count());
    }
    const double rounds = static_cast<double>(state.iterations());
    state.counters["digest_verify_us"] = digest_verify.count() / rounds * 1e6;
    state.counters["prepared_us"] = prepared.count() / rounds * 1e6;
    state.counters["of_digest_verify"] = ours / digest_verify;
    state.counters["of_prepared"] = ours / prepared;
}

void first_sight_of_RS256(benchmark::State& state) {
    static Tokens& tokens = *new Tokens(Algorithm::rs256, EVP_RSA_gen(2048));
    first_sight(state, tokens);
}
BENCHMARK(first_sight_of_RS256)->UseManualTime()->Unit(benchmark::kMicrosecond);

void first_sight_of_ES256(benchmark::State& state) {
    static Tokens& tokens = *new Tokens(Algorithm::es256, EVP_EC_gen("P-256"));
    first_sight(state, tokens);
}
BENCHMARK(first_sight_of_ES256)->UseManualTime()->Unit(benchmark::kMicrosecond);

// One that all requests show, and one of thousands: then it waits for memory.
void known_token(benchmark::State& state) {
    const auto most = static_cast<std::size_t>(state.range(0));
    const std::string same(650, 'x');   // as long as an RS256 token; they differ in their signatures
    const Revocations revoked;
    TokenCache cache;
    Random random(7);
    std::vector<std::string> texts;
    while (texts.size() < most) {
        std::string end;
        for (int i = 0; i < 4; ++i) end += std::to_string(10'000'000 + random.below(90'000'000));
        Identity who;
        who.subject = end;
        cache.put(Method::jwt, texts.emplace_back(same + end), settled(std::move(who)), 1, revoked);
    }
    std::uint64_t found = 0;
    for (auto _ : state) found += cache.find(Method::jwt, texts[random.below(most)], kNow, 1, revoked) != nullptr;
    state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(known_token)->ArgName("tokens")->Arg(1)->Arg(5'000);

}  // namespace
}  // namespace suoke::auth

BENCHMARK_MAIN();
