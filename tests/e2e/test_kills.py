# SPDX-License-Identifier: Apache-2.0
# test: takes 65
# test: waits
# test: needs kafka hdfs
# test: limit 900
"""Workers are killed again and again while records keep coming; nothing is lost or doubled."""
import concurrent.futures

import job
import lib
import victim

N_KILLS = 300 if lib.is_long() else 30
N_BETWEEN_STEPS = 10
FEED = "stm-2021-metro-rebuilt"
# Side by side: after a kill each job waits until the dead are missed.
N_JOBS = 4
ROUNDS_MAX = 400


def hdfs():
    return lib.hdfs_url("/").rstrip("/")


def test_killed_again_and_again():
    feed = lib.feed_dir(FEED)
    victims = [victim.Victim(job.Job(hdfs(), victim.SETTINGS), seed, feed) for seed in range(N_JOBS)]

    def is_enough():
        return (sum(v.n_kills for v in victims) >= N_KILLS and
                sum(v.n_between for v in victims) >= N_BETWEEN_STEPS or
                sum(v.n_rounds for v in victims) >= ROUNDS_MAX)

    def all_rounds(one):
        while not is_enough():
            one.one_round(n_workers=1 + one.n_rounds % 2)

    with concurrent.futures.ThreadPoolExecutor(N_JOBS) as pool:
        for done in [pool.submit(all_rounds, one) for one in victims]:
            done.result()
    n_kills, n_between = sum(v.n_kills for v in victims), sum(v.n_between for v in victims)
    print(f"{n_kills} kills in {sum(v.n_rounds for v in victims)} rounds; after {n_between} of them "
          "new files of an open commit were found", flush=True)
    assert n_kills >= N_KILLS and n_between >= N_BETWEEN_STEPS
    for one in victims:
        one.check()
