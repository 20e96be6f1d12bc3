# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 200
"""tests/unit/test_kafka_real.c with the broker that it needs; it names its cases itself."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

subprocess.run([ROOT / "dev", "build", "asan", "test_kafka_real"], check=True,
               stdout=subprocess.DEVNULL)
sys.exit(subprocess.run([ROOT / "build/asan/tests/test_kafka_real"]).returncode)
