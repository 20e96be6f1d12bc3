# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: alone
# test: limit 900
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark --engine sql` on a real cluster: Spark's SQL decodes and enriches, and what comes of it is
what the sqlite3 shell makes of the feed, in the same log as that of any other engine."""
from test_spark import SUBMIT_LIMIT_S, check, nothing_is_left, placed, prepared

DONE = "tramline spark: all that was in the stream is committed"


def by_sql(work, *words, options=()):
    """Tasks of at most 2,000 offsets, so that one trigger has several of one partition."""
    return placed(work, "--engine", "sql", "--records", 2000, *words, options=options)


def check_feed(name):
    work = prepared(name)
    submitted = by_sql(work, "--once")
    submitted.wait(SUBMIT_LIMIT_S)
    assert submitted.lines()[-1] == DONE, submitted.text()
    check(work, name)
    nothing_is_left()


def test_stm_by_sql():
    check_feed("stm-2014-extract")
