# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 600
"""Workers are killed again and again while records keep coming; nothing is lost or doubled."""
import random
import subprocess
import sys
import time

import job
import lib
import oracle
import results

N_KILLS = 30
N_BETWEEN_STEPS = 10
FEED = "stm-2021-metro-rebuilt"
ROUNDS = 40  # how often the feed's stop_times are produced
SETTINGS = {"commit.interval": "300ms", "batch.interval": "50ms"}


def hdfs():
    return lib.hdfs_url("/").rstrip("/")


def between_steps(result):
    """Files of commits that were not renamed yet, or were uploaded and never published: what a
    kill between two steps of a commit leaves behind."""
    place = results.open_dir(result)
    return [p for p in place.walk("_tramline") if p.startswith("_tramline/tmp/")]


def test_killed_again_and_again():
    feed = lib.feed_dir(FEED)
    work = job.Job(hdfs(), SETTINGS)
    work.init()
    work.extract(feed)
    dice = random.Random(20261122)
    n_kills = n_between = 0
    for round_number in range(ROUNDS):
        work.produce(feed)
        workers = [work.start() for _ in range(1 + round_number % 2)]
        time.sleep(dice.uniform(0.2, 2.5))
        for worker in workers:
            if worker.is_running():
                worker.kill()
                n_kills += 1
            else:
                raise AssertionError(f"a worker ended by itself:\n{worker.text()[-3000:]}")
        n_between += bool(between_steps(work.result))
    print(f"{n_kills} kills; after {n_between} of {ROUNDS} rounds files of an open commit were "
          "found", flush=True)
    assert n_kills >= N_KILLS and n_between >= N_BETWEEN_STEPS
    work.run_once(limit_s=200)
    report = work.verify()
    assert report["errors"] == 0, report
    got = results.rows_of_result(work.result)
    once = oracle.expected_rows(feed)
    results.same_rows(got, type(once)({row: n * ROUNDS for row, n in once.items()}))
    done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", work.result],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


lib.main()
