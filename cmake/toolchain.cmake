# SPDX-License-Identifier: MIT
# Compiler, warnings, sanitizers and the libraries we stand on; reasons in docs/decisions/.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(SUOKE_TESTS "Build the tests and benchmarks" ON)
option(SUOKE_FUZZ "Build only the fuzz targets (clang)" OFF)
option(SUOKE_GRPC_SERVER "Build the gRPC++ server of tests/e2e" OFF)
option(SUOKE_COVERAGE "Instrument for gcov" OFF)
set(SUOKE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

find_program(CCACHE ccache)
if(CCACHE)
    # Without the sloppiness ccache passes on every file that has a precompiled header; with the base
    # directory another clone of the same sources finds what this one compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-fpch-preprocess)
    endif()
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 sees uninitialised reads in coroutine frames and strings that are not there.
    add_compile_options(-fcoroutines -Wno-maybe-uninitialized -Wno-restrict
                        -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
                        -Wno-dangling-pointer -Wno-use-after-free)
endif()
if(SUOKE_SANITIZE)
    add_compile_options(-fsanitize=${SUOKE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SUOKE_SANITIZE})
    add_compile_definitions(SUOKE_SANITIZED)
endif()
if(SUOKE_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc libbrotlidec)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
if(NOT SUOKE_FUZZ)
    find_package(CLI11 REQUIRED)
    find_package(prometheus-cpp REQUIRED)
    find_package(GTest REQUIRED)
    find_package(benchmark)
endif()

execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} describe --tags --always --dirty
                OUTPUT_VARIABLE SUOKE_GIT_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT SUOKE_GIT_VERSION)
    set(SUOKE_GIT_VERSION unknown)
endif()
# A commit moves HEAD's log: then ask git again.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --path-format=absolute --git-path logs/HEAD
                OUTPUT_VARIABLE head_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(head_log AND EXISTS ${head_log})
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${head_log})
endif()
