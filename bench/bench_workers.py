#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a second thread brings (SET workers): one topic of eight partitions on real Kafka, read to its end into local
files by one thread and by two, in turns: bench_workers.py FEED [ROUNDS]. One JSON object a line, as the other
benchmarks.

Wall times are those of the program's own log: of the whole run, and from the claim on, which leaves out the tables.
CPU is the process's own, by wait4; the broker's is on the same machine, and its share is told. Of several rounds the
fastest of each counts. On a machine of two cores the broker has a part of the second one, so how much of all cores the
two threads and the broker had is told too: at 1.0 nothing is left to be had; and what two threads would take with a core
each, reckoned from their own CPU."""
import calendar
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import broker  # noqa: E402
import job  # noqa: E402
import lib  # noqa: E402

FEED = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
COPIES = 3  # of the feed's records, so that what a run costs once, its tables before all, weighs less
N_PARTITIONS = 8
SETTINGS = {"membership": "none", "commit.interval": "10s", "workers": "${WORKERS}"}
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z")

results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def emit(name, value, unit, note=""):
    print(json.dumps({"bench": "workers", "name": name, "value": value, "unit": unit, "note": note}),
          file=results, flush=True)


def seconds_of(line):
    text, ms = TIME.match(line).groups()
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) + int(ms) / 1000


def all_cpu():
    """Of the whole machine so far, in seconds of all cores together; what others steal counts as used."""
    fields = [int(field) for field in open("/proc/stat").readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def one_run(work, workers, log):
    """(seconds in all, seconds from the claim on, own CPU, CPU of all others meanwhile)."""
    sets = [*work.sets, "--set", f"WORKERS={workers}"]
    lib.run("init", work.script, "--reset", "--yes", *sets)
    with open(log, "w") as out:
        before, began = all_cpu(), time.monotonic()
        process = subprocess.Popen([lib.program(), "run", work.script, "--once", *sets], stdout=out, stderr=out)
        _, code, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        others = all_cpu() - before - used.ru_utime - used.ru_stime
    text = pathlib.Path(log).read_text()
    assert code == 0, text[-2000:]
    claim = next(line for line in text.splitlines() if "claims" in line)
    last = [line for line in text.splitlines() if "commits" in line][-1]
    return wall, seconds_of(last) - seconds_of(claim), used.ru_utime + used.ru_stime, others


def main():
    if "TRAMLINE_BROKERS" not in os.environ:
        os.environ.update(lib.Stack("kafka").env)
    directory = lib.tmp_dir()
    work = job.Job(f"file://{directory}", SETTINGS)
    work.topic = broker.create_topic(work.topic, partitions=N_PARTITIONS)
    sets = [*work.sets, "--set", "WORKERS=1"]
    lib.run("init", work.script, *sets)
    lib.run("extract", FEED, work.script, *sets)
    for _ in range(COPIES):
        lib.run("produce", FEED, work.script, *sets, limit_s=300)
    runs = {1: [], 2: []}
    for number in range(ROUNDS):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            runs[workers].append(one_run(work, workers, directory / "log"))
    best = {workers: min(found) for workers, found in runs.items()}
    reading_s = {workers: min(seconds for _, seconds, _, _ in found) for workers, found in runs.items()}
    for workers in runs:
        who = f"{workers} thread{'s' if workers > 1 else ''}"
        wall_s, _, own_s, others_s = best[workers]
        emit(f"{who}: wall", round(wall_s, 2), "s",
             f"own CPU {own_s:.2f} s, others' meanwhile {others_s:.2f} s; of {ROUNDS}")
        emit(f"{who}: from the claim on", round(reading_s[workers], 2), "s")
    wall_s, from_claim_s, own_s, others_s = best[2]
    emit("wall, 1 / 2", round(best[1][0] / wall_s, 2), "x", "goal 1.8")
    emit("from the claim on, 1 / 2", round(reading_s[1] / reading_s[2], 2), "x")
    emit("2 threads: CPU of all / all cores", round((own_s + others_s) / wall_s / os.cpu_count(), 2), "x",
         f"{os.cpu_count()} cores")
    tables_s = wall_s - from_claim_s  # one thread's
    emit("from the claim on, 1 / 2, a core for each thread", round(2 * reading_s[1] / (own_s - tables_s), 2), "x",
         "reckoned")


main()
