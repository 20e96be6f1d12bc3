#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Today's program beside an earlier commit's, in one run: from real Kafka to HDFS, to local files, to nothing; what each
costs, and the ratios: ./dev bench limit [--json] [--quick] [--scale X] [--rounds N] [--row NAME] [--before COMMIT] [--rivals]

--quick      a hundredth of the feeds, one round, for tests
--scale X    so much of the feeds (default 1: F1 has 6.2 million records, 2.2 rows each; F10 1.24 million, 10 each)
--rounds N   how often each program runs each job, first one, then the other first (default 2; the least of each counts)
--row NAME   only this row; again and again (csv-hdfs, avro-hdfs, avro-local, discard, f10, zstd, start, fetch, q13)
--before C   the commit that is built beside ours (default dee2c59, the last with librdkafka alone); of an empty name: none
--rivals     also Spark, Polars and Flink, where they can be had
How to read it: bench/README.md.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import before
import limit_jobs
import limit_rivals

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
BEFORE = "dee2c59"
QUICK_SCALE = 0.01
FETCH_BYTES = 300_000_000

# Of the jobs' rows: the feed, the topic's compression, what is run; then the most that now / before may be.
JOBS = {
    "csv-hdfs": ("F1", "uncompressed", limit_jobs.CSV_HDFS, {"cpu_s": 1 / 2.7, "wall_s": 0.55}),
    "avro-hdfs": ("F1", "uncompressed", limit_jobs.SNAPPY_HDFS, {"cpu_s": 1 / 2.3}),
    "avro-local": ("F1", "uncompressed", limit_jobs.NULL_LOCAL, {"cpu_s": 1 / 2.3}),
    "discard": ("F1", "uncompressed", limit_jobs.DISCARD, {"cpu_s": 1 / 5}),
    "f10": ("F10", "uncompressed", limit_jobs.CSV_HDFS, {}),
    "zstd": ("F1", "zstd", limit_jobs.CSV_HDFS, {}),
}
ROWS = [*JOBS, "start", "fetch", "q13"]
UNITS = {"cpu_s": "CPU s", "wall_s": "s", "memory_mb": "MB"}
MEMORY_MB, START_S, ZSTD_COST, DISCARD_RATE, FETCH_RATIO, Q13_RATE = 100, 0.8, 1.3, 3.6e6, 8, 2e6


class Report:
    """Lines for who reads, or one JSON object a figure."""

    def __init__(self, as_json):
        self.as_json = as_json
        self.out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what the modules of the tests tell of the commands that they run

    def put(self, row, name, value, unit, target=None, is_met=None):
        """With a target: its text and whether it is met."""
        if self.as_json:
            figure = {"bench": "limit", "row": row, "name": name, "value": value, "unit": unit}
            if target is not None:
                figure.update(target=target, met=bool(is_met))
            print(json.dumps(figure), file=self.out, flush=True)
            return
        note = "" if target is None else f"{'met' if is_met else 'MISSED'}: {target}"
        print(f"  {row:<11} {name:<44} {value:>12.5g} {unit:<14} {note}".rstrip(), file=self.out, flush=True)

    def at_most(self, row, name, value, unit, most, what=""):
        self.put(row, name, value, unit, f"<= {most:.3g} {what}".rstrip(), value <= most)

    def at_least(self, row, name, value, unit, least):
        self.put(row, name, value, unit, f">= {least:.3g}", value >= least)


def least(runs, key):
    return min(run[key] for run in runs)


def report_job(report, row, found, most):
    """found: the runs of each program."""
    for who, runs in found.items():
        report.put(row, f"{who}: records", runs[0]["records"], "records")
        report.put(row, f"{who}: rows", runs[0]["rows"], "rows")
        for key, unit in UNITS.items():
            report.put(row, f"{who}: {key.rpartition('_')[0]}", least(runs, key), unit)
        for server in runs[0]["servers"]:
            report.put(row, f"{who}: {server} beside it", min(run["servers"][server] for run in runs), "CPU s")
        report.put(row, f"{who}: rate", runs[0]["records"] / least(runs, "cpu_s"), "records/CPU s")
    if "before" not in found:
        return
    for key in UNITS:
        ratio = least(found["now"], key) / least(found["before"], key)
        name = f"now / before, {key.rpartition('_')[0]}"
        if key in most:
            report.at_most(row, name, ratio, "x", most[key])
        else:
            report.put(row, name, ratio, "x")
    for order, start in (("before first", 0), ("now first", 1)):
        pairs = list(zip(found["now"], found["before"]))[start::2]
        if pairs:
            report.put(row, f"now / before, CPU, {order}", min(now["cpu_s"] / old["cpu_s"] for now, old in pairs), "x")


