#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# yarn.sh: the jars of YARN's servers, got once with Maven into .stack/jars/yarn; prints the folder.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
STACK_JARS=${STACK_JARS:-$(dirname "$here")/.stack/jars}

say() {
    printf '%s\n' "yarn: $*" >&2
}

die() {
    say "$*"
    exit 1
}

. "$here/stack/jars.sh"
get_jars yarn
echo "$STACK_JARS/yarn"
