#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tramline on a Spark cluster beside a plain run and beside plain Structured Streaming, in one run on one machine:
bench_spark.py FEED [--only placement,streaming,sql,triggers,backlog]. One JSON object a line, as the other benchmarks.

Kafka, HDFS and a standalone cluster of two workers are real. CPU is that of processes, user and system, looked at all the
time in /proc, so some 0.1 s of each is missed: of tramline itself, and of the executors' JVMs. "From the first task" leaves
out what spark-submit takes until executors are there. FEED is a folder; what the figures of docs/performance.md come
from, F10, has 1.2 M records and ten rows a record."""
import argparse
import datetime
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import broker  # noqa: E402
import job  # noqa: E402
import lib  # noqa: E402
import spark  # noqa: E402
import webhdfs  # noqa: E402

WORK = ROOT / "build" / "bench" / "spark"
LIMIT_S = 1200
TICK = os.sysconf("SC_CLK_TCK")
SLOTS = 4
SMALL_TRIPS = 2000
# The executors of the work itself are not to lack a compiler, as those that start tramline do.
OPTIMIZED = ["--conf", "spark.executor.extraJavaOptions=-XX:+UseSerialGC",
             "--conf", "spark.driver.extraJavaOptions=-XX:+UseSerialGC"]
RECORDS = 500  # of an order
TRIGGERS = 12
WARM = 3  # triggers that are left out: classes are loaded
PARTS = ("placement", "streaming", "sql", "triggers", "backlog")

# Results go to stdout; what the helpers tell of the commands that they run goes to stderr.
results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def emit(name, value, unit, note=""):
    print(json.dumps({"bench": "spark", "name": name, "value": value, "unit": unit, "note": note}), file=results,
          flush=True)


def cpu_s(pid):
    """Of the process alone; None: it has gone."""
    try:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(words[11]) + int(words[12])) / TICK


class Watch:
    """CPU seconds of the processes that come meanwhile, by kind: {"tramline": ..., "executors": ...}."""

    def __init__(self, cluster):
        self.cluster, self.seen, self.is_over = cluster, {"tramline": {}, "executors": {}}, False
        self.first_s = self.last_s = None  # when a tramline was there
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.is_over:
            for kind, pids in (("tramline", self.cluster.programs()), ("executors", self.cluster.executors())):
                for pid in pids:
                    seconds = cpu_s(pid)
                    if seconds is not None:
                        self.seen[kind][pid] = seconds
                if kind == "tramline" and pids:
                    self.last_s = time.monotonic()
                    self.first_s = self.first_s or self.last_s
            time.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()

    def cpu(self, kind):
        return sum(self.seen[kind].values())


def prepared(feed):
    work = job.Job(lib.hdfs_url(f"/bench/{lib.fresh_name('b')}"))
    work.init()
    work.extract(feed)
    work.produce(feed, limit_s=LIMIT_S)
    return work


def rows_of(work):
    found = work.tramline("verify", "--json", limit_s=LIMIT_S).json()
    if found["errors"]:
        sys.exit(f"bench: {found}")
    return found["records"], found["rows"]


def plain(work):
    """Seconds by the clock and of CPU."""
    began = time.monotonic()
    process = subprocess.Popen([lib.program(), "run", work.script, "--once", *work.sets], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bench: tramline run ended with {status}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def placed(cluster, work, *words):
    with Watch(cluster) as watch:
        began = time.monotonic()
        submitted = spark.Submitted(cluster, [work.script, *work.sets, "--workers", 2, "--once", *words],
                                    spark.PATIENT)
        submitted.wait(LIMIT_S)
        return watch, time.monotonic() - began, submitted


def streaming(cluster, work):
    """The same job by plain Structured Streaming, on the same cluster."""
    root = name_node() + "/" + work.root.split("/", 3)[3]
    python = spark.environ()["PYSPARK_DRIVER_PYTHON"]
    env = {**spark.environ(), "PYSPARK_PYTHON": python}
    with open(WORK / "streaming.log", "wb") as log, Watch(cluster) as watch:
        began = time.monotonic()
        process = subprocess.run(
            [f"{spark.home()}/bin/spark-submit", "--master", cluster.url, *spark.OPTIONS, "--executor-memory", "900m",
             *spark.PATIENT, *OPTIMIZED,
             "--conf", "spark.ui.enabled=false", "--conf", "spark.executor.cores=1", "--conf", "spark.cores.max=2",
             "--jars", ",".join(connector_jars()), ROOT / "bench/spark_job.py", lib.brokers(), work.topic, root,
             f"{root}/spark", f"{root}/checkpoint"],
            env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        wall_s = time.monotonic() - began
    if process.returncode != 0:
        sys.exit(f"bench: see {WORK}/streaming.log")
    place = webhdfs.WebHdfs(f"{work.root}/spark")
    return watch, wall_s, sum(place.read(path).count(b"\n") for path in place.walk() if path.startswith("part-"))


def connector_jars():
    """Spark's source for Kafka, of the cluster's version, from Maven."""
    version = spark.version()
    folder = WORK / f"jars-{version}"
    if not (folder / "done").exists():
        subprocess.run(["mvn", "-B", "-q", "-f", ROOT / "bench/spark.pom.xml", "package", f"-Djars={folder}",
                        f"-Dspark={version}", f"-Dscala={'2.12' if version < '4' else '2.13'}"], check=True)
        (folder / "done").touch()
    return [str(path) for path in folder.glob("*.jar") if not path.name.startswith(("hadoop-", "scala-"))]


def name_node():
    """Its address for Hadoop's own clients."""
    text = pathlib.Path(os.environ["TRAMLINE_STACK_DIR"], "namenode/conf/core-site.xml").read_text()
    return text.partition("<name>fs.defaultFS</name><value>")[2].partition("</value>")[0]


