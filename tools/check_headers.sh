#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that each header of src/ compiles alone: it includes what it uses.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
[ -d src ] || exit 0
flags=$(pkg-config --cflags rdkafka sqlite3 libcurl libarchive jansson)
export flags
# shellcheck disable=SC2016  # $flags is for the inner shell
find src -name '*.h' -print0 | sort -z | xargs -0 -r -n 1 -P "$(nproc)" bash -c \
    'gcc -std=c17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror -Isrc $flags -x c "$0"'
