# SPDX-License-Identifier: Apache-2.0
# test: takes 120
# test: waits
# test: needs kafka hdfs registry
# test: limit 600
"""SET workers where there is no room or no luck: more threads than partitions, one whose records are bad, a process that
is killed beside another, a full spool, a broker or a registry away for one thread, streams and commands that have one."""
import collections
import os
import random
import signal
import subprocess
import time

import avro_job
import broker
import file_job
import kafka_cluster
import lib
import results
import status
import unit_driver
import webhdfs
from registry_proxy import RegistryProxy
from test_avro_faults import NEW, OLD, values
from test_workers import Work, lines_of

CLIENTS = ("native", "librdkafka")
FULL = 'mount -t tmpfs -o size={size} none {place} || exit 99\ntrap "umount {place}" EXIT\n"$@"'


def by(client, work):
    work.script.write_text(work.script.read_text().replace("connector = 'kafka'", f"connector = 'kafka', client = '{client}'"))


def numbers(work):
    return sorted(int(row[1]) for row in results.iter_result(str(work.result)))


def check(work, expected, n_rejected=0):
    """These numbers are in the result, each once, and the log adds up."""
    assert numbers(work) == sorted(expected), (len(numbers(work)), len(expected))
    report = lib.run("verify", "--deep", "--json", work.script).json()
    assert (report["errors"], report["rejected"]) == (0, n_rejected), report


def one_batch(topic, n_bytes):
    """So many bytes of records in one batch; their number."""
    n = n_bytes // 500
    with broker.Producer(**{"batch.size": 2 * n_bytes, "message.max.bytes": 2 * n_bytes, "linger.ms": 200_000,
                            "batch.num.messages": 1000000}) as producer:
        for i in range(n):
            producer.send(topic, f"{'x' * 485},{i}", partition=0)
        producer.flush()
    return n


def test_more_threads_than_partitions():
    for client in CLIENTS:
        work = Work({"workers": 32, "source.buffer": "8MB"}, [], n_partitions=1)
        n = one_batch(work.topic, 900_000)  # a 32nd of 8 MB would not hold it
        by(client, work)
        done = work.run()
        assert "SET workers = 32: the topic has 1 partition; 31 threads have none" in done.err, done.err
        check(work, range(n))
        broker.add_partitions(work.topic, 2)
        lib.wait_until(lambda w=work: len(broker.leaders(w.topic)) == 2, what="two partitions")
        broker.produce(work.topic, ["a,-1"], partition=1)
        assert "31 threads" not in work.run().err
        check(work, range(-1, n))


def test_a_batch_larger_than_a_share_names_the_threads():
    work = Work({"workers": 32, "source.buffer": "64MB"}, [], n_partitions=1)
    topic = work.topic
    work.topic = broker.create_topic(config={"max.message.bytes": 20_000_000})
    work.script.write_text(work.script.read_text().replace(topic, work.topic))
    n = one_batch(work.topic, 9_000_000)
    done = work.run(code=1)
    assert ("bytes is larger than source.buffer, 8388608 bytes; of source.buffer each of 32 threads (SET workers) has a share"
            in done.err), done.err
    work.script.write_text(work.script.read_text().replace("SET workers = '32'", "SET workers = '2'"))
    work.run()
    check(work, range(n))


def test_partitions_come_while_a_thread_fails():
    """What the others had read and not committed is read again."""
    for client in CLIENTS:
        work = Work({"workers": 3, "on_error": "fail", "commit.interval": "1s"}, [f"a,{i}" for i in range(100)], n_partitions=1)
        by(client, work)
        worker = lib.Started("run", work.script)
        lib.wait_until(lambda w=worker: "claims" in w.text(), what="the claim")
        broker.add_partitions(work.topic, 5)
        lib.wait_until(lambda w=work: len(broker.leaders(w.topic)) == 5, what="partitions")
        n = 100
        for partition in (0, 1, 2, 3, 4):
            lines = [f"b,{n + i}" for i in range(2000)]
            n += 2000
            broker.produce(work.topic, lines + (["bad"] if partition == 3 else []), partition=partition)
        worker.wait(90, code=3)
        assert f"topic '{work.topic}' partition 3 offset 2000: " in worker.text(), worker.text()
        assert worker.text().count("partition 3 offset 2000: ") == 1, worker.text()
        assert len(numbers(work)) < n
        work.script.write_text(work.script.read_text().replace("SET on_error = 'fail'", "SET on_error = 'dead_letter'"))
        work.run()
        check(work, range(n), n_rejected=1)