def look_at_placement(cluster, feed):
    ours = prepared(feed)
    wall_s, one_s = plain(ours)
    records, rows = rows_of(ours)
    emit("records", records, "records")
    emit("rows", rows, "rows")
    emit("plain run --once, by the clock", wall_s, "s")
    emit("plain run --once, CPU", one_s, "s")
    work = prepared(feed)
    watch, whole_s, _ = placed(cluster, work)
    if rows_of(work) != (records, rows):
        sys.exit(f"bench: placement gave {rows_of(work)}, a plain run {(records, rows)}")
    tasks_s = watch.last_s - watch.first_s
    emit("placement, 2 workers: from the first task to the last commit", tasks_s, "s")
    emit("placement, spark-submit to its end", whole_s, "s")
    emit("placement, CPU of tramline", watch.cpu("tramline"), "s")
    emit("placement, CPU of executors' JVMs", watch.cpu("executors"), "s")
    emit("placement / plain, by the clock", tasks_s / wall_s, "x", "from the first task; at most 1.3 wanted")
    emit("placement / plain, CPU of tramline", watch.cpu("tramline") / one_s, "x", "at most 1.5 wanted")
    return work, watch.cpu("tramline"), watch.cpu("tramline") + watch.cpu("executors"), rows


def look_at_streaming(cluster, work, tramline_s, placed_s, rows):
    watch, wall_s, n = streaming(cluster, work)
    if n != rows:
        sys.exit(f"bench: Structured Streaming gave {n} rows, tramline {rows}")
    emit("Structured Streaming, spark-submit to its end", wall_s, "s")
    emit("Structured Streaming, CPU of executors", watch.cpu("executors"), "s")
    emit("Structured Streaming / placement, CPU on executors", watch.cpu("executors") / placed_s, "x",
         "JVMs and tramline together")
    emit("Structured Streaming / placement, CPU of the work", watch.cpu("executors") / tramline_s, "x",
         "tramline alone; at least 20 wanted")
    return watch.cpu("executors")


