# SPDX-License-Identifier: Apache-2.0
"""A real feed through the whole job, in CSV or in Avro, against the sqlite3 shell."""
import functools
import subprocess
import sys

import avro_results
import job
import lib
import oracle
import results

# E and J of the feeds' README: rows of enriched_trip and of the result.
COUNTS = {
    "stm-2014-extract": (38526, 112354),
    "stm-2021-metro-rebuilt": (1771, 45234),
    "mumbai": (52917, 1868615),
    "madrid-metro": (12124, 234948),
    "exo-train": (4236, 56078),
}


# The script's stream and sink, and what they are in Avro; the first stands in the stream's options.
STREAM_CSV = "topic = 'stop_times', format = 'csv'"
SINK_CSV = "CREATE TABLE enriched_stop_time ()\n  WITH (connector = 'filesystem', format = 'csv'"


def avro_replacements():
    stream = STREAM_CSV.replace("'csv'", f"'avro', registry = '{lib.registry_url()}'")
    return [(STREAM_CSV, stream), (SINK_CSV, SINK_CSV.replace("'csv'", "'avro', codec = 'snappy'"))]


def hdfs():
    return lib.hdfs_url("/").rstrip("/")


@functools.cache
def expected(name):
    """Digest of what the sqlite3 shell makes of a feed."""
    return results.digest(oracle.iter_expected(lib.feed_dir(name), oracle.ENRICHED_STOP_TIME))


def prepared(name, settings=None, replace=()):
    """A job whose tables and topic are those of a feed."""
    work = job.Job(hdfs(), settings=settings, replace=replace)
    work.init()
    work.extract(lib.feed_dir(name))
    work.produce(lib.feed_dir(name))
    return work


def whole_job(name, replace=(), rows_of=results.iter_result):
    n_trips, n_rows = COUNTS[name]
    work = prepared(name, replace=replace)
    work.run_once(limit_s=120)
    enriched_trip = results.open_dir(f"{work.root}/enriched_trip").read("enriched_trip.csv")
    assert sum(1 for _ in results.read_csv(enriched_trip)) - 1 == n_trips
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, n_rows), report
    got = results.digest(rows_of(work.result))
    assert got == expected(name)
    assert got[0] == n_rows
    second_opinion(work)


def whole_avro_job(name):
    whole_job(name, avro_replacements(), avro_results.iter_result)


def second_opinion(work):
    done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", work.result],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
