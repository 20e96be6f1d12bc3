# SPDX-License-Identifier: Apache-2.0
# test: takes 170
# test: waits
# test: needs kafka hdfs registry
# test: not-asan its programs are of that build
# test: builds asan tests/test_kafka_real tests/test_wire_real tests/test_storage_contract tests/test_storage_webhdfs
"""The C tests that speak to real servers: the Kafka source, the storage contract over HDFS, the
registry's client."""
import os
import subprocess

import lib

PROGRAMS = lib.ROOT / "build/asan/tests"


def run(name):
    program = PROGRAMS / name
    if not program.exists():
        raise AssertionError(f"no program {program}; ./dev build asan unit makes it")
    env = {**os.environ, "ASAN_OPTIONS": "strict_string_checks=1"}
    done = subprocess.run([program], env=env, stdin=subprocess.DEVNULL, text=True, timeout=280,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout[-6000:], flush=True)
    assert done.returncode == 0, f"{name}: exit code {done.returncode}"
    assert "[       OK ]" in done.stdout


def test_kafka_source():
    lib.brokers()
    run("test_kafka_real")


def test_both_kafka_clients():
    lib.brokers()
    run("test_wire_real")


def test_storage_contract_over_hdfs():
    lib.hdfs_url()
    run("test_storage_contract")


def test_webhdfs():
    lib.hdfs_url()
    run("test_storage_webhdfs")