def look_at_sql(cluster, feed, rows, streaming_s):
    """The same records by --engine sql; `streaming_s` is what Structured Streaming took for them, None: it was not run."""
    work = prepared(feed)
    with Watch(cluster) as watch:
        began = time.monotonic()
        spark.Submitted(cluster, [work.script, *work.sets, "--engine", "sql", "--workers", 2, "--once"],
                        [*spark.PATIENT, *OPTIMIZED, "--executor-memory", "900m"]).wait(LIMIT_S)
        wall_s = time.monotonic() - began
    found = rows_of(work)[1]
    if found != rows:
        sys.exit(f"bench: --engine sql gave {found} rows, a plain run {rows}")
    cpu = watch.cpu("tramline") + watch.cpu("executors")
    emit("--engine sql, spark-submit to its end", wall_s, "s")
    emit("--engine sql, CPU of tramline", watch.cpu("tramline"), "s")
    emit("--engine sql, CPU of executors", watch.cpu("executors"), "s")
    if streaming_s is not None:
        emit("--engine sql / Structured Streaming, CPU on executors", cpu / streaming_s, "x", "about 1 expected")


def small_feed():
    folder = WORK / "small"
    if not (folder / "stop_times.txt").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([ROOT / "build/release/bench/bench_feed", folder, str(SMALL_TRIPS)], check=True)
    return folder


def small_job(feed):
    """Of tables alone; records come a trigger at a time."""
    work = job.Job(lib.hdfs_url(f"/bench/{lib.fresh_name('b')}"), settings={"commit.interval": "1s"})
    work.init()
    work.extract(feed)
    with open(feed / "stop_times.txt", encoding="utf-8") as file:
        lines = file.read().splitlines()[1:SLOTS * RECORDS + 1]
    return work, lines


def feed_triggers(work, lines, count, what):
    """A trigger's records as soon as the one before is made. One that was made while its records came has
    fewer orders, does not count, and others follow."""
    deadline = time.monotonic() + LIMIT_S / 2
    while (before := count()) < TRIGGERS + WARM:
        if time.monotonic() > deadline:
            sys.exit(f"bench: {what}: {before} of {TRIGGERS + WARM} after {LIMIT_S // 2} s")
        broker.produce(work.topic, lines)
        again = time.monotonic() + 20
        while count() == before and time.monotonic() < again:
            time.sleep(0.05)


