# SPDX-License-Identifier: Apache-2.0
# test: takes 70
# test: waits
# test: needs kafka hdfs
"""Brokers and HDFS that refuse, say nothing or are slow: the job says which and waits; a signal
ends it within 10 s, a second one at once; nothing that was committed is lost, nothing doubled."""
import collections
import re
import signal
import time

import broker
import job
import lib
import results

STOP_LIMIT_S = 10
TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"
FAST = {"commit.interval": "300ms", "batch.interval": "50ms"}


def new_job(place, settings=None, **kwargs):
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text(TRIPS)
    (directory / "calendar_dates.txt").write_text(DATES)
    work = job.Job(place, {**FAST, **(settings or {})}, **kwargs)
    work.init()
    work.extract(directory)
    return work


def produce(work, *names, size=1):
    """Records whose stop_id is the name; `size`: bytes of filling in each."""
    broker.produce(work.topic, [f"T1,{'x' * size},1,{name},1" for name in names])


def stop_ids(work):
    return collections.Counter(row[3] for row in results.iter_result(work.result))


def wait_rows(work, *names):
    expected = collections.Counter(names)
    lib.wait_until(lambda: stop_ids(work) == expected, 40, f"rows {names}")


def wait_text(worker, pattern, limit_s=30):
    return lib.wait_until(lambda: re.search(pattern, worker.text()), limit_s, pattern)


def started(work):
    """A worker that has committed record 'a'."""
    produce(work, "a")
    worker = work.start()
    wait_rows(work, "a")
    return worker


def finish(work, *names):
    """All is well again: one more run makes the result whole."""
    work.run_once()
    assert stop_ids(work) == collections.Counter(names), stop_ids(work)
    assert work.verify()["errors"] == 0


# The job says who does not answer, and goes on when they do.


def test_a_dead_name_node_is_named():
    with lib.proxied_hdfs() as (name, _, url):
        work = new_job(f"{url}/e2e/{lib.fresh_name()}")
        worker = started(work)
        name.do("refuse")
        name.do("reset")
        produce(work, "b")
        wait_text(worker, rf"warn .*name node {name.address}: .*; trying again for 300 s more "
                          r"\(SET storage\.retry\)", 15)
        time.sleep(3)
        assert len(re.findall("trying again for", worker.text())) == 1, worker.text()
        name.do("pass")
        wait_rows(work, "a", "b")
        worker.stop(STOP_LIMIT_S)
        finish(work, "a", "b")


def outage_of_brokers(fault):
    with lib.proxied_kafka() as proxy:
        work = new_job(f"file://{lib.tmp_dir()}", brokers=proxy.address)
        worker = started(work)
        for command in fault:
            proxy.do(command)
        produce(work, "b")  # by the other listener
        wait_text(worker, rf"warn .*brokers {proxy.address} cannot be reached: .*; waiting", 40)
        proxy.do("pass")
        wait_rows(work, "a", "b")
        wait_text(worker, "its brokers answer again", 10)
        assert worker.text().count("its brokers answer again") == 1, worker.text()
        worker.stop(STOP_LIMIT_S)
        finish(work, "a", "b")


def test_brokers_that_refuse_are_named():
    outage_of_brokers(["refuse", "reset"])


@lib.only_long
def test_brokers_that_say_nothing_are_named():
    outage_of_brokers(["blackhole"])


# A signal ends it, whatever is away.


class Stopping:
    """A job with an open record 'b' and a fault; stopped, and later run again without it."""

    def __init__(self, what, faults, second=False):
        self.what, self.second = what, second
        self.proxies = lib.proxied_hdfs()
        self.name, self.data, url = self.proxies.__enter__()
        self.work = new_job(f"{url}/e2e/{lib.fresh_name()}", {"commit.interval": "1s"})
        self.worker = started(self.work)
        for proxy, command in faults:
            getattr(self, proxy).do(command)
        produce(self.work, "b", size=500_000)

    def signal(self):
        self.worker.signal(signal.SIGTERM)
        self.began = time.monotonic()

    def wait(self):
        limit_s = 1 if self.second else STOP_LIMIT_S
        left_s = limit_s - (time.monotonic() - self.began)
        try:
            self.code = self.worker.process.wait(max(left_s, 0.01))
        except Exception:
            print(self.worker.text(), flush=True)
            raise AssertionError(f"{self.what}: still there after {limit_s} s") from None
        print(f"{self.what}: exit {self.code} after {time.monotonic() - self.began:.1f} s")

    def finish(self):
        self.name.do("pass")
        self.data.do("pass")
        finish(self.work, "a", "b")
        self.proxies.__exit__(None, None, None)


def test_a_signal_ends_it_within_ten_seconds_with_hdfs_away():
    jobs = [
        Stopping("name node refuses", [("name", "refuse"), ("name", "reset")]),
        Stopping("data node says nothing", [("data", "blackhole")]),
        Stopping("data node is slow", [("data", "rate 20000")]),
    ]
    twice = Stopping("name node says nothing, two signals", [("name", "blackhole")], second=True)
    time.sleep(2)  # the commit of 'b' is under way
    for stopping in (*jobs, twice):
        stopping.signal()
    time.sleep(0.3)
    twice.signal()
    twice.wait()
    assert twice.code == 128 + signal.SIGTERM
    for stopping in jobs:
        stopping.wait()
    for stopping in (*jobs, twice):
        stopping.finish()


def stop_without_brokers(fault):
    with lib.proxied_kafka() as proxy, lib.proxied_hdfs() as (name, _, url):
        settings = {"commit.interval": "3s"}
        work = new_job(f"{url}/e2e/{lib.fresh_name()}", settings, brokers=proxy.address)
        worker = started(work)
        produce(work, "b")
        time.sleep(1)  # it is read and not committed
        for at in (proxy, name):
            for command in fault:
                at.do(command)
        time.sleep(1.5)
        worker.signal(signal.SIGINT)
        began = time.monotonic()
        worker.wait(STOP_LIMIT_S, code=None)
        print(f"brokers and name node, {fault}: {time.monotonic() - began:.1f} s")
        proxy.do("pass")
        name.do("pass")
        finish(work, "a", "b")


@lib.only_long
def test_a_signal_ends_it_within_ten_seconds_with_brokers_and_hdfs_refusing():
    stop_without_brokers(["refuse", "reset"])


def test_a_signal_ends_it_within_ten_seconds_with_brokers_and_hdfs_saying_nothing():
    stop_without_brokers(["blackhole"])
