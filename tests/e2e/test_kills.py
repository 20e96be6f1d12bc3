# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 900
"""Workers are killed again and again while records keep coming; nothing is lost or doubled."""
import base64
import collections
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
ROUNDS = 28  # at least; a busy machine needs more to be met between two steps of a commit
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


def one_round(work, feed, bad, n_workers, seconds):
    """Records keep coming while the workers run; then all of them are killed at once."""
    producer = lib.Started("produce", feed, work.script, "--rate=1500", *work.sets)
    broker.produce(work.topic, bad)
    workers = [work.start() for _ in range(n_workers)]
    time.sleep(seconds)
    for worker in workers:
        if not worker.is_running():
            raise AssertionError(f"a worker ended by itself:\n{worker.text()[-3000:]}")
        worker.kill()
    producer.wait()


def test_killed_again_and_again():
    feed = lib.feed_dir(FEED)
    work = job.Job(hdfs(), SETTINGS)
    work.init()
    work.extract(feed)
    dice = random.Random(20261122)
    n_kills = n_between = 0
    seen, all_bad = set(), []
    round_number = 0
    while round_number < ROUNDS or (round_number < ROUNDS_MAX and
                                    (n_kills < N_KILLS or n_between < N_BETWEEN_STEPS)):
        n_workers = 1 + round_number % 2
        bad = [f"bad {round_number} {i}" for i in range(N_BAD)]
        all_bad += bad
        one_round(work, feed, bad, n_workers, dice.uniform(0.3, 2.5))
        n_kills += n_workers
        left = open_commits(work.result)
        n_between += bool(left - seen)
        seen |= left
        round_number += 1
    print(f"{n_kills} kills in {round_number} rounds; after {n_between} of them new files of an open "
          "commit were found", flush=True)
    assert n_kills >= N_KILLS and n_between >= N_BETWEEN_STEPS
    work.run_once(limit_s=200 + round_number)
    report = work.verify()
    assert report["errors"] == 0 and report["rejected"] == len(all_bad), report
    letters = [base64.b64decode(letter["value"]).decode()
               for letter in results.dead_letters(work.result)]
    assert sorted(letters) == sorted(all_bad), collections.Counter(letters)
    once = oracle.expected_rows(feed)
    results.same_rows(work.rows(),
                      type(once)({row: n * round_number for row, n in once.items()}))
    done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", work.result],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


lib.main()
