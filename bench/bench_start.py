#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a worker takes from its start to the first record and the first commit, on real Kafka
and HDFS: bench_start.py FEED [ROUNDS]. One JSON object a line, as the other benchmarks.

Times are those of the program's own log (--log-level debug), since the process was started; of
several rounds the fastest. A record waits in the topic when the worker starts."""
import calendar
import json
import os
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import broker  # noqa: E402
import job  # noqa: E402
import lib  # noqa: E402

FEED = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 7
PHASES = [
    ("script read", "the script is read"),
    ("brokers have answered", "the stream is open"),
    ("tables read", "the tables are read"),
    ("tables ready, view written", "the tables are ready"),
    ("commit log read", "the log is read"),
    ("partitions claimed", "entry \\d+: claims"),
    ("first record enriched", "the first \\d+ records"),
    ("first commit", "entry \\d+: commits"),
]

results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def emit(name, value, unit, note=""):
    print(json.dumps({"bench": "start", "name": name, "value": value, "unit": unit, "note": note}),
          file=results, flush=True)


def ms_of(line):
    """A log line's time, in ms since 1970."""
    text, _, rest = line.partition(".")
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(rest[:3])


def one_start(work, number):
    """ms from the process's start to each phase; stopped at the end, so that no group waits."""
    broker.produce(work.topic, [f"26M-GLOBAUX-00-S_1_0,1,1,s{number},1"], partition=0)
    began = time.time() * 1000
    worker = lib.Started("run", work.script, "--log-level", "debug", *work.sets)
    lib.wait_until(lambda: re.search(PHASES[-1][1], worker.text()), 60, "the first commit")
    worker.stop()
    times = {}
    for line in worker.text().splitlines():
        for name, pattern in PHASES:
            if re.search(pattern, line):
                times.setdefault(name, ms_of(line) - began)
    return times


def measure(what, settings):
    work = job.Job(lib.hdfs_url("/").rstrip("/"),
                   {"commit.interval": "50ms", "batch.interval": "10ms", **settings})
    work.init()
    work.extract(FEED)
    rounds = [one_start(work, number) for number in range(ROUNDS + 1)][1:]
    best = min(rounds, key=lambda times: times["first record enriched"] - reading(times))
    for name, _ in PHASES:
        emit(f"{what}: {name}", round(best[name]), "ms")
    without = [times["first record enriched"] - reading(times) for times in rounds]
    emit(f"{what}: first record, without tables", round(min(without)), "ms",
         f"median {sorted(without)[len(without) // 2]:.0f}, of {len(without)}")


def reading(times):
    """What reading the tables and writing the view took."""
    return times["tables ready, view written"] - times["brokers have answered"]


if "TRAMLINE_BROKERS" not in os.environ:
    os.environ.update(lib.Stack("kafka", "hdfs").env)
measure("no membership", {"membership": "none"})
measure("group", {})