def test_one_of_two_processes_is_killed():
    """Of three threads each, again and again, while records come; the other one goes on."""
    dice = random.Random(8)
    for client in CLIENTS:
        work = Work({"workers": 3}, [], n_partitions=7)
        by(client, work)
        first, second = lib.Started("run", work.script), lib.Started("run", work.script)
        n = 0
        for _ in range(4):
            for partition in range(7):
                broker.produce(work.topic, [f"a,{n + i}" for i in range(300)], partition=partition)
                n += 300
            lib.wait_until(lambda w=second: "claims" in w.text(), what="a claim")
            time.sleep(dice.uniform(0, 0.5))
            assert first.is_running() and second.is_running(), (first.text()[-2000:], second.text()[-2000:])
            second.kill()
            second = lib.Started("run", work.script)
        lib.wait_until(lambda w=work, t=n: len(numbers(w)) >= t, what="all rows")
        lib.wait_until(lambda w=second: "claims" in w.text(), what="a claim")
        first.stop()
        second.stop()
        check(work, range(n))


def test_brokers_that_go_away_while_tables_are_read_are_waited_for():
    for workers in ("3", "auto"):
        with lib.proxied_kafka() as kafka, lib.proxied_hdfs() as (name, _data, url):
            place = f"e2e/{lib.fresh_name()}"
            webhdfs.WebHdfs(lib.hdfs_url(place)).write("names/names.csv", b"id,name\na,Anna\n")
            work = Work({"workers": workers, "storage.timeout": "60s"}, [f"a,{i}" for i in range(40)])
            text = work.script.read_text().replace(f"{work.directory}/names", f"{url}/{place}/names")
            work.script.write_text(text.replace(lib.brokers(), kafka.address))
            name.do("stall 1 names.csv?op=OPEN")
            worker = lib.Started("run", work.script)
            lib.wait_until(lambda p=name: p.stats()["struck"].get("stall"), what="the table is asked for")
            kafka.do("refuse")
            kafka.do("reset")
            name.do("pass")
            lib.wait_until(lambda w=worker: "Connection re" in w.text() or "cannot be reached" in w.text(), what="a word")
            kafka.do("pass")
            lib.wait_until(lambda w=work: len(numbers(w)) == 40, what="all rows")
            worker.stop()
            check(work, range(40))


def test_a_full_spool_ends_all_threads():
    if os.geteuid() != 0:
        raise lib.Skip("only root mounts a disk of its own")
    n = 60_000
    work = Work({"workers": 3, "commit.interval": "1h"}, [f"{'abc'[i % 3] * 40},{i}" for i in range(n)])
    spool = work.directory / "full"
    spool.mkdir()
    text = work.script.read_text()
    work.script.write_text(text.replace(f"{work.directory}/spool-result", str(spool)))
    script = FULL.format(size="1m", place=spool)
    done = subprocess.run(lib.with_own_mounts("sh", "-c", script, "sh", lib.program(), "run", "--once", work.script),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False)
    if done.returncode == 99:
        raise lib.Skip("a mount of its own is not allowed here")
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert f"spool directory {spool}/" in done.stderr and "No space left on device" in done.stderr, done.stderr
    work.script.write_text(text)
    work.run()
    check(work, range(n))


def test_a_file_is_read_by_one_thread():
    for workers, told in (("2", "SET workers = 2: the topic has 1 partition; 1 thread has none"),
                          ("32", "SET workers = 32: the topic has 1 partition; 31 threads have none"), ("auto", "")):
        work = file_job.FileJob(500, {"workers": workers})
        done = work.run_once()
        assert told in done.err and "threads read" not in done.err, done.err
        work.check()


def test_units_and_a_run_of_threads_take_turns():
    lines = lines_of(4000)
    n_bad = sum(line.startswith("bad") for line in lines)
    good = [int(line.split(",")[1]) for line in lines if not line.startswith("bad")]
    work = Work({"workers": 3}, lines)
    driver = unit_driver.Driver(work.script, n_workers=2, seed=1)
    assert driver.run() == 0
    check(work, good, n_bad)
    broker.produce(work.topic, ["a,-1", "b,-2", "c,-3"])
    worker = lib.Started("run", work.script)
    lib.wait_until(lambda: len(numbers(work)) == len(good) + 3, what="what came then")
    worker.stop()
    broker.produce(work.topic, ["a,-4"])
    assert unit_driver.Driver(work.script, n_workers=2, seed=2).run() == 0
    check(work, good + [-1, -2, -3, -4], n_bad)


