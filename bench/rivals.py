#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same job by other engines: rivals.py FEED [--engines duckdb,polars,sqlite3,python]

Reads the feed's CSV files, joins stop_times with trips, calendar_dates and frequencies as
bench/pipeline.sql does, writes CSV to /dev/null; one thread, in CPU time. Prints one JSON object a line:
{"bench", "name", "value", "unit", "note"}. An engine that is not installed is left out
(pip install duckdb polars).
"""
import argparse
import csv
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import tempfile

STREAM = ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"]
TRIP = ["route_id", "service_id", "trip_headsign", "direction_id", "shape_id",
        "wheelchair_accessible", "note_fr", "note_en"]
REST = ["date", "exception_type", "start_time", "end_time", "headway_secs"]
SELECT = ", ".join([f"s.{c}" for c in STREAM] + [f"e.{c}" for c in TRIP + REST])
ENRICHED = ("SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs FROM trips t "
            "LEFT JOIN calendar_dates d ON d.service_id = t.service_id "
            "LEFT JOIN frequencies f ON f.trip_id = t.trip_id")


def cpu_seconds():
    """Of this process and of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def by_duckdb(feed):
    import duckdb
    db = duckdb.connect()
    db.execute("SET threads = 1; SET preserve_insertion_order = false")
    for table in ["trips", "calendar_dates", "frequencies"]:
        db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{feed}/{table}.txt', all_varchar = true, header = true)")
    db.execute(f"CREATE TABLE enriched_trip AS {ENRICHED}")
    types = ", ".join(f"'{c}': '{'INTEGER' if c == 'stop_sequence' else 'VARCHAR'}'" for c in STREAM)
    start = cpu_seconds()
    db.execute(f"COPY (SELECT {SELECT} FROM read_csv('{feed}/stop_times.txt', columns = {{{types}}}, header = true) s "
               "JOIN enriched_trip e ON e.trip_id = s.trip_id) TO '/dev/null' (FORMAT csv, HEADER true)")
    return cpu_seconds() - start, f"duckdb {duckdb.__version__}"


def by_polars(feed):
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl

    def read(table, schema=None):
        return pl.scan_csv(f"{feed}/{table}.txt", infer_schema=False, schema_overrides=schema)
    enriched = (read("trips").join(read("calendar_dates"), on="service_id", how="left")
                .join(read("frequencies"), on="trip_id", how="left").collect().lazy())
    start = cpu_seconds()
    (read("stop_times", {"stop_sequence": pl.Int32}).join(enriched, on="trip_id")
     .select(STREAM + TRIP + REST).sink_csv("/dev/null"))
    return cpu_seconds() - start, f"polars {pl.__version__}"


def by_sqlite3(feed):
    with tempfile.TemporaryDirectory() as folder:
        def shell(script):
            subprocess.run(["sqlite3", f"{folder}/db"], input=script, text=True, check=True, stdout=subprocess.DEVNULL)
        shell("PRAGMA journal_mode = off;\n.mode csv\n" +
              "".join(f".import {feed}/{t}.txt {t}\n" for t in ["trips", "calendar_dates", "frequencies"]) +
              f"CREATE TABLE enriched_trip AS {ENRICHED};\nCREATE INDEX key ON enriched_trip (trip_id);\n")
        start = cpu_seconds()
        shell(f"PRAGMA journal_mode = off;\n.mode csv\n.import {feed}/stop_times.txt s\n"
              f"SELECT {SELECT} FROM s JOIN enriched_trip e ON e.trip_id = s.trip_id;\n")
        seconds = cpu_seconds() - start
    version = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True).stdout.split()[0]
    return seconds, f"sqlite3 {version}, its shell"


def by_python(feed):
    def read(table):
        with open(f"{feed}/{table}.txt", encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    dates, spans, enriched = {}, {}, {}
    for row in read("calendar_dates"):
        dates.setdefault(row["service_id"], []).append([row["date"], row["exception_type"]])
    for row in read("frequencies"):
        spans.setdefault(row["trip_id"], []).append([row["start_time"], row["end_time"], row["headway_secs"]])
    for row in read("trips"):
        trip = [row[c] for c in TRIP]
        enriched.setdefault(row["trip_id"], []).extend(
            trip + date + span for date in dates.get(row["service_id"], [["", ""]])
            for span in spans.get(row["trip_id"], [["", "", ""]]))
    start = cpu_seconds()
    with open(f"{feed}/stop_times.txt", encoding="utf-8-sig", newline="") as file, open("/dev/null", "w") as out:
        records, writer = csv.reader(file), csv.writer(out, lineterminator="\n")
        next(records)
        for record in records:
            record[4] = int(record[4])
            writer.writerows(record + rest for rest in enriched.get(record[0], ()))
    return cpu_seconds() - start, "Python's csv module and a dict"


ENGINES = {"duckdb": by_duckdb, "polars": by_polars, "sqlite3": by_sqlite3, "python": by_python}


def installed(engine):
    if engine == "sqlite3":
        return shutil.which("sqlite3") is not None
    return engine == "python" or importlib.util.find_spec(engine) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feed")
    parser.add_argument("--engines", default=",".join(ENGINES))
    options = parser.parse_args()
    with open(f"{options.feed}/stop_times.txt", "rb") as file:
        n_records = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
    for engine in options.engines.split(","):
        if installed(engine):
            seconds, note = ENGINES[engine](options.feed)
            print(json.dumps({"bench": "rivals", "name": engine, "value": round(n_records / seconds / 1e6, 3),
                              "unit": "M records/s", "note": note}), flush=True)


if __name__ == "__main__":
    main()
