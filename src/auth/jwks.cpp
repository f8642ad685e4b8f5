// SPDX-License-Identifier: MIT
#include <algorithm>

#include "auth/json_text.h"
#include "auth/key.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;

constexpr std::size_t kLongestSet = 256 * 1024, kMostKeys = 100;
constexpr JsonLimits kSetLimits{.depth = 6, .values = 10'000};

Error broken(std::string sentence) { return {Code::invalid_config, std::move(sentence)}; }

bool is_secret(const JsonValue& jwk) {
    const JsonValue* kty = jwk.find("kty");
    return jwk.find("d") || jwk.find("k") || (kty && kty->text == "oct");
}

}  // namespace

Result<KeySetPtr> parse_jwks(std::string_view json) {
    if (json.size() > kLongestSet) return broken("a key set of more than 256 KiB");
    auto text = JsonText::parse(json, kSetLimits);
    const JsonValue* list = text ? text->root().find("keys") : nullptr;
    if (!list || !list->is(Kind::list)) return broken("a key set is a JSON object with a list \"keys\" (RFC 7517 §5)");

    auto set = std::make_shared<KeySet>();
    std::size_t count = 0;
    std::string why = "it is empty";
    for (const JsonValue& jwk : *list) {
        if (++count > kMostKeys) return broken("a key set of more than 100 keys");
        if (is_secret(jwk)) return broken("the key set shows a secret or a private key, which everybody may have read");
        auto key = Key::of_jwk(jwk.text);
        if (key) set->keys.push_back(std::move(*key));
        else why = key.error().detail;  // not for us, and of interest only when none is
    }
    if (set->keys.empty()) return broken("no key of the set can verify a token: " + why);
    return KeySetPtr(std::move(set));
}

std::vector<const Key*> KeySet::candidates(std::string_view id, Algorithm algorithm) const {
    std::vector<const Key*> found;
    auto add = [&](auto fits) {
        for (const KeyPtr& key : keys)
            if (key->allows(algorithm) && fits(*key)) found.push_back(key.get());
    };
    if (id.empty()) {
        add([](const Key&) { return true; });
    } else {
        add([&](const Key& key) { return key.id() == id; });
        add([](const Key& key) { return key.id().empty(); });
    }
    return found;
}

bool KeySet::knows(std::string_view id) const {
    if (id.empty()) return true;
    const bool named = std::any_of(keys.begin(), keys.end(), [](const KeyPtr& key) { return !key->id().empty(); });
    return !named || std::any_of(keys.begin(), keys.end(), [&](const KeyPtr& key) { return key->id() == id; });
}

}  // namespace suoke::auth
