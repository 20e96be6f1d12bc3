# SPDX-License-Identifier: Apache-2.0
# test: takes 200
# test: needs kafka hdfs registry
# test: limit 1500
"""One signal ends every command in every phase within 10 s: whatever it waits for or counts, a server
that stalls at any point, a pipe that nobody reads, a file system that does not answer. Nothing is left
behind, staged tables and results stay whole. The commands are those that the program lists."""
import concurrent.futures
import contextlib
import functools
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import avro_job
import broker
import hostile_zip
import lib
import results
from registry_proxy import RegistryProxy
from stall_server import StallServer

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # below nohup it is ignored, by children too

LIMIT_S = 10 * (2 if lib.is_checked() else 1)
REACH_S = 600  # stops what hangs: 1.5 GB are unpacked, or 400,000 records sent, on a busy machine
GUARD = "tramline: not at an end 9 s after the signal: left as it is\n"
FEED = "trip_id,route_id\nT1,a\nT2,b\n"
ROWS = ["T1,1", "T2,2"]
SCRIPT = """
SET spool = '{dir}/spool'; SET commit.interval = '{commit}'; {sets}
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '{place}/staged/trips', format = '{format}');
{view}
CREATE TABLE visits (trip_id TEXT NOT NULL, n INT) {stream};
CREATE TABLE result () WITH (connector = 'filesystem', path = '{place}/result', format = 'csv');
INSERT INTO result {query};
"""
FILE = "WITH (connector = 'file', path = '{dir}/visits.csv', format = 'csv')"
KAFKA = "WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv')"
AVRO = ("WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'avro', "
        "registry = '{registry}')")
JOIN = "SELECT v.*, t.route_id FROM visits v JOIN trips t ON t.trip_id = v.trip_id"
CROSS = ("SELECT v.*, t.route_id FROM visits v JOIN trips t ON t.trip_id = v.trip_id JOIN trips u ON "
         "u.route_id = t.route_id JOIN trips w ON w.route_id = u.route_id{where}")
PHASES = []
TABLE_LOCK = threading.Lock()


def phase(command, what, codes, says="", numbers=(signal.SIGTERM, signal.SIGINT), recovers=False):
    """Marks a function that makes a Scene of `command` in a phase; `codes` are the exit codes that may
    be, {n} in `says` the signal's number. `recovers`: afterwards a run makes the result whole."""
    def mark(make):
        PHASES.append((command, what, codes, says, numbers, recovers, make))
        return make
    return mark


def make_topic():
    """One that all brokers know."""
    topic = broker.create_topic()
    broker.watermarks(topic)
    return topic


