#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The linters: formatting, clang-tidy and tools/tidy. Changes nothing.
#
#   scripts/check.sh                       # every C++ file
#   scripts/check.sh src/http/uri.cpp ...  # these
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t files < <(
    if (($# > 0)); then printf '%s\n' "$@"; else find src testing tests bench \( -name node_modules -prune \) -o \
        -name '*.cpp' -print -o -name '*.h' -print 2>/dev/null | sort; fi
)

status=0
node tools/tidy.mjs || status=1
clang-format-14 --dry-run "${files[@]}" 2>&1 | grep -oP '^[^:]+(?=:\d+:\d+: warning: code should be clang-formatted)' |
    sort | uniq -c | sed 's/$/: places clang-format would change/' && status=1

# clang's own compile commands: those of g++ have flags that clang-tidy does not know, and there is no
# precompiled header to read before a build.
cmake --preset fuzz -B build/checks -DSUOKE_FUZZ=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
mapfile -t units < <(printf '%s\n' "${files[@]}" | grep '\.cpp$' | grep -vE '^tests/(fuzz|grpc)/' || true)
if ((${#units[@]} > 0)); then
    printf '%s\n' "${units[@]}" | xargs -P "${JOBS:-$(nproc)}" -n 4 clang-tidy-14 -p build/checks --quiet || status=1
fi
exit "$status"
