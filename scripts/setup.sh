#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what building needs, from the distribution's own archive and nowhere else.
# Asks dpkg first: where nothing is missing it takes no root, no network and no time.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/setup.sh [--with-tests] [--with-checks] [--with-bench]

Installs the compiler, the build tools and the libraries the gateway is built from,
on Debian 12 and Ubuntu 24.04, as root or through sudo.

  --with-tests   also what scripts/test.sh uses: Node (unless one >= 18 is there), clang, curl, openssl, nginx,
                 nghttp2, chromium, gRPC
  --with-checks  also clang-format and clang-tidy
  --with-bench   also what bench/ compares with and measures by: nginx, haproxy, nghttp2, valgrind

Services that come with a package (nginx, haproxy) are neither started nor enabled.
TEXT
}

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

with_tests=no with_checks=no with_bench=no
for option in "$@"; do
    case $option in
        --with-tests) with_tests=yes ;;
        --with-checks) with_checks=yes ;;
        --with-bench) with_bench=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "unknown option: $option" ;;
    esac
done

# --- which system, and what its packages are called ---------------------------------------------

system=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-unknown}") ||
    system="unknown system"
case $system in
    "debian 12") boost=libboost1.81-dev clang=14 browser=chromium ;;  # plain libboost-dev is 1.74 there: too old
    "ubuntu 24.04") boost=libboost1.83-dev clang=18 browser='' ;;  # Chromium is a snap there: its tests are skipped
    *)
        fail "this script knows Debian 12 and Ubuntu 24.04; this is $system.
Install a C++20 compiler (g++ >= 12), cmake >= 3.25, ninja, ccache, git, pkg-config and the headers of
Boost >= 1.81, fmt, spdlog, nlohmann-json, yaml-cpp, c-ares, re2, OpenSSL 3, nghttp2, CLI11, prometheus-cpp, GoogleTest and
Google Benchmark, zlib, brotli, zstd, valijson, hiredis, SQLite 3; for the tests also Node >= 18, clang with libFuzzer, nginx, a Redis server, curl, nghttp2's programs, Chromium and gRPC++.
Then set SUOKE_SKIP_SETUP=1, and the other scripts build without calling this one."
        ;;
esac

node_is_good() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'
}

wanted=(g++ cmake ninja-build ccache git ca-certificates pkg-config
    "$boost" libfmt-dev libspdlog-dev nlohmann-json3-dev libyaml-cpp-dev libc-ares-dev libre2-dev libssl-dev
    libnghttp2-dev zlib1g-dev libbrotli-dev libzstd-dev libvalijson-dev libhiredis-dev libsqlite3-dev
    libcli11-dev prometheus-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev)
if [[ $with_tests == yes ]]; then
    wanted+=(clang "libclang-rt-$clang-dev" nginx redis-server curl openssl nghttp2-client nghttp2-server libgrpc++-dev
        libprotobuf-dev protobuf-compiler-grpc ${browser:+"$browser"})
    node_is_good || wanted+=(nodejs npm)
fi
# clang-tidy 14 on both: it is what .clang-tidy is written for, and formatters of two ages disagree.
[[ $with_checks == yes ]] && wanted+=(clang-format-14 clang-tidy-14)
[[ $with_bench == yes ]] && wanted+=(nginx haproxy nghttp2-client nghttp2-server nghttp2-proxy openssl valgrind)

# --- what is missing ----------------------------------------------------------------------------

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    say "everything is there"
    exit 0
fi
say "missing: ${missing[*]}"

# --- installing it ------------------------------------------------------------------------------

if ((EUID == 0)); then
    as_root() { "$@"; }
elif command -v sudo >/dev/null; then
    as_root() { sudo "$@"; }
else
    fail "installing packages takes root and there is no sudo here; as root, run:
    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
fi

# nginx, haproxy and redis are here to be started by tests and benchmarks on ports of their choosing. While
# packages are unpacked, policy-rc.d tells them not to start; afterwards they are not to start at
# boot either. What had been installed before is left as it was.
policy=/usr/sbin/policy-rc.d
hold_services() {
    [[ -e $policy ]] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    trap 'as_root rm -f "$policy"' EXIT
}
disable_new_services() {
    command -v systemctl >/dev/null || return 0
    local package
    for package in "${missing[@]}"; do
        case $package in
            nginx | haproxy | redis-server | nghttp2-proxy) as_root systemctl disable --quiet "${package/#nghttp2-proxy/nghttpx}" 2>/dev/null || true ;;
        esac
    done
}
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

apt_get update || fail "apt-get update failed: is the package archive reachable from here?"
hold_services
apt_get install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install the packages above; its own words say why"
disable_new_services
say "done"
