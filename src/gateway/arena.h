// SPDX-License-Identifier: MIT
#pragma once
// Bytes that live as long as an exchange: header values the gateway makes, rewritten paths.

#include <cstring>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

namespace suoke::gateway {

class Arena {
 public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    char* allocate(std::size_t bytes) {
        if (bytes > kInline - used_) [[unlikely]] {
            more_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
            return more_.back().get();
        }
        char* start = inline_ + used_;
        used_ += bytes;
        return start;
    }
    std::string_view copy(std::string_view text) { return join({text}); }
    std::string_view join(std::initializer_list<std::string_view> pieces) {
        std::size_t size = 0;
        for (std::string_view piece : pieces) size += piece.size();
        char* start = allocate(size);
        char* at = start;
        for (std::string_view piece : pieces) {
            if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
            at += piece.size();
        }
        return {start, size};
    }

 private:
    static constexpr std::size_t kInline = 768;
    char inline_[kInline];  // uninitialised on purpose
    std::size_t used_ = 0;
    std::vector<std::unique_ptr<char[]>> more_;
};

}  // namespace suoke::gateway
