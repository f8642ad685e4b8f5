// SPDX-License-Identifier: MIT
// JSON as it arrives: for every way to cut the bytes the same is said at the same place, and what is called JSON is JSON to
// another reader, and the other way round.
#include <nlohmann/json.hpp>

#include "tests/fuzz/fuzz.h"
#include "validation/json_checker.h"

using namespace suoke;

namespace {

std::string verdict(std::string_view bytes, std::size_t cut) {
    validation::JsonLimits limits{.depth = 1000, .keys = 10'000, .string = 0, .unique_keys = false};
    validation::JsonChecker checker(limits);
    if (checker.feed(bytes.substr(0, cut)) && checker.feed(bytes.substr(cut)) && checker.finish()) return "fine";
    return checker.fault().type + std::to_string(checker.position());
}

enum class Other { reads, refuses, finds_a_number_too_large };
Other read_by_another(std::string_view bytes) {
    constexpr int kNumberTooLarge = 406;   // of nlohmann's errors
    try {
        auto read = nlohmann::json::parse(bytes);
        return Other::reads;
    } catch (const nlohmann::json::exception& e) {
        return e.id == kNumberTooLarge ? Other::finds_a_number_too_large : Other::refuses;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::string said = verdict(bytes, size);
    for (std::size_t cut : fuzz::cuts(size)) fuzz::expect_same(said, verdict(bytes, cut));
    if (size > 900) return 0;   // beyond our limits for numbers and depth readers differ
    Other other = read_by_another(bytes);
    if (said == "fine" && other == Other::refuses) fuzz::expect("what we call JSON is none to another reader");
    bool mark = bytes.starts_with("\xEF\xBB\xBF");             // which the other one skips
    bool nul = bytes.find('\0') != std::string_view::npos;   // at which the other one stops and is content
    if (said != "fine" && other == Other::reads && !mark && !nul) fuzz::expect("we refuse what another reader takes");
    return 0;
}
