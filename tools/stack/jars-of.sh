#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# jars-of.sh PART: the jars of tools/stack/PART.pom.xml, got once with Maven into .stack/jars/PART; prints the folder. For
# servers that only some tests start: yarn, kafka-2.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
STACK_JARS=${STACK_JARS:-$(dirname "$here")/.stack/jars}

say() {
    printf '%s\n' "jars-of: $*" >&2
}

die() {
    say "$*"
    exit 1
}

. "$here/stack/jars.sh"
get_jars "$1"
echo "$STACK_JARS/$1"
