# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: alone
# test: long
# test: limit 1800
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark` on YARN: a real resource manager and node manager, the driver on this machine and in a
container. Both feeds are what the sqlite3 shell makes of them; an application that is killed leaves nothing."""
import functools

import feeds
import lib
import results
import spark
import yarn

SUBMIT_LIMIT_S = 400
GONE_S = 30


@functools.cache
def cluster():
    return yarn.Cluster()


def submit(work, mode, *words):
    return yarn.Submitted(cluster(), mode, [work.script, *work.sets, "--workers", 2, *words])


def nothing_is_left():
    lib.wait_until(lambda: not cluster().programs(), GONE_S, "the end of all containers")


def whole_feed(name, mode):
    work = feeds.prepared(name)
    submitted = submit(work, mode, "--once")
    try:
        submitted.wait(SUBMIT_LIMIT_S)
    except AssertionError:
        print(cluster().logs()[-6000:], flush=True)
        raise
    said = submitted.text() if mode == "client" else cluster().logs()
    assert "tramline spark: all 2 workers are at the end of the stream" in said, said[-3000:]
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS[name][1]), report
    assert results.digest(results.iter_result(work.result)) == feeds.expected(name)
    nothing_is_left()


def test_stm_in_client_mode():
    whole_feed("stm-2014-extract", "client")


def test_stm_in_cluster_mode():
    whole_feed("stm-2014-extract", "cluster")


def test_madrid_in_client_mode():
    whole_feed("madrid-metro", "client")


def test_madrid_in_cluster_mode():
    whole_feed("madrid-metro", "cluster")


def test_units_in_client_mode_beside_another_script():
    """In this mode Spark gives the driver nothing of --files: script and values are where they were given."""
    work = feeds.prepared("stm-2014-extract")
    folder = lib.tmp_dir()
    (folder / work.script.name).write_text("another script")
    (folder / "values").mkdir()
    at = next(i for i, word in enumerate(work.sets) if word.startswith("NAME="))
    (folder / "values/name").write_text(work.sets[at].partition("=")[2])
    sets = [*work.sets[:at - 1], "--set-file", f"NAME={folder}/values/name", *work.sets[at + 1:]]
    words = [work.script, *sets, "--workers", 2, "--once", "--engine", "units"]
    submitted = yarn.Submitted(cluster(), "client", words, cwd=folder)
    submitted.wait(SUBMIT_LIMIT_S)
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS["stm-2014-extract"][1]), report
    nothing_is_left()


def test_a_killed_application_leaves_nothing():
    """Two workers that would run for ever, and the driver with them; then a run of this machine goes on."""
    work = feeds.prepared("madrid-metro", settings={"commit.interval": "1s"})
    submitted = submit(work, "cluster")
    lib.wait_until(lambda: running_workers() == 2, SUBMIT_LIMIT_S, "two workers")
    lib.wait_until(lambda: '"' in work.tramline("history", "--json", code=None).out, 120, "an entry of theirs")
    (identity,) = cluster().applications()
    cluster().application_kill(identity)
    nothing_is_left()
    submitted.wait(120, code=None)
    work.run_once(limit_s=120)
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS["madrid-metro"][1]), report
    assert results.digest(results.iter_result(work.result)) == feeds.expected("madrid-metro")


def running_workers():
    return len([pid for pid in spark.find_processes(lambda words: "--exit-line" in words)
                if pid in cluster().programs()])