class Scene:
    """A job of its own, a command and when it is where it should be."""

    def __init__(self, place=None, stream=FILE, view="", query=JOIN, sets="", format="csv", commit="100ms",
                 **names):
        self.dir = lib.tmp_dir()
        self.place = place or f"file://{self.dir}"
        self.tmp = self.dir / "tmp"
        self.tmp.mkdir()
        self.servers, self.env, self.stdin, self.stdout, self.stderr = [], {}, subprocess.DEVNULL, None, None
        self.ready = lambda process: True
        self.args, self.before = [], []
        self.exits, self.mends = contextlib.ExitStack(), []
        names = {"dir": self.dir, **names}
        self.names = {"dir": self.dir, "place": self.place, "sets": sets, "view": view, "query": query,
                      "format": format, "commit": commit, "stream": stream.format(**names)}
        (self.dir / "p.sql").write_text(SCRIPT.format(**self.names))
        (self.dir / "visits.csv").write_text("trip_id,n\n" + "".join(f"{row}\n" for row in ROWS))
        (self.dir / "feed").mkdir()
        (self.dir / "feed/trips.txt").write_text(FEED)
        (self.dir / "p.avsc").write_text('{"type": "record", "name": "r", "fields": []}')

    def tables(self, text=FEED):
        """Staged, where the tables are local files."""
        (self.dir / "staged/trips").mkdir(parents=True)
        (self.dir / "staged/trips/trips.csv").write_text(text)
        return self

    def does(self, *args, ready=None):
        self.args = args
        self.ready = ready or self.ready
        return self

    def stalls(self, call, path):
        """At this call of the C library."""
        mark = self.dir / "mark"
        self.env = {**lib.preloaded("stall_calls"), "STALL_CALL": call, "STALL_PATH": path, "STALL_MARK": str(mark)}
        self.ready = lambda process: mark.exists()
        return self

    def server(self, *args):
        server = StallServer(*args)
        self.servers.append(server)
        self.ready = lambda process: server.is_reached()
        return server

    def held(self):
        """What a failed or stopped command may not change."""
        return {path: path.read_bytes() for name in ("staged", "result") for path in (self.dir / name).rglob("*")
                if path.is_file() and "_tmp-" not in path.name and "/tmp/" not in str(path)}

    def proxied_hdfs(self):
        """Prepared there, by proxies that pass so far: of the name node, of the data node."""
        name, data, url = self.exits.enter_context(lib.proxied_hdfs())
        self.place = f"{url}/e2e/{lib.fresh_name()}"
        self.names["place"] = self.place
        (self.dir / "p.sql").write_text(SCRIPT.format(**self.names))
        self.mends += [lambda: name.do("pass"), lambda: data.do("pass")]
        for words in (["extract", "feed", "p.sql"], ["init", "p.sql"]):
            lib.run(*words, cwd=self.dir)
        return name, data

    def proxied_kafka(self, rows=ROWS):
        """The stream is a topic of these records, behind a proxy that passes so far."""
        proxy = self.exits.enter_context(lib.proxied_kafka())
        self.topic = make_topic()
        broker.produce(self.topic, rows)
        self.names["stream"] = KAFKA.format(brokers=proxy.address, topic=self.topic)
        (self.dir / "p.sql").write_text(SCRIPT.format(**self.names))
        self.mends.append(lambda: proxy.do("pass"))
        return proxy

    def mend(self):
        """Whoever stalled answers again."""
        for mend in self.mends:
            mend()

    def close(self):
        for server in self.servers:
            server.close()
        self.exits.close()


def used_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_busy(seconds):
    """The process computes: it has used so much of the processor."""
    return lambda process: used_s(process) > seconds


def is_in(call):
    """One of its threads waits in this function of the kernel."""
    def ask(process):
        return any(call in (task / "wchan").read_text() for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir())
    return ask


def struck(proxy, fault, n=1):
    return lambda process: proxy.stats()["struck"].get(fault, 0) >= n


def is_still(process):
    """It waits: half a second goes by without work."""
    used = used_s(process)
    time.sleep(0.5)
    return used_s(process) - used < 0.03


def run_phase(command, what, codes, says, number, recovers, make):
    scene = make()
    try:
        run_scene(scene, f"{command}, {what}, signal {number}", codes, says, number, recovers)
    finally:
        scene.close()


def run_scene(scene, name, codes, says, number, recovers):
    log = scene.dir / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([*scene.before, lib.program(), *map(str, scene.args)], cwd=scene.dir, stdin=scene.stdin,
                                   stdout=scene.stdout or out, stderr=scene.stderr or out,
                                   env={**os.environ, "TMPDIR": str(scene.tmp), **scene.env})
    try:
        try:
            lib.wait_until(lambda: process.poll() is not None or scene.ready(process), REACH_S, "its phase")
        except AssertionError as reason:
            raise AssertionError(f"{name}: {reason}: {log.read_text()[-2000:]}") from None
        assert process.poll() is None, f"{name}: ended before: {process.returncode} {log.read_text()}"
        before, began = scene.held(), time.monotonic()
        process.send_signal(number)
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name}: still there after {LIMIT_S} s: {log.read_text()[-2000:]}") from None
        took_s = time.monotonic() - began
    finally:
        process.kill()
        process.wait()
        scene.mend()
    said = log.read_text(errors="replace")
    print(f"{took_s:5.1f} s  exit {process.returncode:4}  {name}", flush=True)
    wanted = [code if code >= 0 else -number for code in codes] + [128 + number] * (says == GUARD)
    assert process.returncode in wanted, f"{name}: exit code {process.returncode}, not of {wanted}: {said[-2000:]}"
    assert says in said, f"{name}: not said: {says!r} in {said[-2000:]}"
    assert list(scene.tmp.iterdir()) == [], f"{name}: left {list(scene.tmp.iterdir())}"
    if not recovers:
        after = scene.held()
        assert all(after.get(path) == data for path, data in before.items()), f"{name}: changed {before} {after}"
    else:
        again(scene, name)


