#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that all C files are laid out by .clang-format; --fix lays them out. Versions of
# clang-format differ: this one is in Debian 12 and 13.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
mode=(--dry-run -Werror)
[ "${1:-}" != --fix ] || mode=(-i)

dirs=()
for dir in src tests bench; do
    [ ! -d "$dir" ] || dirs+=("$dir")
done
[ "${#dirs[@]}" -gt 0 ] || exit 0
said=$(find "${dirs[@]}" -name '*.[ch]' -print0 | sort -z |
    xargs -0 -r -n 20 -P "$(nproc)" clang-format-19 "${mode[@]}" --style=file 2>&1) && exit 0
# One line of source is often named many times.
sed -n 's/^\([^ :]*:[0-9]*\):.*should be clang-formatted.*/\1: not laid out; .\/dev fmt does it/p' \
    <<<"$said" | uniq | grep . || printf '%s\n' "$said"
exit 1
