# SPDX-License-Identifier: Apache-2.0
# test: takes 80
# test: needs kafka hdfs
# test: limit 1200
"""Too few file descriptors, too little memory or disk, no place for temporary files, closed or full
standard files: each command says what it lacks or works; nothing is lost, replaced or written where
it does not belong."""
import concurrent.futures
import os
import pathlib
import resource
import signal
import subprocess

import broker
import lib
import results

LIMIT_S = 30 * (4 if lib.is_checked() else 1)
SCRIPT = """
SET spool = '{0}/spool'; SET storage.retry = '1s'; SET commit.interval = '100ms';
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '{1}/staged/trips', format = 'csv');
CREATE MATERIALIZED VIEW routes WITH (path = '{1}/routes', format = 'csv') AS
  SELECT t.trip_id, t.route_id FROM trips t;
CREATE TABLE visits (trip_id TEXT NOT NULL, n INT) {2};
CREATE TABLE result () WITH (connector = 'filesystem', path = '{1}/result', format = 'csv');
INSERT INTO result SELECT v.*, t.route_id FROM visits v JOIN routes t ON t.trip_id = v.trip_id;
"""
FILE = "WITH (connector = 'file', path = '{0}/visits.csv', format = 'csv')"
KAFKA = "WITH (connector = 'kafka', brokers = '{0}', topic = '{1}', partitions = 2, format = 'csv')"
FEED = "trip_id,route_id\nT1,a\nT2,b\n"
ROWS = ["T1,1", "T2,2"]
COMMANDS = [["check", "--live", "p.sql"], ["explain", "p.sql"], ["init", "p.sql"], ["extract", "feed.zip", "p.sql"],
            ["extract", "feed", "p.sql"], ["run", "--once", "p.sql"], ["verify", "--deep", "p.sql"],
            ["cat", "p.sql", "trips"], ["cat", "p.sql", "result"], ["cat", "p.sql", "routes"]]


