// SPDX-License-Identifier: MIT
// Replays public fuzz corpora: nothing crashes, and whatever is accepted is strictly valid HTTP.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/h1_parser.h"
#include "tests/fuzz/http_invariants.h"

namespace suoke::http {
namespace {

std::vector<std::string> corpus(std::string_view folder) {
    std::vector<std::string> files;
    const std::filesystem::path path =
        std::string(SUOKE_VECTORS) + "/http-corpus/" + std::string(folder);
    if (!std::filesystem::is_directory(path)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        std::ifstream in(entry.path(), std::ios::binary);
        files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return files;
}

std::vector<std::size_t> every_cut(std::string_view bytes) {
    std::vector<std::size_t> cuts(std::min<std::size_t>(bytes.size(), 512));
    for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
    return cuts;
}

TEST(Corpus, of_http1_is_parsed_alike_in_pieces_and_only_valid_heads_pass) {
    const auto files = corpus("http1");
    if (files.empty()) GTEST_SKIP() << "no vectors";
    std::size_t accepted = 0;
    for (const std::string& bytes : files) {
        RequestHead request;
        h1::Progress progress;
        auto length = h1::parse_request_head(bytes, {}, progress, request);
        if (length && *length) {
            ++accepted;
            EXPECT_STREQ(invariants::broken(request), nullptr) << bytes;
        }
        EXPECT_EQ(invariants::request_in_pieces(bytes, every_cut(bytes)),
                  invariants::told(length, request));

        ResponseHead response;
        progress = {};
        length = h1::parse_response_head(bytes, {}, progress, Method::GET, response);
        if (length && *length) {
            EXPECT_STREQ(invariants::broken(response), nullptr) << bytes;
        }
        EXPECT_EQ(invariants::response_in_pieces(bytes, Method::GET, every_cut(bytes)),
                  invariants::told(length, response));

        EXPECT_EQ(invariants::chunked_in_pieces(bytes, 0), invariants::chunked_in_pieces(bytes, 1));
    }
    RecordProperty("accepted", static_cast<int>(accepted));
}

TEST(Corpus, of_urls_normalises_to_paths_that_stay_the_same) {
    const auto files = corpus("url");
    if (files.empty()) GTEST_SKIP() << "no vectors";
    for (const std::string& bytes : files) {
        std::string scratch;
        std::string again;
        auto path = normalize_path(bytes, scratch);
        if (!path) continue;
        EXPECT_EQ(*normalize_path(*path, again), *path) << bytes;
        EXPECT_EQ(path->find("//"), std::string_view::npos);
        EXPECT_EQ(path->find("/../"), std::string_view::npos);
    }
}

}  // namespace
}  // namespace suoke::http