def again(scene, name):
    for words in (["run", "--once", "p.sql"], ["verify", "--deep", "p.sql"]):
        done = subprocess.run([lib.program(), *words], cwd=scene.dir, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, f"{name}: {words}: {done.stderr.decode()}"
    found = sorted(row[0] for row in results.iter_result(f"{scene.place}/result"))
    assert found == ["T1", "T2"], f"{name}: {found}"


SIGNALLED = "stopped by a signal"
ENDS_AT_ONCE = [-1]

# Before a script is read: a pipe, a terminal.


def of_script(command):
    def make():
        scene = Scene()
        os.mkfifo(scene.dir / "x")
        words = {"cat": ["x", "trips"], "extract": ["feed", "x"], "produce": ["visits.csv", "x"],
                 "token": ["x", "--out", "t"]}.get(command, ["x"])
        return scene.does(command, *words, ready=is_in("wait_for_partner"))
    return make


for one in ("check", "explain", "init", "extract", "produce", "run", "verify", "history", "status", "diff", "dead", "cat",
            "codegen", "test", "preview", "coordinate", "work", "token"):
    phase(one, "its input by a pipe that nobody writes to", ENDS_AT_ONCE,
          numbers=(signal.SIGTERM, signal.SIGHUP))(of_script(one))

# What prints, into a pipe that nobody reads.


def fill_pipe(scene):
    """The end to write to, of a pipe that is full; nobody reads the other one."""
    reader, writer = os.pipe()
    scene.reader = os.fdopen(reader, "rb")
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return os.fdopen(writer, "wb")


def of_pipe(command, *args):
    def make():
        scene = Scene().tables(FEED + "".join(f"X{i},{'y' * 90}\n" for i in range(3000)))
        scene.stdout = fill_pipe(scene)
        return scene.does(command, *args, ready=is_in("pipe_w"))
    return make


def of_log_pipe(command, *args):
    """What it logs, and its last words."""
    def make():
        scene = Scene(stream=KAFKA if command == "produce" else FILE, brokers="127.0.0.1:1", topic="t").tables()
        (scene.dir / "result").mkdir()
        scene.stderr = fill_pipe(scene)
        return scene.does(command, *args, ready=is_in("pipe_w"))
    return make


for words in (["cat", "p.sql", "trips"], ["explain", "p.sql"], ["reference"], ["generate", "completion", "zsh"],
              ["explain-error", "TL1002"],
              ["generate", "duckdb", "p.sql"], ["help"], ["help", "sql"], ["--version"],
              ["verify", "--help"]):
    phase(words[0], f"{' '.join(words)} into a pipe that is full", ENDS_AT_ONCE)(of_pipe(*words))
for words in (["check", "p.sql"], ["init", "p.sql"], ["extract", "--force", "feed", "p.sql"]):
    phase(words[0], "its report into a pipe that is full", [1], "cannot write to standard output",
          recovers=words[0] == "extract")(of_pipe(*words))
phase("run", "--json into a pipe that is full", [0, 1], GUARD, recovers=True)(of_pipe("run", "--json", "p.sql"))
phase("demo", "its report into a pipe that is full", [1], GUARD)(of_pipe("demo", "--dir", "demo"))
for words, exit_code in ((["run", "p.sql"], 128 + signal.SIGTERM), (["run", "--once", "p.sql"], 128 + signal.SIGTERM),
                         (["produce", "visits.csv", "p.sql"], 1), (["coordinate", "p.sql"], 0)):
    phase(words[0], f"{' '.join(words)}, its log into a pipe that is full", [exit_code],
          numbers=(signal.SIGTERM,))(of_log_pipe(*words))

# A name node that stalls at any point.

WHERE = ("connect", "silent", "head", "body")


def of_hdfs(where, *args):
    def make():
        scene = Scene()
        address = scene.server(where, b'{"FileStatus": ').address
        scene.names["place"] = f"hdfs://{address}/x"
        (scene.dir / "p.sql").write_text(SCRIPT.format(**scene.names))
        return scene.does(*args)
    return make


for point in WHERE:
    for words in (["explain", "p.sql"], ["verify", "p.sql"], ["verify", "--deep", "p.sql"], ["history", "p.sql"],
                  ["status", "p.sql"], ["diff", "p.sql"], ["dead", "p.sql"], ["dead", "--replay", "p.sql"],
                  ["cat", "p.sql", "trips"], ["cat", "p.sql", "result"]):
        if point in ("silent", "body"):
            phase(words[0], f"{' '.join(words)}, name node stalls: {point}", ENDS_AT_ONCE)(of_hdfs(point, *words))
    for words in (["check", "--live", "p.sql"], ["init", "p.sql"], ["init", "--reset", "--yes", "p.sql"],
                  ["extract", "feed", "p.sql"], ["extract", "--rollback", "p.sql"], ["run", "p.sql"],
                  ["run", "--once", "p.sql"]):
        phase(words[0], f"{' '.join(words)}, name node stalls: {point}", [0] if words[0] == "run" else [1],
              "stopped before the job began" if words[0] == "run" else "",
              numbers=(signal.SIGTERM,))(of_hdfs(point, *words))
    phase("work", f"name node stalls: {point}", [0], "stopped before an order was made",
          numbers=(signal.SIGTERM,))(of_hdfs(point, "work", "p.sql"))

# Orders and answers that do not come.


def of_lines(command):
    def make():
        scene = Scene().tables()
        reader, writer = os.pipe()
        scene.stdin, scene.writer = os.fdopen(reader, "rb"), os.fdopen(writer, "wb")
        return scene.does(command, "p.sql", ready=is_in("poll"))
    return make


for one in ("coordinate", "work"):
    phase(one, "waiting for a line", [0], recovers=True)(of_lines(one))

# A registry, and brokers.


def of_registry(where, *args):
    def make():
        scene = Scene(stream=AVRO, brokers=lib.brokers(), topic=make_topic(), registry="http://0.0.0.0:1")
        address = scene.server(where).address
        text = (scene.dir / "p.sql").read_text().replace("http://0.0.0.0:1", f"http://{address}")
        (scene.dir / "p.sql").write_text(text)
        return scene.tables().does(*args)
    return make


for point in WHERE:
    for words in (["init", "p.sql"], ["check", "--live", "p.sql"], ["produce", "visits.csv", "p.sql"]):
        phase(words[0], f"registry stalls: {point}", [1], numbers=(signal.SIGTERM,))(of_registry(point, *words))


def of_brokers(where, *args):
    def make():
        scene = Scene().tables()
        address = scene.server(where).address
        scene.names["stream"] = KAFKA.format(brokers=address, topic="t")
        (scene.dir / "p.sql").write_text(SCRIPT.format(**scene.names))
        return scene.does(*args)
    return make


for point in ("connect", "silent"):
    for words in (["init", "p.sql"], ["init", "--reset", "--yes", "p.sql"], ["check", "--live", "p.sql"],
                  ["produce", "visits.csv", "p.sql"], ["run", "p.sql"], ["run", "--once", "p.sql"]):
        phase(words[0], f"{' '.join(words)}, brokers: {point}", [0] if words[0] == "run" else [1],
              "stopped before the job began" if words[0] == "run" else "")(of_brokers(point, *words))


for words in (["preview", "p.sql"], ["cat", "p.sql", "visits"], ["test", "--record", "p.sql", "t"]):
    for point in ("connect", "silent"):
        phase(words[0], f"{' '.join(words)}, brokers: {point}", ENDS_AT_ONCE)(of_brokers(point, *words))


def of_waiting(*args):
    def make():
        scene = Scene(stream=KAFKA, brokers=lib.brokers(), topic=make_topic()).tables()
        return scene.does(*args, ready=is_in("poll"))
    return make


for words in (["preview", "p.sql", "--from", "latest"], ["cat", "p.sql", "visits", "--from", "latest"]):
    phase(words[0], f"{' '.join(words)}: nothing comes", ENDS_AT_ONCE)(of_waiting(*words))


def of_prompt():
    scene = Scene().tables()
    ours, theirs = pty.openpty()
    scene.stdin, scene.terminal = theirs, ours
    return scene.does("init", "--reset", "p.sql", ready=is_in("wait_woken"))


phase("init", "--reset asks on a terminal", [1, 2])(of_prompt)



def of_status(where, *args):
    """The log has an entry; then the brokers are silent."""
    def make():
        scene = Scene().tables()
        lib.run("run", "--once", "p.sql", cwd=scene.dir)
        address = scene.server(where).address
        scene.names["stream"] = KAFKA.format(brokers=address, topic="t")
        (scene.dir / "p.sql").write_text(SCRIPT.format(**scene.names))
        return scene.does(*(args or ("status", "p.sql")))
    return make


for point in ("connect", "silent"):
    phase("status", f"brokers: {point}", ENDS_AT_ONCE)(of_status(point))
    phase("diff", f"brokers: {point}", ENDS_AT_ONCE)(of_status(point, "diff", "p.sql"))
    phase("spark", f"brokers: {point}", ENDS_AT_ONCE)(of_status(point, "spark", "p.sql", "--workers", "2"))
    phase("dead", f"--to-topic, brokers: {point}", [1])(of_status(point, "dead", "p.sql", "--to-topic", "again"))

# A page on a terminal.


def of_page(*args):
    def make():
        scene = Scene().tables()
        address = scene.server("silent").address
        ours, theirs = pty.openpty()
        scene.stdin, scene.stdout, scene.terminal = theirs, theirs, ours
        scene.env = {"TERM": "xterm"}
        return scene.does("top", *[word.format(address) for word in args],
                          ready=lambda process: not termios.tcgetattr(theirs)[3] & termios.ICANON)
    return make


for words in (["p.sql"], ["http://{}"]):
    phase("top", f"{' '.join(words)}, its page is shown", ENDS_AT_ONCE, numbers=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))(
        of_page(*words))

