#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh clone to a running gateway: installs what is missing, builds the release preset and
# runs `suoke-gateway dev` in the foreground. Arguments go to the gateway; paths among them are
# relative to the project's root. Writes into build/ and nowhere else.
#
#   scripts/start-dev.sh                    # http://127.0.0.1:8000
#   scripts/start-dev.sh --port 9000
#
# JOBS=n limits the compiler to n files at a time; SUOKE_SKIP_SETUP=1 installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\nstart-dev: %s\n' "$*"; }
fail() {
    printf '\nstart-dev: %s\n' "$*" >&2
    exit 1
}

gateway=build/release/bin/suoke-gateway
jobs=${JOBS:-$(nproc)}

if [[ -z ${SUOKE_SKIP_SETUP:-} ]]; then
    say "1/3 what building needs"
    bash scripts/setup.sh ||
        fail "the build's packages are not all there (see above), so nothing was built"
fi

say "2/3 building with $jobs jobs; the first time takes some minutes"
mkdir -p build
if ! cmake --preset release >build/configure.log 2>&1; then
    cat build/configure.log >&2
    fail "cmake could not configure the build; its last error above names what it missed"
fi
NINJA_STATUS='[%f/%t, %es] ' cmake --build --preset release --target suoke-gateway -j "$jobs" ||
    fail "the build failed; the first error above is the one to look at (JOBS=1 if memory ran out)"

say "3/3 starting $gateway dev $*
Ctrl-C stops it. If it stops by itself, its own last line says why."
# exec: the signals of the terminal and of a supervisor reach the gateway and nobody in between.
exec "$gateway" dev "$@"
