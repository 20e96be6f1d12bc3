# SPDX-License-Identifier: Apache-2.0
"""A job whose workers are killed round after round while records keep coming."""
import base64
import collections
import itertools
import random
import subprocess
import sys
import time

import broker
import lib
import oracle
import results

N_BAD = 5  # records a round that no row can come of
SETTINGS = {"commit.interval": "100ms", "batch.interval": "20ms"}


def open_commits(result):
    """Data files and entries on their way: uploaded and not published, or published and not yet
    renamed. What a kill between two steps of a commit leaves behind."""
    place = results.open_dir(result)
    return set(place.walk("_tramline/tmp")) if place.exists("_tramline/tmp") else set()


class Victim:
    """`work` is a job.Job; each worker that starts takes the next of `programs` (None: the one under test)
    and lives up to `life_s` from a claim on."""

    def __init__(self, work, seed, feed, programs=(None,), life_s=1.5, rows_of=results.rows_of_result):
        self.work, self.feed, self.dice, self.life_s = work, feed, random.Random(seed), life_s
        self.programs, self.rows_of = itertools.cycle(programs), rows_of
        self.work.init()
        self.work.extract(feed)
        self.n_rounds = self.n_kills = self.n_between = 0
        self.seen, self.bad = set(), []

    def wait_for_kill(self, workers):
        """At the start, or while they work, however long it takes them to begin."""
        if self.n_rounds % 4 == 0:
            time.sleep(self.dice.uniform(0.1, 2))
            return
        lib.wait_until(lambda: any("claims" in worker.text() for worker in workers), what="a claim")
        time.sleep(self.dice.uniform(0, self.life_s))

    def one_round(self, n_workers):
        """Records keep coming while the workers run; then all of them are killed at once."""
        producer = lib.Started("produce", self.feed, self.work.script, "--rate=1500", *self.work.sets)
        bad = [f"bad {self.n_rounds} {i}" for i in range(N_BAD)]
        broker.produce(self.work.topic, bad)
        workers = [self.work.start(binary=next(self.programs)) for _ in range(n_workers)]
        self.wait_for_kill(workers)
        for worker in workers:
            if not worker.is_running():
                raise AssertionError(f"a worker ended by itself:\n{worker.text()[-3000:]}")
            worker.kill()
        producer.wait()
        left = open_commits(self.work.result)
        self.n_between += bool(left - self.seen)
        self.seen |= left
        self.n_kills += len(workers)
        self.n_rounds += 1
        self.bad += bad

    def check(self):
        self.work.run_once(limit_s=200 + self.n_rounds)
        report = self.work.verify()
        assert report["errors"] == 0 and report["rejected"] == len(self.bad), report
        letters = [base64.b64decode(letter["value"]).decode()
                   for letter in results.dead_letters(self.work.result)]
        assert sorted(letters) == sorted(self.bad), collections.Counter(letters)
        once = oracle.expected_rows(self.feed)
        results.same_rows(self.rows_of(self.work.result),
                          type(once)({row: n * self.n_rounds for row, n in once.items()}))
        done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", self.work.result],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
