#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# old-kafka.sh: the jars of the oldest Kafka 2.x, got once with Maven into .stack/jars/kafka-2; prints the folder.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
STACK_JARS=${STACK_JARS:-$(dirname "$here")/.stack/jars}

say() {
    printf '%s\n' "old-kafka: $*" >&2
}

die() {
    say "$*"
    exit 1
}

. "$here/stack/jars.sh"
get_jars kafka-2
echo "$STACK_JARS/kafka-2"
