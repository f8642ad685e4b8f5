// SPDX-License-Identifier: MIT
#include "discovery/file_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/far.h"
#include "testing/files.h"
#include "testing/found.h"

namespace suoke::discovery {
namespace {

namespace fs = std::filesystem;

class FileSourceTest : public ::testing::Test {
 protected:
    FileSourceTest() {
        static int count = 0;
        directory = scene::own_directory() + "discovery" + std::to_string(++count);
        fs::create_directories(directory);
        options.path = directory;
        options.service = "users";
    }
    ~FileSourceTest() override { fs::remove_all(directory); }

    std::string path(const std::string& name) const { return directory + "/" + name; }
    void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
    // As those do who do not want anybody to see half of it.
    void replace(const std::string& name, const std::string& text) {
        write(".new", text);
        fs::rename(path(".new"), path(name));
    }
    void begin() {
        source = std::make_unique<FileSource>(far.loop, options, found);
        far.after(50ms);
    }
    void soon() { far.after(200ms); }

    scene::Far far;
    scene::Found found;
    FileOptions options;
    std::string directory;
    std::unique_ptr<FileSource> source;
};

TEST_F(FileSourceTest, reads_what_is_about_the_service) {
    write("users.json", R"(["10.0.0.1:80"])");
    write("more.yaml", "service: users\ninstances: [10.0.0.2:80]\n");
    write("orders.yml", "- 10.0.0.3:80\n");
    write("README.md", "no list at all");
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:80 10.0.0.2:80");
    EXPECT_EQ(found.why(), "");
}

TEST_F(FileSourceTest, learns_of_changes_when_they_happen) {
    write("users.yaml", "- 10.0.0.1:80\n");
    begin();
    write("users.yaml", "- 10.0.0.2:80\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.2:80");
    replace("users.yaml", "- 10.0.0.3:80\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.3:80");
    write("other.yaml", "service: users\ninstances: [10.0.0.4:80]\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.3:80 10.0.0.4:80");
    fs::remove(path("other.yaml"));
    soon();
    EXPECT_EQ(found.last(), "10.0.0.3:80");
    fs::remove(path("users.yaml"));
    soon();
    EXPECT_EQ(found.last(), "") << "no file, no instances";
    EXPECT_EQ(found.why(), "");
}

TEST_F(FileSourceTest, what_says_the_same_is_no_news) {
    write("users.yaml", "- 10.0.0.1:80\n- 10.0.0.2:80\n");
    begin();
    write("users.yaml", "# in another order\n- 10.0.0.2:80\n- 10.0.0.1:80\n");
    soon();
    EXPECT_EQ(found.times, 1);
}

TEST_F(FileSourceTest, a_bad_file_keeps_what_was_good) {
    write("users.yaml", "- 10.0.0.1:80\n");
    begin();
    write("users.yaml", "- host: 10.0.0.1\n  weigth: 80\n");
    soon();
    EXPECT_EQ(found.times, 1);
    EXPECT_EQ(found.why(), path("users.yaml") + ":2:3: there is no key \"weigth\"; did you mean \"weight\"?");
    write("users.yaml", "- host: 10.0.0.1\n  port: 81\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.1:81");
}

TEST_F(FileSourceTest, a_bad_file_of_somebody_elses_does_not_matter) {
    write("users.yaml", "- 10.0.0.1:80\n");
    write("orders.yaml", "- host: [");
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    EXPECT_EQ(found.why(), "");
    write("orders.yaml", "service: users\ninstances: [");
    soon();
    EXPECT_NE(found.why(), "") << "it mentions the service";
}

TEST_F(FileSourceTest, a_file_that_was_ours_and_went_bad_is_ours) {
    write("a.yaml", "service: users\ninstances: [10.0.0.1:80]\n");
    begin();
    write("a.yaml", "se");
    soon();
    EXPECT_NE(found.why().find("a.yaml"), std::string::npos);
    EXPECT_EQ(found.times, 1);
}

TEST_F(FileSourceTest, one_instance_in_two_files_is_a_fault) {
    write("a.yaml", "service: users\ninstances: [10.0.0.1:80]\n");
    write("users.yaml", "- 10.0.0.1:80\n");
    begin();
    EXPECT_EQ(found.why(), path("users.yaml") + ": the instance 10.0.0.1:80 is in a.yaml, too; remove one");
}

TEST_F(FileSourceTest, a_directory_that_comes_later_is_found) {
    fs::remove_all(directory);
    begin();
    EXPECT_EQ(found.times, 0);
    EXPECT_FALSE(found.failures.empty());
    fs::create_directories(directory);
    write("users.yaml", "- 10.0.0.1:80\n");
    far.after(6s);
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    write("users.yaml", "- 10.0.0.2:80\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.2:80");
}

TEST_F(FileSourceTest, one_that_is_replaced_as_a_whole_is_watched_again) {
    write("users.yaml", "- 10.0.0.1:80\n");
    begin();
    fs::remove_all(directory);
    far.after(6s);
    EXPECT_FALSE(found.failures.empty());
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    fs::create_directories(directory);
    write("users.yaml", "- 10.0.0.2:80\n");
    far.after(6s);
    EXPECT_EQ(found.last(), "10.0.0.2:80");
    write("users.yaml", "- 10.0.0.3:80\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.3:80");
}

// How Kubernetes shows a ConfigMap: links into a directory that is swapped.
TEST_F(FileSourceTest, files_behind_links_are_followed_when_these_are_swapped) {
    fs::create_directories(path("..1"));
    std::ofstream(path("..1/users.yaml")) << "- 10.0.0.1:80\n";
    fs::create_symlink("..1", path("..data"));
    fs::create_symlink("..data/users.yaml", path("users.yaml"));
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    fs::create_directories(path("..2"));
    std::ofstream(path("..2/users.yaml")) << "- 10.0.0.2:80\n";
    fs::create_symlink("..2", path("..new"));
    fs::rename(path("..new"), path("..data"));
    soon();
    EXPECT_EQ(found.last(), "10.0.0.2:80");
}

TEST_F(FileSourceTest, may_be_one_file_of_any_name) {
    write("list.json", R"({"service": "users", "instances": ["10.0.0.1:80"]})");
    options.path = path("list.json");
    begin();
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    replace("list.json", R"(["10.0.0.2:80"])");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.2:80");
    write("list.json", R"({"service": "orders", "instances": []})");
    soon();
    EXPECT_EQ(found.why(), path("list.json") + ": is about the service orders, not users");
    fs::remove(path("list.json"));
    far.after(6s);
    EXPECT_NE(found.why().find("does not exist"), std::string::npos);
    EXPECT_EQ(found.last(), "10.0.0.2:80");
}

TEST_F(FileSourceTest, sizes_have_limits) {
    options.max_bytes = 100;
    options.max_files = 2;
    write("users.yaml", "- 10.0.0.1:80 #" + std::string(100, 'x'));
    begin();
    EXPECT_NE(found.why().find("is larger than"), std::string::npos);
    write("users.yaml", "- 10.0.0.1:80\n");
    soon();
    EXPECT_EQ(found.last(), "10.0.0.1:80");
    write("b.yaml", "[]");
    write("c.yaml", "[]");
    soon();
    EXPECT_NE(found.why().find("more than 2 files"), std::string::npos);
}

TEST_F(FileSourceTest, a_pipe_in_the_place_of_a_file_holds_nothing_up) {
    ASSERT_EQ(::mkfifo(path("users.yaml").c_str(), 0600), 0);
    begin();
    EXPECT_EQ(found.why(), path("users.yaml") + ": is not a regular file");
}

TEST_F(FileSourceTest, where_changes_are_not_told_it_looks_from_time_to_time) {
    write("users.yaml", "- 10.0.0.1:80\n");
    begin();
    fs::create_directories(path("other"));
    far.after(61s);
    EXPECT_EQ(found.times, 1);
    EXPECT_NE(far.loop.timers().next(), kNever);
    source.reset();
    EXPECT_EQ(far.loop.timers().next(), kNever);
}

}  // namespace
}  // namespace suoke::discovery
