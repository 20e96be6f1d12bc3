# SPDX-License-Identifier: Apache-2.0
# test: takes 110
# test: waits
# test: needs kafka
# test: limit 600
"""Three brokers, of which one is killed: each partition has one copy, so those that it leads have
no leader. They wait for it, and only they; when it is back nothing is missing."""
import time

import broker
import kafka_cluster
import lib
import results

PARTITIONS = 6
SCRIPT = """SET commit.interval = '300ms';
SET batch.interval = '50ms';
SET membership = '{membership}';
SET spool = '{root}/spool';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
places = {}


def cluster():
    if not places:
        places["cluster"] = kafka_cluster.Cluster(3)
    return places["cluster"]


class Job:
    def __init__(self, membership="group"):
        self.root = lib.tmp_dir()
        self.topic = broker.create_topic(partitions=PARTITIONS, brokers=cluster().addresses())
        self.script = self.root / "pipeline.sql"
        self.script.write_text(SCRIPT.format(
            membership=membership, root=self.root, topic=self.topic,
            brokers=cluster().addresses()))
        self.sent = []

    def send(self, partitions):
        names = [f"n{len(self.sent) + i}" for i in range(len(partitions))]
        with broker.Producer(brokers=cluster().addresses()) as producer:
            for name, partition in zip(names, partitions):
                producer.send(self.topic, f"T,{name}", partition=partition)
            producer.flush()
        self.sent += names
        return set(names)

    def rows(self):
        return [row[1] for row in results.iter_result(self.root / "r")]

    def wait_for(self, names, limit_s):
        began = time.monotonic()
        lib.wait_until(lambda: names <= set(self.rows()), limit_s, f"{len(names)} records")
        print(f"{len(names)} records after {time.monotonic() - began:.1f} s", flush=True)

    def check(self):
        assert sorted(self.rows()) == sorted(self.sent), (self.rows(), self.sent)
        report = lib.run("verify", "--deep", "--json", self.script).json()
        assert report["errors"] == 0, report


def leaders(topic):
    """Of each partition: the number of the broker, -1 where there is none."""
    return broker.leaders(topic, cluster().addresses())


def kill(number, topic):
    """Kills the broker and waits until the others know; the partitions that stay and that go."""
    led = [p for p, leader in enumerate(leaders(topic)) if leader == number]
    cluster().brokers[number - 1].kill()
    lib.wait_until(lambda: all(leaders(topic)[p] == -1 for p in led), 30, "no leader")
    return [p for p in range(PARTITIONS) if p not in led], led


def start(number):
    cluster().brokers[number - 1].start()
    cluster().brokers[number - 1].wait_started()


def goes_on(number, membership="group"):
    job = Job(membership)
    worker = lib.Started("run", job.script)
    job.wait_for(job.send(range(PARTITIONS)), 60)
    stay, gone = kill(number, job.topic)
    assert stay and gone, (stay, gone)
    for _ in range(3):
        job.wait_for(job.send(stay), 30)
        time.sleep(2)  # whatever is tried again meanwhile
    assert worker.is_running(), worker.text()
    lib.wait_until(lambda: f"partition {gone[0]}: no broker leads it now" in worker.text(), 90,
                   "what is said of it")
    start(number)
    job.wait_for(job.send(range(PARTITIONS)), 60)
    worker.stop(limit_s=15)
    job.check()


def test_a_worker_reads_on_what_has_a_leader():
    for number in (1, 2, 3) if lib.is_long() else (1,):
        goes_on(number)


def test_a_worker_without_a_group_reads_on():
    goes_on(2, membership="none")


def test_a_worker_that_starts_meanwhile_reads_what_has_a_leader():
    job = Job()
    lib.run("run", "--once", job.script)
    old = job.send(range(PARTITIONS))
    stay, _ = kill(1, job.topic)
    worker = lib.Started("run", job.script)
    new = job.send(stay)
    job.wait_for(new, 60)
    assert worker.is_running(), worker.text()
    start(1)
    job.wait_for(old, 60)
    worker.stop(limit_s=15)
    job.check()


def test_a_worker_that_is_stopped_meanwhile_commits_what_it_read():
    job = Job()
    worker = lib.Started("run", job.script)
    job.wait_for(job.send(range(PARTITIONS)), 60)
    stay, _ = kill(2, job.topic)
    job.wait_for(job.send(stay), 30)
    worker.stop(limit_s=15)
    job.check()
    start(2)
