# SPDX-License-Identifier: Apache-2.0
# test: long
# test: limit 1800
# test: not-asan it builds a program of its own
"""That a text stands in a test does not say that its place is run. Which places are not, by gcov
over the C tests and some e2e tests, in a build of their own."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import lib

BUILD = lib.ROOT / "build/coverage"
E2E = ("messages", "failures", "crash", "dead", "diff", "error_codes", "failures_hdfs", "generate", "history",
       "hostile_text", "hostile_zips", "new", "names", "pipeline_tests", "places", "show", "slots", "top", "verify")
# How many places of a folder only other e2e tests run, which use other builds, or nothing: these
# numbers may only shrink.
UNRUN = {"avro": 9, "base": 5, "cli": 33, "codegen": 2, "csv": 3, "expr": 2, "gtfs": 1, "job": 54, "kafka": 17,
         "log": 5, "registry": 6, "sql": 9, "status": 8, "storage": 8, "table": 5, "testing": 12, "wire": 2,
         "work": 7}


def run(*command, limit_s=300, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=limit_s, **more)


def run_tests():
    for path in BUILD.rglob("*.gcda"):
        path.unlink()
    env = {**os.environ, "TRAMLINE_BIN": str(BUILD / "tramline"), "TEST_CASE": ""}
    programs = [[path] for path in sorted((BUILD / "tests").glob("test_*"))]
    programs += [[sys.executable, "-m", "pytest", lib.ROOT / f"tests/e2e/test_{name}.py"] for name in E2E]
    for program in programs:
        if "test_sim" not in str(program[0]):
            done = run(*program, env=env, cwd=lib.ROOT)
            print(f"{pathlib.Path(program[-1]).stem}: exit {done.returncode}", flush=True)


def lines_of_files():
    """{"src/a/b.c": {line: how often it was run}}"""
    lines = {}
    for data in BUILD.rglob("*.gcda"):
        if "/src/" not in str(data):
            continue
        with tempfile.TemporaryDirectory() as here:
            done = run("gcov", "--json-format", "--stdout", data, cwd=here)
        for file in json.loads(done.stdout)["files"]:
            name = re.search(r"src/\w+/\w+\.[ch]$", file["file"])
            counts = lines.setdefault(name[0], {}) if name else {}
            for line in file["lines"]:
                number = line["line_number"]
                counts[number] = counts.get(number, 0) + line["count"]
    return lines


def places():
    """(file, first line, last line) of all messages."""
    done = run(sys.executable, lib.ROOT / "tools/check_messages.py", "--places")
    return [(path, int(first), int(last)) for path, first, last
            in re.findall(r"(\S+):(\d+)-(\d+)", done.stdout)]


def test_each_place_is_run():
    built = run(lib.ROOT / "dev", "build", "coverage", "all", "unit", limit_s=900)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    run_tests()
    lines, n_run, missed = lines_of_files(), 0, []
    for path, first, last in places():
        counts = [lines.get(path, {}).get(n) for n in range(first, last + 1)]
        counts = [n for n in counts if n is not None]  # a table has no lines that run
        n_run += any(counts)
        if counts and not any(counts):
            missed.append(f"{path}:{first}")
    print(f"{n_run} places were run, {len(missed)} were not:", *missed, sep="\n")
    assert n_run > 500, n_run
    for folder in sorted({path.split("/")[1] for path in lines}):
        n = sum(place.startswith(f"src/{folder}/") for place in missed)
        assert n <= UNRUN.get(folder, 0), f"src/{folder}: {n} places are run by no test"
