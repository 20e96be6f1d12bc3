# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka hdfs registry
# test: limit 1200
"""Dead letters of a job on Kafka, in Avro, with its result on HDFS: replays killed at any moment, beside a running
job, after their schema is there; what fails again; letters shown with their columns, published to a topic with
key, value and headers, which kcat reads."""
import base64
import json
import random
import signal
import subprocess
import time

import avro_job
import broker
import lib
import results
from avro_job import record
from registry_proxy import RegistryProxy

SCRIPT = """
SET spool = '{dir}/spool';
SET on_error.share = '100%';
SET membership = 'none';
SET batch.interval = '20ms';
SET commit.interval = '{interval}';
SET schema_change = 'allow';
CREATE TABLE s ({columns}) WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', {format});
CREATE TABLE result () WITH (connector = 'filesystem', path = '{result}', format = 'csv');
INSERT INTO result SELECT s.id, s.n FROM s{where};
"""
COLUMNS = "id TEXT NOT NULL, n INT"
WRITER = record("s", id="string", n=["null", "int"])
HEADERS = [("trace", "a\tb"), ("empty", ""), ("trace", "second"), ("none", None)]


class Job:
    """Three partitions; the result on HDFS."""

    def __init__(self, registry=None, interval="100ms", columns=COLUMNS, where=""):
        self.directory, self.registry = lib.tmp_dir(), registry
        self.topic = broker.create_topic(lib.fresh_name("letters"), 3)
        self.result = lib.hdfs_url(f"/user/letters/{self.topic}")
        self.script = self.directory / "p.sql"
        self.interval = interval
        self.write(columns, where)
        lib.run("init", self.script)

    def write(self, columns=COLUMNS, where=""):
        text = f"format = 'avro', registry = '{self.registry}', registry.unknown = '200ms'" if self.registry else "format = 'csv'"
        self.script.write_text(SCRIPT.format(dir=self.directory, columns=columns, where=where, result=self.result,
                                             brokers=lib.brokers(), topic=self.topic, format=text,
                                             interval=self.interval))

    def tramline(self, command, *args, **more):
        return lib.run(command, self.script, *args, **more)

    def dead(self, *args, **more):
        return self.tramline("dead", *args, **more)

    def run_once(self, **more):
        return self.tramline("run", "--once", **more)

    def n_left(self, *args):
        return sum(json.loads(line)["letters"] for line in self.dead("--json", *args).out.splitlines())

    def names(self):
        """Of all letters, as the log has them."""
        return [f"{number}:{line}" for number, entry in sorted(results.log_entries(self.result).items())
                for file in entry["files"] if file["kind"] == "dead" for line in range(file["rows"])]

    def check_back(self, expected):
        """Each of the letters is in the result, once."""
        found = sorted(row[0] for row in results.iter_result(self.result))
        assert found == sorted(expected), (len(found), len(expected), sorted(set(expected) - set(found))[:5])
        report = self.tramline("verify", "--deep", "--json").json()
        return report


def send_bad(work, n, first=0):
    """Records without a number where one is wanted: letters until the column is a text."""
    with broker.Producer() as producer:
        for i in range(first, first + n):
            producer.send(work.topic, f"r{i},x{i}", f"k{i}" if i % 3 else None, i % 3, HEADERS if i % 5 == 0 else ())
        producer.flush()
    return [f"r{i}" for i in range(first, first + n)]


