// SPDX-License-Identifier: MIT
#pragma once
// What the files of keys share of OpenSSL; no public header includes this.

#include <openssl/bn.h>

#include <memory>
#include <string>

#include "auth/algorithm.h"
#include "base/error.h"
#include "rt/openssl.h"

namespace suoke::auth {

using BnPtr = std::unique_ptr<BIGNUM, rt::openssl::Release<BN_clear_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, rt::openssl::Release<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, rt::openssl::Release<EVP_MD_CTX_free>>;

// Code::invalid_config. Empties OpenSSL's queue of errors.
Error unfit(std::string sentence);

// The digest, and for RSA the padding, of a context that was initialised to sign or to verify.
bool set_up(EVP_PKEY_CTX* ctx, Algorithm algorithm);

}  // namespace suoke::auth
