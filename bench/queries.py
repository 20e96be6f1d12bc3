#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queries as users write them, beside the plain join with as many rows out, SQLite, an earlier commit, DuckDB and Polars:
./dev bench queries [--json] [--feed F1|F10] [--scale X] [--query NAME] [--before COMMIT] [--no-rivals] [--job]

--feed F     F1: STM's trips, 2.2 rows a record; F10: a fifth of them, 10 rows a record (default: both)
--scale X    so much of the feed (default 1)
--query Q    only this one; again and again (default: all)
--before C   the commit whose plain join is beside ours (default dee2c59, the last that had no program on the stream's side);
             of an empty name: none
--no-rivals  without DuckDB and Polars
--job        only the whole job, on real Kafka and HDFS: F10, the queries of --query (default: the plain join; where, seconds)
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import before
import queries_feed
import queries_sql

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release" / "bench"
PLACE = ROOT / "build" / "bench" / "queries"
CACHE = before.CACHE
say, output_of = before.say, before.output_of
RIVALS = {"duckdb": "duckdb==2.0.1", "polars": "polars==2.1.0"}
RIVALS_PACKAGES = [*RIVALS.values(), "confluent-kafka==2.16.1"]  # the last: for bench/polars_job.py
FEEDS = {"F1": (177086, None), "F10": (35417, 10)}  # trips, dates of a service
BEFORE = "dee2c59"
BEFORE_RECORDS = 600000
ROUNDS, SQLITE_ROUNDS, SQLITE_S = 5, 1, 2.0
COMMAND_LIMIT_S = 1800
JOB_QUERIES = ["plain join", "where, seconds"]
JOB_FEED = "F10"


# Feeds.

def feed(name, scale):
    """Its folder; only a whole one has the final name."""
    n_trips, n_dates = FEEDS[name]
    n_trips = max(1, int(n_trips * scale))
    folder = PLACE / f"{name}-{n_trips}"
    if not folder.exists():
        say(f"makes {folder.relative_to(ROOT)}")
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        queries_feed.make(new, n_trips, n_dates)
        new.rename(folder)
    return folder


def records_by_trip(folder):
    counts = {}
    with open(folder / "stop_times.txt", encoding="utf-8") as file:
        next(file)
        for line in file:
            trip = line.partition(",")[0]
            counts[trip] = counts.get(trip, 0) + 1
    return counts


def spread(folder, counts, n_rows):
    """A table with which the plain join gives about n_rows rows, evenly over the trips."""
    name = f"spread_{n_rows}"
    file = folder / f"{name}.txt"
    if file.exists():
        return name
    rate, owed = n_rows / sum(counts.values()), 0.0
    rows = []
    for trip, n_records in counts.items():
        owed += n_records * rate
        n = int(owed / n_records)
        owed -= n * n_records
        rows.extend([trip, f"202611{day + 1:02d}", 2, "", "", ""] for day in range(n))
    queries_feed.write_csv(folder, name, "trip_id,date,exception_type,start_time,end_time,headway_secs", rows)
    return name


# Ours.

def script_of(folder, name, text):
    file = folder / f"{name.replace(' ', '_')}.sql"
    file.write_text(text)
    return file


def run_ours(folder, executor, seconds, rounds, scripts, program=BUILD / "bench_queries"):
    lines = output_of([program, folder, executor, seconds, rounds, *scripts]).splitlines()
    return [json.loads(line) for line in lines]


def rate(figures):
    return figures["records"] / figures["seconds"]


def measure(folder, counts, name):
    """A query natively and by SQLite, in turns with the plain join that gives as many rows."""
    script = script_of(folder, name, queries_sql.script(queries_sql.QUERIES[name]))
    result = {"query": name, "records": sum(counts.values())}
    sqlite = run_ours(folder, "sqlite", SQLITE_S, SQLITE_ROUNDS, [script])[0]
    result.update(sqlite=rate(sqlite), sqlite_records=sqlite["records"])
    found = run_ours(folder, "native", 1e9, 1, [script])[0]
    if found["executor"] is None:
        result.update(executor="sqlite", rate=rate(sqlite))
        return result
    if sqlite["records"] == found["records"] and sqlite["rows"] != found["rows"]:
        sys.exit(f"bench: {name}: sqlite gives {sqlite['rows']} rows, native {found['rows']}")
    like = script_of(folder, f"plain_{found['rows']}", queries_sql.plain_script(spread(folder, counts, found["rows"])))
    ours, plain = run_ours(folder, "native", 1e9, ROUNDS, [script, like])
    result.update(executor="native", rate=rate(ours), rows=ours["rows"], bytes=ours["bytes"], tables_s=ours["build_seconds"],
                  plain=rate(plain), plain_rows=plain["rows"], plain_bytes=plain["bytes"])
    return result


# The commit before.

def before_programs(commit):
    """The folder of its benchmark programs, built beside ours; None when it cannot be had."""
    folder = before.build(commit, "bench/bench_join")
    return folder and folder / "bench"


def native_join_rate(programs, folder):
    results = [json.loads(line) for line in output_of([programs / "bench_join", folder]).splitlines()]
    return next(result["value"] for result in results if (result["bench"], result["name"]) == ("join", "native"))


def some_records(folder):
    """The same feed with every so many-th trip's records: bench_join holds all of them in memory."""
    small = folder.with_name(f"{folder.name}-some")
    if small.exists():
        return small
    new = folder.with_name(f"{small.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for table in ("trips", "calendar_dates", "frequencies"):
        shutil.copy(folder / f"{table}.txt", new)
    with open(folder / "stop_times.txt", encoding="utf-8") as source, open(new / "stop_times.txt", "w", encoding="utf-8") as to:
        lines = source.readlines()
        every, trip, n = max(1, len(lines) // BEFORE_RECORDS), None, 0
        to.write(lines[0])
        for line in lines[1:]:
            n += line.partition(",")[0] != trip
            trip = line.partition(",")[0]
            if n % every == 0:
                to.write(line)
    new.rename(small)
    return small


def compare_before(folder, commit):
    """The join alone, in turns: the best of each."""
    programs = before_programs(commit)
    if programs is None:
        return
    small, ours, theirs = some_records(folder), 0.0, 0.0
    for _ in range(3):
        theirs = max(theirs, native_join_rate(programs, small))
        ours = max(ours, native_join_rate(BUILD, small))
    yield {"query": "plain join, join alone", "commit": commit, "rate": ours * 1e6, "before": theirs * 1e6}


# Rivals.

def rivals_python():
    """A Python that has them, got once; None when it cannot be got."""
    venv = CACHE / "queries-{}".format("-".join(RIVALS_PACKAGES).replace("==", "-"))
    if not (venv / "whole").exists():
        say(f"gets {', '.join(RIVALS_PACKAGES)} (once)")
        for command in ([sys.executable, "-m", "venv", venv], [venv / "bin/pip", "-q", "install", *RIVALS_PACKAGES]):
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=COMMAND_LIMIT_S)
            if done.returncode != 0:
                shutil.rmtree(venv, ignore_errors=True)
                say(f"without {', '.join(RIVALS)}: {done.stderr.strip()[-300:]}")
                return None
        (venv / "whole").touch()
    return venv / "bin/python"


def add_rivals(folder, results):
    python = rivals_python()
    if python is None:
        return
    by_name = {result["query"]: result for result in results}
    for engine in RIVALS:
        for line in output_of([python, ROOT / "bench/queries_rivals.py", engine, folder, *by_name]).splitlines():
            theirs = json.loads(line)
            result = by_name[theirs["query"]]
            if "error" in theirs:
                say(f"{theirs['query']}: {theirs['engine']}: {theirs['error']}")
                continue
            result[engine] = result["records"] / theirs["seconds"]
            if None not in (theirs["rows"], result.get("rows")) and theirs["rows"] != result["rows"]:
                sys.exit(f"bench: {theirs['query']}: {theirs['engine']} gives {theirs['rows']} rows, ours {result['rows']}")


# The whole job.

def job_script(query):
    """What changes examples/stm/pipeline.sql to the query."""
    import job
    head = "INSERT INTO enriched_stop_time\n"
    return [(head + job.EXAMPLE.read_text().partition(head)[2], f"{head}{queries_sql.QUERIES[query]};\n")]


def timed(command, log):
    """Seconds by the clock and of CPU of a command that has to end well."""
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bench: {command[0]} ended with {status}:\n{log.read_text(errors='replace')[-3000:]}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def run_job(folder, query):
    """Kafka to HDFS, from the start of the program to its end."""
    import job
    import lib
    say(f"job: {query}")
    work = job.Job(lib.hdfs_url("/").rstrip("/"), replace=job_script(query))
    work.init()
    work.extract(folder)
    work.produce(folder / "stop_times.txt", limit_s=COMMAND_LIMIT_S)
    clock_s, cpu_s = timed([lib.program(), "run", work.script, "--once", *work.sets], work.directory / "log")
    found = work.verify(limit_s=COMMAND_LIMIT_S)
    return {"query": query, "records": found["records"], "rows": found["rows"], "cpu_s": cpu_s, "clock_s": clock_s}


def run_jobs(options):
    os.environ.setdefault("TRAMLINE_BIN", str(BUILD.parent / "tramline"))
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    import lib
    wanted = options.query or JOB_QUERIES
    for query in wanted:
        if any(f" {table} " in queries_sql.QUERIES[query] for table in ("routes", "stops")):
            sys.exit(f"bench: --job has no tables routes and stops, which '{query}' reads")
    folder = feed(JOB_FEED, options.scale)
    os.environ.update(lib.Stack("kafka", "hdfs").env)
    results, first = os.fdopen(os.dup(1), "w"), None
    os.dup2(2, 1)  # what the helpers tell of the commands that they run
    for query in wanted:
        result = run_job(folder, query)
        first = first or result
        result["cpu / first"] = result["cpu_s"] / first["cpu_s"]
        show_job(result, options.json, results)


def show_job(result, as_json, to):
    if as_json:
        print(json.dumps({"bench": "queries", "feed": JOB_FEED, "job": True, **result}), file=to, flush=True)
        return
    print(f"  job: {result['query']:<18} {result['records']} records, {result['rows']} rows: {result['cpu_s']:.2f} s of CPU "
          f"({result['cpu / first']:.2f} x the first's), {result['clock_s']:.1f} s by the clock", file=to, flush=True)


# The table.

COLUMNS = ["query", "rows", "M rec/s", "/ plain", "/ sqlite", "/ duckdb", "/ polars", "bytes/row", "tables s"]
LAYOUT = "  {:<22} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9} {:>10} {:>9}"


def ratio(result, to):
    return f"{result['rate'] / result[to]:.3g}" if result.get(to) else "-"


def row_of(result):
    rows = result.get("rows")
    return [result["query"], "by sqlite" if rows is None else rows, f"{result['rate'] / 1e6:.3g}", ratio(result, "plain"),
            ratio(result, "sqlite"), ratio(result, "duckdb"), ratio(result, "polars"),
            f"{result['bytes'] / rows:.0f}" if rows else "-", f"{result['tables_s']:.2f}" if rows is not None else "-"]


def show(name, n_records, results, earlier):
    print(f"{name}: {n_records} records; the best of {ROUNDS} rounds, by CPU time; what stands after / is how often ours is as fast")
    print(LAYOUT.format(*COLUMNS))
    for result in results:
        print(LAYOUT.format(*row_of(result)))
    for result in earlier:
        print(f"  {result['query']}: {result['rate'] / 1e6:.3g} M rec/s, {ratio(result, 'before')} of {result['commit']}'s")
    print(flush=True)


def build():
    done = subprocess.run(["ninja", "-C", str(BUILD.parent), "bench/bench_queries", "bench/bench_join"],
                          capture_output=True, text=True, timeout=COMMAND_LIMIT_S)
    if done.returncode != 0:
        sys.exit(f"bench: the build failed; ./dev build release makes build/release\n{done.stdout}{done.stderr}")


def run_feed(name, options):
    folder = feed(name, options.scale)
    counts = records_by_trip(folder)
    results = []
    for query in options.query or queries_sql.QUERIES:
        say(f"{name}: {query}")
        results.append(measure(folder, counts, query))
    if not options.no_rivals:
        add_rivals(folder, results)
    earlier = list(compare_before(folder, options.before)) if options.before else []
    if options.json:
        for result in [*results, *earlier]:
            print(json.dumps({"bench": "queries", "feed": name, **result}), flush=True)
    else:
        show(name, sum(counts.values()), results, earlier)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--feed", action="append", choices=FEEDS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--query", action="append", choices=queries_sql.QUERIES, metavar="NAME")
    parser.add_argument("--before", default=BEFORE)
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--job", action="store_true")
    options = parser.parse_args()
    build()
    if options.job:
        run_jobs(options)
        return
    for name in options.feed or FEEDS:
        run_feed(name, options)


if __name__ == "__main__":
    main()
