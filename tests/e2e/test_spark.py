# SPDX-License-Identifier: Apache-2.0
# test: takes 180
# test: needs kafka hdfs
# test: limit 900
# test: not-asan the nodes get the bundle of the release build
"""The same script on a real Spark cluster, by `tramline spark`: a master and two workers, each a JVM,
Kafka and HDFS real. What it gives is what the sqlite3 shell makes of the feed, as a plain run's."""
import functools
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request

import broker
import feeds
import job
import lib
import results
import spark

SUBMIT_LIMIT_S = 240


@functools.cache
def cluster():
    spark.home()
    return spark.Cluster()


def placed(work, *words, options=()):
    return spark.Submitted(cluster(), [work.script, *work.sets, "--workers", 2, *words], options)


def check(work, name):
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS[name][1]), report
    assert results.digest(results.iter_result(work.result)) == feeds.expected(name)
    feeds.second_opinion(work)


def nothing_is_left():
    lib.wait_until(lambda: not cluster().programs(), spark.ENDS_S, "the end of all workers")


def writers(work):
    """Names of the workers that committed, without their hosts."""
    return {entry["worker"].split("/", 1)[1] for entry in history(work) if entry.get("records")}


def history(work):
    """Of the log; [] while there is none."""
    return [json.loads(line) for line in work.tramline("history", "--json", "--limit", 100000, code=None).out.splitlines()]


def test_stm_by_two_executors():
    work = feeds.prepared("stm-2014-extract")
    submitted = placed(work, "--once", options=["--name", "by the user", "--conf", "spark.executor.cores=2"])
    submitted.wait(SUBMIT_LIMIT_S)
    assert "Submitted application: by the user" in submitted.text(), submitted.text()
    assert len(re.findall(r"Granted executor ID .* with 2 core\(s\)", submitted.text())) == 2, submitted.text()
    assert submitted.lines()[-1] == "tramline spark: all 2 workers are at the end of the stream", submitted.text()
    assert len({name.rpartition("/")[2] for name in writers(work)}) == 2, writers(work)
    check(work, "stm-2014-extract")
    nothing_is_left()


def by_units(work, *words, options=()):
    """Tasks of at most 2,000 offsets, so that one trigger has several of one partition."""
    return placed(work, "--engine", "units", "--records", 2000, *words, options=options)


def test_both_feeds_by_units():
    for name in ("stm-2014-extract", "madrid-metro"):
        work = feeds.prepared(name)
        submitted = by_units(work, "--once")
        submitted.wait(SUBMIT_LIMIT_S)
        assert submitted.lines()[-1] == "tramline spark: all that was in the stream is committed", submitted.text()
        check(work, name)
        nothing_is_left()


def test_madrid_by_two_executors_until_a_signal():
    """Its numbers are in Spark's pages and among its metrics; SIGTERM to the driver commits and ends."""
    work = feeds.prepared("madrid-metro", settings={"commit.interval": "1s"})
    page = spark.free_port()
    submitted = placed(work, options=["--conf", f"spark.ui.port={page}"])
    said = lib.wait_until(lambda: [line for line in submitted.lines() if " 0 records wait" in line], 120, "its end")
    entry, committed = said[-1].split("entry ")[1].split(" offsets")[0].split(": ")
    base = f"http://127.0.0.1:{page}"
    jobs = get(f"{base}/api/v1/applications/{get(f'{base}/api/v1/applications')[0]['id']}/jobs")
    texts = [j.get("description", "") for j in jobs]
    assert any(f"entry {entry}: {committed} offsets are committed" in text for text in texts), texts
    assert sorted(t.split(":")[0] for t in texts if "tramline run" in t) == ["worker 1 of 2", "worker 2 of 2"]
    gauges = get(f"{base}/metrics/json")["gauges"]
    found = {name.rpartition("tramline.")[2]: value["value"] for name, value in gauges.items() if "tramline." in name}
    assert found["committed"] == int(committed.replace(",", "")) and found["lag_records"] == 0, found
    os.kill(submitted.driver(), signal.SIGTERM)
    submitted.wait(60)
    assert submitted.lines()[-1].startswith("tramline spark: stopped by signal 15"), submitted.lines()[-3:]
    nothing_is_left()
    check(work, "madrid-metro")


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def test_a_final_error_ends_it_at_once_with_the_programs_words():
    """Wrong data on one worker: nothing is tried again, the other one goes."""
    work = feeds.prepared("stm-2014-extract", settings={"on_error": "fail"})
    broker.produce(work.topic, ["this is no stop time,,,,trôp"])
    began = time.monotonic()
    submitted = placed(work)
    assert submitted.wait(SUBMIT_LIMIT_S, code=None) == 3, submitted.text()
    last = submitted.lines()[-1]
    assert last.startswith("tramline spark: ") and work.topic in last and "starts again" not in submitted.text(), last
    assert "'trôp' is not an INT" in last, last
    print(f"ended after {time.monotonic() - began:.0f} s", flush=True)
    nothing_is_left()


