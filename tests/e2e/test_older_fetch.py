# SPDX-License-Identifier: Apache-2.0
# test: takes 60
# test: waits
# test: needs kafka
# test: limit 600
"""client = 'native' at a real broker that seems to be an older one, as a proxy hides its later versions of requests: each
version reads what librdkafka reads; no record is read again where the topic's id is known; a topic that was made anew
is known by the epochs of its leaders where it has no id. A quota of the broker's."""
import contextlib
import functools
import subprocess

import broker
import kafka_cluster
import kafka_faults
import lib
import test_several_brokers as brokers
import test_topic_ids as ids

# The least and the latest that there is for, of each request of a worker in a group; Metadata 1 does not tell the cluster.
RANGES = {"Fetch": (4, 13), "ListOffsets": (1, 5), "Metadata": (2, 12), "FindCoordinator": (1, 2), "JoinGroup": (2, 9),
          "Heartbeat": (1, 4), "LeaveGroup": (1, 5), "SyncGroup": (1, 5)}
WITHOUT_IDS = {"Fetch": 11, "Metadata": 9}


@contextlib.contextmanager
def older(most):
    """(proxy, its address)"""
    with lib.kafka_behind() as (behind, before):
        proxy = kafka_faults.KafkaFaults(behind, int(before.rpartition(":")[2]), most)
        try:
            yield proxy, before
        finally:
            proxy.close()


def test_each_version_reads_the_same():
    topic = broker.create_topic(partitions=brokers.PARTITIONS, config=ids.KEEP)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        brokers.send_some(topic, codec, lib.brokers())
    other = brokers.Job("librdkafka", topic, lib.brokers())
    other.run_once()
    for step in range(12):
        most = {name: min(least + step, latest) for name, (least, latest) in RANGES.items()}
        with older(most) as (proxy, address):
            job = brokers.Job("native", topic, address)
            job.script.write_text(job.script.read_text().replace("membership = 'none'", "membership = 'group'"))
            job.run_once()
        used = {name: max(proxy.versions[name], default=None) for name in RANGES}
        print(used, flush=True)
        assert used["Fetch"] == most["Fetch"], used  # the newest broker takes all of them
        assert all(used[name] is None or used[name] >= latest for name, latest in most.items()), (used, most)
        brokers.same((job, other))


def test_nothing_is_read_again_where_the_id_is_known():
    """Else a record that was read before is, before each unit."""
    topic, settings = broker.create_topic(), "SET commit.rows = '30'; SET batch.records = '20';\n"
    broker.produce(topic, [f"v{n},1" for n in range(1000)], partition=0)
    n_fetches = {}
    for version in (13, 12):
        with older({"Fetch": version}) as (proxy, address):
            job = brokers.Job("native", topic, address, settings)
            job.run_once()
        n_units = len(list(job.root.glob("r/_tramline/log/*/*.json"))) - 2  # without job and claim
        assert sum(job.rows().values()) == 1000 and n_units > 20
        assert proxy.versions["Fetch"] == {version}  # the looks' is never by id
        n_fetches[version] = proxy.counts["Fetch"]
    print(n_units, n_fetches, flush=True)
    assert n_fetches[13] < n_units / 2 and n_fetches[12] >= n_units - 1, (n_fetches, n_units)


def test_a_quota_is_kept_to():
    """The broker answers and says how long it wants to be left alone; nobody is warned of that, and nothing is lost."""
    topic, client, throttles = broker.create_topic(), lib.fresh_name("client"), []
    subprocess.run([lib.STACK, "java", "kafka", "kafka.admin.ConfigCommand", "--bootstrap-server", lib.brokers(), "--alter",
                    "--add-config", "consumer_byte_rate=250000", "--entity-type", "clients", "--entity-name", client],
                   check=True, stdin=subprocess.DEVNULL, timeout=60)
    with broker.Producer() as producer:
        for n in range(3000):  # 3 MB, where the broker reckons over the 10 s before, and lets 2.5 of them through
            producer.send(topic, f"{n}{1000 * 'x'},1", partition=0)
        producer.flush()
    # The broker hears of the quota on its own time, and counts what was read before it: once it has, the first answer
    # is too much.
    for _ in range(5):
        with older(None) as (proxy, address):
            job = brokers.Job("native", topic, address)
            job.script.write_text(job.script.read_text().replace(
                "client = 'native'", f"client = 'native', \"kafka.client.id\" = '{client}'"))
            done = job.run_once()
        throttles = [ms for ms in proxy.throttles_ms if ms > 0]
        print(len(proxy.throttles_ms), "answers, pauses of", throttles, "ms", flush=True)
        assert "warn" not in done.err, done.err
        assert sum(job.rows().values()) == 3000
        if throttles:
            break
    assert throttles


@functools.cache
def broker_with_epochs():
    """One broker, of which one listener seems to be older and tells no topic's id."""
    cluster = kafka_cluster.Cluster(1, {"INSIDE": kafka_cluster.Listener(),
                                        "OLDER": kafka_cluster.Listener(is_proxied=True)})
    only = cluster.brokers[0]
    kafka_faults.KafkaFaults(only.behind("OLDER"), only.told_ports["OLDER"], WITHOUT_IDS)
    return cluster


class Work(ids.Work):
    """It reads by the older listener; everything else goes by the other."""

    def __init__(self):
        self.inside = broker_with_epochs().addresses("INSIDE")
        super().__init__(broker_with_epochs().addresses("OLDER"), broker.create_topic(config=ids.KEEP, brokers=self.inside))

    def send(self, name, n):
        with broker.Producer(brokers=self.inside) as producer:
            for i in range(n):
                producer.send(self.topic, f"{name}{i}", partition=0, timestamp_ms=ids.BEGAN_MS + i)
            producer.flush()

    def has_later_leader(self):
        """Which is of a later epoch."""
        only = broker_with_epochs().brokers[0]
        only.kill()
        only.start()
        only.wait_started()
        lib.wait_until(lambda: broker.leaders(self.topic, self.inside) == [1], 60, "a leader")

    def made_anew(self):
        broker.delete_topic(self.topic, self.inside)

        def is_made():
            try:
                broker.create_topic(self.topic, config=ids.KEEP, brokers=self.inside)
            except AssertionError as reason:
                print(reason, flush=True)
                return False
            return True
        lib.wait_until(is_made, what="the topic made anew")


def test_a_topic_made_anew_is_known_by_epochs():
    """No record tells the topics apart, and there is no id; but the leader of the new one has never been of that epoch."""
    running, stopped = Work(), Work()
    for work in (running, stopped):
        work.has_later_leader()
        work.send("a", 20)
    stopped.run_once()
    worker = running.start()
    running.wait_rows(20)
    assert "topic_id" not in running.commits()[0], running.commits()
    for work in (running, stopped):
        work.made_anew()
        work.send("a", 30)
    worker.wait(120, code=3)
    epoch = running.commits()[-1]["partitions"][0]["epoch"]
    assert epoch > 0
    assert (f"topic '{running.topic}', partition 0, offset 20: what was read before is of epoch {epoch}, of which its leader knows "
            "nothing: the log was cut back or the topic recreated") in worker.text(), worker.text()
    epoch = stopped.commits()[-1]["partitions"][0]["epoch"]
    said = stopped.run_once(code=3).err
    assert (f"topic '{stopped.topic}' partition 0: the log has read it up to offset 20, in epoch {epoch} of its leaders, of which "
            "this one knows nothing") in said, said
    for work in (running, stopped):
        assert work.rows() == ids.names(("a", 20))