# Feeds.


def of_url(where, command):
    def make():
        scene = Scene(stream=KAFKA if command == "produce" else FILE, brokers="127.0.0.1:1", topic="t").tables()
        address = scene.server(where, b"PK\3\4").address
        return scene.does(command, f"http://{address}/feed.zip", "p.sql")
    return make


for point in WHERE:
    for one in ("extract", "produce"):
        phase(one, f"a URL, server stalls: {point}", [1], SIGNALLED)(of_url(point, one))


def of_new(where):
    def make():
        scene = of_url(where, "new")()
        return scene.does("new", "--feed", scene.args[1], "--out", "made.sql")
    return make


for point in WHERE:
    phase("new", f"a URL, server stalls: {point}", ENDS_AT_ONCE)(of_new(point))


def put_zip(scene, n_bytes, name="trips.txt"):
    packed, size, crc = hostile_zip.repeated(b"T1,0000000000000000000000000000\n", n_bytes,
                                             b"trip_id,route_id\n" if name == "trips.txt" else b"trip_id,n\n")
    hostile_zip.write(scene.dir / "feed.zip", [hostile_zip.Member(b"", name.encode(), packed=packed, size=size,
                                                                  crc=crc)])


def of_unpacking(command):
    def make():
        produces = command == "produce"
        scene = Scene(stream=KAFKA if produces else FILE, brokers="127.0.0.1:1", topic="t",
                      sets="SET feed.member_ratio = 1100;").tables()
        put_zip(scene, 3_900_000_000, "visits.txt" if produces else "trips.txt")
        return scene.does(command, "feed.zip", "p.sql", ready=is_busy(0.5))
    return make


