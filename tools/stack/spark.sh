#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# spark.sh: Spark as PyPI has it, got once into .stack/spark-VERSION; prints its SPARK_HOME.
# SPARK_VERSION chooses another than the tests' own.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
version=${SPARK_VERSION:-4.1.1}
place=${STACK_JARS:-$root/.stack}/spark-$version
mkdir -p "$(dirname "$place")"
exec 8>"$place.lock"
flock 8
if [ ! -e "$place/done" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install -q setuptools wheel "pyspark==$version" >"$place.log" 2>&1 </dev/null || {
        tail -n 5 "$place.log" >&2
        exit 1
    }
    touch "$place/done"
fi
exec "$place/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))'