def consumed(topic):
    """(key, value, headers) of all records, by kcat."""
    out = subprocess.run(["kcat", "-C", "-q", "-e", "-J", "-b", lib.brokers(), "-t", topic, "-o", "beginning"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=30).stdout
    records = [json.loads(line) for line in out.splitlines()]
    return sorted(((r["key"], r["payload"], r.get("headers", [])) for r in records), key=repr)


def test_letters_are_published_with_key_value_and_headers():
    work = Job()
    send_bad(work, 30)
    work.run_once()
    to = broker.create_topic(lib.fresh_name("again"), 2)
    before = results.log_entries(work.result)
    done = work.dead("--to-topic", to)
    assert done.out == (
        f"published 30 letters to topic '{to}', all acknowledged: yes\n"
        "at least once: the log does not know of it, so that saying it again publishes them again; the letters still "
        "wait, for --replay, too\n"), done.out
    flat = [word for name, value in HEADERS for word in (name, value)]
    expected = sorted(((f"k{i}" if i % 3 else None, f"r{i},x{i}", flat if i % 5 == 0 else []) for i in range(30)),
                      key=repr)
    assert consumed(to) == expected, consumed(to)[:3]
    assert results.log_entries(work.result) == before and work.n_left() == 30
    assert "published 10 letters" in work.dead("--to-topic", to, "--partition", "1").out
    assert "published 1 letter to" in work.dead("--to-topic", to, "--where", "id=r7").out
    assert "nothing to publish: no letter that is asked for is left" in work.dead("--to-topic", to, "--where", "id=7").out
    assert len(consumed(to)) == 41
    done = work.dead("--to-topic", work.topic, "--offsets", "0:0")
    assert (f"'{work.topic}' is the topic that the job reads: it reads the letters again, beside what --replay brings "
            "of them") in done.err, done.err
    work.run_once()
    assert work.n_left() == 31


def test_a_topic_that_is_not_there_is_told():
    work = Job()
    send_bad(work, 3)
    work.run_once()
    missing = lib.fresh_name("missing")
    assert (f"--to-topic: topic '{missing}' is not on the brokers, and none is made for letters; make it with the "
            "brokers' own tool\n") in work.dead("--to-topic", missing, code=1).err
    assert work.dead("--to-topic", "", code=2).err.endswith("--to-topic has an empty value\n")
    for name in ("a b", "x" * 250):
        assert (f"--to-topic: option 'topic' takes at most 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', "
                f"not '{name}'\n") in work.dead("--to-topic", name, code=2).err
    assert work.n_left() == 3


def test_a_letter_that_the_client_refuses_is_named_and_left_out():
    work = Job()
    with broker.Producer(message_max_bytes=2_000_000) as producer:
        for value in (b"r0,x", b"r1," + b"x" * 1_040_000, b"r2,x"):
            producer.send(work.topic, value, None, 0)
        producer.flush()
    work.run_once()
    to = broker.create_topic(lib.fresh_name("again"))
    entry, line = work.names()[1].split(":")
    done = work.dead("--to-topic", to, code=3)
    assert (f"letter {entry}:{line} is not published: topic '{to}': a record of 1040003 bytes was refused: Broker: "
            "Message size too large\n") in done.err, done.err
    assert done.err.endswith(
        "tramline dead: 1 letter is too large for the producer, and is not published; raise kafka.message.max.bytes of "
        "the stream, and the topic's max.message.bytes\n"), done.err
    assert f"published 2 letters to topic '{to}', all acknowledged: yes\n" in done.out, done.out
    assert [value for *_, value in broker.consume(to)] == [b"r0,x", b"r2,x"]


def test_a_letter_is_shown_with_its_columns():
    with RegistryProxy() as proxy:
        work = Job(proxy.url, columns="id TEXT NOT NULL, n INT NOT NULL")
        schema_id = avro_job.register(f"{work.topic}-value", WRITER)
        good, null = avro_job.records(schema_id, WRITER, [{"id": "a", "n": 1}, {"id": "b", "n": None}])
        cut = avro_job.records(schema_id, WRITER, [{"id": "c\n", "n": 300}])[0][:-1]
        with broker.Producer() as producer:
            for value in (good, null, cut, b"\0\0\x10\0\0x"):
                producer.send(work.topic, value, b"k\xff", 0, HEADERS[:3])
            producer.flush()
        work.run_once()
        shown = work.dead("--show", work.names()[1]).out
        lines = shown.splitlines()
        assert lines[3:6] == ["headers   trace = a\\tb", "          empty = ", "          trace = second"], lines
        assert lines[6] == "key       k\\xff  (2 bytes)", lines
        assert lines[8:10] == [f"today     schema id {schema_id}: field 'n': cut off in a number (byte 3)",
                               "          id  c\\n"], lines
        assert lines[10:] == ["          n   not read", "not read  \\x02\\xd8  (2 bytes)"], lines
        told = json.loads(work.dead("--show", work.names()[0], "--json").out)
        assert told["today"]["columns"] == [{"name": "id", "value": "b"}, {"name": "n", "bytes": None}], told
        assert told["headers"] == [{"key": name, "value": base64.b64encode(value.encode()).decode()}
                                   for name, value in HEADERS[:3]], told
        unknown = json.loads(work.dead("--show", work.names()[2], "--json").out)["today"]
        assert unknown["error"].startswith("schema id 1048576: registry: ") and not any(
            "value" in column for column in unknown["columns"]), unknown
        proxy.down()
        silent = json.loads(work.dead("--show", work.names()[0], "--json").out)["today"]
        assert silent["columns"] == [] and "registry" in silent["error"], silent
        proxy.up()
        work.write("id TEXT NOT NULL, n INT")
        assert "today     it can be read\n" in work.dead("--show", work.names()[0]).out
        assert work.n_left("--where", "id=b") == 1 and work.n_left("--where", "n=") == 1 and work.n_left("--where", "n=1") == 0


def test_letters_of_a_schema_that_came_later():
    with RegistryProxy() as proxy:
        work = Job(proxy.url)
        schema_id = avro_job.register(f"{work.topic}-value", WRITER)
        values = avro_job.records(schema_id, WRITER, [{"id": f"r{i}", "n": i} for i in range(300)])
        broker.produce(work.topic, values)
        proxy.answer(404, b'{"error_code":40403,"message":"Schema not found"}', f"/schemas/ids/{schema_id}")
        work.run_once()
        assert work.n_left() == 300 and work.n_left("--where", f"reason=schema id {schema_id}") == 300
        said = work.dead("--replay").out
        assert "300 letters replayed: 0 gave 0 rows, 0 matched nothing, 0 ignored, 300 failed again\n" in said, said
        proxy.well()
        said = work.dead("--replay").out
        assert "300 letters replayed: 300 gave 300 rows, 0 matched nothing, 0 ignored, 0 failed again\n" in said, said
        assert "nothing to replay" in work.dead("--replay").out
        report = work.check_back([f"r{i}" for i in range(300)])
        assert (report["replays"], report["replayed"], report["failed_again"], report["rejected"]) == (2, 600, 300, 300)


def test_what_fails_again_stays_with_its_new_reason():
    work = Job()
    names = send_bad(work, 90)
    work.run_once()
    work.write("id TEXT NOT NULL, n TEXT", where=" WHERE 10 / (CASE WHEN s.id LIKE '%5' THEN 0 ELSE 1 END) > 0")
    said = work.dead("--replay").out
    assert "90 letters replayed: 81 gave 81 rows, " in said and "9 failed again\n" in said, said
    group, = [json.loads(line) for line in work.dead("--json").out.splitlines()]
    assert group["letters"] == 9 and "division by zero" in group["reason"], group
    work.write("id TEXT NOT NULL, n TEXT")
    assert "9 letters replayed: 9 gave 9 rows" in work.dead("--replay").out
    report = work.check_back(names)
    assert (report["replays"], report["replayed"], report["failed_again"]) == (2, 99, 9), report


def test_a_replay_beside_a_running_job():
    """The job goes on: it claims, commits and reads as if nothing were, and no letter is its own."""
    work = Job(interval="200ms")
    names = send_bad(work, 3000)
    work.run_once()
    work.write("id TEXT NOT NULL, n TEXT")
    job = lib.Started("run", work.script)
    try:
        for part in range(3):
            names += send_bad(work, 300, 3000 + part * 300)
            said = work.dead("--replay", "--partition", str(part)).out
            assert "1,000 letters replayed: 1,000 gave 1,000 rows" in said, said
        lib.wait_until(lambda: sum(e["rows"] for e in results.log_entries(work.result).values()) == len(names), 60,
                       "all rows")
        assert job.is_running()
    finally:
        job.stop()
    report = work.check_back(names)
    assert report["replays"] == 3 and report["replayed"] == 3000, report


def test_kills_neither_lose_nor_double():
    n, n_kills, n_cuts = (10_000, 50, 4) if lib.is_long() else (600, 6, 1)
    work, chance = Job(), random.Random(11)
    names = send_bad(work, n)
    work.run_once()
    work.write("id TEXT NOT NULL, n TEXT")
    assert work.n_left() == n
    ranges = [(p, c * (n // 3) // n_cuts, (c + 1) * (n // 3) // n_cuts - 1 if c < n_cuts - 1 else n)
              for c in range(n_cuts) for p in range(3)]
    killed, whole_s, went_on = 0, 1.5, 0
    for at, (partition, first, last) in enumerate(ranges):
        args = ["dead", work.script, "--replay", "--offsets", f"{partition}:{first}-{last}"]
        for _ in range(200):
            process = lib.Started(*args)
            began = time.monotonic()
            may_end = killed >= n_kills * (at + 1) // len(ranges)
            try:
                process.process.wait(120 if may_end else chance.uniform(0.0, 1.1) * whole_s)
            except subprocess.TimeoutExpired:
                process.signal(signal.SIGKILL)
                process.process.wait()
                killed += 1
                continue
            whole_s = time.monotonic() - began
            assert process.process.returncode == 0, process.text()
            went_on += "nothing to replay" in process.text()
            if may_end:
                break
    print(f"{killed} kills, {went_on} replays found their letters done", flush=True)
    assert killed >= n_kills and work.n_left() == 0
    assert "nothing to replay" in work.dead("--replay").out
    work.run_once()  # a claim tidies up
    report = work.check_back(names)
    assert report["replayed"] == n and report["failed_again"] == 0, report