def report_goals(report, row, found, done):
    """The goals that are no ratio to the program before."""
    now = found["now"]
    if row == "csv-hdfs":
        report.at_most(row, "now: memory", least(now, "memory_mb"), "MB", MEMORY_MB)
        parts = sum([least(now, "cpu_s"), *(min(run["servers"][server] for run in now) for server in now[0]["servers"])])
        report.put(row, "wall / all CPU over the cores", least(now, "wall_s") / (parts / os.cpu_count()), "x")
    if row == "discard":
        report.at_least(row, "now: rate", now[0]["records"] / least(now, "cpu_s"), "records/CPU s", DISCARD_RATE)
    if row == "zstd" and "csv-hdfs" in done:
        plain = done["csv-hdfs"]["now"]
        report.at_most(row, "zstd / uncompressed topic, CPU", least(now, "cpu_s") / least(plain, "cpu_s"), "x", ZSTD_COST)


def run_jobs(report, stage, programs, options, done):
    """The servers are new: one run that does not count goes before, so that their code is compiled for both."""
    if set(JOBS) & set(options.row):
        before.say("a run that does not count")
        stage.run(limit_jobs.CSV_HDFS, "F1", "uncompressed", "now", programs["now"])
    for row in [row for row in JOBS if row in options.row]:
        feed, codec, kind, most = JOBS[row]
        found = {who: [] for who in programs}
        for number in range(options.rounds):
            order = list(programs) if number % 2 == 0 else list(programs)[::-1]
            for who in order:
                before.say(f"{row}: {who}")
                found[who].append(stage.run(kind, feed, codec, who, programs[who]))
        counts = {(runs[0]["records"], runs[0]["rows"]) for runs in found.values()}
        if len(counts) != 1:
            sys.exit(f"bench: {row}: records and rows differ: {counts}")
        done[row] = found
        report_job(report, row, found, most)
        report_goals(report, row, found, done)


def run_start(report, stage, programs, options):
    for who, program in programs.items():
        seconds = [stage.start("F1", who, program) for _ in range(2 * options.rounds + 1)]
        report.put("start", f"{who}: first record, median", sorted(seconds)[len(seconds) // 2], "s")
        name, best = f"{who}: first record, the best", min(seconds)
        if who == "now":
            report.at_most("start", name, best, "s", START_S)
        else:
            report.put("start", name, best, "s")


def run_fetch(report, options):
    """Both Kafka clients; then each beside nothing else, on one core, over what the others have read."""
    size = max(4_000_000, int(FETCH_BYTES * options.scale))
    command = [BUILD / "bench/bench_fetch", os.environ["TRAMLINE_BROKERS"], size]
    for line in before.output_of(["taskset", "-c", "0", *command]).splitlines():
        result = json.loads(line)
        if result["unit"] == "x" and "none" in result["name"]:
            report.at_least("fetch", result["name"], result["value"], "x", FETCH_RATIO)
        else:
            report.put("fetch", result["name"], result["value"], result["unit"])


def run_q13(report, stage, programs, options):
    ours = [stage.q13("now", programs["now"]) for _ in range(options.rounds)]
    n, cpu_s = ours[0]["records"], least(ours, "cpu_s")
    report.put("q13", "now: events", n, "events")
    report.put("q13", "now: CPU", cpu_s, "CPU s")
    report.put("q13", "now: wall", least(ours, "wall_s"), "s")
    report.at_least("q13", "now: rate", n / cpu_s, "events/CPU s", Q13_RATE)
    if options.rivals:
        limit_rivals.q13(report, stage, n / cpu_s)


def build_ours():
    done = subprocess.run(["ninja", "-C", str(BUILD), "tramline", "bench/bench_fetch"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: the build failed; ./dev build release makes build/release\n{done.stdout}{done.stderr}")


def programs_of(options):
    """The earlier one first."""
    programs = {}
    if options.before and (folder := before.build(options.before, "tramline")):
        programs["before"] = folder / "tramline"
    return {**programs, "now": BUILD / "tramline"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scale", type=float)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--row", action="append", choices=ROWS, metavar="NAME")
    parser.add_argument("--before", default=BEFORE)
    parser.add_argument("--rivals", action="store_true")
    options = parser.parse_args()
    options.scale = options.scale or (QUICK_SCALE if options.quick else 1.0)
    options.rounds = options.rounds or (1 if options.quick else 2)
    options.row = options.row or ROWS
    return options


def main():
    options = parse()
    build_ours()
    programs, done = programs_of(options), {}
    report = Report(options.json)
    stage = limit_jobs.Stage(options.scale)
    run_jobs(report, stage, programs, options, done)
    if "start" in options.row:
        run_start(report, stage, programs, options)
    if "fetch" in options.row:
        run_fetch(report, options)
    if "q13" in options.row:
        run_q13(report, stage, programs, options)
    if options.rivals and "csv-hdfs" in done:
        limit_rivals.csv_hdfs(report, stage, done["csv-hdfs"]["now"])


if __name__ == "__main__":
    main()
