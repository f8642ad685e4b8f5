// SPDX-License-Identifier: MIT
#include "validation/multipart_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "validation/media_type.h"

namespace suoke::validation {
namespace {

using testing::HasSubstr;

std::string part(const std::string& parameters, const std::string& content, const std::string& fields = {}) {
    return "--b\r\nContent-Disposition: form-data; " + parameters + "\r\n" + fields + "\r\n" + content + "\r\n";
}
const std::string kEnd = "--b--\r\n";

// What it says of the whole, which must be the same wherever the bytes are cut.
std::string verdict(const std::string& form, const MultipartLimits& limits = {}) {
    auto say = [](MultipartChecker& checker, bool fine) { return fine ? "fine" : checker.fault().type + ": " + checker.fault().message; };
    MultipartChecker whole(limits, "b");
    std::string said = say(whole, whole.feed(form) && whole.finish());
    for (std::size_t cut = 0; cut <= form.size(); ++cut) {
        MultipartChecker checker(limits, "b");
        std::string again = say(checker, checker.feed(form.substr(0, cut)) && checker.feed(form.substr(cut)) && checker.finish());
        EXPECT_EQ(again, said) << "cut at " << cut;
    }
    return said;
}

TEST(Multipart, a_form_with_fields_and_files_passes) {
    EXPECT_EQ(verdict(part("name=\"query\"", "what is this?") + part("name=\"files\"; filename=\"a b.png\"", std::string("\x89PNG\r\n\x1a\n\0--b\r", 14), "Content-Type: image/png\r\n") + kEnd), "fine");
    EXPECT_EQ(verdict(part("name=a", "") + "--b--"), "fine");
    EXPECT_EQ(verdict(kEnd), "fine");   // a form without fields
}

TEST(Multipart, what_looks_like_the_boundary_but_is_not_one_is_content) {
    EXPECT_EQ(verdict(part("name=a", "\r\n-\r\n--\r\r\n--c\r\n--B") + kEnd), "fine");
}

// Go's reader takes a boundary at the very beginning of a part's content for one, PHP's and Python's old one also behind a bare LF:
// they would find parts in it that nobody has looked at.
TEST(Multipart, a_boundary_that_only_some_readers_see_is_refused) {
    const std::string hidden = "--b\r\nContent-Disposition: form-data; name=f; filename=x.exe\r\n\r\nMZ";
    for (const std::string& content : {hidden, "\n" + hidden, "1\n" + hidden, "1\n\n" + hidden, "1\r\r\n\n" + hidden, std::string("--b--"), std::string("\n--b"), "--\n" + hidden})
        EXPECT_THAT(verdict(part("name=a", content) + kEnd), HasSubstr("multipart_invalid")) << content;
    for (const char* content : {"--", "\n--", "-\n-b", "\r--b", " --b", "\n--\n--c", "\n\r", "\r\r", "\n-\r\n-b"}) EXPECT_EQ(verdict(part("name=a", content) + kEnd), "fine") << content;
}

TEST(Multipart, counts_every_byte_of_line_breaks_that_are_content) {
    for (const std::string content : {"\r\n--\r", "\n\n\n\n\n", "\r\r\r\r\r", "\n--\r\n", "--\r\n-", "\r\n\r\n-", "-\r\n\r\n"}) {
        EXPECT_EQ(verdict(part("name=a", content) + kEnd, {.part_size = content.size()}), "fine") << content;
        EXPECT_THAT(verdict(part("name=a", content) + kEnd, {.part_size = content.size() - 1}), HasSubstr("too_large")) << content;
    }
}

TEST(Multipart, counts_parts_fields_and_files) {
    MultipartLimits limits{.parts = 2, .part_size = 5, .file_size = 8};
    EXPECT_EQ(verdict(part("name=a", "12345") + part("name=f; filename=x", "12345678") + kEnd, limits), "fine");
    EXPECT_THAT(verdict(part("name=a", "123456") + kEnd, limits), HasSubstr("too_large: Fields"));
    EXPECT_THAT(verdict(part("name=a", "1234\r\n") + kEnd, limits), HasSubstr("too_large"));
    EXPECT_THAT(verdict(part("name=f; filename=x", "123456789") + kEnd, limits), HasSubstr("too_large: Files"));
    EXPECT_THAT(verdict(part("name=a", "") + part("name=b", "") + part("name=c", "") + kEnd, limits), HasSubstr("too_many_parts"));
}

TEST(Multipart, refuses_a_file_that_is_too_large_before_it_is_whole) {
    MultipartLimits limits{.file_size = 100};
    MultipartChecker checker(limits, "b");
    EXPECT_TRUE(checker.feed("--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n"));
    EXPECT_TRUE(checker.feed(std::string(100, 'x')));
    EXPECT_FALSE(checker.feed("x"));
    EXPECT_EQ(checker.code(), Code::body_too_large);
    EXPECT_EQ(pointer_to(checker.fault().place), "/f");
}

TEST(Multipart, files_have_one_of_the_types) {
    MultipartLimits limits{.types = {"image/*", "application/pdf"}};
    EXPECT_EQ(verdict(part("name=f; filename=x", "1", "Content-Type: Image/PNG\r\n") + kEnd, limits), "fine");
    EXPECT_EQ(verdict(part("name=f", "1", "Content-Type: text/plain\r\n") + kEnd, limits), "fine");
    EXPECT_THAT(verdict(part("name=f; filename=x", "1", "Content-Type: text/html\r\n") + kEnd, limits), HasSubstr("file_type"));
    EXPECT_THAT(verdict(part("name=f; filename=x", "1") + kEnd, limits), HasSubstr("file_type"));
}

TEST(Multipart, a_file_that_nobody_chose_has_no_name_no_content_and_any_type) {
    MultipartLimits limits{.types = {"image/*"}};
    const std::string any = "Content-Type: application/octet-stream\r\n";
    EXPECT_EQ(verdict(part("name=f; filename=\"\"", "", any) + part("name=a", "1") + kEnd, limits), "fine");
    EXPECT_THAT(verdict(part("name=f; filename=\"\"", "1", any) + kEnd, limits), HasSubstr("file_type"));
    EXPECT_THAT(verdict(part("name=f; filename=\"\"", "\r\n", any) + kEnd, limits), HasSubstr("file_type"));
    EXPECT_EQ(verdict(part("name=f; filename=\"\"", "1", "Content-Type: image/png\r\n") + kEnd, limits), "fine");
}

TEST(Multipart, is_strict_where_readers_disagree) {
    const std::string forms[] = {
        "preamble\r\n" + part("name=a", "1") + kEnd,
        "\r\n" + part("name=a", "1") + kEnd,
        part("name=a", "1") + kEnd + "epilogue",
        part("name=a", "1"),
        part("name=a", "1") + "--b-x",
        part("name=a", "1") + "--b \r\n" + kEnd,
        part("name=a", "1\r\n--bc") + kEnd,
        "--b\r\n\r\nno head\r\n" + kEnd,
        "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n" + kEnd,
        "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
        "--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n" + kEnd,
        "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n" + kEnd,
        part("filename=x", "1") + kEnd,
        part("name=a; name=b", "1") + kEnd,
        part("name=\"a", "1") + kEnd,
        part("name=\"a\\\"b\"", "1") + kEnd,
        part("name=a; filename*=utf-8''x", "1") + kEnd,
        part("name=a; filename*0=x; filename*1=y", "1") + kEnd,
        part("name=a", "1", "Content-Disposition: form-data; name=b\r\n") + kEnd,
        part("name=a", "1", "Content-Type: text/plain\r\nContent-Type: text/html\r\n") + kEnd,
        part("name=a", "1", "Content-Transfer-Encoding: base64\r\n") + kEnd,
        part("name=a", "1", "No field\r\n") + kEnd,
        part("name=a", "1", "X: " + std::string(9000, 'x') + "\r\n") + kEnd,
    };
    for (const std::string& form : forms) {
        MultipartLimits limits;
        MultipartChecker checker(limits, "b");
        bool fine = checker.feed(form) && checker.finish();
        EXPECT_FALSE(fine) << form;
        EXPECT_EQ(checker.code(), Code::invalid_request) << form;
    }
}

TEST(Multipart, the_boundary_is_one) {
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=\"a b?\""), "a b?");
    EXPECT_EQ(boundary_of("multipart/form-data; charset=utf-8; Boundary=----WebKitFormBoundaryx"), "----WebKitFormBoundaryx");
    for (const char* wrong : {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
                              "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a; boundary*0=b", "multipart/form-data; boundary*=utf-8''b", "multipart/form-data; boundary=\"a<b\""})
        EXPECT_EQ(boundary_of(wrong), std::nullopt) << wrong;
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
}

TEST(MediaType, ranges) {
    EXPECT_EQ(media_type_of(" application/json ; charset=utf-8"), "application/json");
    EXPECT_EQ(media_type_of("json"), "");
    EXPECT_TRUE(is_in_range("Application/JSON", "application/json"));
    EXPECT_TRUE(is_in_range("image/png", "image/*"));
    EXPECT_FALSE(is_in_range("images/png", "image/*"));
    EXPECT_TRUE(is_in_range("application/problem+json", "application/*+json"));
    EXPECT_FALSE(is_in_range("application/+json", "application/*+json"));
    EXPECT_TRUE(is_json("application/vnd.api+json"));
    EXPECT_FALSE(is_json("application/jsonp"));
}

}  // namespace
}  // namespace suoke::validation
