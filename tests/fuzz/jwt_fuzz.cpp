// SPDX-License-Identifier: MIT
// Tokens. An input that begins with { is what a signed token claims: whoever comes out of it must be sound.
// Any other is a token as a stranger sends it: it has one spelling, and opens nothing without a signature of ours.
#include <nlohmann/json.hpp>

#include "auth/base64url.h"
#include "auth/claims.h"
#include "auth/json_text.h"
#include "auth/jwt.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

const WallTime kNow = WallTime(1'735'689'600s);

const char* broken(const std::string& text) {
    for (char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "a control character for a header";
    return nullptr;
}

const char* broken(const auth::Identity& who, Duration leeway) {
    if (who.subject.empty()) return "no subject";
    if (who.expires <= kNow - leeway) return "expired";
    if (who.issued > kNow + leeway) return "issued in the future";
    if (who.claims.size() > 64) return "too many claims";
    if (who.type == auth::UserType::anonymous) return "nobody";
    for (const auto* texts : {&who.roles, &who.scopes})
        for (const std::string& text : *texts)
            if (const char* fault = text.empty() ? "an empty role" : broken(text)) return fault;
    const char* fault = broken(who.subject);
    return fault ? fault : broken(who.name);
}

// What we read another parser reads as well, and takes for the same.
void compare(std::string_view text) {
    auto ours = auth::JsonText::parse(text);
    if (!ours) return;
    auto theirs = nlohmann::json::parse(text, nullptr, false);
    if (theirs.is_discarded()) {  // a number beyond a double's, which it cannot hold
        fuzz::expect(text.find_first_of("0123456789") == text.npos ? "read, and no JSON" : nullptr);
        return;
    }
    if (!theirs.is_object()) return;
    for (const auth::JsonValue& member : ours->root()) {
        auto found = theirs.find(std::string(member.name));
        fuzz::expect(found == theirs.end() ? "a member that is not there" : nullptr);
        const bool text_differs = member.is(auth::JsonValue::Kind::text) && (!found->is_string() || found->get<std::string>() != member.text);
        fuzz::expect(text_differs ? "another text" : nullptr);
        const bool size_differs = member.is(auth::JsonValue::Kind::list) != found->is_array() || member.is(auth::JsonValue::Kind::object) != found->is_object();
        fuzz::expect(size_differs ? "another kind" : nullptr);
    }
}

const auth::KeyPtr& our_key() {
    static const auth::KeyPtr kKey = *auth::Key::of_secret("a secret that the fuzzer does not know, of course");
    return kKey;
}

void claim(std::string_view text) {
    auth::JwtRules rules;
    rules.algorithms = {auth::Algorithm::hs256};
    rules.roles_claim = "realm_access.roles";
    compare(text);
    auto judged = auth::judge_claims(text, rules, kNow);
    if (judged) fuzz::expect(broken(**judged, rules.leeway));

    auto token = auth::mint(text, *our_key(), auth::Algorithm::hs256);
    if (!token) return;
    auto parsed = auth::parse_token(*token);
    fuzz::expect(parsed ? nullptr : "what we mint is no token");
    auth::KeySet keys;
    keys.keys = {our_key()};
    fuzz::expect(auth::verify(*parsed, rules, keys, kNow).has_value() == judged.has_value() ? nullptr : "a signature changes what is claimed");
}

void present(std::string_view text) {
    auto token = auth::parse_token(text);
    if (!token) return;
    fuzz::expect(token->key_id.size() <= 256 && text.size() <= auth::kLongestToken ? nullptr : "larger than allowed");
    fuzz::expect_same(text, std::string(token->signed_part) + "." + auth::to_base64url(token->signature));
    const std::string_view payload = token->signed_part.substr(token->signed_part.find('.') + 1);
    fuzz::expect_same(payload, auth::to_base64url(token->payload));
    auth::JwtRules rules;
    rules.algorithms = {token->algorithm};
    auth::KeySet keys;
    keys.keys = {our_key()};
    fuzz::expect(auth::verify(*token, rules, keys, kNow) ? "it opened the door" : nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view text(exact.data(), exact.size());
    if (text.starts_with('{')) claim(text);
    else present(text);
    return 0;
}
