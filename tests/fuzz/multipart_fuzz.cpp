// SPDX-License-Identifier: MIT
// Forms as they pass: for every way to cut the bytes the same is said, and no part of a form that passes is larger than
// the limits allow.
#include "tests/fuzz/fuzz.h"
#include "validation/multipart_checker.h"

using namespace suoke;

namespace {

validation::MultipartLimits limits() {
    validation::MultipartLimits made;
    made.parts = 4;
    made.part_size = 64;
    made.file_size = 64;
    return made;
}

std::string verdict(std::string_view bytes, std::size_t cut, const validation::MultipartLimits& limits) {
    validation::MultipartChecker checker(limits, "b");
    if (checker.feed(bytes.substr(0, cut)) && checker.feed(bytes.substr(cut)) && checker.finish()) return "fine";
    return checker.fault().type + checker.fault().message + validation::pointer_to(checker.fault().place);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const validation::MultipartLimits rules = limits();
    std::string said = verdict(bytes, size, rules);
    for (std::size_t cut : fuzz::cuts(size)) fuzz::expect_same(said, verdict(bytes, cut, rules));
    // Four parts, each with a head of 8 KiB, 64 bytes and its boundary.
    if (said == "fine" && size > 4 * (8192 + 64 + 16) + 16) fuzz::expect("a form passes that is larger than its limits");
    // Who takes a bare LF before a boundary for enough reads the same parts.
    for (std::size_t at = bytes.find("\n--b"); said == "fine" && at != bytes.npos; at = bytes.find("\n--b", at + 1))
        if (at == 0 || bytes[at - 1] != '\r') fuzz::expect("a form passes in which some readers see another boundary");
    static_cast<void>(validation::boundary_of(bytes));
    return 0;
}
