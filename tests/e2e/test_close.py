# SPDX-License-Identifier: Apache-2.0
# test: takes 60
# test: waits
# test: needs kafka
# test: limit 1200
"""Every run ends. Members of one group come and go all the time, so that each closes while the
group is about to share the partitions out again; then a client library that never comes back from
its close, by a library of the test's own that is loaded before it."""
import os
import random
import signal
import subprocess
import threading
import time

import broker
import lib
import results

SCRIPT = """SET commit.interval = '200ms';
SET spool = '{root}/spool';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
RUN_LIMIT_S = 60  # far above what a run takes on a busy machine; one that hangs takes minutes
PARTITIONS = 4


class Job:
    def __init__(self, brokers=None):
        self.root = lib.tmp_dir()
        self.brokers = brokers
        self.topic = broker.create_topic(partitions=PARTITIONS, brokers=brokers)
        self.script = self.root / "pipeline.sql"
        self.script.write_text(SCRIPT.format(root=self.root, topic=self.topic,
                                             brokers=brokers or lib.brokers()))
        self.sent = []

    def send(self, n):
        names = [f"n{len(self.sent) + i}" for i in range(n)]
        broker.produce(self.topic, [f"T,{name}" for name in names], brokers=self.brokers)
        self.sent += names

    def check(self):
        rows = [row[1] for row in results.iter_result(self.root / "r")]
        assert sorted(rows) == sorted(self.sent), (len(rows), len(self.sent))


class Runs:
    """Threads that start and end workers of a job, one after the other, until n have ended."""

    def __init__(self, job, n, n_threads):
        self.job, self.left, self.failed, self.longest = job, n, None, 0
        self.lock = threading.Lock()
        self.chance = random.Random(n)
        self.threads = [threading.Thread(target=self.one_after_the_other)
                        for _ in range(n_threads)]
        for thread in self.threads:
            thread.start()

    def take(self):
        with self.lock:
            if self.left == 0 or self.failed:
                return None
            self.left -= 1
            return self.chance.random()

    def one_after_the_other(self):
        while (chance := self.take()) is not None:
            began = time.monotonic()
            try:
                self.once() if chance < 0.5 else self.stopped(chance)
            except Exception as reason:
                self.failed = reason
            self.longest = max(self.longest, time.monotonic() - began)

    def once(self):
        self.end(subprocess.Popen([lib.program(), "run", "--once", self.job.script],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE))

    def stopped(self, chance):
        """Asked to end while it joins, reads or is about to give its partitions back."""
        process = subprocess.Popen([lib.program(), "run", self.job.script],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(0.1 + chance)
        process.send_signal(signal.SIGTERM)
        self.end(process)

    def end(self, process):
        try:
            _, err = process.communicate(timeout=RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"still running after {RUN_LIMIT_S} s:"
                                 f" {process.communicate()[1].decode()}") from None
        assert process.returncode == 0, (process.returncode, err.decode())

    def wait(self):
        for thread in self.threads:
            thread.join()
        print(f"the longest run took {self.longest:.1f} s", flush=True)
        if self.failed:
            raise self.failed


def test_short_runs_end_while_the_group_changes():
    job = Job()
    runs = Runs(job, 500 if lib.is_long() else 40, 4)
    while any(thread.is_alive() for thread in runs.threads):
        job.send(20)
        time.sleep(0.2)
    runs.wait()
    job.send(1)
    lib.run("run", "--once", job.script)
    job.check()
    assert lib.run("verify", "--deep", "--json", job.script).json()["errors"] == 0


def test_a_worker_ends_while_the_group_does_not_answer():
    stack = lib.Stack("kafka")
    job = Job(stack.env["TRAMLINE_BROKERS"])
    job.send(20)
    worker = lib.Started("run", job.script)
    lib.wait_until(lambda: len(results.rows_of_result(job.root / "r")) == 20, 30, "the rows")
    stack.pause("kafka")
    worker.stop(limit_s=15)
    stack.resume("kafka")
    job.check()


HANGING = """
#include <unistd.h>
void {function}() {{ for (;;) pause(); }}
"""


def hanging(function):
    """The environment in which this function of the client library never comes back."""
    directory = lib.tmp_dir()
    (directory / "hang.c").write_text(HANGING.format(function=function))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", directory / "hang.so", directory / "hang.c"],
                   check=True)
    return {"LD_PRELOAD": str(directory / "hang.so"), "ASAN_OPTIONS": ":".join(
        [*filter(None, [os.environ.get("ASAN_OPTIONS")]), "verify_asan_link_order=0"])}


def test_what_the_client_does_not_give_back_is_left_behind():
    for function in ("rd_kafka_unsubscribe", "rd_kafka_memberid", "rd_kafka_committed",
                     "rd_kafka_destroy_flags"):
        job = Job()
        job.send(20)
        done = lib.run("run", "--once", job.script, limit_s=20, env=hanging(function))
        assert "committed 20 records" in done.err, (function, done.err)
        job.check()


def test_a_run_that_failed_says_why_and_with_which_code_also_then():
    job = Job()
    job.script.write_text("SET on_error = 'fail';\n" + job.script.read_text())
    broker.produce(job.topic, ["T"])
    plain = lib.run("run", "--once", job.script, code=3)
    done = lib.run("run", "--once", job.script, code=3, limit_s=20,
                   env=hanging("rd_kafka_destroy_flags"))
    assert done.err.splitlines()[-1] == plain.err.splitlines()[-1], (plain.err, done.err)


def test_produce_ends_when_all_is_sent():
    job = Job()
    file = job.root / "s.txt"
    file.write_text("trip_id,stop_id\nT,n0\n")
    lib.run("produce", file, job.script, limit_s=20, env=hanging("rd_kafka_purge"))
    job.sent = ["n0"]
    lib.run("run", "--once", job.script)
    job.check()
