# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: alone
# test: limit 1200
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark --engine sql` on a real cluster: Spark's SQL decodes and enriches, and what comes of it is
what the sqlite3 shell makes of the feed, in the same log as that of any other engine."""
import os
import signal

import feeds
import lib
import results
import test_spark
from test_spark import check, commits, nothing_is_left, placed, prepared

DONE = "tramline spark: all that was in the stream is committed"
LIMIT_S = 480  # Spark plans and compiles the query anew in each application


def by_sql(work, *words, options=()):
    """Several orders of one partition in a trigger."""
    return placed(work, "--engine", "sql", "--records", 10000, *words, options=options)


def check_feed(name):
    work = prepared(name)
    submitted = by_sql(work, "--once")
    submitted.wait(LIMIT_S)
    assert submitted.lines()[-1] == DONE, submitted.text()
    check(work, name)
    nothing_is_left()


def test_stm_by_sql():
    check_feed("stm-2014-extract")


@lib.only_long
def test_madrid_by_sql():
    check_feed("madrid-metro")


@lib.only_long
def test_executors_are_killed_of_sql():
    test_spark.faults(test_spark.wound_executor, by_sql)


@lib.only_long
def test_drivers_are_killed_of_sql():
    test_spark.faults(test_spark.wound_driver, by_sql)


@lib.only_long
def test_worker_daemons_are_killed_of_sql():
    test_spark.faults(test_spark.wound_daemon, by_sql)


@lib.only_long
def test_executors_stand_still_of_sql():
    test_spark.faults(test_spark.freeze_executor, by_sql)


@lib.only_long
def test_laptop_and_all_engines_by_turns():
    """One stream, eight changes between a run here, placement, units and sql, each by a stop or a kill, records
    coming meanwhile."""
    work = prepared("madrid-metro", settings={"commit.bytes": "1MB", "commit.interval": "1s"})
    feed, times = lib.feed_dir("madrid-metro"), 1
    ways = (work.start, lambda: placed(work), lambda: placed(work, "--engine", "units"), lambda: by_sql(work))
    for i in range(9):
        seen = commits(work)
        running = ways[i % 4]()
        work.produce(feed)
        times += 1
        lib.wait_until(lambda: commits(work) > seen, 240, "a commit")
        if i % 2:
            running.kill()
        else:
            os.kill(running.driver() if i % 4 else running.process.pid, signal.SIGTERM)
            running.wait(60, code=None)
    nothing_is_left()
    work.run_once(limit_s=120)
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, times * feeds.COUNTS["madrid-metro"][1]), report
    once = feeds.expected("madrid-metro")
    assert results.digest(results.iter_result(work.result)) == (times * once[0], times * once[1] % 2**64)