def waiting(url):
    return [reason["text"] for reason in status.state(url)["reasons"] if reason["code"] == "waiting"]


def test_the_status_waits_as_long_as_one_thread_does():
    with RegistryProxy() as proxy:
        work = avro_job.AvroJob("id TEXT NOT NULL, n BIGINT", proxy.url, partitions=2,
                                settings={"workers": "2", **status.LISTEN})
        old, new = (avro_job.register(work.subject, schema) for schema in (OLD, NEW))
        proxy.answer(503, b"", "/schemas/ids")
        work.send(avro_job.records(old, OLD, values(1)), 0)
        work.send(avro_job.records(new, NEW, values(2)), 1)
        running = work.start()
        url = status.url_of(running)
        lib.wait_until(lambda: running.text().count("is held back at offset 0") == 2, what="two that wait")
        assert waiting(url)
        proxy.answer(503, b"", f"/schemas/ids/{new}")
        work.wait_rows(1)
        for number in range(3, 23):  # each ends a wait for more of the thread that has its schema
            work.send(avro_job.records(old, OLD, values(number)), 0)
            work.wait_rows(number - 1)
            assert waiting(url) and "partition 1 goes on" not in running.text()
        proxy.well()
        work.wait_rows(22)
        lib.wait_until(lambda: not waiting(url), what="nothing to wait for")
        running.signal(signal.SIGTERM)
        running.wait()
        assert work.verify()["errors"] == 0


def test_the_status_waits_no_longer_once_brokers_are_back():
    """Neither the threads that read nor the worker that leads them."""
    with lib.proxied_kafka() as kafka:
        work = Work({"workers": 3, **status.LISTEN}, [f"a,{i}" for i in range(40)])
        work.script.write_text(work.script.read_text().replace(lib.brokers(), kafka.address))
        by("native", work)
        worker = lib.Started("run", work.script)
        url = status.url_of(worker)
        lib.wait_until(lambda: len(numbers(work)) == 40, what="the rows")
        kafka.do("refuse")
        kafka.do("reset")
        lib.wait_until(lambda: waiting(url), what="a word about it")
        kafka.do("pass")
        broker.produce(work.topic, [f"a,{i}" for i in range(40, 80)])
        lib.wait_until(lambda: len(numbers(work)) == 80, what="what came then")
        lib.wait_until(lambda: not waiting(url), what="nothing to wait for")
        worker.stop()
        check(work, range(80))


@lib.only_long
def test_a_broker_that_is_away_holds_its_thread_alone():
    cluster = kafka_cluster.Cluster(3)
    addresses = cluster.addresses()
    for client in CLIENTS:
        work = Work({"workers": 3, "membership": "none", **status.LISTEN}, [])
        topic = broker.create_topic(partitions=6, brokers=addresses)
        work.topic = topic
        text = work.script.read_text().replace(lib.brokers(), addresses)
        work.script.write_text(text.replace(text.split("topic = '")[1].split("'")[0], topic))
        by(client, work)
        leaders = broker.leaders(topic, addresses)
        counted = collections.Counter(leaders)
        assert set(counted) == {1, 2, 3}, leaders
        worker = lib.Started("run", work.script)
        expected = []
        for round_, number in enumerate((1, 2, 3)):
            away = cluster.brokers[number - 1]
            for partition in range(6):
                lines = [f"a,{round_ * 100000 + partition * 1000 + i}" for i in range(200)]
                expected += [int(line.split(",")[1]) for line in lines]
                broker.produce(topic, lines, partition=partition, brokers=addresses)
            lib.wait_until(lambda w=work, n=len(expected): len(numbers(w)) == n, what="all rows")
            away.kill()
            others = [p for p, leader in enumerate(leaders) if leader != number]
            for partition in others:
                line = round_ * 100000 + 90000 + partition
                expected.append(line)
                broker.produce(topic, [f"b,{line}"], partition=partition, brokers=addresses)
            lib.wait_until(lambda w=work, n=len(expected): len(numbers(w)) == n, what="rows of the others")
            away.start()
            away.wait()
        worker.stop()
        work.run()
        check(work, expected)
