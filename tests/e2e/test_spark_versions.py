# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: alone
# test: long
# test: limit 900
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark` on older versions of Spark: one feed by each engine on a cluster of each."""
import os

import feeds
import lib
import results
import spark

FEED = "stm-2014-extract"
ENGINES = ("placement", "units", "sql")
SUBMIT_LIMIT_S = 300


def on_version(version):
    os.environ["SPARK_VERSION"] = version
    spark.home.cache_clear()
    cluster = spark.Cluster()
    assert spark.version() == version
    try:
        for engine in ENGINES:
            work = feeds.prepared(FEED)
            words = [work.script, *work.sets, "--workers", 2, "--once", "--engine", engine]
            spark.Submitted(cluster, words, spark.PATIENT).wait(SUBMIT_LIMIT_S)
            report = work.verify()
            assert (report["errors"], report["rows"]) == (0, feeds.COUNTS[FEED][1]), report
            assert results.digest(results.iter_result(work.result)) == feeds.expected(FEED)
    finally:
        for daemon in (*cluster.workers, cluster.master):
            daemon.kill()
    lib.wait_until(lambda: not cluster.executors() and not cluster.programs(), 60, "the end of all executors")


def test_spark_3_5():
    on_version("3.5.7")


def test_spark_3_4():
    on_version("3.4.4")
