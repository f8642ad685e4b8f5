// SPDX-License-Identifier: MIT
#include "testing/files.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"

namespace suoke::scene {

const std::string& own_directory() {
    struct Directory {
        std::string path = (std::filesystem::temp_directory_path() / "suoke-XXXXXX").string();
        Directory() {
            CHECK(::mkdtemp(path.data()) != nullptr);
            path += '/';
        }
        ~Directory() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
    };
    static const Directory directory;
    return directory.path;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace suoke::scene