for one in ("extract", "produce"):
    phase(one, "unpacking a large member", [1], "no time was left ")(of_unpacking(one))


def of_staging():
    """The second time it is read, into the staging directory."""
    scene = Scene(sets="SET feed.member_ratio = 1100;").tables()
    put_zip(scene, 1_500_000_000)
    return scene.does("extract", "feed.zip", "p.sql",
                      ready=lambda process: any((scene.dir / "staged/trips").glob("_tmp-*")))


phase("extract", "writing to the staging directory", [1], "no time was left ")(of_staging)


def of_a_directory():
    scene = Scene().tables()
    with open(scene.dir / "feed/trips.txt", "wb") as file:
        file.write(FEED.encode())
        for _ in range(400):
            file.write(b"T1,0000000000000000000000000000\n" * 100_000)
    return scene.does("extract", "feed", "p.sql", ready=is_busy(0.5))


phase("extract", "reading a large file", [1], "no time was left ", numbers=(signal.SIGTERM,))(of_a_directory)

# Local files that do not answer.


def of_stall(call, path, *args, staged=True):
    def make():
        scene = Scene()
        if staged:
            scene.tables()
        if "--reset" in args:
            (scene.dir / "result").mkdir()
        return scene.does(*args).stalls(call, path)
    return make


for call, path, args, recovers in (
        ("open", "p.sql", ["check", "p.sql"], False), ("pread", "trips.csv", ["check", "--live", "p.sql"], False),
        ("fdopendir", "staged/trips", ["check", "--live", "p.sql"], False),
        ("mkdir", "result", ["init", "p.sql"], False), ("fdopendir", "result", ["init", "--reset", "--yes", "p.sql"], False),
        ("write", "_tmp-", ["extract", "feed", "p.sql"], False), ("fsync", "_tmp-", ["extract", "feed", "p.sql"], False),
        ("rename", "trips.csv", ["extract", "feed", "p.sql"], False),
        ("pread", "trips.csv", ["run", "p.sql"], True), ("write", "spool", ["run", "p.sql"], True),
        ("write", "_tramline/tmp", ["run", "p.sql"], True), ("publish", "_tramline/log", ["run", "p.sql"], True),
        ("publish", "part-", ["run", "p.sql"], True), ("fsync", "result", ["run", "p.sql"], True),
        ("pread", "visits.csv", ["run", "p.sql"], True), ("open", "spool", ["run", "p.sql"], True),
        ("open", "p.h", ["codegen", "p.avsc"], False), ("pread", "trips.csv", ["cat", "p.sql", "trips"], False)):
    guarded = args[0] in ("init", "extract", "run") or "--live" in args
    phase(args[0], f"{' '.join(args)}, a file system that stalls: {call} of {path}",
          [0, 1] if guarded else ENDS_AT_ONCE, GUARD if guarded else "", recovers=recovers,
          numbers=(signal.SIGTERM,))(of_stall(call, path, *args))

