#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs, builds and runs every test there is; CI runs exactly this. Stops at the first section
# that fails and says which. Ends with one line: "N passed, N failed".
#
#   scripts/test.sh            # everything
#   scripts/test.sh --quick    # the dev build and its tests only
#
# JOBS=n            compile and test n things at a time (default: one per core)
# FUZZ_SECONDS=n    how long each fuzzer runs (default 10)
# SUOKE_VECTORS=dir public test data, if it is not beside the project
# SUOKE_SKIP_SETUP=1 installs nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null  # nothing here asks

# The sanitizers of g++ 12 and clang 14 know 28 bits of address randomness; newer kernels use 32, and
# then a program that is well dies before main.
if [[ $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) -gt 28 && -z ${SUOKE_FIXED_ADDRESSES:-} ]] &&
    setarch "$(uname -m)" -R true 2>/dev/null; then
    SUOKE_FIXED_ADDRESSES=1 exec setarch "$(uname -m)" -R bash scripts/test.sh "$@"
fi

quick=no
for option in "$@"; do
    case $option in
        --quick) quick=yes ;;
        *) echo "usage: scripts/test.sh [--quick]" >&2; exit 2 ;;
    esac
done

jobs=${JOBS:-$(nproc)}
fuzz_seconds=${FUZZ_SECONDS:-10}
vectors=${SUOKE_VECTORS:-../shared/vectors}
results=$PWD/build/test-results
export SUOKE_BIN=$PWD/build/release/bin/suoke-gateway
export SUOKE_GRPC_SERVER=$PWD/build/release/bin/grpc_interop_server  # without gRPC++ it is not made, and its tests are skipped
export NINJA_STATUS='[%f/%t, %es] '

# --- sections -------------------------------------------------------------------------------------

section=start
began=$SECONDS

# section_is NAME WORD...: runs the words; a failure ends the script, and on_exit tells the rest.
section_is() {
    section=$1
    began=$SECONDS
    shift
    printf '\n=== %s\n' "$section"
    "$@"
    printf -- '--- %s: %d s\n' "$section" $((SECONDS - began))
}

skip() { printf 'skipped: %s\n' "$*"; }

# Sum of one attribute or key over result files, counting those that were written.
sum() {
    local pattern=$1 file total=0
    shift
    for file in "$@"; do
        [[ -f $file ]] || continue
        total=$((total + $(grep -oE "$pattern" "$file" | head -n 1 | grep -oE '[0-9]+' || echo 0)))
    done
    echo "$total"
}

# A test counts once: under tsan the unit tests run again, and there only a failure counts.
on_exit() {
    local status=$? dev=$results/dev.xml tsan=$results/tsan.xml e2e=$results/e2e.json
    local passed failed
    failed=$(($(sum '\bfailures="[0-9]+"' "$dev" "$tsan") + $(sum '"numFailedTests":[0-9]+' "$e2e")))
    passed=$(($(sum '\btests="[0-9]+"' "$dev") - $(sum '\bfailures="[0-9]+"' "$dev") -
        $(sum '\bdisabled="[0-9]+"' "$dev") - $(sum '\bskipped="[0-9]+"' "$dev") +
        $(sum '"numPassedTests":[0-9]+' "$e2e")))
    if ((status != 0)); then
        printf '\n--- %s: FAILED after %d s\n' "$section" $((SECONDS - began))
        ((failed > 0)) || failed=1  # a section that failed without a failed test still failed
    fi
    printf '\ntotal: %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
    printf '%d passed, %d failed\n' "$passed" "$failed"
}

# --- what the sections do -------------------------------------------------------------------------

build() { # preset [target...]
    local preset=$1 log=build/configure-$1.log
    shift
    mkdir -p build
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; return 1; }
    cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

run_ctest() { # preset option...
    local preset=$1
    shift
    ctest --preset "$preset" -j "$jobs" --output-junit "$results/$preset.xml" "$@"
}

e2e() {
    if ! compgen -G 'tests/e2e/*.test.mjs' >/dev/null; then
        skip "tests/e2e has no test yet"
        return
    fi
    (
        cd tests/e2e
        npm ci --no-audit --no-fund
        npx --no-install vitest run --reporter=default --reporter=json --outputFile.json="$results/e2e.json"
    )
}

# The seeds that were kept for a fuzzer, and the public corpus that speaks its language.
seeds_of() {
    local name=$1
    printf '%s\n' "tests/fuzz/corpus/$name"
    case $name in
        *h2*) printf '%s\n' "$vectors/http-corpus/http2" ;;
        *url* | *uri* | *path* | *query*) printf '%s\n' "$vectors/http-corpus/url" ;;
        *h1* | *http* | *head* | *chunk* | *request* | *response*) printf '%s\n' "$vectors/http-corpus/http1" ;;
    esac
}

fuzz_one() {
    local fuzzer=$1 name found seeds=() dir words
    name=$(basename "$fuzzer")
    words=tests/fuzz/${name%%_*}.dict
    [[ -f $words ]] || words=tests/fuzz/http.dict
    found=build/fuzz/found/$name
    mkdir -p "$found"
    while read -r dir; do
        [[ -d $dir ]] && seeds+=("$dir")
    done < <(seeds_of "$name")
    printf '%s: %s s, seeds: %s\n' "$name" "$fuzz_seconds" "${seeds[*]:-none}"
    # New inputs go to the first directory, so the seeds stay as they are.
    if ! "$fuzzer" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -dict="$words" -artifact_prefix="$found-crash-" "$found" "${seeds[@]}" >"$found.log" 2>&1; then
        tail -n 60 "$found.log"
        printf '%s failed; the input is in %s-crash-*: run %s with it\n' "$name" "$found" "$fuzzer"
        return 1
    fi
    grep -E 'number_of_executed_units|^Done' "$found.log" || true
}

fuzz() {
    if [[ ! -f tests/fuzz/CMakeLists.txt ]]; then
        skip "tests/fuzz has no fuzzer yet"
        return
    fi
    build fuzz fuzzers
    local fuzzers fuzzer
    mapfile -t fuzzers < <(find build/fuzz/tests/fuzz build/fuzz/bin -maxdepth 1 -type f -executable 2>/dev/null | sort)
    if ((${#fuzzers[@]} == 0)); then
        echo "the fuzz preset built no program into build/fuzz/tests/fuzz or build/fuzz/bin"
        return 1
    fi
    for fuzzer in "${fuzzers[@]}"; do
        fuzz_one "$fuzzer"
    done
}

# --- the run --------------------------------------------------------------------------------------

rm -rf "$results"
mkdir -p "$results"
trap on_exit EXIT

if [[ -z ${SUOKE_SKIP_SETUP:-} ]]; then
    section_is "setup" bash scripts/setup.sh --with-tests
fi
section_is "house rules" node tools/tidy.mjs
section_is "dev: build" build dev
section_is "dev: tests (ASan, UBSan)" run_ctest dev --no-tests=error
[[ $quick == no ]] || exit 0

section_is "release: build" build release suoke-gateway grpc_interop_server
section_is "release: generated documents" node tools/tidy.mjs --binary "$SUOKE_BIN"
section_is "e2e" e2e
section_is "fuzz" fuzz
section_is "tsan: build" build tsan
section_is "tsan: tests" run_ctest tsan --label-exclude house
