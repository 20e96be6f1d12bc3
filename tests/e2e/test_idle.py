# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka hdfs
"""Workers with nothing to do cost under 1 % of a core, by the kernel's count of their CPU time: in
a group and without one, with the result on HDFS and in local files, before and after a commit."""
import pathlib
import time

import broker
import job
import lib
import results

SECONDS = 6
LIMIT = 0.01


def feed():
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text("route_id,service_id,trip_id\n1,S,T1\n")
    (directory / "calendar_dates.txt").write_text(
        "service_id,date,exception_type\nS,20261122,2\n")
    return directory


def started(place, membership, n_records):
    work = job.Job(place, {"membership": membership, "commit.interval": "300ms"})
    work.init()
    work.extract(feed())
    broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(n_records)])
    worker = work.start()
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    if n_records:
        lib.wait_until(lambda: sum(1 for _ in results.iter_result(work.result)) == n_records,
                       what="the commit")
    return worker


def cpu_seconds(worker):
    """User and system time; the kernel counts it exactly, not by ticks."""
    tasks = pathlib.Path(f"/proc/{worker.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def test_idle_costs_little():
    places = {"HDFS": lib.hdfs_url(), "files": f"file://{lib.tmp_dir()}"}
    workers = {f"{name}, membership {membership}, {n} records": started(place, membership, n)
               for name, place in places.items() for membership in ("group", "none")
               for n in (0, 100)}
    time.sleep(2)
    before = {name: cpu_seconds(worker) for name, worker in workers.items()}
    time.sleep(SECONDS)
    shares = {name: (cpu_seconds(worker) - before[name]) / SECONDS
              for name, worker in workers.items()}
    for name, share in shares.items():
        print(f"{name}: {share:.2%} of a core", flush=True)
    assert max(shares.values()) < LIMIT, shares
    assert min(shares.values()) > 0, "nothing was measured"
    for worker in workers.values():
        worker.stop(10)