class Work:
    def __init__(self, on_servers=False):
        self.dir = lib.tmp_dir()
        place, stream = str(self.dir), FILE.format(self.dir)
        if on_servers:
            place = lib.hdfs_url()
            self.topic = broker.create_topic(partitions=2)
            broker.produce(self.topic, ROWS)
            stream = KAFKA.format(lib.brokers(), self.topic)
        self.result = f"{place}/result"
        (self.dir / "p.sql").write_text(SCRIPT.format(self.dir, place, stream))
        (self.dir / "visits.csv").write_text("trip_id,n\n" + "".join(f"{row}\n" for row in ROWS))
        (self.dir / "feed").mkdir()
        (self.dir / "feed/trips.txt").write_text(FEED)
        subprocess.run(["python3", "-m", "zipfile", "-c", "feed.zip", "feed/trips.txt"], cwd=self.dir, check=True)
        self.tramline("extract", "feed", "p.sql", code=0)
        self.tramline("run", "--once", "p.sql", code=0)

    def tramline(self, *words, code=None, before=(), **kwargs):
        """(exit code, what it says), within the limit; a signal before that is a failure."""
        kwargs = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **kwargs}
        process = subprocess.Popen([*before, lib.program(), *words], cwd=self.dir, **kwargs)
        try:
            said = process.communicate(timeout=LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{words}: still there: {process.communicate()[0]}") from None
        said = (said or b"").decode(errors="replace").replace(str(self.dir), "<DIR>")
        assert code is None or process.returncode == code, (words, process.returncode, said)
        return process.returncode, said

    def check(self):
        """The job is whole, whatever was tried, and goes on."""
        self.tramline("run", "--once", "p.sql", code=0)
        found = sorted(row[0] for row in results.iter_result(self.result))
        assert found == ["T1", "T2"], found
        self.tramline("verify", "--deep", "p.sql", code=0)
        _, said = self.tramline("cat", "--csv", "p.sql", "trips", code=0)
        assert said == FEED, said


def limited(which, n, then=None):
    def act():
        resource.setrlimit(which, (n, n))
        if then:
            then()
    return act


def files_limited(n, words, work, *expected):
    code, said = work.tramline(*words, before=["prlimit", f"--nofile={n}"])
    assert code in (0, 1, 2, 3), (n, words, code, said)
    if code != 0:
        assert any(text in said for text in ("Too many open files", *expected)), (n, words, code, said)
    return code == 0


def test_each_number_of_descriptors_in_files():
    work, works_from = Work(), {}
    for n in range(4, 25):
        for words in COMMANDS:
            good = files_limited(n, words, work)
            name = " ".join(words)
            works_from[name] = min(works_from.get(name, 99), n) if good else 99
    print(works_from)
    assert max(works_from.values()) <= 16, works_from
    work.check()


def test_no_descriptor_to_be_woken_by():
    work = Work()
    env = {**os.environ, **lib.preloaded("no_events")}
    for words in COMMANDS:
        if words[0] in ("check", "init", "extract", "run"):
            code, said = work.tramline(*words, env=env)
            assert code == 1 and said == (
                f"tramline {words[0]}: no file descriptor to be woken by: Too many open files; raise the limit of open "
                "files (ulimit -n)\n"), said
    work.check()


def run_with_descriptors(work, n):
    """It ends by itself, or waits without work for brokers that it cannot reach, and ends by a signal."""
    stop = subprocess.Popen(["prlimit", f"--nofile={n}", lib.program(), "run", "--once", "p.sql"], cwd=work.dir,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said = stop.communicate(timeout=4)[0].decode()
    except subprocess.TimeoutExpired:
        used = cpu_seconds(stop.pid)
        stop.send_signal(signal.SIGTERM)
        said = stop.communicate(timeout=12)[0].decode()
        assert used < 3, (n, used, said)
    assert stop.returncode in (0, 1, 3), (n, stop.returncode, said)
    print(n, stop.returncode, said[-300:], flush=True)


def each_of(numbers, work):
    for n in numbers:
        for words in (["check", "--live", "p.sql"], ["extract", "feed", "p.sql"]):
            files_limited(n, words, work, "cannot be reached", "answer", "esolve", "connect")
        run_with_descriptors(work, n)
    work.check()


def test_each_number_of_descriptors_with_kafka_and_hdfs():
    """Most of them wait, so four jobs share the numbers."""
    numbers, n_jobs = [*range(5, 25), 32, 48, 64], 4
    works = [Work(on_servers=True) for _ in range(n_jobs)]
    with concurrent.futures.ThreadPoolExecutor(n_jobs) as pool:
        for done in [pool.submit(each_of, numbers[i::n_jobs], work) for i, work in enumerate(works)]:
            done.result()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_files_that_may_not_grow():
    work = Work()
    big = FEED + "".join(f"X{i},{'y' * 90}\n" for i in range(3000))
    (work.dir / "feed/trips.txt").write_text(big)
    for n in (0, 10, 100, 4096, 65536, 262144):
        for words in COMMANDS:
            if words[1] == "feed.zip":
                continue  # of the small table
            code, said = work.tramline(*words, preexec_fn=limited(resource.RLIMIT_FSIZE, n))
            assert code in (0, 1, 3), (n, words, code, said)
            assert code == 0 or "File too large" in said, (n, words, said)
    (work.dir / "feed/trips.txt").write_text(FEED)
    work.tramline("extract", "--force", "feed", "p.sql", code=0)
    work.check()


@lib.not_checked
def test_each_size_of_memory():
    """What is too little ends the program with a word, where it has room for one."""
    work, n_good = Work(), 0
    for megabytes in [*range(8, 60, 6), 80, 120, 200, 400, 1000]:
        for words in COMMANDS:
            code, said = work.tramline(*words, preexec_fn=limited(resource.RLIMIT_AS, megabytes << 20))
            n_good += code == 0
            assert code in (0, 1, 2, 3, 127, -signal.SIGABRT), (megabytes, words, code, said)
            if code == -signal.SIGABRT:
                assert "out of memory: " in said or "out of threads: " in said, (megabytes, words, said)
    assert n_good > 10, n_good
    work.check()


def test_out_of_threads():
    work = Work()
    env = {**os.environ, **lib.preloaded("no_threads")}
    code, said = work.tramline("run", "--once", "p.sql", env=env)
    assert code == -signal.SIGABRT, (code, said)
    assert ("out of threads: Resource temporarily unavailable; raise the limit of processes (ulimit -u) or of "
            "memory\n") in said, said
    work.check()


def test_no_place_for_temporary_files():
    work = Work(on_servers=True)
    for place in ("/nowhere/at/all", "/proc", "/dev/null"):
        env = {**os.environ, "TMPDIR": place}
        reason = {"/nowhere/at/all": "No such file or directory", "/proc": "No such file or directory",
                  "/dev/null": "Not a directory"}[place]
        for words in COMMANDS:
            code, said = work.tramline(*words, env=env)
            assert code == 0 or (code == 1 and f"spool directory {place}: cannot make a file: {reason}; set TMPDIR "
                                 "to another place\n" in said), (words, code, said)
            assert words[0] not in ("verify", "cat", "extract") or code == 0, (words, said)
        (work.dir / "feed/visits.txt").write_text("trip_id,n\n")
        code, said = work.tramline("produce", "feed", "p.sql", env=env)
        assert code == 1 and said == (f"tramline produce: a temporary file in {place} cannot be used: {reason}; set "
                                      "TMPDIR to another place\n"), said
        code, said = work.tramline("demo", env=env)
        assert code == 1 and f"cannot make a directory in {place}: " in said, said
    work.check()


# A disk of its own, in a mount namespace of its own.

FULL = """
mount -t tmpfs -o size={size} none {place} || exit 99
trap 'umount {place}' EXIT
cp -a {copy}/. {place}/ && "$@"
"""


def test_a_disk_that_is_full():
    if os.geteuid() != 0:
        raise lib.Skip("only root mounts a disk of its own")
    work = Work()
    (work.dir / "feed/trips.txt").write_text(FEED + "".join(f"X{i},{'y' * 90}\n" for i in range(9000)))
    commands = [words for words in COMMANDS if words[1] != "feed.zip"]
    for name in ("staged", "routes", "result", "spool"):
        (work.dir / name).mkdir(exist_ok=True)
    for name in ("staged", "routes", "result", "spool"):
        copy = lib.tmp_dir()
        subprocess.run(["cp", "-a", f"{work.dir / name}/.", copy], check=True)
        script = FULL.format(size="64k", place=work.dir / name, copy=copy)
        for words in commands:
            done = subprocess.run(lib.with_own_mounts("sh", "-c", script, "sh", lib.program(), *words), cwd=work.dir,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False)
            said = (done.stdout + done.stderr).decode()
            assert done.returncode in (0, 1), (name, words, done.returncode, said)
            assert done.returncode == 0 or "No space left on device" in said, (words, said)
    (work.dir / "feed/trips.txt").write_text(FEED)
    work.tramline("extract", "--force", "feed", "p.sql", code=0)
    work.check()


# Standard files.


def test_closed_standard_files():
    """What is printed goes into no file of the job."""
    for closed in ((0,), (1,), (2,), (1, 2), (0, 1, 2)):
        work = Work()
        for words in [*COMMANDS, ["reference"], ["help"], ["--version"], ["codegen", "x.avsc"]]:
            (work.dir / "x.avsc").write_text('{"type": "record", "name": "r", "fields": []}')
            code, said = work.tramline(*words, stdin=None, stdout=subprocess.PIPE,
                                       preexec_fn=lambda: [os.close(fd) for fd in closed])  # noqa: B023
            prints = words[0] not in ("run",)
            assert code == (1 if 1 in closed and prints else 0), (closed, words, code, said)
        work.check()


def test_a_standard_output_that_takes_nothing():
    work = Work()
    for words in [*COMMANDS, ["reference"], ["help"], ["help", "sql"], ["--version"]]:
        for place in ("/dev/full",):
            with open(place, "wb") as out:
                process = subprocess.run([lib.program(), *words], cwd=work.dir, stdin=subprocess.DEVNULL, stdout=out,
                                         stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
            said = process.stderr.decode()
            if words[0] == "run":
                assert process.returncode == 0, said
                continue
            assert process.returncode == 1, (words, process.returncode, said)
            assert "cannot write to standard output" in said, said
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([lib.program(), *words], cwd=work.dir, stdin=subprocess.DEVNULL, stdout=writer,
                                 stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        os.close(writer)
        assert process.returncode in (0, -signal.SIGPIPE), (words, process.returncode, process.stderr)
    work.check()


def test_a_standard_error_that_takes_nothing():
    work = Work()
    for words in COMMANDS:
        with open("/dev/full", "wb") as out:
            process = subprocess.run([lib.program(), *words], cwd=work.dir, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=out, timeout=LIMIT_S, check=False)
        assert process.returncode == 0, (words, process.returncode)
    work.check()
