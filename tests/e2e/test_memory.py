# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
"""Memory stays below tables + source.buffer + 64 MB, however far behind the stream the job is and
however slow HDFS. Unread records cost the Kafka client some 320 bytes each, so the backlog of a
test would take 320 MB; that of --long 640 MB."""
import functools
import os
import pathlib
import re
import time

import job
import lib
import results
import webhdfs

MB = 1 << 20
N_TRIPS = 2000
N_RECORDS = 2_000_000 if lib.is_long() else 1_000_000
COMMIT_MB = 8
UNITS_MAX = 6  # open, handed over, and commit.ahead under way
FORMAT = "topic = 'stop_times', format = 'csv'"


def trip_line(trip):
    return f"R{trip % 7},S,T{trip},Head {trip},{trip % 2},1"


def added_columns(trip):
    """What the join adds to a record of the trip, by the pipeline's SELECT."""
    return f",R{trip % 7},S,Head {trip},{trip % 2},,1,,,20261122,2,,,"


@functools.cache
def feed():
    directory = lib.tmp_dir()
    trips = "".join(trip_line(t) + "\n" for t in range(N_TRIPS))
    (directory / "trips.txt").write_text(
        "route_id,service_id,trip_id,trip_headsign,direction_id,wheelchair_accessible\n" + trips)
    (directory / "calendar_dates.txt").write_text(
        "service_id,date,exception_type\nS,20261122,2\n")
    return directory


def record_lines():
    for i in range(N_RECORDS):
        yield i % N_TRIPS, f"T{i % N_TRIPS},25:10:00,25:10:30,stop {i},{i % 60}"


@functools.cache
def backlog(codec):
    """A topic full of records, and the digest of the rows that they must give."""
    file = lib.tmp_dir() / "stop_times.csv"
    added = [added_columns(trip) for trip in range(N_TRIPS)]
    total = 0
    with open(file, "w") as out:
        out.write("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n")
        for trip, line in record_lines():
            out.write(line + "\n")
            total += hash((line + added[trip]).encode())
    work = new_job(lib.hdfs_url(), codec=codec)
    work.produce(file, limit_s=200)
    file.unlink()
    return work.topic, (N_RECORDS, total % 2**64)


def new_job(place, settings=None, codec="none", topic=None):
    client = f"{FORMAT}, partitions = 8, \"kafka.compression.codec\" = '{codec}'"
    work = job.Job(place, settings, replace=[(FORMAT, client)])
    if topic:
        work.script.write_text(work.script.read_text().replace(work.topic, topic))
    work.init()
    work.extract(feed())
    return work


def digest_of_result(result):
    """(rows, sum of their hashes): rows in any order, each as often as it is there."""
    place, count, total = webhdfs.WebHdfs(result), 0, 0
    for path in results.data_files(result):
        lines = place.read(path).split(b"\n")
        assert lines.pop() == b"" and lines[0].startswith(b"trip_id,arrival_time,"), path
        count += len(lines) - 1
        total += sum(map(hash, lines)) - hash(lines[0])
    return count, total % 2**64


class Watched:
    """A run whose memory and spool are looked at until it ends."""

    def __init__(self, work):
        self.run = work.start("--once")
        self.peak = self.spool = 0

    def look(self):
        directory = pathlib.Path(f"/proc/{self.run.process.pid}")
        try:
            status = (directory / "status").read_text()
            files = [os.stat(fd) for fd in (directory / "fd").iterdir()
                     if "/spool/" in os.readlink(fd)]
        except OSError:
            return self.run.is_running()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        self.peak = max(self.peak, int(peak.group(1)) * 1024 if peak else 0)
        self.spool = max(self.spool, sum(file.st_size for file in files))
        return self.run.is_running()

    def look_for(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.look():
            time.sleep(0.02)

    def to_the_end(self, limit_s=120):
        self.look_for(limit_s)
        self.run.wait(5)


@functools.cache
def tables_peak():
    """A run over an empty topic: the program and its tables."""
    watched = Watched(new_job(lib.hdfs_url()))
    watched.to_the_end()
    return watched.peak


def check(watched, buffer_mb, what):
    limit = tables_peak() + (buffer_mb + 64) * MB
    print(f"{what}: peak {watched.peak / MB:.0f} MB, limit {limit / MB:.0f} MB, of it tables "
          f"{tables_peak() / MB:.0f}; spool {watched.spool / MB:.0f} MB", flush=True)
    assert lib.is_checked() or watched.peak < limit, what


def check_rows(work, expected):
    assert digest_of_result(work.result) == expected
    report = work.verify()
    assert (report["errors"], report["records"], report["rows"]) == (0, N_RECORDS, N_RECORDS)


def full_speed(buffer_mb, codec):
    topic, expected = backlog(codec)
    settings = {"source.buffer": f"{buffer_mb}MB"} if buffer_mb != 384 else {}
    work = new_job(lib.hdfs_url(), settings, codec, topic)
    watched = Watched(work)
    watched.to_the_end()
    check(watched, buffer_mb, f"{codec}, source.buffer {buffer_mb} MB")
    check_rows(work, expected)


def slow_hdfs(buffer_mb, codec):
    """Uploads of 1 MB/s: reading must wait for them."""
    topic, expected = backlog(codec)
    with lib.proxied_hdfs() as (_, data, url):
        settings = {"source.buffer": f"{buffer_mb}MB", "commit.bytes": f"{COMMIT_MB}MB"}
        work = new_job(f"{url}/e2e/{lib.fresh_name()}", settings, codec, topic)
        data.do("rate 1000000")
        watched = Watched(work)
        watched.look_for(8)
        assert watched.run.is_running()
        assert COMMIT_MB * MB < watched.spool < (UNITS_MAX * COMMIT_MB + 2) * MB, watched.spool
        data.do("pass")
        watched.to_the_end()
        check(watched, buffer_mb, f"{codec}, source.buffer {buffer_mb} MB, slow HDFS")
        check_rows(work, expected)


@lib.only_long
def test_a_backlog_is_read_with_the_default_buffer():
    full_speed(384, "none")


def test_a_slow_hdfs_holds_the_source_back():
    slow_hdfs(64, "none")


@lib.only_long
def test_slow_hdfs_and_compressed_records():
    for buffer_mb in (64, 384):
        slow_hdfs(buffer_mb, "zstd")
