# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 900
# test: long
"""Both Kafka clients over the same topics of three brokers, one of which is killed after another, so that leaders
move: the same rows, the same dead letters (offset, time, key, value, headers), the same offsets passed; then
verify. A topic that was compacted; an election of a leader that lacks records."""
import collections
import json
import random
import re

import broker
import kafka_cluster
import kafka_faults
import lib
import results
from test_topic_ids import topics

PARTITIONS = 4
CLIENTS = ("native", "librdkafka")
JOB = """SET commit.interval = '200ms';
SET batch.interval = '20ms';
SET membership = 'none';
SET on_error.share = '100%';
SET spool = '{root}/spool';
CREATE TABLE s (name TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv', client = '{client}');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
KEEP = ("--config", "retention.ms=-1")  # records have times of before
dice = random.Random(5)
places = {}


def cluster():
    if not places:
        listeners = {"CLIENTS": kafka_cluster.Listener(), "OLDER": kafka_cluster.Listener(is_proxied=True)}
        places["cluster"] = kafka_cluster.Cluster(3, listeners, {
            "log.cleaner.backoff.ms": 200, "transaction.state.log.num.partitions": 3})
        for one in places["cluster"].brokers:  # as brokers before 2.7, whose Fetch tells no truncation
            kafka_faults.KafkaFaults(one.behind("OLDER"), one.told_ports["OLDER"], {"Fetch": 11})
    return places["cluster"]


class Job:
    def __init__(self, client, topic, addresses=None, more=""):
        self.root = lib.tmp_dir()
        self.script = self.root / "p.sql"
        self.script.write_text(more + JOB.format(root=self.root, brokers=addresses or cluster().addresses(), topic=topic,
                                                 client=client))

    def start(self):
        return lib.Started("run", self.script)

    def run_once(self, code=0):
        return lib.run("run", self.script, "--once", limit_s=180, code=code)

    def rows(self):
        return collections.Counter(results.iter_result(self.root / "r"))

    def letters(self):
        kept = ("partition", "offset", "time_ms", "key", "value", "headers")
        return sorted(json.dumps([letter.get(name) for name in kept])
                      for letter in results.dead_letters(self.root / "r"))

    def passed(self):
        """Of each partition: where it stands, records, offsets without one."""
        passed = collections.defaultdict(lambda: [0, 0, 0])
        for path in sorted(self.root.glob("r/_tramline/log/*/*.json")):
            for part in json.loads(path.read_text())["partitions"]:
                at = passed[part["partition"]]
                at[0] = part["next"]
                at[1] += part["data"]
                at[2] += part["skipped"]
        return passed

    def n_read(self):
        return sum(at[1] for at in self.passed().values())

    def result(self):
        return self.rows(), self.letters()


def make(name, **config):
    words = [word for key, value in config.items() for word in ("--config", f"{key.replace('_', '.')}={value}")]
    topics(cluster().addresses(), "--create", "--topic", name, "--partitions", str(PARTITIONS),
           "--replication-factor", "3", "--config", "min.insync.replicas=1", *KEEP, *words)
    lib.wait_until(lambda: min(broker.leaders(name, cluster().addresses())) > 0, 60, "leaders")
    return name


def send(producer, topic, n, key=None):
    """Each third record is a dead letter."""
    for _ in range(n):
        number = dice.randrange(10**6)
        value = f"v{number},{number if number % 3 else 'x'}"
        headers = [("h", str(number)), ("empty", None)] if number % 2 else []
        producer.send(topic, None if number % 50 == 0 else value, key=key or f"k{number % 7}",
                      partition=number % PARTITIONS, headers=headers, timestamp_ms=1_790_000_000_000 + number)


def send_some(topic, codec=None, address=None):
    """300 records that are read, of which each partition has some, and 50 that are aborted."""
    address = address or cluster().addresses()
    codec = codec or dice.choice(("none", "gzip", "snappy", "lz4", "zstd"))
    with broker.Producer(brokers=address, **{"compression.type": codec}) as producer:
        send(producer, topic, 200)
        producer.flush()
    with broker.Producer(transactional_id=lib.fresh_name("tx"), brokers=address) as producer:
        for is_kept in (True, False, True):
            producer.begin()
            send(producer, topic, 50)
            producer.flush()
            (producer.commit if is_kept else producer.abort)()


def same(jobs):
    native, other = jobs
    assert native.rows() == other.rows()
    assert native.letters() == other.letters() and native.letters()
    assert native.passed() == other.passed(), (dict(native.passed()), dict(other.passed()))
    verify(jobs)


def verify(jobs):
    for job in jobs:
        assert lib.run("verify", job.script, "--deep", "--json").json()["errors"] == 0


def test_leaders_move_and_brokers_are_killed():
    topic = make(lib.fresh_name("moves"))
    jobs = [Job(client, topic) for client in CLIENTS]
    workers = [job.start() for job in jobs]
    for number in (1, 2, 3, 1):
        send_some(topic)
        killed = cluster().brokers[number - 1]
        killed.kill()
        lib.wait_until(lambda n=number: all(leader > 0 and leader != n for leader in broker.leaders(
            topic, cluster().addresses())), 60, "other leaders")
        send_some(topic)
        killed.start()
        killed.wait_started()
    send_some(topic)
    for worker in workers:
        assert worker.is_running(), worker.text()
        worker.stop(limit_s=30)
    for job in jobs:
        job.run_once()
    same(jobs)
    assert jobs[0].n_read() == 9 * 300, jobs[0].passed()


def test_what_a_compaction_left():
    topic = make(lib.fresh_name("compacted"), cleanup_policy="compact", segment_ms=200,
                 min_cleanable_dirty_ratio="0.001", max_compaction_lag_ms=500)
    address = cluster().addresses()
    n_before = None
    for _ in range(3):
        with broker.Producer(brokers=address) as producer:
            send(producer, topic, 300)
            producer.flush()
        n_before = len(broker.consume(topic, brokers=address))

    def is_compacted():
        with broker.Producer(brokers=address) as producer:  # so that the last segment is not the open one
            for partition in range(PARTITIONS):
                producer.send(topic, "v1,1", key="last", partition=partition)
            producer.flush()
        return len(broker.consume(topic, brokers=address)) < n_before / 4
    lib.wait_until(is_compacted, 120, "a compaction")

    def read_by_both():
        """None where another compaction came between them."""
        before = broker.consume(topic, brokers=address)
        jobs = [Job(client, topic) for client in CLIENTS]
        for job in jobs:
            job.run_once()
        return jobs if broker.consume(topic, brokers=address) == before else None
    jobs = lib.wait_until(read_by_both, 120, "a topic that stays as it is")
    same(jobs)
    assert sum(at[2] for at in jobs[0].passed().values()) > 0, jobs[0].passed()


def without_its_newest(topic):
    """Broker 3 leads it, and has none of what was sent last, which all that read it have read."""
    address = cluster().addresses()
    _, second, third = cluster().brokers
    topics(address, "--create", "--topic", topic, "--replica-assignment", ",".join(PARTITIONS * ["2:3"]),
           "--config", "unclean.leader.election.enable=true", "--config", "min.insync.replicas=1", *KEEP)
    lib.wait_until(lambda: broker.leaders(topic, address) == PARTITIONS * [2], 60, "a leader")
    send_some(topic)
    # Both have all of it, the last transaction's marker too.
    lib.wait_until(lambda: len(broker.consume(topic, brokers=address)) == 300, 60, "what was sent")
    ends = [broker.watermarks(topic, partition, address)[1] for partition in range(PARTITIONS)]
    third.kill()
    send_some(topic)
    yield ends
    second.kill()
    third.start()
    third.wait_started()
    lib.wait_until(lambda: broker.leaders(topic, address) == PARTITIONS * [3], 60, "the other leader")
    for _ in range(2):  # others, and more of them
        send_some(topic)
    yield
    second.start()
    second.wait_started()


def test_an_election_of_a_leader_that_lacks_records():
    """Natively nobody reads on: told by Fetch, or asked for by OffsetForLeaderEpoch beside an older Fetch, by a worker that stands at
    the end or by one that is started afterwards, and it is no gap either. Up to there both clients have read the same."""
    topic = lib.fresh_name("unclean")
    older = cluster().addresses("OLDER")
    gaps = "SET on_gap = 'record';\n"
    at_end = [Job("native", topic, *more) for more in ((), (older,), (None, gaps), (older, gaps))]
    later = [Job("native", topic, *more) for more in ((), (older,), (None, gaps))]
    other = Job("librdkafka", topic)
    jobs = [*at_end, *later, other]
    steps = without_its_newest(topic)
    ends = next(steps)
    workers = [job.start() for job in [*at_end, other]]
    for job in later:
        job.run_once()
    lib.wait_until(lambda: all(job.n_read() == 2 * 300 for job in jobs), 60, "all records")
    before = other.result()
    assert all(job.result() == before for job in jobs)
    next(steps)
    for worker in workers[:-1]:
        worker.wait(120, code=3)
        told = re.search(rf"topic '{topic}', partition (\d), offset (\d+): the log was cut back to offset (\d+) after it was read",
                         worker.text())
        assert told and int(told[3]) == ends[int(told[1])] < int(told[2]), (ends, worker.text())
    for job in later:
        said = job.run_once(code=3).err
        told = re.search(rf"topic '{topic}' partition (\d): the log has read it up to offset (\d+), but from offset (\d+) on its leader "
                         "has something else", said)
        assert told and int(told[3]) == ends[int(told[1])] < int(told[2]), (ends, said)
    for job in [*at_end, *later]:
        assert job.result() == before
    workers[-1].signal(15)
    print("by librdkafka:", workers[-1].wait(30, code=None), workers[-1].text()[-1000:], flush=True)
    assert not before[0] - other.rows()
    verify(jobs)
    next(steps, None)
