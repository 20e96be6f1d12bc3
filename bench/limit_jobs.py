# SPDX-License-Identifier: Apache-2.0
"""The jobs of bench/limit.py: topics and tables are made once, each run has a result, a spool and a log of its own."""
import calendar
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import before
import queries
import queries_feed

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "bench" / "limit"
os.environ.setdefault("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import broker  # noqa: E402
import job  # noqa: E402
import lib  # noqa: E402

LIMIT_S = 900
PARTITIONS = 4
FIRST_RECORD = r"the first \d+ records are enriched"
RECORD = "26M-GLOBAUX-00-S_1_0,1:00:00,1:00:00,s,1"

# What is run: what changes the script's result, whether it is on HDFS, whether the bytes are thrown away. The program before
# reads back what it has written: it writes local files in its place.
FORMAT = "CREATE TABLE enriched_stop_time ()\n  WITH (connector = 'filesystem', format = 'csv',"
AVRO = FORMAT.replace("'csv'", "'avro', codec = '{}'")
CSV_HDFS = ([], True, False)
SNAPPY_HDFS = ([(FORMAT, AVRO.format("snappy"))], True, False)
NULL_LOCAL = ([(FORMAT, AVRO.format("null"))], False, False)
DISCARD = ([], False, True)

# Nexmark's query 13, bids joined with a side table; bids alone, as CSV.
N_BIDS = 5_000_000
Q13_KEYS = 10_000
Q13 = """
SET spool = '{place}/spool';
SET membership = 'none';
SET commit.interval = '60s';
SET commit.bytes = '128MB';
CREATE TABLE side_input (key BIGINT NOT NULL, value TEXT)
  WITH (connector = 'filesystem', path = '{place}/side_input', format = 'csv');
CREATE TABLE bid (auction BIGINT NOT NULL, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time BIGINT, extra TEXT)
  WITH (connector = 'kafka', client = 'native', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{place}/result', format = 'csv');
INSERT INTO result SELECT b.auction, b.bidder, b.price, b.date_time, s.value
  FROM bid b JOIN side_input s ON s.key = b.auction % {keys};
"""


def timed(command, log, env=None):
    """CPU seconds, seconds by the clock, and the most resident memory of a command that has to end well."""
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bench: {command[0]} ended with {status}:\n{log.read_text(errors='replace')[-3000:]}")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": time.monotonic() - began,
            "memory_mb": usage.ru_maxrss / 1024}


def ms_of(line):
    """A log line's time, in ms since 1970."""
    text, _, rest = line.partition(".")
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(rest[:3])


class Servers:
    """CPU seconds that the test's servers have used."""

    def __init__(self):
        self.folder = pathlib.Path(os.environ["TRAMLINE_STACK_DIR"])

    def used(self):
        seconds = {}
        for name in ("kafka", "datanode", "namenode"):
            pid = (self.folder / name / "pid").read_text().split()[0]
            times = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
            seconds[name] = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return seconds