def test_ten_commands_of_the_page():
    """docs/spark.md, in one shell, with servers at hand and ports that are free."""
    spark.home()
    (script,) = re.findall(r"```sh\n(.*?)```", (lib.ROOT / "docs/spark.md").read_text(), re.S)
    commands = script.splitlines()
    assert len(commands) == 10, commands
    logs = lib.tmp_dir()
    port = str(spark.free_port())
    script = script.replace("7077", port).replace("NAME=spark", f"NAME={lib.fresh_name('spark')}")
    script = script.replace("build/master.log", f"{logs}/master.log").replace("build/worker.log", f"{logs}/worker.log")
    env = {**spark.environ(), "STACK_DIR": os.environ["TRAMLINE_STACK_DIR"], "XDG_STATE_HOME": str(lib.tmp_dir()),
           "FEED": str(lib.feed_dir("stm-2014-extract"))}
    shell = subprocess.Popen(["bash", "-euxc", script], cwd=lib.ROOT, env=env, text=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        out, _ = shell.communicate(timeout=400)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)  # master and worker, whose executors are gone by then
    print(out[-6000:], flush=True)
    assert shell.returncode == 0, shell.returncode
    assert "all 2 workers are at the end of the stream" in out and "no gap, no duplicate" in out


DYNAMIC = ["--conf", "spark.dynamicAllocation.enabled=true", "--conf", "spark.dynamicAllocation.maxExecutors=2",
           "--conf", "spark.dynamicAllocation.executorIdleTimeout=3s"]


@lib.only_long
def test_executors_that_come_and_go():
    """By units: they go while there is nothing to make, and come back. Placement says that it has as many as it has."""
    work = feeds.prepared("stm-2014-extract", settings={"commit.interval": "1s"})
    submitted = by_units(work, options=DYNAMIC)
    lib.wait_until(lambda: commits(work) > 0, SUBMIT_LIMIT_S, "a commit")  # before, there is nothing to verify
    for n in (1, 2):
        lib.wait_until(lambda n=n: work.verify()["rows"] == n * feeds.COUNTS["stm-2014-extract"][1], 200, "all rows")
        lib.wait_until(lambda: cluster().executors() == [], 60, "the end of executors without work")
        work.produce(lib.feed_dir("stm-2014-extract"))
    lib.wait_until(lambda: work.verify()["rows"] == 3 * feeds.COUNTS["stm-2014-extract"][1], 200, "all rows")
    os.kill(submitted.driver(), signal.SIGTERM)
    submitted.wait(60)
    submitted = placed(work, "--once", options=DYNAMIC)
    submitted.wait(SUBMIT_LIMIT_S)
    assert "spark.dynamicAllocation.enabled is set to false" in submitted.text(), submitted.text()
    nothing_is_left()


# Faults


def commits(work):
    """How many there are."""
    return sum(bool(entry.get("records")) for entry in history(work))


