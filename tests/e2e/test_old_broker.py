# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 600
# test: long
"""The oldest Kafka 2.x that there is, 2.0.0: no topic ids, no epochs of leaders, no static members, no zstd. Both
clients read the same of it, alone and in a group; what it cannot do is told."""
import functools

import broker
import lib
import old_kafka
import test_several_brokers as brokers

CODECS = ("none", "gzip", "snappy", "lz4")


@functools.cache
def cluster():
    return old_kafka.Cluster()


def send_some(topic, codec):
    with broker.Producer(brokers=cluster().address, **{"compression.type": codec}) as producer:
        brokers.send(producer, topic, 200)
        producer.flush()
    with broker.Producer(transactional_id=lib.fresh_name("tx"), brokers=cluster().address) as producer:
        for is_kept in (True, False, True):
            producer.begin()
            brokers.send(producer, topic, 50)
            producer.flush()
            (producer.commit if is_kept else producer.abort)()


class Job(brokers.Job):
    def __init__(self, client, topic, membership="none"):
        super().__init__(client, topic, cluster().address)
        self.script.write_text(self.script.read_text().replace("membership = 'none'", f"membership = '{membership}'"))


def made(partitions=brokers.PARTITIONS, **config):
    return broker.create_topic(partitions=partitions, brokers=cluster().address,
                               config={key.replace("_", "."): value for key, value in config.items()})


def test_both_clients_read_the_same():
    topic = made()
    for codec in CODECS:
        send_some(topic, codec)
    jobs = [Job(client, topic) for client in brokers.CLIENTS]
    for job in jobs:
        job.run_once()
    brokers.same(jobs)
    assert sum(at[1] for at in jobs[0].passed().values()) == len(CODECS) * 300, jobs[0].passed()


def test_two_workers_in_a_group():
    """One leaves; the other reads on alone."""
    topic = made()
    jobs = [Job(client, topic, "group") for client in brokers.CLIENTS]
    for job in jobs:
        workers = [lib.Started("run", job.script, "--instance", name) for name in "ab"]
        send_some(topic, "gzip")
        lib.wait_until(lambda: all("claims" in worker.text() for worker in workers), 60, "claims of both")
        workers[0].stop(limit_s=30)
        send_some(topic, "lz4")
        lib.wait_until(lambda: lib.run("status", job.script, "--json").json()["lag"]["records"] == 0, 60, "no lag")
        workers[1].stop(limit_s=30)
    for job in jobs:
        job.run_once()
    brokers.same(jobs)


def test_records_of_the_old_format_are_named():
    """Brokers keep them as they are for a topic that asks for it."""
    topic = made(partitions=1, message_format_version="0.10.2")
    broker.produce(topic, ["v1,1"], brokers=cluster().address)
    native, other = (Job(client, topic) for client in brokers.CLIENTS)
    assert "client = 'librdkafka'" in lib.run("run", native.script, "--once", code=None).err
    other.run_once()
    assert sum(other.rows().values()) == 1
