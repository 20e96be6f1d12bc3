# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 900
"""Workers are killed again and again while records keep coming; nothing is lost or doubled."""
import base64
import collections
import concurrent.futures
import random
import subprocess
import sys
import time

import broker
import job
import lib
import oracle
import results

N_KILLS = 300 if lib.is_long() else 30
N_BETWEEN_STEPS = 10
FEED = "stm-2021-metro-rebuilt"
# Side by side: after a kill each job waits until the dead are missed.
N_JOBS = 4
ROUNDS_MAX = 400
N_BAD = 5  # records a round that no row can come of
SETTINGS = {"commit.interval": "100ms", "batch.interval": "20ms"}


def hdfs():
    return lib.hdfs_url("/").rstrip("/")


def open_commits(result):
    """Data files and entries on their way: uploaded and not published, or published and not yet
    renamed. What a kill between two steps of a commit leaves behind."""
    place = results.open_dir(result)
    return set(place.walk("_tramline/tmp")) if place.exists("_tramline/tmp") else set()


class Victim:
    """A job whose workers are killed round after round."""

    def __init__(self, seed, feed):
        self.feed, self.dice = feed, random.Random(seed)
        self.work = job.Job(hdfs(), SETTINGS)
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
        time.sleep(self.dice.uniform(0, 1.5))

    def one_round(self):
        """Records keep coming while the workers run; then all of them are killed at once."""
        producer = lib.Started("produce", self.feed, self.work.script, "--rate=1500", *self.work.sets)
        bad = [f"bad {self.n_rounds} {i}" for i in range(N_BAD)]
        broker.produce(self.work.topic, bad)
        workers = [self.work.start() for _ in range(1 + self.n_rounds % 2)]
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
        results.same_rows(self.work.rows(),
                          type(once)({row: n * self.n_rounds for row, n in once.items()}))
        done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", self.work.result],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_killed_again_and_again():
    feed = lib.feed_dir(FEED)
    victims = [Victim(seed, feed) for seed in range(N_JOBS)]

    def is_enough():
        return (sum(v.n_kills for v in victims) >= N_KILLS and
                sum(v.n_between for v in victims) >= N_BETWEEN_STEPS or
                sum(v.n_rounds for v in victims) >= ROUNDS_MAX)

    def all_rounds(victim):
        while not is_enough():
            victim.one_round()

    with concurrent.futures.ThreadPoolExecutor(N_JOBS) as pool:
        for done in [pool.submit(all_rounds, victim) for victim in victims]:
            done.result()
    n_kills, n_between = sum(v.n_kills for v in victims), sum(v.n_between for v in victims)
    print(f"{n_kills} kills in {sum(v.n_rounds for v in victims)} rounds; after {n_between} of them "
          "new files of an open commit were found", flush=True)
    assert n_kills >= N_KILLS and n_between >= N_BETWEEN_STEPS
    for victim in victims:
        victim.check()
