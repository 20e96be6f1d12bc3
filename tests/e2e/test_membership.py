# SPDX-License-Identifier: Apache-2.0
# test: takes 75
# test: waits
# test: needs kafka
# test: limit 600
"""Who reads which partitions, and how soon after a change: partitions that are added, workers that
are stopped in good order, workers that are killed. What is measured is when a record comes to the
result, seen in the files."""
import itertools
import time

import broker
import lib
import results

SCRIPT = """SET commit.interval = '{interval}';
SET batch.interval = '50ms';
SET membership = '{membership}';
SET spool = '{root}/spool';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
REFRESH_S = 10  # partitions that were added are claimed within about this
numbers = itertools.count()


class Job:
    def __init__(self, partitions, interval="200ms", membership="group"):
        self.root = lib.tmp_dir()
        self.topic = broker.create_topic(partitions=partitions)
        self.script = self.root / "pipeline.sql"
        self.script.write_text(SCRIPT.format(
            interval=interval, membership=membership, root=self.root, topic=self.topic,
            brokers=lib.brokers()))

    def start(self, n=1):
        """Workers, one after the other: each has its partitions when the next begins."""
        workers = []
        for i in range(n):
            workers.append(lib.Started("run", self.script))
            lib.wait_until(lambda: all("claims" in w.text() for w in workers), 30, "the claims")
        return workers

    def once(self, **kwargs):
        return lib.run("run", "--once", self.script, **kwargs)

    def send(self, partitions):
        """A record to each of the partitions; returns their names."""
        names = {f"n{next(numbers)}": partition for partition in partitions}
        with broker.Producer() as producer:
            for name, partition in names.items():
                producer.send(self.topic, f"T,{name}", partition=partition)
            producer.flush()
        return set(names)

    def rows(self):
        try:
            return {row[1] for row in results.iter_result(self.root / "r")}
        except FileNotFoundError:  # a claim removes the folders of dead writers meanwhile
            return set()

    def wait_for(self, names, limit_s):
        """All the records are in the result within limit_s; returns how long it took."""
        began = time.monotonic()
        lib.wait_until(lambda: names <= self.rows(), limit_s, f"{len(names)} records")
        took = time.monotonic() - began
        print(f"{len(names)} records after {took:.1f} s", flush=True)
        return took

    def check(self, sent):
        """All the records, each once."""
        rows = [row[1] for row in results.iter_result(self.root / "r")]
        assert sorted(rows) == sorted(sent), (sorted(rows), sorted(sent))
        report = lib.run("verify", "--deep", "--json", self.script).json()
        assert report["errors"] == 0, report


def grow_while_running(before, after, n_workers=1, **settings):
    job = Job(before, **settings)
    sent = job.send(range(before))
    workers = job.start(n_workers)
    if settings.get("interval") != "60s":
        job.wait_for(sent, 30)
    broker.add_partitions(job.topic, after)
    new = lib.wait_until(lambda: try_send(job, range(before, after)), 20, "leaders")
    claimed = time.monotonic() + REFRESH_S + 3
    lib.wait_until(lambda: claims_all(workers, after), claimed - time.monotonic(), "the claim")
    if settings.get("interval") != "60s":
        job.wait_for(new, 3)
    for worker in workers:
        assert worker.is_running(), worker.text()
        worker.stop(limit_s=10)
    job.once()  # what came last, if a worker was stopped before it was read
    job.check(sent | new)


def try_send(job, partitions):
    """None while the new partitions have no leader yet."""
    try:
        return job.send(partitions)
    except AssertionError as reason:
        print(reason, flush=True)
        return None


def claims_all(workers, n):
    """The last claims of the workers are of n partitions together."""
    return sum(last_claim(worker) for worker in workers) == n


def last_claim(worker):
    claims = [line for line in worker.text().splitlines() if ": claims " in line]
    return int(claims[-1].partition(": claims ")[2].split()[0]) if claims else 0


def test_a_worker_goes_on_when_its_topic_gets_three_partitions():
    grow_while_running(1, 3)


def test_a_worker_goes_on_when_its_topic_gets_a_second_partition():
    grow_while_running(1, 2, interval="1s")


def test_a_worker_between_two_far_commits_goes_on():
    grow_while_running(2, 4, interval="60s")


def test_a_worker_without_a_group_goes_on():
    grow_while_running(1, 3, membership="none")


def test_three_workers_share_what_was_added():
    grow_while_running(3, 6, n_workers=3)


def grow_between_runs(before, after, **settings):
    job = Job(before, **settings)
    sent = job.send(range(before))
    job.once()
    broker.add_partitions(job.topic, after)
    sent |= lib.wait_until(lambda: try_send(job, range(after)), 20, "leaders")
    done = job.once(limit_s=60)
    assert done.seconds < 5, (done.seconds, done.err)
    job.check(sent)


def test_once_reads_partitions_added_between_two_runs_at_once():
    grow_between_runs(1, 3)


def test_once_reads_a_second_partition_at_once():
    grow_between_runs(1, 2, interval="60s")


def test_once_without_a_group_reads_partitions_added_between_two_runs():
    grow_between_runs(2, 4, membership="none")


def test_a_run_again_and_again_waits_for_nobody():
    job = Job(2)
    sent = set()
    for _ in range(5):
        sent |= job.send(range(2))
        assert job.once().seconds < 5
    job.check(sent)


def rest_takes_over(end, limit_s, n_workers=2, partitions=4):
    """One of the workers is ended; the others have its partitions within limit_s."""
    job = Job(partitions)
    workers = job.start(n_workers)
    sent = job.send(range(partitions))
    job.wait_for(sent, 30)
    end(workers[0])
    new = job.send(range(partitions))
    job.wait_for(new, limit_s)
    for worker in workers[1:]:
        worker.stop(limit_s=10)
    job.check(sent | new)


def test_others_have_the_partitions_of_a_stopped_worker_within_three_seconds():
    rest_takes_over(lambda worker: worker.stop(limit_s=10), 3)


def test_two_others_share_the_partitions_of_a_stopped_worker():
    rest_takes_over(lambda worker: worker.stop(limit_s=10), 3, n_workers=3, partitions=6)


def test_others_have_the_partitions_of_a_killed_worker_within_ten_seconds():
    rest_takes_over(lambda worker: worker.kill(), 10)


def test_a_worker_started_after_a_crash_reads_within_ten_seconds():
    job = Job(2)
    worker, = job.start()
    sent = job.send(range(2))
    job.wait_for(sent, 30)
    worker.kill()
    again = lib.Started("run", job.script)
    new = job.send(range(2))
    job.wait_for(new, 10)
    again.stop(limit_s=10)
    job.check(sent | new)


def test_a_worker_says_that_it_waits_for_the_group():
    job = Job(2)
    job.script.write_text(job.script.read_text().replace(
        "topic = ", "\"session.timeout\" = '20s', topic = "))
    worker, = job.start()
    worker.kill()
    again = lib.Started("run", "--instance", "another", job.script)
    lib.wait_until(lambda: "info  no partitions yet: the consumer group shares them out; one that "
                   "was killed is waited for until its session.timeout is over" in again.text(),
                   18, "what it waits for")
    again.stop(limit_s=10)
