// SPDX-License-Identifier: MIT
#include <cstdio>

#include "base/error.h"
#include "tools/cli.h"

int main(int argc, char** argv) {
    try {
        return suoke::tools::run(argc, argv);
    } catch (const suoke::StartupError& error) {
        std::fprintf(stderr, "suoke-gateway: %s\n", error.what());
        return 2;
    }
}
