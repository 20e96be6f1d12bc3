# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 600
# test: builds asan tests/test_wire_real
# test: long
"""The oldest Kafka 2.x that there is, 2.0.0: no topic ids, no epochs of leaders, no static members, no zstd. Both
clients read the same of it, alone and in a group; what it cannot do is told."""
import functools
import os
import subprocess

import broker
import lib
import old_kafka
import test_several_brokers as brokers

CODECS = ("none", "gzip", "snappy", "lz4")


@functools.cache
def cluster():
    return old_kafka.Cluster()


def send_some(topic, codec):
    brokers.send_some(topic, codec, cluster().address)


class Job(brokers.Job):
    def __init__(self, client, topic, membership="none"):
        super().__init__(client, topic, cluster().address)
        self.script.write_text(self.script.read_text().replace("membership = 'none'", f"membership = '{membership}'"))


def made(partitions=brokers.PARTITIONS, **config):
    return broker.create_topic(partitions=partitions, brokers=cluster().address,
                               config={"retention.ms": "-1", **{key.replace("_", "."): value for key, value in config.items()}})


def test_both_clients_read_the_same():
    topic = made()
    for codec in CODECS:
        send_some(topic, codec)
    jobs = [Job(client, topic) for client in brokers.CLIENTS]
    for job in jobs:
        job.run_once()
    brokers.same(jobs)
    assert sum(at[1] for at in jobs[0].passed().values()) == len(CODECS) * 300, jobs[0].passed()


def test_topics_made_by_chance_and_large_batches():
    """Of transactions, headers, nulls, batches of 1 to 10,000 records and of 5 MB, as on the newest broker."""
    env = {"TRAMLINE_BROKERS": cluster().address, "TEST_NO_ZSTD": "1", "TEST_CASE": "are_the_same"}
    done = subprocess.run([lib.ROOT / "build/asan/tests/test_wire_real"], env={**os.environ, **env}, text=True, timeout=280,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout[-3000:], flush=True)
    assert done.returncode == 0 and done.stdout.count("[       OK ]") == 2, done.returncode


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
