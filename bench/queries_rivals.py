#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The queries of bench/queries.py by another engine: queries_rivals.py duckdb|polars FEED [QUERY ...]

From the feed's stop_times.txt, in the page cache, to CSV in /dev/null; one thread, in CPU time, the tables loaded beforehand.
One JSON object a line: {"query", "seconds", "rows", "engine"}; "error" instead where the engine cannot.
"""
import json
import os
import resource
import sys

import queries_sql

TYPES = {"TEXT": "VARCHAR", "INT": "INTEGER", "REAL": "DOUBLE"}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def columns(text):
    return {name: kind for name, kind, *_ in (column.split() for column in text.split(", "))}


class DuckDb:
    def __init__(self, feed):
        import duckdb
        self.name = f"duckdb {duckdb.__version__}"
        self.feed, self.db = feed, duckdb.connect()
        self.db.execute("SET threads = 1; SET preserve_insertion_order = false")
        for table, text in queries_sql.TABLES.items():
            self.db.execute(f"CREATE TABLE {table} AS SELECT * FROM {self.read(table, text)}")
        self.db.execute(f"CREATE TABLE enriched_trip AS {queries_sql.ENRICHED}")
        self.db.execute(f"CREATE VIEW stop_times AS SELECT * FROM {self.read('stop_times', queries_sql.STREAM)}")

    def read(self, table, text):
        types = ", ".join(f"'{name}': '{TYPES[kind]}'" for name, kind in columns(text).items())
        return f"read_csv('{self.feed}/{table}.txt', columns = {{{types}}}, header = true)"

    def run(self, query):
        return self.db.execute(f"COPY ({query}) TO '/dev/null' (FORMAT csv, HEADER true)").fetchone()[0]


class Polars:
    def __init__(self, feed):
        os.environ["POLARS_MAX_THREADS"] = "1"
        import polars as pl
        self.pl, self.feed = pl, feed
        self.name = f"polars {pl.__version__}"
        tables = {name: self.read(name, text).collect().lazy() for name, text in queries_sql.TABLES.items()}
        self.context = pl.SQLContext(**tables)
        enriched = self.context.execute(queries_sql.ENRICHED.replace("t.*", queries_sql.T + ", t.trip_id")).collect().lazy()
        self.context.register("enriched_trip", enriched)
        self.context.register("stop_times", self.read("stop_times", queries_sql.STREAM))

    def read(self, table, text):
        types = {"TEXT": self.pl.String, "INT": self.pl.Int32, "REAL": self.pl.Float64}
        return self.pl.scan_csv(f"{self.feed}/{table}.txt",
                                schema={name: types[kind] for name, kind in columns(text).items()})

    def run(self, query):
        self.context.execute(query).sink_csv("/dev/null")


def measure(engine, query, name):
    start = cpu_seconds()
    rows = engine.run(query)
    return {"query": name, "seconds": cpu_seconds() - start, "rows": rows, "engine": engine.name}


def main():
    kind, feed, *names = sys.argv[1:]
    try:
        engine = {"duckdb": DuckDb, "polars": Polars}[kind](feed)
    except ImportError as error:
        sys.exit(f"queries_rivals: {error}")
    for name in names or queries_sql.QUERIES:
        try:
            result = measure(engine, queries_sql.in_others(name, kind), name)
        except Exception as error:  # theirs are many
            result = {"query": name, "error": str(error).splitlines()[0], "engine": engine.name}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
