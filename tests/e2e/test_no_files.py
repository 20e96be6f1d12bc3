# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""A pipe, a socket, a device, a directory or a file of a terabyte in each place where the program
takes a file: each command ends by itself and says what stands there, or, where a pipe may be read,
by one signal."""
import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

import lib

LIMIT_S = 10 * (6 if lib.is_checked() else 1)
SCRIPT = """
SET spool = '{0}/spool'; SET storage.retry = '1s';
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '{0}/staged/trips', format = 'csv');
CREATE TABLE visits (trip_id TEXT NOT NULL, n INT)
  WITH (connector = 'file', path = '{0}/visits.csv', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', format = 'csv');
INSERT INTO result SELECT v.*, t.route_id FROM visits v JOIN trips t ON t.trip_id = v.trip_id;
"""


class Work:
    """A job that has run once: all its files are there."""

    def __init__(self):
        self.dir = lib.tmp_dir()
        (self.dir / "feed").mkdir()
        (self.dir / "feed/trips.txt").write_text("trip_id,route_id\nT1,a\n")
        (self.dir / "visits.csv").write_text("trip_id,n\nT1,1\n")
        (self.dir / "p.sql").write_text(SCRIPT.format(self.dir))
        lib.run("extract", "feed", "p.sql", cwd=self.dir)
        lib.run("run", "--once", "p.sql", cwd=self.dir)

    def said(self, *words, code=None):
        done = lib.run(*words, cwd=self.dir, limit_s=LIMIT_S, code=code)
        return (done.out + done.err).replace(str(self.dir), "<DIR>"), done.code


def put_pipe(path):
    os.mkfifo(path)


def put_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the address of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


PIPE, SOCKET = "a named pipe, not a file", "a socket, not a file"
DEVICE, DIRECTORY = "a device, not a file", "a directory, not a file"
def put_device(path):
    """/dev/zero, where one may make it; else a link to it, which no storage follows."""
    if os.geteuid() == 0:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    else:
        path.symlink_to("/dev/zero")


KINDS = {
    PIPE: put_pipe,
    SOCKET: put_socket,
    DEVICE: put_device,
    DIRECTORY: lambda path: path.mkdir(),
}
NO_FILES = (PIPE, SOCKET, DEVICE)


def replace(path, kind):
    path = pathlib.Path(path)
    if path.is_symlink() or path.exists():
        path.unlink()
    KINDS[kind](path)


def is_told(said, name, kind):
    """The line that names the thing and what it is; a directory by the system's words, too."""
    words = [kind] + ["Is a directory"] * (kind == DIRECTORY)
    return any(name in line and word in line for line in said.splitlines() for word in words)


def refused(name, *commands, but=()):
    for kind in KINDS:
        if kind in but:
            continue
        for command in commands:
            work = Work()
            path = next(work.dir.glob(name))
            replace(path, kind)
            said, code = work.said(*command)
            assert code not in (0, None), (kind, command, said)
            assert is_told(said, path.name, kind), (kind, command, said)


RUN, LIVE = ("run", "--once", "p.sql"), ("check", "--live", "p.sql")


def test_the_stream():
    refused("visits.csv", ("check", "p.sql"), RUN, ("explain", "p.sql"))


def test_a_staged_table():
    refused("staged/trips/trips.csv", RUN, LIVE, ("cat", "p.sql", "trips"), but=[DIRECTORY])
    work = Work()
    replace(work.dir / "staged/trips/trips.csv", DIRECTORY)
    assert "table trips: there is no file in" in work.said(*RUN, code=1)[0]


def test_an_extract_replaces_what_is_no_table():
    for kind in NO_FILES:
        work = Work()
        replace(work.dir / "staged/trips/trips.csv", kind)
        work.said("extract", "feed", "p.sql", code=0)
        work.said(*RUN, code=0)


def test_what_an_extract_has_left():
    refused("staged/_feed.json", RUN, LIVE)


def test_the_log():
    refused("result/_tramline/log/000000/*2.json", RUN, ("verify", "p.sql"))


def test_files_of_the_result():
    refused("result/part-*.csv", ("cat", "p.sql", "result"), but=[DIRECTORY])
    for kind in KINDS:
        work = Work()
        replace(next(work.dir.glob("result/part-*.csv")), kind)
        said, code = work.said("verify", "--deep", "p.sql")
        assert code == 3 or (code == 1 and is_told(said, "part-", kind)), (code, said)


def test_what_is_published():
    for kind in KINDS:
        work = Work()
        (work.dir / "k.sql").write_text(
            "CREATE TABLE s (trip_id TEXT NOT NULL) WITH (connector = 'kafka', brokers = '127.0.0.1:1', "
            "topic = 't', format = 'csv'); CREATE TABLE r () WITH (connector = 'filesystem', path = 'r', "
            "format = 'csv'); INSERT INTO r SELECT * FROM s;")
        replace(work.dir / "visits.csv", kind)
        said, code = work.said("produce", "visits.csv", "k.sql")
        assert code == (3 if kind == DIRECTORY else 1), said
        assert is_told(said, "visits.csv", kind) or "visits.csv: no GTFS table (*.txt) in it" in said, said


def test_a_feed():
    for kind in NO_FILES:
        work = Work()
        replace(work.dir / "feed/trips.txt", kind)
        (work.dir / "feed/stops.txt").write_text("stop_id\n")
        said, code = work.said("extract", "feed", "p.sql")
        assert code == 1 and "<DIR>/feed: no member trips.txt" in said, said
        replace(work.dir / "feed.zip", kind)
        said, code = work.said("extract", "feed.zip", "p.sql")
        assert said == (f"tramline extract: cannot open the feed feed.zip: {kind}; a feed is a zip, "
                        "a directory or an http(s) URL\n"), said
        work.said(*RUN, code=0)


AVRO = """CREATE TABLE s (trip_id TEXT NOT NULL) WITH (connector = 'kafka', brokers = '127.0.0.1:1', topic = 't',
  format = 'avro', registry = 'https://127.0.0.1:1'{0});
CREATE TABLE r () WITH (connector = 'filesystem', path = '{1}/r', format = 'csv'{2});
INSERT INTO r SELECT * FROM s;
"""


def test_files_that_options_name():
    for kind in KINDS:
        for stream, sink, text in (
                (", \"registry.ca_file\" = 'x.pem'", "", f"x.pem is {kind}"),
                ("", ", \"ca.file\" = 'x.pem'", f"x.pem is {kind}"),
                (", schema = 'x.pem'", "", f"cannot open x.pem: {kind}"),
                (", \"kafka.ssl.ca.location\" = 'x.pem'", "",
                 f"option 'kafka.ssl.ca.location': x.pem: {kind}"),
                (", \"kafka.sasl.kerberos.keytab\" = 'x.pem'", "",
                 f"option 'kafka.sasl.kerberos.keytab': x.pem: {kind}")):
            if kind == DIRECTORY and "kafka." in stream:
                continue  # of certificates
            work = Work()
            replace(work.dir / "x.pem", kind)
            (work.dir / "p.sql").write_text(AVRO.format(stream, work.dir, sink))
            for command in (("check", "p.sql"), RUN):
                said, code = work.said(*command)
                assert code == 2 and text in said, (said, text)


def test_what_codegen_would_replace():
    for kind in KINDS:
        work = Work()
        (work.dir / "x.avsc").write_text('{"type": "record", "name": "r", "fields": []}')
        replace(work.dir / "x.h", kind)
        said, code = work.said("codegen", "x.avsc")
        assert code == 1 and said == f"tramline codegen: cannot write ./x.h: {kind}\n", said
        assert not (work.dir / "x.c").exists()


def test_directories_that_are_none():
    """Also a plain file where a directory is wanted."""
    for name, command in (("spool", RUN), ("result", RUN), ("staged/trips", RUN), ("staged", LIVE),
                          ("result", ("verify", "p.sql")), ("result", ("cat", "p.sql", "result")),
                          ("spool", ("init", "p.sql", "--reset", "--yes")),
                          ("result", ("init", "p.sql", "--reset", "--yes")),
                          ("staged/trips", ("extract", "feed", "p.sql"))):
        for kind in NO_FILES:
            work = Work()
            (work.dir / name).rename(work.dir / "away")
            replace(work.dir / name, kind)
            said, code = work.said(*command)
            assert code in (1, 2, 3) and (name in said or "trips" in said), (name, kind, command, said)


# What is read once, before anything is done, may be a pipe.

INPUTS = (("check", "x"), ("run", "x"), ("explain", "x"), ("verify", "x"), ("cat", "x", "trips"), ("init", "x"),
          ("extract", "feed", "x"), ("produce", "visits.csv", "x"), ("extract", "--rollback", "x"),
          ("codegen", "x"), ("check", "p.sql", "--set-file", "A=x"))


def test_inputs_that_are_no_text():
    for command in INPUTS:
        work = Work()
        replace(work.dir / "x", DIRECTORY)
        said, code = work.said(*command)
        assert code == 2 and "cannot read x: Is a directory" in said, said
        (work.dir / "x").rmdir()
        replace(work.dir / "x", DEVICE)
        said, code = work.said(*command)
        assert code == 2 and "x has more than " in said, said
        (work.dir / "x").unlink()
        replace(work.dir / "x", SOCKET)
        said, code = work.said(*command)
        assert code == 2 and "cannot open x: No such device or address" in said, said


def test_an_input_that_never_comes_ends_by_a_signal():
    for number in (signal.SIGTERM, signal.SIGINT):
        for command in INPUTS:
            work = Work()
            replace(work.dir / "x", PIPE)
            for with_writer in (False, True):
                process = subprocess.Popen([lib.program(), *command], cwd=work.dir,
                                           stdin=subprocess.DEVNULL)
                if with_writer:
                    writer = os.open(work.dir / "x", os.O_WRONLY)  # it waits for the reader
                else:
                    lib.wait_until(lambda: is_waiting(process.pid), 10, "the open of the pipe")
                process.send_signal(number)
                assert process.wait(LIMIT_S) == -number, (command, process.returncode)
                if with_writer:
                    os.close(writer)


def is_waiting(pid):
    return "wait_for_partner" in pathlib.Path(f"/proc/{pid}/wchan").read_text()


def test_a_script_by_a_pipe():
    work = Work()
    os.mkfifo(work.dir / "x")
    threading.Thread(target=lambda: (work.dir / "x").write_text(SCRIPT.format(work.dir))).start()
    assert "x: good: " in work.said("check", "x", code=0)[0]


# Files that are not what they seem.


def sparse(path, n_bytes=1 << 40, front=b""):
    path.write_bytes(front)
    os.truncate(path, n_bytes)


def test_a_terabyte_of_nothing():
    work = Work()
    sparse(work.dir / "x")
    for command in INPUTS:
        said, code = work.said(*command)
        assert code == 2 and "x has more than " in said, said
    sparse(work.dir / "feed.zip")
    said, code = work.said("extract", "feed.zip", "p.sql")
    assert code == 3 and "not a zip file that can be read" in said, said
    sparse(work.dir / "feed/trips.txt", front=b"trip_id,route_id\nT1,a\n")
    said, code = work.said("extract", "feed", "p.sql")
    assert code == 1 and said == (
        "tramline extract: <DIR>/feed: trips.txt has 1099511627776 bytes; at most 17179869184 are read: raise "
        "SET feed.member_size\n"), said
    sparse(work.dir / "visits.csv", front=b"trip_id,n\nT1,1\n")
    said, code = work.said(*RUN)
    assert code == 1 and "visits.csv: the line at byte " in said and "has more than 16777216 bytes" in said, said
    sparse(work.dir / "staged/trips/trips.csv", front=b"trip_id,route_id\nT1,a\n")
    said, code = work.said(*LIVE)
    assert code == 1 and "trips.csv:3: " in said and "a record of more than 16 MiB" in said, said
    sparse(work.dir / "staged/_feed.json")
    said, code = work.said(*RUN)
    assert code == 1 and "_feed.json" in said, said


class Changing(threading.Thread):
    """Makes a file longer and shorter all the time."""

    def __init__(self, path, lines, longer_only):
        super().__init__(daemon=True)
        self.path, self.lines, self.longer_only, self.is_over = path, lines, longer_only, threading.Event()

    def run(self):
        with open(self.path, "ab") as file:
            while not self.is_over.is_set():
                file.write(self.lines * 1000)
                file.flush()
                if not self.longer_only or file.tell() > 200_000_000:
                    os.truncate(self.path, 100)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()


def test_files_that_change_while_they_are_read():
    for longer_only in (True, False):
        work = Work()
        before = (work.dir / "staged/trips/trips.csv").read_bytes()
        with Changing(work.dir / "feed/trips.txt", b"T2,bbbbbbbbbbbbbbbbbbbbbbbbbbb\n", longer_only):
            for _ in range(5):
                said, code = work.said("extract", "feed", "p.sql")
                after = (work.dir / "staged/trips/trips.csv").read_bytes()
                assert after == before or code == 0, said
                before = after
                assert sorted(p.name for p in (work.dir / "staged/trips").iterdir() if "_kept" not in p.name
                              ) == ["trips.csv"], said
        with Changing(work.dir / "visits.csv", b"T1,77777777\n", longer_only):
            began = time.monotonic()
            for _ in range(3):
                said, code = work.said(*RUN)
                assert code in (0, 1, 3), said
            print(f"{time.monotonic() - began:.1f} s", flush=True)