# Computing.

MANY = "trip_id,route_id\n" + "".join(f"T1,{i % 2}\n" for i in range(3000))


def of_query(executor, where, sets=""):
    def make():
        scene = Scene(query=CROSS.format(where=where), sets=f"SET executor = '{executor}'; {sets}").tables(MANY)
        return scene.does("run", "p.sql", ready=is_busy(0.7))
    return make


phase("run", "a join without end, by SQLite", [0])(
    of_query("sqlite", " WHERE w.trip_id || u.trip_id || t.trip_id < ''", "SET batch.record_timeout = '1h';"))
phase("run", "a LIKE without end, by SQLite", [0, 1])(
    of_query("sqlite", " WHERE w.trip_id || u.trip_id || t.trip_id LIKE '%9'", "SET batch.record_timeout = '1h';"))
phase("run", "a join without end, by the native executor", [0])(
    of_query("native", " WHERE LENGTH(w.trip_id) + LENGTH(u.trip_id) + LENGTH(t.trip_id) < 1",
             "SET batch.record_timeout = '1h';"))


@functools.cache
def large_table():
    """A file of three million rows, which takes long to write, too."""
    path = lib.tmp_dir() / "large.csv"
    with open(path, "wb") as file:
        file.write(b"trip_id,route_id\n")
        for i in range(300):
            file.write(b"".join(b"T%d,%030d\n" % (i * 10_000 + k, k) for k in range(10_000)))
    return path


def of_load(executor, *args):
    def make():
        scene = Scene(sets=f"SET executor = '{executor}';")
        (scene.dir / "staged/trips").mkdir(parents=True)
        with TABLE_LOCK:
            os.link(large_table(), scene.dir / "staged/trips/trips.csv")
        return scene.does(*args, ready=is_busy(0.5))
    return make


for kind in ("native", "sqlite"):
    phase("run", f"loading tables for the {kind} executor", [0], "stopped before the job began")(
        of_load(kind, "run", "p.sql"))
phase("check", "loading tables", [1], numbers=(signal.SIGTERM,))(of_load("native", "check", "--live", "p.sql"))
phase("explain", "loading tables", ENDS_AT_ONCE)(of_load("native", "explain", "p.sql"))


def of_view(*args):
    def make():
        view = ("CREATE MATERIALIZED VIEW many WITH (path = '{}/many', format = 'csv') AS SELECT t.trip_id, u.route_id "
                "FROM trips t JOIN trips u ON u.trip_id = t.trip_id JOIN trips w ON w.trip_id = u.trip_id WHERE "
                "w.route_id < 'zz';")
        scene = Scene()
        scene.names["view"] = view.format(scene.place)
        (scene.dir / "p.sql").write_text(SCRIPT.format(**scene.names))
        return scene.tables(MANY).does(*args, ready=is_busy(0.7))
    return make


