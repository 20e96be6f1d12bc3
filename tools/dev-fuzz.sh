#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets, tests/fuzz/fuzz_NAME.c, one after the other: dev-fuzz.sh [NAME [SECONDS]],
# or --all MINUTES: each target for so long. Inputs to begin with stand in tests/fuzz/corpus/NAME,
# words in the .dict of the name's first part; what is found on the way is kept in build/fuzz-corpus.
# Prints a line a target and their sum; exits 1 after a crash, a time-out or a breach of a budget.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
name=${1:-}
seconds=${2:-30}
wrong() {
    echo "fuzz: $1" >&2
    exit 2
}
if [ "$name" = --all ]; then
    [[ ${2:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || wrong "--all takes the minutes for each target"
    name=
    seconds=$(awk "BEGIN { print int(60 * $2) }")
fi
[[ $seconds =~ ^[1-9][0-9]*$ ]] || wrong "'$seconds' is no number of seconds"
sources=("tests/fuzz/fuzz_$name.c")
[ -f "${sources[0]}" ] || sources=(tests/fuzz/fuzz_*"$name"*.c)
[ -f "${sources[0]}" ] || wrong "no target's name holds '$name'"

mkdir -p build/test-logs build/fuzz-corpus
flock build/fuzz-corpus/build.lock ./dev build fuzz fuzz >build/test-logs/fuzz-build.log 2>&1 || {
    tail -n 20 build/test-logs/fuzz-build.log >&2
    wrong "the build failed"
}

# run TARGET LOG: libFuzzer ends at its time; what does not is ended here.
run() {
    local target=$1 log=$2 subject=${1#fuzz_} given words
    given=tests/fuzz/corpus/$subject
    words=tests/fuzz/${subject%%_*}.dict
    local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1)
    [ ! -f "$words" ] || options+=(-dict="$words")
    mkdir -p "build/fuzz-corpus/$target"
    # -artifact_prefix: an input that breaks it is left there, and named at the log's end.
    timeout -k 10 $((seconds + 120)) "build/fuzz/tests/$target" "${options[@]}" \
        -artifact_prefix="build/fuzz-corpus/$target-" \
        "build/fuzz-corpus/$target" "$given" >"$log" 2>&1
}

# kind_of_end LOG CODE: ok, time-out, budget or crash.
kind_of_end() {
    if [ "$2" = 0 ]; then
        echo ok
    elif [ "$2" = 124 ] || [ "$2" = 137 ] || grep -aqE 'libFuzzer: timeout' "$1"; then
        echo time-out
    elif grep -aqE '^budget: .*at most [0-9]+$|libFuzzer: out-of-memory' "$1"; then
        echo budget
    else
        echo crash
    fi
}

stat_of() { # LOG NAME
    sed -n "s/^stat::$2: *//p" "$1" | tail -n 1
}

declare -A ends
ends=([ok]=0 [crash]=0 [time-out]=0 [budget]=0)
execs=0
began=$SECONDS
printf '%-29s %8s %6s  %s\n' "$seconds s each" inputs edges "nearest to its budget: steps, bytes, held"
for i in "${!sources[@]}"; do
    target=$(basename "${sources[i]}" .c)
    log=build/test-logs/$target.log
    [ ! -t 2 ] || printf '\r...   %d of %d: %s\033[K' $((i + 1)) ${#sources[@]} "$target" >&2
    code=0
    run "$target" "$log" || code=$?
    end=$(kind_of_end "$log" "$code")
    ends[$end]=$((ends[$end] + 1))
    n=$(stat_of "$log" number_of_executed_units)
    execs=$((execs + ${n:-0}))
    edges=$(grep -aoE ' cov: [0-9]+' "$log" | tail -n 1 || true)
    near=$(sed -nE 's/^budget: at most ([0-9]+) % of the steps, ([0-9]+) % of the bytes, ([0-9]+) % held/\1 %, \2 %, \3 %/p' "$log")
    [ ! -t 2 ] || printf '\r\033[K' >&2
    printf '%-9s%-20s %8s %6s  %s\n' "$end" "$target" "${n:-?}" "${edges##* }" "$near"
    if [ "$end" != ok ]; then
        echo "      see $log"
        grep -aE '^budget: [0-9]+|ERROR: |runtime error|Assertion|Test unit written' "$log" | sed 's/^/    | /' || true
    fi
done
printf '%d targets in %d min, %d inputs: %d crashes, %d time-outs, %d budget breaches\n' ${#sources[@]} \
    $(((SECONDS - began + 30) / 60)) "$execs" "${ends[crash]}" "${ends[time-out]}" "${ends[budget]}"
[ "${ends[ok]}" = ${#sources[@]} ]
