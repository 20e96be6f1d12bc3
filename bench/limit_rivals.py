# SPDX-License-Identifier: Apache-2.0
"""Others beside bench/limit.py's jobs: Flink for Nexmark's query 13, Spark and Polars for the feed's job. Each where it can be
had, from Maven and PyPI, got once."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import before
import limit_jobs
import queries

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLINK = limit_jobs.PLACE / "flink"
# What Java 17 has to open to Flink (its conf/config.yaml).
OPENED = [word for package in ("java.lang", "java.util", "java.net", "java.io", "java.nio", "java.text", "java.time",
                               "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks")
          for word in ("--add-opens", f"java.base/{package}=ALL-UNNAMED")]
FLINK_RATIO, SPARK_RATIO, POLARS_RATIO = 10, 50, 9


def get_flink():
    """Whether Flink and the program for it are there."""
    jars = FLINK / "jars"
    if not (FLINK / "whole").exists():
        before.say("gets Flink from Maven (once)")
        FLINK.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mvn", "-B", "-q", "-f", ROOT / "bench/flink.pom.xml", "package", f"-Djars={jars}"],
                              capture_output=True, text=True, timeout=before.LIMIT_S)
        if done.returncode != 0:
            before.say(f"without Flink: {(done.stderr or done.stdout).strip()[-300:]}")
            return False
        (FLINK / "whole").touch()
    before.output_of(["javac", "-cp", f"{jars}/*", "-d", FLINK, ROOT / "bench/FlinkQ13.java"])
    return True


def q13(report, stage, rate):
    """Events per CPU second of the whole JVM, from its start to its end, as ours."""
    if not get_flink():
        return
    topic, n = stage.bid_topic()
    place = limit_jobs.lib.tmp_dir()
    (place / "side_input").mkdir()
    limit_jobs.write_side_input(place / "side_input" / "side_input.csv", header=False)
    found = limit_jobs.timed(["timeout", before.LIMIT_S, "java", "-Xmx2g", *OPENED, "-cp", f"{FLINK}/jars/*:{FLINK}", "FlinkQ13", limit_jobs.lib.brokers(), topic,
                              f"file://{place}/side_input", f"file://{place}/result", limit_jobs.Q13_KEYS], place / "log")
    n_rows = sum(path.read_bytes().count(b"\n") for path in (place / "result").rglob("*") if path.is_file())
    shutil.rmtree(place / "result")
    if n_rows != n:
        sys.exit(f"bench: q13: Flink gives {n_rows} rows of {n} bids")
    report.put("q13", "Flink 2.2: CPU", found["cpu_s"], "CPU s")
    report.put("q13", "Flink 2.2: wall", found["wall_s"], "s")
    report.at_least("q13", "now / Flink 2.2, events per CPU s", rate / (n / found["cpu_s"]), "x", FLINK_RATIO)


def polars_job(report, stage, now, python, ours):
    work = stage.job(limit_jobs.CSV_HDFS, "F1", stage.topic("F1", "uncompressed"), "now")
    log = work.directory / "polars"
    place = work.result.rpartition("/")[0]
    path = place.partition("://")[2].partition("/")[2]
    found = limit_jobs.timed([python, ROOT / "bench/polars_job.py", limit_jobs.lib.brokers(), stage.topic("F1", "uncompressed"),
                              now[0]["records"], os.environ["TRAMLINE_HDFS"], f"/{path}", f"/{path}/by_polars"], log)
    n_rows = int(log.read_text().split()[-1])
    if n_rows != now[0]["rows"]:
        sys.exit(f"bench: csv-hdfs: Polars gives {n_rows} rows, ours {now[0]['rows']}")
    report.put("csv-hdfs", "Polars: CPU", found["cpu_s"], "CPU s")
    report.put("csv-hdfs", "Polars: wall", found["wall_s"], "s")
    report.put("csv-hdfs", "Polars: memory", found["memory_mb"], "MB")
    report.at_least("csv-hdfs", "now / Polars, rows per CPU s", ours / (n_rows / found["cpu_s"]), "x", POLARS_RATIO)


def csv_hdfs(report, stage, now):
    """Rows per CPU second of the whole job, from Kafka to HDFS, by a script of Polars and by Spark; and of Polars' join alone,
    from a file to nothing, its tables loaded before."""
    folder, n_rows = stage.feed("F1"), now[0]["rows"]
    ours = n_rows / min(run["cpu_s"] for run in now)
    python = queries.rivals_python()
    if python is not None:
        polars_job(report, stage, now, python, ours)
        line = before.output_of([python, ROOT / "bench/rivals.py", folder, "--engines", "polars"])
        theirs = json.loads(line)["value"] * 1e6 * n_rows / now[0]["records"]
        report.put("csv-hdfs", "Polars, a file joined: rows", theirs, "rows/CPU s")
        report.put("csv-hdfs", "now / Polars, a file joined", ours / theirs, "x")
    lines = before.output_of([sys.executable, ROOT / "bench/bench_job.py", folder, "--rivals"]).splitlines()
    found = {figure["name"]: figure["value"] for figure in map(json.loads, lines)}
    report.at_least("csv-hdfs", "now / Spark, rows per CPU s", found["all records: Spark / tramline, CPU"], "x", SPARK_RATIO)