phase("run", "making a view", [0], "stopped before the job began")(of_view("run", "p.sql"))
phase("check", "trying a view", [1])(of_view("check", "--live", "p.sql"))
phase("cat", "a view without end", ENDS_AT_ONCE)(of_view("cat", "p.sql", "many"))


def of_test():
    scene = of_view("test", "p.sql", "w.test")()
    script = (scene.dir / "p.sql").read_text()
    (scene.dir / "p.sql").write_text(script.replace("w.route_id <", "w.route_id || t.route_id || u.route_id >"))
    (scene.dir / "w.test").write_text("[trips]\n" + MANY + "[expect many]\n")
    return scene


phase("test", "a view without end", ENDS_AT_ONCE)(of_test)

# A registry that is asked for a schema of a record.

SCHEMA = {"type": "record", "name": "v", "fields": [{"name": "trip_id", "type": "string"}, {"name": "n", "type": "int"}]}


def avro_scene(registry):
    """Two records of one schema; the registry of the script answers when all is mended."""
    topic = make_topic()
    scene = Scene(stream=AVRO, brokers=lib.brokers(), topic=topic, registry=registry).tables()
    (scene.dir / "result").mkdir()
    number = avro_job.register(f"{topic}-value", SCHEMA)
    broker.produce(topic, [b"\0" + struct.pack(">i", number) + datum for datum in (b"\4T1\2", b"\4T2\4")])
    script = scene.dir / "p.sql"
    scene.mends.append(lambda: script.write_text(script.read_text().replace(registry, lib.registry_url())))
    return scene


def of_decoding(where):
    def make():
        server = StallServer(where)
        scene = avro_scene(f"http://{server.address}")
        scene.servers.append(server)
        return scene.does("run", "p.sql", ready=lambda process: server.is_reached())
    return make


for point in WHERE:
    phase("run", f"decoding, registry stalls: {point}", [0], recovers=True)(of_decoding(point))


def of_refusals():
    proxy = RegistryProxy()
    scene = avro_scene(proxy.url)
    scene.exits.enter_context(proxy)
    proxy.answer(503, b"", "/schemas/ids")
    return scene.does("run", "p.sql", ready=lambda process: len(proxy.requests) > 2)


phase("run", "decoding, registry refuses: between two questions", [0], recovers=True)(of_refusals)

# Brokers that stall at the n-th request that names the topic.


def of_produce(n, n_rows, waits=is_still):
    def make():
        scene = Scene().tables()
        proxy = scene.proxied_kafka(rows=[])
        with open(scene.dir / "visits.csv", "w", encoding="ascii") as file:
            file.writelines(["trip_id,n\n", *(["T1,1\n"] * n_rows)])
        proxy.do(f"stall {n} {scene.topic}")
        has_struck = struck(proxy, "stall")
        return scene.does("produce", "visits.csv", "p.sql", ready=lambda process: has_struck(process) and waits(process))
    return make


for nth in range(1, 5):
    phase("produce", f"brokers stall at request {nth}", [1], numbers=(signal.SIGTERM,))(of_produce(nth, 2))
# librdkafka computes while its queue is full; so much more than it takes to fill it.
phase("produce", "the queue is full: brokers stall", [1])(of_produce(4, 700_000, is_busy(3)))


def of_stream(n, membership):
    def make():
        scene = Scene(sets=f"SET membership = '{membership}';").tables()
        (scene.dir / "result").mkdir()
        proxy = scene.proxied_kafka()
        proxy.do(f"stall {n} {scene.topic}")
        return scene.does("run", "p.sql", ready=struck(proxy, "stall"))
    return make


for kind, n_requests in (("group", 10), ("none", 6)):
    for nth in range(1, n_requests + 1):
        phase("run", f"membership {kind}, brokers stall at request {nth}", [0], recovers=True,
              numbers=(signal.SIGTERM,))(of_stream(nth, kind))

# Name and data nodes that stall at the n-th request of a run, or refuse: it waits to try again.


def of_nodes(which, command, fault, n=1, *args):
    def make():
        scene = Scene(sets="SET storage.retry = '60s';")
        nodes = dict(zip(("name", "data"), scene.proxied_hdfs()))
        nodes[which].do(command)
        return scene.does(*(args or ["run", "p.sql"]), ready=struck(nodes[which], fault, n))
    return make


