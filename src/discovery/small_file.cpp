// SPDX-License-Identifier: MIT
#include "discovery/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/text.h"

namespace suoke::discovery {
namespace {

struct Descriptor {
    explicit Descriptor(int n) : fd(n) {}
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int fd;
};

Error refused(const std::string& path, const std::string& why) { return Error(Code::invalid_config, path + ": " + why); }

}  // namespace

// Opened without waiting: a pipe in its place would hold up the whole loop.
Result<std::string> read_small_file(const std::string& path, std::size_t most) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd < 0) return refused(path, std::string("cannot be read: ") + std::strerror(errno));
    struct stat facts {};
    if (::fstat(file.fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return refused(path, "is not a regular file");
    std::string text(most + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        ssize_t got = ::read(file.fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refused(path, std::string("cannot be read: ") + std::strerror(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > most) return refused(path, "is larger than " + format_bytes(most) + "; make it smaller or several files");
    text.resize(size);
    return text;
}

}  // namespace suoke::discovery
