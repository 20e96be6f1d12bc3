# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: alone
# test: long
# test: limit 900
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark` over an HDFS with Kerberos: the driver alone has a ticket. Workers sign in by delegation
tokens, which are renewed, and are replaced when they cannot be renewed any more."""
import functools
import json
import os
import pathlib
import signal
import time
import urllib.request

import broker
import lib
import secure_hdfs
import spark

SUBMIT_LIMIT_S = 300
RENEWED_S, LIFE_S = 25, 70
TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"


@functools.cache
def secure():
    return secure_hdfs.Secure({"dfs.namenode.delegation.token.renew-interval": RENEWED_S * 1000,
                               "dfs.namenode.delegation.token.max-lifetime": LIFE_S * 1000})


@functools.cache
def ticket():
    return secure().realm.as_user(secure().realm.keytab("transit"))


@functools.cache
def cluster():
    spark.home()
    return spark.Cluster()


def prepared():
    work = secure_hdfs.make_job(secure())
    feed = lib.tmp_dir()
    (feed / "trips.txt").write_text(TRIPS)
    (feed / "calendar_dates.txt").write_text(DATES)
    work.tramline("init", env=ticket())
    work.tramline("extract", before=[feed], env=ticket())
    return work


class Submitted(spark.Submitted):
    def __init__(self, work, env, *words, options=()):
        self.cluster = cluster()
        called = spark.call(cluster(), [work.script, *work.sets, "--workers", 2, *words], [*spark.PATIENT, *options])
        lib.Started.__init__(self, *called, env={**spark.environ(), **env})


def check_rows(work, n):
    report = work.verify(env=ticket())
    assert (report["errors"], report["rows"]) == (0, n), report


def tokens_of(submitted):
    """Those that the driver has now, as it keeps them."""
    def keepers():
        found = spark.find_processes(lambda words: "token" in words[1:2] and "--keep" in words)
        return [pid for pid in found if spark.parent_of(pid) == submitted.driver()]

    (mine,) = lib.wait_until(keepers, SUBMIT_LIMIT_S, "who keeps the tokens")
    words = open(f"/proc/{mine}/cmdline", encoding="utf-8").read().split("\0")
    file = words[words.index("--out") + 1]
    lib.wait_until(lambda: os.path.exists(file), SUBMIT_LIMIT_S, "the tokens")
    assert os.stat(file).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(file)).st_mode & 0o777 == 0o700
    return file


def by_tokens(engine):
    work = prepared()
    broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(100)])
    page = spark.free_port()
    submitted = Submitted(work, ticket(), "--engine", engine, "--once", options=["--conf", f"spark.ui.port={page}"])
    file = tokens_of(submitted)
    (token,) = [each["token"] for each in json.loads(pathlib.Path(file).read_text())["tokens"]]
    shown = [environment(page), *arguments()]
    submitted.wait(SUBMIT_LIMIT_S)
    check_rows(work, 100)
    assert token[20:80] not in "\n".join([submitted.text(), *shown, *logs_of_executors()])


def logs_of_executors():
    return [path.read_text(errors="replace") for path in cluster().dir.glob("work*/*/*/std*")]


def test_units_by_tokens():
    by_tokens("units")


def test_sql_by_tokens():
    """Its tasks find them in their environment."""
    by_tokens("sql")


def test_a_driver_without_a_ticket_says_so():
    work = prepared()
    submitted = Submitted(work, secure().realm.env, "--once")
    assert submitted.wait(SUBMIT_LIMIT_S, code=None) == 1
    assert submitted.lines()[-1] == ("tramline spark: HDFS gave no delegation tokens for the workers; the reason is "
                                     "above"), submitted.text()
    assert "the name node does not accept the Kerberos ticket; get one by kinit" in submitted.text()


def test_workers_without_a_ticket_outlive_their_tokens():
    work = prepared()
    page = spark.free_port()
    submitted = Submitted(work, ticket(), options=["--conf", f"spark.ui.port={page}"])
    lib.wait_until(lambda: len(cluster().programs()) == 2, SUBMIT_LIMIT_S, "two workers")
    file = tokens_of(submitted)
    seen, shown, began, n = set(), [], time.monotonic(), 0
    while time.monotonic() - began < 2.2 * LIFE_S:
        broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(n, n + 10)])
        n += 10
        seen.add(open(file, encoding="utf-8").read().split('"token":"')[1].split('"')[0])
        shown.append(environment(page))
        shown.extend(arguments())
        time.sleep(2)
    os.kill(submitted.driver(), signal.SIGTERM)
    submitted.wait(60)
    lib.wait_until(lambda: not cluster().programs(), spark.ENDS_S, "the end of all workers")
    assert not os.path.exists(file)
    work.run_once(env=ticket())
    check_rows(work, n)
    assert len(seen) >= 3, seen
    whole = "\n".join([submitted.text(), *shown, *logs_of_executors()])
    assert "is good until" in submitted.text() and not [token for token in seen if token[20:80] in whole]
    print(submitted.text()[-3000:], f"{len(seen)} tokens", flush=True)


def environment(page):
    base = f"http://127.0.0.1:{page}/api/v1/applications"
    with urllib.request.urlopen(base, timeout=60) as answer:
        identity = answer.read().decode().split('"id" : "')[1].split('"')[0]
    with urllib.request.urlopen(f"{base}/{identity}/environment", timeout=60) as answer:
        return answer.read().decode()


def arguments():
    """Of all processes, as everybody on the machine sees them."""
    found = []
    for pid in spark.find_processes(lambda words: True):
        try:
            found.append(open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace").read())
        except OSError:
            pass
    return found