for which, n_requests in (("name", 30), ("data", 6)):
    for nth in range(1, n_requests + 1):
        phase("run", f"{which} node stalls at request {nth}", [0, 1], recovers=True, numbers=(signal.SIGTERM,))(
            of_nodes(which, f"stall {nth} HTTP/1.1", "stall"))
for which, fault, op in (("name", "lose", "op=CREATE"), ("name", "drop", "op=RENAME"), ("name", "lose", "op=RENAME"),
                         ("name", "lose", "op=MKDIRS"), ("data", "lose", "op=CREATE"), ("data", "drop", "op=CREATE")):
    phase("run", f"{which} node: waits to try again after {fault} {op}", [0, 1], recovers=True)(
        of_nodes(which, f"{fault} 1000 {op}", fault, 3))

# A name that is looked up by a server that does not answer.

NAMES = r"""
mount --bind "$1" /etc/resolv.conf && "$2" - "$3" "$PPID" <<'TEXT' &
import fcntl, os, socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49))  # SIOCSIFFLAGS: up and running
s.bind(("127.0.0.1", 53))
open(sys.argv[1] + ".up", "w").close()
parent = os.getppid()
s.settimeout(0.5)
while os.getppid() == parent:
    try:
        s.recv(4096)
        open(sys.argv[1], "w").close()
    except TimeoutError:
        pass
TEXT
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e "$3.up" ] && break; sleep 0.5; done
shift 3
exec "$@"
"""


def of_names(stream, place, *args):
    def make():
        scene = Scene(stream=stream, brokers="brokers.example:9092", topic="t", registry="http://registry.example:8081")
        if place:
            scene.names["place"] = place
            (scene.dir / "p.sql").write_text(SCRIPT.format(**scene.names))
        scene.tables()
        (scene.dir / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        asked = scene.dir / "asked"
        scene.before = ["unshare", "--mount", "--net", "sh", "-c", NAMES, "sh", scene.dir / "resolv.conf", sys.executable, asked]
        return scene.does(*args, ready=lambda process: asked.exists())
    return make


LOOK_UPS = (["init", "p.sql"], ["check", "--live", "p.sql"], ["produce", "visits.csv", "p.sql"], ["run", "p.sql"],
            ["run", "--once", "p.sql"], ["init", "--reset", "--yes", "p.sql"])
if not lib.root_is_a_mount():
    print("without the phases of a look-up: a chroot has no mounts of its own", flush=True)
    LOOK_UPS = ()
for words in LOOK_UPS:
    phase(words[0], f"{' '.join(words)}, the name of its brokers is looked up", [0] if words[0] == "run" else [1])(
        of_names(KAFKA, "", *words))
    if words[0] != "produce":
        phase(words[0], f"{' '.join(words)}, the name of its name node is looked up",
              [0] if words[0] == "run" else [1])(of_names(FILE, "hdfs://nodes.example:9870/x", *words))

# The demo, at each of its steps.


def of_demo(step):
    def make():
        scene = Scene()
        return scene.does("demo", "--dir", "demo", ready=lambda _: f"$ tramline {step}" in (scene.dir / "log").read_text())
    return make


for step in ("check", "init", "extract", "explain", "produce", "run", "verify"):
    phase("demo", step, [0, 1], numbers=(signal.SIGTERM,))(of_demo(step))


def listed():
    """The commands that the program lists."""
    text = lib.run("help").out
    part = text.partition("Commands:\n")[2].partition("\n\n")[0]
    return {line.split()[0] for line in part.splitlines()}


def test_each_command_has_phases():
    commands = listed()
    assert len(commands) > 8, commands
    assert commands <= {entry[0] for entry in PHASES}, commands - {entry[0] for entry in PHASES}


def test_one_signal_ends_each_phase():
    only = os.environ.get("PHASE", "")
    runs = [(entry, number) for entry in PHASES for number in entry[4] if only in f"{entry[0]}, {entry[1]}"]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(run_phase, *entry[:4], number, *entry[5:]) for entry, number in runs]
        for future in futures:
            try:
                future.result()
            except Exception as reason:  # all are told
                failed.append(str(reason))
    print(f"{len(runs)} runs of {len(PHASES)} phases, {len(failed)} failed", flush=True)
    assert not failed, "\n".join(failed)
