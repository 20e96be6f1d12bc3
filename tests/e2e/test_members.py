# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka
# test: limit 300
"""Workers that something else starts on many machines: they begin together, are told apart by their
names, and end with the process that started them, or with that of its threads that does."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import broker
import lib
import results

SCRIPT = """SET commit.interval = '{interval}';
SET spool = '{root}/spool';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
# Starts a worker from a thread that ends at once, says so, and stays itself until it is killed.
STARTER = """
import subprocess, sys, threading, time
started = []
def start():
    started.append(subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=open(sys.argv[1], "wb")))
thread = threading.Thread(target=start)
thread.start()
thread.join()
print(started[0].pid, flush=True)
time.sleep(300)
"""
PR_SET_CHILD_SUBREAPER = 36
END_S = 10  # from the parent's end to the worker's


class Job:
    def __init__(self, partitions=2, interval="200ms"):
        self.root = lib.tmp_dir()
        self.topic = broker.create_topic(partitions=partitions)
        self.script = self.root / "pipeline.sql"
        self.script.write_text(SCRIPT.format(interval=interval, root=self.root, topic=self.topic,
                                             brokers=lib.brokers()))

    def rows(self):
        try:
            return sorted(row[1] for row in results.iter_result(self.root / "r"))
        except FileNotFoundError:  # nothing yet, or a claim removes the folders of dead writers
            return []

    def history(self):
        lines = lib.run("history", "--json", self.script).out.splitlines()
        return [json.loads(line) for line in lines]


def test_start_of_three_is_one_rebalance():
    job = Job(partitions=3)
    lib.run("run", job.script, "--once")  # the log's first entry: each of them would try to make it
    broker.produce(job.topic, [f"T,{i}" for i in range(300)])
    workers = []
    for i in range(3):
        workers.append(lib.Started("run", job.script, "--members", 3, "--instance", f"app-1/{i}"))
        time.sleep(1)
    lib.wait_until(lambda: len(job.rows()) == 300, 30, "the rows")
    for worker in workers:
        assert worker.is_running(), worker.text()
        worker.stop()
    for worker in workers:
        text = worker.text()
        assert text.count(": claims 1 partition") == 1, text
        assert "waits up to 10 s until 3 members are in group" in text, text
        assert "dropped" not in text and "have none" not in text, text
    host = os.uname().nodename
    names = {entry["worker"] for entry in job.history()}
    names = {name for name in names if "app-1" in name}
    assert names == {f"{host}/app-1/{i}" for i in range(3)}, names


def test_members_beyond_the_partitions_are_told():
    job = Job(partitions=2)
    broker.produce(job.topic, ["T,1"])
    done = lib.run("run", job.script, "--once", "--members", 3)
    said = [line.partition(" warn  ")[2] for line in done.err.splitlines() if "members share" in line]
    assert said == ["3 members share the 2 partitions of the topic: 1 of them will have none"], done.err
    assert job.rows() == ["1"]  # after the 10 s


class Parent:
    """A process that starts a worker; ours are the children of those that end."""

    def __init__(self, job, *flags):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.log = job.root / "log"
        self.process = subprocess.Popen(
            [sys.executable, "-c", STARTER, self.log, lib.program(), "run", job.script, *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.worker = int(self.process.stdout.readline())

    def text(self):
        return self.log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def wait_for_worker(self):
        """Its wait status, and after how long."""
        began = time.monotonic()
        found = lib.wait_until(lambda: reap(self.worker), 30, "the worker's end")
        return found[1], time.monotonic() - began


def reap(pid):
    """Of a child of ours that has ended: its parent may be another one so far."""
    try:
        found = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return found if found[0] == pid else None


def test_worker_ends_with_its_parent_and_commits_what_it_has():
    job = Job(partitions=1, interval="60s")
    parent = Parent(job, "--with-parent")
    lib.wait_until(lambda: "claims" in parent.text(), 30, "the claim")
    broker.produce(job.topic, [f"T,{i}" for i in range(50)])
    time.sleep(3)  # it reads them, and outlives the thread that started it
    assert pathlib.Path(f"/proc/{parent.worker}").exists() and job.rows() == []
    parent.kill()
    status, seconds = parent.wait_for_worker()
    assert status == 0 and seconds < END_S, (status, seconds, parent.text())
    assert "info  the process that started this one is gone: stopping\n" in parent.text(), parent.text()
    assert job.rows() == sorted(map(str, range(50))), job.rows()


def test_without_it_a_worker_outlives_its_parent():
    job = Job(partitions=1)
    parent = Parent(job)
    lib.wait_until(lambda: "claims" in parent.text(), 30, "the claim")
    parent.kill()
    time.sleep(3)
    assert reap(parent.worker) is None
    os.kill(parent.worker, signal.SIGTERM)
    assert parent.wait_for_worker()[0] == 0


def test_a_worker_whose_output_nobody_reads_any_more_has_lost_its_parent():
    """As when it was gone before the worker could look."""
    job = Job(partitions=1)
    read, write = os.pipe()
    worker = subprocess.Popen([lib.program(), "run", job.script, "--with-parent"], stdin=subprocess.DEVNULL,
                              stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    time.sleep(2)
    assert worker.poll() is None
    os.close(read)
    _, err = worker.communicate(timeout=END_S)
    assert worker.returncode == 0, err
    assert b" info  the process that started this one is gone: stopping\n" in err, err


def test_a_parent_that_was_gone_before_it_could_be_looked_for():
    """Its number says so, whoever the parent is by now; that of a living one changes nothing."""
    job = Job(partitions=1)
    gone = subprocess.Popen(["true"])
    gone.wait()
    worker = lib.Started("run", job.script, "--with-parent", env={**os.environ, "TRAMLINE_PARENT": str(gone.pid)})
    lib.wait_until(lambda: not worker.is_running(), END_S, "its end")
    assert " info  the process that started this one is gone: stopping\n" in worker.text(), worker.text()
    worker = lib.Started("run", job.script, "--with-parent", env={**os.environ, "TRAMLINE_PARENT": str(os.getpid())})
    lib.wait_until(lambda: "claims" in worker.text(), 30, "the claim")
    worker.stop()
    assert "is gone" not in worker.text(), worker.text()
    done = lib.run("run", job.script, "--with-parent", "--once", env={**os.environ, "TRAMLINE_PARENT": "x"})
    assert "TRAMLINE_PARENT is 'x', which is no process's number: passed over" in done.err, done.err


def test_a_stop_that_is_under_way_is_not_hurried():
    """The second SIGTERM ends a worker at once; the loss of its parent is none."""
    job = Job(partitions=1, interval="60s")
    parent = Parent(job, "--with-parent")
    lib.wait_until(lambda: "claims" in parent.text(), 30, "the claim")
    broker.produce(job.topic, [f"T,{i}" for i in range(50)])
    time.sleep(2)
    os.kill(parent.worker, signal.SIGTERM)
    parent.kill()
    status, _ = parent.wait_for_worker()
    assert status == 0 and len(job.rows()) == 50, (status, parent.text())
