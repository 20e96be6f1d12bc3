# SPDX-License-Identifier: Apache-2.0
"""Others' implementations of Avro, to compare with: fastavro in a venv, Java's from Maven, the C
library of the distribution.

All are got once, into build/oracles; without a network the test fails. The first two answer
lines of JSON with lines of JSON (avro/AvroOracle.java says which).
"""
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

import lib

HERE = pathlib.Path(__file__).resolve().parent / "avro"
PLACE = lib.ROOT / "build/oracles"
FASTAVRO = ["fastavro==1.13.1", "cramjam==2.11.0", "backports.zstd==1.8.0"]
INSTALL_LIMIT_S = 120
ASK_LIMIT_S = 200


@contextlib.contextmanager
def _alone(place):
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(what, place, *commands):
    """Runs the commands, the last of which makes `place` whole, unless it is. One test at a time:
    another one would run what is still being written."""
    with _alone(place):
        if not (place / "whole").exists():
            _run_all(what, place, commands)


def _run_all(what, place, commands):
    for command in commands:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        if done.returncode != 0:
            shutil.rmtree(place, ignore_errors=True)
            raise AssertionError(f"{what} cannot be got: {(done.stderr or done.stdout).strip()[-2000:]}")
    (place / "whole").touch()


@functools.cache
def fastavro_python():
    venv = PLACE / "-".join(FASTAVRO).replace("==", "-")
    _install("fastavro", venv, [sys.executable, "-m", "venv", venv],
             [venv / "bin/pip", "-q", "install", *FASTAVRO])
    return venv / "bin/python"


@functools.cache
def java_classes():
    jars = PLACE / "java"
    _install("Java's Avro", jars,
             ["mvn", "-B", "-q", "-f", HERE / "pom.xml", "package", f"-Djars={jars}"])
    source = HERE / "AvroOracle.java"
    made = jars / "AvroOracle.class"
    with _alone(made):
        if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["javac", "-cp", f"{jars}/*", "-d", jars, source], check=True,
                           timeout=INSTALL_LIMIT_S)
    return f"{jars}/*:{jars}"


def ask(command, jobs):
    """Gives each job as a line of JSON; returns the answers."""
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    done = subprocess.run([str(word) for word in command], input=lines, capture_output=True,
                          text=True, timeout=ASK_LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]}: exit code {done.returncode}: {done.stderr[-2000:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(jobs), f"{len(answers)} answers to {len(jobs)} jobs"
    return answers


def fastavro(jobs):
    return ask([fastavro_python(), HERE / "fastavro_oracle.py"], jobs)


def java(jobs):
    return ask(["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                java_classes(), "AvroOracle"], jobs)


@functools.cache
def _libavro():
    made, source = PLACE / "libavro_oracle", HERE / "libavro_oracle.c"
    with _alone(made):
        if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
            done = subprocess.run(["cc", "-o", made, source, "-lavro"], capture_output=True,
                                  text=True, timeout=INSTALL_LIMIT_S)
            if done.returncode != 0:
                raise AssertionError(f"no libavro-dev? {done.stderr.strip()[-300:]}")
    return made


def libavro(*args):
    """Runs avro/libavro_oracle.c; gives its lines."""
    done = subprocess.run([_libavro(), *map(str, args)], capture_output=True, text=True,
                          timeout=ASK_LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"libavro {args}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def tool():
    path = pathlib.Path(os.environ.get("TRAMLINE_TOOLS", lib.ROOT / "build/release/tests"))
    if not (path / "avro_tool").exists():
        raise AssertionError(f"no {path}/avro_tool; ./dev build makes it")
    return path / "avro_tool"


def ours(jobs):
    return ask([tool(), "resolve"], jobs)
