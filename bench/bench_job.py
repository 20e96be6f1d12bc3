#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole job on real Kafka and HDFS, and beside it the same in Spark Structured Streaming:
bench_job.py FEED [--rivals]. One JSON object a line, as the other benchmarks."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import job  # noqa: E402
import lib  # noqa: E402
import webhdfs  # noqa: E402

WORK = ROOT / "build" / "bench" / "spark"
SPARK = "pyspark==3.5.1"
SIZES = {"1 record": 1, "all records": None}
LIMIT_S = 900

# Results go to stdout; what the helpers tell of the commands that they run goes to stderr.
results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def emit(name, value, unit):
    print(json.dumps({"bench": "job", "name": name, "value": value, "unit": unit}), file=results, flush=True)


class Timed:
    """A command run to its end: seconds by the clock, of CPU, and the memory of its largest process."""

    def __init__(self, command, env=None):
        began, log = time.monotonic(), WORK / "log"
        with open(log, "wb") as out:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
            _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"bench: {command[0]} ended with {status}:\n{log.read_text(errors='replace')[-3000:]}")
        self.figures = {"by the clock": (time.monotonic() - began, "s"),
                        "CPU": (usage.ru_utime + usage.ru_stime, "s"), "memory": (usage.ru_maxrss / 1024, "MB")}

    def emit(self, what):
        for name, (value, unit) in self.figures.items():
            emit(f"{what}, {name}", value, unit)


def compare(size, ours, theirs):
    for name, (value, _) in ours.figures.items():
        emit(f"{size}: Spark / tramline, {name}", theirs.figures[name][0] / value, "x")


def get_spark():
    """Spark from PyPI, its Kafka source from Maven, got once."""
    if (WORK / "venv/done").exists():
        return
    print("bench: gets Spark from PyPI and Maven (once)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", WORK / "venv"], check=True)
    subprocess.run([WORK / "venv/bin/pip", "install", "-q", SPARK], check=True)
    subprocess.run(["mvn", "-B", "-q", "-f", ROOT / "bench/spark.pom.xml", "package", f"-Djars={WORK}/jars"],
                   check=True)
    (WORK / "venv/done").touch()


def name_node():
    """Its address for Hadoop's own clients."""
    text = pathlib.Path(os.environ["TRAMLINE_STACK_DIR"], "namenode/conf/core-site.xml").read_text()
    return text.partition("<name>fs.defaultFS</name><value>")[2].partition("</value>")[0]


def run_spark(work):
    get_spark()
    root = name_node() + "/" + work.root.split("/", 3)[3]
    in_spark = ("hadoop-", "scala-")
    jars = [str(path) for path in (WORK / "jars").glob("*.jar") if not path.name.startswith(in_spark)]
    python = str(WORK / "venv/bin/python")
    env = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python}
    return Timed([WORK / "venv/bin/spark-submit", "--master", "local[2]", "--driver-memory", "2g",
                  "--conf", "spark.ui.enabled=false", "--jars", ",".join(jars), ROOT / "bench/spark_job.py",
                  lib.brokers(), work.topic, root, f"{root}/spark", f"{root}/checkpoint"], env)


def spark_rows(work):
    place = webhdfs.WebHdfs(f"{work.root}/spark")
    return sum(place.read(path).count(b"\n") for path in place.walk() if path.startswith("part-"))


def first_records(feed, n):
    """A file of the first n stop_times; the feed's own when n is None."""
    if n is None:
        return feed / "stop_times.txt"
    file = WORK / "few.txt"
    with open(feed / "stop_times.txt", newline="") as source:
        file.write_text("".join(line for _, line in zip(range(n + 1), source)))
    return file


def run_size(size, feed, with_spark):
    work = job.Job(lib.hdfs_url("/").rstrip("/"))
    work.init()
    work.extract(feed)
    work.produce(first_records(feed, SIZES[size]), limit_s=LIMIT_S)
    ours = Timed([lib.program(), "run", work.script, "--once", *work.sets])
    found = work.verify(limit_s=LIMIT_S)
    emit(f"{size}: records", found["records"], "records")
    emit(f"{size}: rows", found["rows"], "rows")
    ours.emit(f"{size}: tramline run --once")
    if not with_spark:
        return
    theirs = run_spark(work)
    if spark_rows(work) != found["rows"]:
        sys.exit(f"bench: Spark gave {spark_rows(work)} rows, tramline {found['rows']}")
    theirs.emit(f"{size}: Spark")
    compare(size, ours, theirs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feed", type=pathlib.Path)
    parser.add_argument("--rivals", action="store_true")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    os.environ.update(lib.Stack("kafka", "hdfs").env)
    for size in SIZES:
        run_size(size, options.feed.resolve(), options.rivals)


main()
