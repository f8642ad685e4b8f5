// SPDX-License-Identifier: MIT
#pragma once
// A value that must not be shown. There is no stream operator, no formatter and no implicit
// conversion, so printing one is a compile error; `reveal()` is easy to find in a review.

#include <string>
#include <utility>

namespace suoke {

template <class T>
class Sensitive {
 public:
    Sensitive() = default;
    explicit Sensitive(T value) : value_(std::move(value)) {}
    const T& reveal() const { return value_; }
    bool empty() const { return value_ == T(); }
    friend bool operator==(const Sensitive&, const Sensitive&) = default;

 private:
    T value_{};
};

using Secret = Sensitive<std::string>;

}  // namespace suoke
