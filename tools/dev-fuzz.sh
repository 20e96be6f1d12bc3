#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets, tests/fuzz/fuzz_NAME.c: dev-fuzz.sh [NAME [SECONDS]], or --all MINUTES:
# each target for so long. Inputs to begin
# with stand in tests/fuzz/corpus/NAME, words in the .dict of the name's first part; what is found
# on the way is kept in build/fuzz-corpus.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
name=${1:-}
seconds=${2:-30}
if [ "$name" = --all ]; then
    case ${2:-} in
    '' | *[!0-9]*) echo "fuzz: --all takes the minutes for each target" >&2 && exit 2 ;;
    esac
    name=
    seconds=$((60 * $2))
fi

./dev build fuzz fuzz
failed=0
ran=0
for source in tests/fuzz/fuzz_*"$name"*.c; do
    [ -f "$source" ] || continue
    target=$(basename "$source" .c)
    found=build/fuzz-corpus/$target
    given=tests/fuzz/corpus/${target#fuzz_}
    subject=${target#fuzz_}
    words=tests/fuzz/${subject%%_*}.dict
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048)
    [ ! -f "$words" ] || options+=(-dict="$words")
    mkdir -p "$found" "$given" build/test-logs
    log=build/test-logs/$target.log
    ran=$((ran + 1))
    # -artifact_prefix: an input that breaks it is left there, and named at the log's end.
    if "build/fuzz/tests/$target" "${options[@]}" -artifact_prefix="build/fuzz-corpus/$target-" \
        "$found" "$given" >"$log" 2>&1; then
        printf 'ok    %s  %s\n' "$target" "$(grep -a '^Done' "$log" | tail -n 1)"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s  see %s\n' "$target" "$log"
        tail -n 20 "$log" | sed 's/^/    | /'
    fi
    rmdir "$given" 2>/dev/null || true
done
[ "$ran" -gt 0 ] || { echo "fuzz: no target's name holds '$name'" >&2; exit 2; }
echo "$((ran - failed)) passed, $failed failed"
[ "$failed" = 0 ]
