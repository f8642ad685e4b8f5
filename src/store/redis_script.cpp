// SPDX-License-Identifier: MIT
#include "store/redis_script.h"

#include <boost/uuid/detail/sha1.hpp>  // as in http/ws_handshake.cpp; 1.81 to 1.83

namespace suoke::store {
namespace {

std::string sha1_hex(const std::string& text) {
    boost::uuids::detail::sha1 sha1;
    sha1.process_bytes(text.data(), text.size());
    boost::uuids::detail::sha1::digest_type words;
    sha1.get_digest(words);
    std::string out;
    for (unsigned word : words)
        for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 15];
    return out;
}

}  // namespace

Script::Script(std::string text) {
    std::string sha = sha1_hex(text);
    parts_ = std::make_shared<const Parts>(Parts{std::move(text), std::move(sha)});
}

}  // namespace suoke::store