class Stage:
    """Servers, and what is made on them once."""

    def __init__(self, scale):
        self.scale, self.topics, self.bids = scale, {}, None
        if "TRAMLINE_HDFS" not in os.environ:
            os.environ.update(lib.Stack("kafka", "hdfs").env)
        self.servers = Servers()
        PLACE.mkdir(parents=True, exist_ok=True)

    def feed(self, name):
        return queries.feed(name, self.scale)

    def topic(self, feed, codec):
        """The feed's stop_times; the broker compresses them, or not, whatever the producer does."""
        if (feed, codec) not in self.topics:
            name = broker.create_topic(partitions=PARTITIONS, config={"compression.type": codec})
            work = job.Job(f"file://{lib.tmp_dir()}")
            use_topic(work, name)
            before.say(f"produces {feed}, {codec}")
            work.produce(self.feed(feed) / "stop_times.txt", limit_s=LIMIT_S)
            self.topics[feed, codec] = name
        return self.topics[feed, codec]

    def job(self, kind, feed, topic, who, settings=None):
        """A job with its tables in place, which has not run yet."""
        changes, on_hdfs, _ = kind
        place = os.environ["TRAMLINE_HDFS"] if on_hdfs else f"file://{lib.tmp_dir()}"
        if who == "now":
            changes = [*changes, ("connector = 'kafka'", "connector = 'kafka', client = 'native'")]
        work = job.Job(place, {"membership": "none", **(settings or {})}, replace=changes)
        use_topic(work, topic)
        work.init()
        work.extract(self.feed(feed))
        return work

    def run(self, kind, feed, codec, who, program):
        work = self.job(kind, feed, self.topic(feed, codec), who)
        began = self.servers.used()
        discards = kind[2] and who == "now"
        env = {"LD_PRELOAD": str(discard_library())} if discards else None
        found = timed([program, "run", work.script, "--once", *work.sets], work.directory / "log", env)
        ended = self.servers.used()
        found["servers"] = {name: ended[name] - began[name] for name in began}
        told = work.tramline("verify", "--json", limit_s=LIMIT_S, code=3 if discards else 0).json()  # 3: bytes are not there
        return {**found, "records": told["records"], "rows": told["rows"]}

    def start(self, feed, who, program):
        """Seconds from the start of a worker to its first record, with the feed's tables on HDFS."""
        topic = broker.create_topic(partitions=PARTITIONS)
        broker.produce(topic, [RECORD], partition=0)
        work = self.job(CSV_HDFS, feed, topic, who, {"commit.interval": "50ms", "batch.interval": "10ms"})
        began = time.time() * 1000
        worker = lib.Started("run", work.script, "--log-level", "debug", *work.sets, binary=program)
        lib.wait_until(lambda: re.search(FIRST_RECORD, worker.text()), 60, "the first record")
        worker.stop()
        line = next(line for line in worker.text().splitlines() if re.search(FIRST_RECORD, line))
        return (ms_of(line) - began) / 1000

    def bid_topic(self):
        """(topic, bids)"""
        if self.bids is None:
            n = max(1000, int(N_BIDS * self.scale))
            file = PLACE / f"bids-{n}.csv"
            if not file.exists():
                write_bids(file, n)
            name = broker.create_topic(partitions=PARTITIONS)
            before.say(f"produces {n} bids")
            with open(file, "rb") as values:
                subprocess.run(["kcat", "-P", "-b", lib.brokers(), "-t", name, "-X", "linger.ms=50"], stdin=values,
                               check=True, timeout=LIMIT_S)
            self.bids = name, n
        return self.bids

    def q13(self, who, program):
        topic, n = self.bid_topic()
        place = lib.tmp_dir()
        (place / "side_input").mkdir()
        write_side_input(place / "side_input" / "side_input.csv")
        script = place / "q13.sql"
        script.write_text(Q13.format(place=place, brokers=lib.brokers(), topic=topic, keys=Q13_KEYS))
        lib.run("init", script)
        found = timed([program, "run", "--once", script], place / "log")
        told = lib.run("verify", "--json", script).json()
        if (told["records"], told["rows"]) != (n, n):
            sys.exit(f"bench: q13: {told['rows']} rows of {told['records']} records, not {n} of both")
        return {**found, "records": n, "rows": told["rows"]}


def use_topic(work, name):
    """The job reads what another one has produced."""
    text = work.script.read_text()
    work.script.write_text(text.replace(f"topic = '{work.topic}'", f"topic = '{name}'"))
    work.topic = name


def discard_library():
    source, library = ROOT / "bench" / "discard.c", PLACE / "discard.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        before.output_of([os.environ.get("CC", "cc"), "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-shared", "-fPIC",
                          source, "-o", library, "-ldl"])
    return library


def write_side_input(file, header=True):
    file.write_text("key,value\n" * header + "".join(f"{key},value-{key}\n" for key in range(Q13_KEYS)))


def write_bids(file, n):
    """As Nexmark's generator makes them: hot auctions and bidders, prices by powers of ten, a channel, a url, 100 bytes more or
    less."""
    chance = random.Random(13)
    new = file.with_suffix(".new")
    with open(new, "w", encoding="utf-8") as out:
        for i in range(n):
            auction = 1000 + (i // 100 * 100 if chance.random() < 0.5 else max(0, i - chance.randrange(100)))
            bidder = 1000 + (i // 400 * 100 + 1 if chance.random() < 0.75 else chance.randrange(1 + i // 50))
            channel = chance.choice(("Google", "Facebook", "Baidu", "Apple"))
            out.write(f"{auction},{bidder},{int(10 ** (chance.random() * 6) * 100)},{channel},"
                      f"https://www.nexmark.com/item.htm?query=1&channel_id={chance.randrange(10000)},"
                      f"{1436918400000 + i},{'abcdefghijklmnopqrstuvwxyz'[:chance.randrange(10, 26)]}\n")
    new.rename(file)