class ByHand:
    """`tramline coordinate`, and for each of its triggers as many processes `tramline work` as it has orders."""

    def __init__(self, work, *words):
        self.command = [work.script, *work.sets]
        self.times_s = []
        self.process = subprocess.Popen([lib.program(), "coordinate", *self.command, *map(str, words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        orders = []
        for line in self.process.stdout:
            kind = json.loads(line)["kind"]
            if kind == "order":
                orders.append(line)
            elif kind == "trigger":
                self.make(orders)
                orders = []

    def make(self, orders):
        began = time.monotonic()
        workers = [subprocess.Popen([lib.program(), "work", *self.command], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in orders]
        for worker, order in zip(workers, orders):
            worker.stdin.write(order)
            worker.stdin.close()
        answers = [worker.stdout.read() for worker in workers]
        for worker in workers:
            worker.wait()
        if len(orders) == SLOTS:
            self.times_s.append(time.monotonic() - began)
        self.process.stdin.write("".join(answers))
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def by_units(cluster, work, *words, options=()):
    return spark.Submitted(cluster, [work.script, *work.sets, "--engine", "units", "--workers", SLOTS, *words],
                           [*spark.PATIENT, "--conf", "spark.executor.cores=2", *options])


def jobs_of(page):
    """Seconds of the jobs of four tasks that are at an end, the oldest first."""
    base = f"http://127.0.0.1:{page}/api/v1/applications"
    try:
        with urllib.request.urlopen(base, timeout=20) as answer:
            identity = json.load(answer)[0]["id"]
        with urllib.request.urlopen(f"{base}/{identity}/jobs", timeout=20) as answer:
            jobs = json.load(answer)
    except (OSError, LookupError, ValueError):  # also a page that is there but not yet whole
        return []
    done = [j for j in jobs if j["numTasks"] == SLOTS and j["status"] == "SUCCEEDED"]
    return [(moment(j["completionTime"]) - moment(j["submissionTime"])).total_seconds()
            for j in sorted(done, key=lambda j: j["jobId"])]


def moment(text):
    return datetime.datetime.strptime(text.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z")


def look_at_triggers(cluster):
    feed = small_feed()
    work, lines = small_job(feed)
    hand = ByHand(work, "--slots", SLOTS, "--orders", 2 * SLOTS, "--records", RECORDS)
    feed_triggers(work, lines, lambda: len(hand.times_s), "a trigger by hand")
    hand.end()
    work, lines = small_job(feed)
    page = spark.free_port()
    submitted = by_units(cluster, work, "--records", RECORDS, options=["--conf", f"spark.ui.port={page}"])
    feed_triggers(work, lines, lambda: len(jobs_of(page)), "a trigger on Spark")
    times_s = jobs_of(page)[WARM:]
    submitted.kill()
    by_hand_s, on_spark_s = statistics.median(hand.times_s[WARM:]), statistics.median(times_s)
    emit("units, a trigger of 4 tasks by processes started by hand", 1000 * by_hand_s, "ms", "median of 12")
    emit("units, a trigger of 4 tasks as a Spark job", 1000 * on_spark_s, "ms", "median of 12")
    emit("units, what Spark adds to a trigger of 4 tasks", 1000 * (on_spark_s - by_hand_s), "ms",
         "at most 300 wanted")


def one_partition(feed):
    work = job.Job(lib.hdfs_url(f"/bench/{lib.fresh_name('b')}"),
                   replace=[("topic = 'stop_times'", "partitions = 1, topic = 'stop_times'")])
    work.init()
    work.extract(feed)
    work.produce(feed, limit_s=LIMIT_S)
    return work


def an_order_alone(work):
    """Seconds of the first of four orders, by a process that is started for it."""
    process = subprocess.Popen([lib.program(), "coordinate", work.script, *work.sets, "--once", "--slots", str(SLOTS)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    order = process.stdout.readline()
    process.kill()
    process.communicate()
    began = time.monotonic()
    subprocess.run([lib.program(), "work", work.script, *work.sets], input=order, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def look_at_backlog(cluster, feed):
    ours = one_partition(feed)
    alone_s = an_order_alone(ours)
    wall_s, one_s = plain(ours)
    found = rows_of(ours)
    work = one_partition(feed)
    with Watch(cluster) as watch:
        by_units(cluster, work, "--once").wait(LIMIT_S)
    if rows_of(work) != found:
        sys.exit(f"bench: units gave {rows_of(work)}, a plain run {found}")
    units_s = watch.last_s - watch.first_s
    emit("one partition, one worker, by the clock", wall_s, "s")
    emit("one partition, one worker, CPU", one_s, "s")
    emit("one partition, units on 4 slots: from the first task to the last", units_s, "s")
    emit("one partition, units on 4 slots, CPU of tramline", watch.cpu("tramline"), "s")
    emit("one partition, one worker / units on 4 slots", wall_s / units_s, "x",
         f"on {os.cpu_count()} cores, which also run Kafka, HDFS and Spark")
    emit("one partition, one of the four orders alone", alone_s, "s")
    emit("one partition, one worker / one of the four orders", wall_s / alone_s, "x",
         "reckoned: a core for each order; at least 3 wanted")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feed", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...")
    options = parser.parse_args()
    parts, feed = options.only.split(","), options.feed.resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the cluster ends with it
    if "TRAMLINE_BROKERS" not in os.environ:  # eval "$(./dev up kafka hdfs)"
        os.environ.update(lib.Stack("kafka", "hdfs").env)
    cluster = spark.Cluster()
    if "placement" in parts:
        found = look_at_placement(cluster, feed)
        rows, streaming_s = found[-1], None
        if "streaming" in parts:
            streaming_s = look_at_streaming(cluster, *found)
        if "sql" in parts:
            look_at_sql(cluster, feed, rows, streaming_s)
    if "triggers" in parts:
        look_at_triggers(cluster)
    if "backlog" in parts:
        look_at_backlog(cluster, feed)


main()
