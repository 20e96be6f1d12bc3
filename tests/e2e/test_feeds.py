# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 400
"""Every real feed: staged, produced and run on real Kafka and real HDFS; the result is what the
sqlite3 shell makes of the same files, and the counts are those that were counted elsewhere."""
import subprocess
import sys

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


def hdfs():
    return lib.hdfs_url("/").rstrip("/")


def whole_job(name):
    feed = lib.feed_dir(name)
    n_trips, n_rows = COUNTS[name]
    work = job.Job(hdfs())
    work.init()
    work.extract(feed)
    work.produce(feed)
    work.run_once(limit_s=120)
    enriched_trip = results.open_dir(f"{work.root}/enriched_trip").read("enriched_trip.csv")
    assert sum(1 for _ in results.read_csv(enriched_trip)) - 1 == n_trips
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, n_rows), report
    got = results.digest(results.iter_result(work.result))
    assert got == results.digest(oracle.iter_expected(feed, oracle.ENRICHED_STOP_TIME))
    assert got[0] == n_rows
    second_opinion(work)


def second_opinion(work):
    done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", work.result],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stm_2014():
    whole_job("stm-2014-extract")


def test_stm_2021_metro():
    whole_job("stm-2021-metro-rebuilt")


def test_madrid():
    whole_job("madrid-metro")


def test_exo_train():
    whole_job("exo-train")


def test_mumbai():
    whole_job("mumbai")


def test_headerless_file_as_stream():
    """stm-2021-spring-sample: no header line, no final newline, connector 'file'."""
    feed = lib.feed_dir("stm-2021-spring-sample")
    directory = lib.tmp_dir()
    script = directory / "pipeline.sql"
    script.write_text(f"""
        SET spool = '{directory}/spool';
        CREATE TABLE stop_times (trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT,
          stop_id TEXT, stop_sequence INT)
          WITH (connector = 'file', path = '{feed}/stop_times.txt');
        CREATE TABLE result () WITH (connector = 'filesystem', path = '{directory}/result',
          format = 'csv');
        INSERT INTO result SELECT s.* FROM stop_times s;""")
    lib.run("init", script)
    lib.run("run", script, "--once")
    report = lib.run("verify", script, "--deep", "--json").json()
    assert (report["errors"], report["rows"], report["records"]) == (0, 3629, 3629), report
    assert report["rejected"] == 0
    lib.run("run", script, "--once")  # nothing is left: nothing is written twice
    assert lib.run("verify", script, "--json").json()["rows"] == 3629


lib.main()
