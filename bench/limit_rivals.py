# SPDX-License-Identifier: Apache-2.0
"""Others beside bench/limit.py's jobs: Flink for Nexmark's query 13, Spark and Polars for the feed's job. Each where it can be
had, from Maven and PyPI, got once."""
import json
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


def csv_hdfs(report, stage, now):
    """Rows per CPU second: Polars without Kafka and HDFS, its tables loaded before; Spark's whole job."""
    folder, n_rows = stage.feed("F1"), now[0]["rows"]
    ours = n_rows / min(run["cpu_s"] for run in now)
    python = queries.rivals_python()
    if python is not None:
        line = before.output_of([python, ROOT / "bench/rivals.py", folder, "--engines", "polars"])
        theirs = json.loads(line)["value"] * 1e6 * n_rows / now[0]["records"]
        report.put("csv-hdfs", "Polars: rows", theirs, "rows/CPU s")
        report.at_least("csv-hdfs", "now / Polars, rows per CPU s", ours / theirs, "x", POLARS_RATIO)
    lines = before.output_of([sys.executable, ROOT / "bench/bench_job.py", folder, "--rivals"]).splitlines()
    found = {figure["name"]: figure["value"] for figure in map(json.loads, lines)}
    report.at_least("csv-hdfs", "now / Spark, rows per CPU s", found["all records: Spark / tramline, CPU"], "x", SPARK_RATIO)