def wait_for_commit(work, seen, limit_s):
    """Asks seldom, since each time a program reads the log."""
    def is_there():
        time.sleep(1)
        return commits(work) > seen

    lib.wait_until(is_there, limit_s, "a commit")


def wound_executor(submitted):
    spark.kill(random.choice(cluster().executors()), signal.SIGKILL)
    return submitted


def wound_driver(submitted):
    """All of its JVM; another submit goes on."""
    submitted.kill()
    nothing_is_left()
    return None


def wound_daemon(submitted):
    """A Worker; its executors end, and another one takes its place."""
    i = random.randrange(spark.N_WORKERS)
    cluster().workers[i].kill()
    cluster().workers[i] = cluster().start_worker(i)
    return submitted


def freeze_executor(submitted):
    """For longer than Spark takes it for alive: its worker goes on beside the one in its place."""
    pid = random.choice(cluster().executors())
    spark.kill(pid, signal.SIGSTOP)
    time.sleep(30)
    spark.kill(pid, signal.SIGCONT)
    return submitted


def faults(wound, submit, limit_s=150):
    """Commits of 1 MB, wounds at random moments; then as if nothing had been."""
    work = feeds.prepared("madrid-metro", settings={"commit.bytes": "1MB", "commit.interval": "1s"})
    feed = lib.feed_dir("madrid-metro")
    submitted, times, began = submit(work), 1, time.monotonic()
    for i in range(int(os.environ.get("ROUNDS", "10"))):
        seen = commits(work)
        work.produce(feed)
        times += 1
        wait_for_commit(work, seen, limit_s)
        time.sleep(random.random() * 3)
        print(f"round {i}: {time.monotonic() - began:.0f} s, {commits(work)} commits", flush=True)
        left = wound(submitted)
        if left is None:
            submitted = submit(work)
        lib.wait_until(lambda: orphans() == [], spark.ENDS_S, "the end of workers without an executor")
    submitted.kill()
    check_times(work, times)


def check_times(work, times):
    """The feed was produced so often; what is left of it is read on this machine, as the log is the same."""
    nothing_is_left()
    work.run_once(limit_s=120)
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, times * feeds.COUNTS["madrid-metro"][1]), report
    once = feeds.expected("madrid-metro")
    assert results.digest(results.iter_result(work.result)) == (times * once[0], times * once[1] % 2**64)


def orphans():
    executors = cluster().executors()
    return [pid for pid in cluster().programs() if spark.parent_of(pid) not in executors]


@lib.only_long
def test_executors_are_killed():
    faults(wound_executor, placed)


@lib.only_long
def test_drivers_are_killed():
    faults(wound_driver, placed)


@lib.only_long
def test_worker_daemons_are_killed():
    faults(wound_daemon, placed)


@lib.only_long
def test_executors_stand_still():
    faults(freeze_executor, placed)


@lib.only_long
def test_executors_are_killed_of_units():
    faults(wound_executor, by_units)


@lib.only_long
def test_drivers_are_killed_of_units():
    faults(wound_driver, by_units)


@lib.only_long
def test_worker_daemons_are_killed_of_units():
    faults(wound_daemon, by_units)


@lib.only_long
def test_executors_stand_still_of_units():
    faults(freeze_executor, by_units)


def turns(ways, limit_s):
    """One stream, eight changes between them, each by a stop or a kill, records coming meanwhile. The first way is a
    run on this machine."""
    work = feeds.prepared("madrid-metro", settings={"commit.bytes": "1MB", "commit.interval": "1s"})
    feed, times = lib.feed_dir("madrid-metro"), 1
    for i in range(9):
        seen = commits(work)
        submit = ways[i % len(ways)]
        running = submit(work)
        work.produce(feed)
        times += 1
        wait_for_commit(work, seen, limit_s)
        if i % 2:
            running.kill()
        else:
            os.kill(running.driver() if i % len(ways) else running.process.pid, signal.SIGTERM)
            running.wait(60, code=None)
    check_times(work, times)


@lib.only_long
def test_laptop_and_cluster_by_turns():
    turns((job.Job.start, placed, by_units), 150)
