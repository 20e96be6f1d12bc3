# SPDX-License-Identifier: Apache-2.0
# test: takes 60
# test: waits
# test: needs kafka
# test: limit 2400
"""client = 'native': what it does not have is refused by name, and a job whose worker is killed again
and again has each row once, whatever was aborted between its records. Its members of a group: those that end
leave, those that come back have their partitions, and they share with members of other clients. Where nothing
may wait for a time-out that is half an hour, and the test is over before."""
import base64
import os
import pathlib
import random
import re
import subprocess
import time

import broker
import job
import lib
import oracle
import results

FEED = "stm-2021-metro-rebuilt"
SETTINGS = {"membership": "none", "commit.interval": "100ms", "batch.interval": "20ms"}
N_KEPT = 30  # fewer than on_error.share
CONNECTOR = "connector = 'kafka'"


def native_job(settings=None, options=""):
    place = f"file://{lib.tmp_dir()}"
    return job.Job(place, SETTINGS if settings is None else settings,
                   replace=[(CONNECTOR, f"{CONNECTOR}, client = 'native'{options}")])


def refused(work, text):
    for command in ("check", "run"):
        done = work.tramline(command, code=2)
        assert text in done.err, done.err


def test_what_it_does_not_have_is_refused():
    refused(native_job(options=", \"kafka.fetch.wait.max.ms\" = '7'"),
            "option 'kafka.fetch.wait.max.ms' is not one of client = 'native'; write client = 'librdkafka'")


def produce_transactions(topic):
    """Records that nobody may see, and some that are rejected, since no row comes of them."""
    with broker.Producer(transactional_id=topic) as producer:
        for is_kept in (False, True, False):
            producer.begin()
            for n in range(N_KEPT if is_kept else 300):
                producer.send(topic, f"{'kept' if is_kept else 'aborted'}-{n}", key="k")
            if is_kept:
                producer.commit()
            else:
                producer.abort()


def test_kills_do_not_show():
    dice = random.Random(7)
    work = native_job()
    work.init()
    work.extract(lib.feed_dir(FEED))
    produce_transactions(work.topic)
    work.produce(lib.feed_dir(FEED))
    produce_transactions(work.topic)
    for _ in range(6):
        worker = work.start()
        lib.wait_until(lambda w=worker: "claims" in w.text(), what="a claim")
        time.sleep(dice.uniform(0, 0.5))
        worker.kill()
    work.run_once()
    report = work.verify()
    assert report["errors"] == 0 and report["rejected"] == 2 * N_KEPT, report
    # Two aborted transactions of 300 records, one that is kept, and a marker of each; all of it twice.
    assert [report[name] for name in ("control", "aborted", "hole")] == [6, 1200, 0], report
    assert report["skipped"] == 1206, report
    letters = [base64.b64decode(letter["value"]).decode() for letter in results.dead_letters(work.result)]
    assert sorted(letters) == sorted(2 * [f"kept-{n}" for n in range(N_KEPT)]), letters[:5]
    results.same_rows(work.rows(), oracle.expected_rows(lib.feed_dir(FEED)))


def test_looks_are_those_of_librdkafka():
    topic = broker.create_topic(partitions=2)
    broker.produce(topic, ["T1,1", "T9,2", "T2,x", "T2,4"])
    directory = lib.tmp_dir()
    outputs = {}
    for client in ("librdkafka", "native"):
        (directory / "p.sql").write_text(f"""
            SET membership = 'none';
            CREATE TABLE visits (trip_id TEXT NOT NULL, n INT)
              WITH (connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv',
                    client = '{client}');
            CREATE TABLE result () WITH (connector = 'filesystem', path = 'data/result', format = 'csv');
            INSERT INTO result SELECT trip_id, n FROM visits;
            """)
        outputs[client] = [sorted(lib.run(*words, cwd=directory).out.splitlines())
                           for words in (("preview", "p.sql", "--csv"), ("cat", "p.sql", "visits", "--csv"))]
    assert outputs["native"] == outputs["librdkafka"], outputs
    assert "T2,4" in outputs["native"][0], outputs


GROUP = """SET commit.interval = '100ms';
SET batch.interval = '20ms';
SET spool = '{root}/{spool}';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv', client = '{client}',
        "session.timeout" = '{timeout}', "group" = '{topic}');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""


class Group:
    """Workers of one job, whose group has the topic's name."""

    def __init__(self, partitions, timeout="1800s"):
        self.root, self.n_partitions, self.timeout = lib.tmp_dir(), partitions, timeout
        self.topic = broker.create_topic(partitions=partitions)
        self.sent = 0

    def script(self, client="native", spool="spool"):
        path = self.root / f"{client}-{spool}.sql"
        path.write_text(GROUP.format(root=self.root, brokers=lib.brokers(), topic=self.topic, client=client,
                                     spool=spool, timeout=self.timeout))
        return path

    def start(self, *flags, **kwargs):
        worker = lib.Started("run", self.script(**kwargs), *flags)
        lib.wait_until(lambda: claims(worker), 30, "a claim")
        return worker

    def send(self):
        """A record to each partition comes to the result."""
        with broker.Producer() as producer:
            for partition in range(self.n_partitions):
                producer.send(self.topic, f"T,{self.sent}", partition=partition)
                self.sent += 1
            producer.flush()
        lib.wait_until(lambda: len(self.rows()) == self.sent, 60, "the records")
        assert sorted(self.rows(), key=int) == [str(i) for i in range(self.sent)]

    def rows(self):
        try:
            return [row[1] for row in results.iter_result(self.root / "r")]
        except FileNotFoundError:  # a claim removes the folders of dead writers meanwhile
            return []

    def end(self, *workers):
        for worker in workers:
            worker.stop(limit_s=15)
        report = lib.run("verify", "--deep", "--json", self.script()).json()
        assert report["errors"] == 0, report


def claims(worker):
    """Of how many partitions, one after another."""
    return [int(n) for n in re.findall(r": claims (\d+) partition", worker.text())]


def test_who_is_stopped_leaves_at_once():
    group = Group(4)
    first, second = group.start(), group.start()
    lib.wait_until(lambda: claims(first)[-1:] + claims(second)[-1:] == [2, 2], 30, "halves")
    group.send()
    first.stop(limit_s=15)
    group.send()  # all of them, long before the time-out
    assert claims(second)[-1] == 4, second.text()
    group.end(second)


def test_who_crashed_is_back_at_once_and_nobody_notices():
    group = Group(4)
    first, second = group.start(), group.start()
    lib.wait_until(lambda: claims(first)[-1:] + claims(second)[-1:] == [2, 2], 30, "halves")
    group.send()
    for _ in range(3):
        before = len(claims(second))
        first.kill()
        first = group.start()
        group.send()
        assert claims(first) == [2] and len(claims(second)) == before, (first.text(), second.text())
    group.end(first, second)


def test_a_leader_that_crashed_finds_what_was_added_meanwhile():
    group = Group(2)
    worker = group.start()
    group.send()
    worker.kill()
    broker.add_partitions(group.topic, 5)
    group.n_partitions = 5
    worker = group.start()
    lib.wait_until(lambda: claims(worker)[-1] == 5, 30, "what was added")
    lib.wait_until(lambda: min(broker.leaders(group.topic)) >= 0, 30, "leaders")
    group.send()
    group.end(worker)


def test_workers_of_one_host_with_two_spools_are_two_members():
    group = Group(4)
    first, second = group.start(spool="one"), group.start(spool="two")
    third = group.start("--instance", "a", spool="one")
    fourth = group.start("--instance", "b", spool="two")
    workers = [first, second, third, fourth]
    lib.wait_until(lambda: all(claims(worker)[-1] == 1 for worker in workers), 30, "quarters")
    group.send()
    assert all(worker.is_running() for worker in workers)
    group.end(*workers)


def test_two_of_one_name_are_told():
    group = Group(2)
    first = group.start("--instance", "a/1", spool="one")
    second = group.start("--instance", "a/1", spool="two")
    first.wait(limit_s=60, code=1)
    name = f"{os.uname().nodename}_a_1"
    assert (f"topic '{group.topic}', group '{group.topic}': another worker has joined as '{name}' "
            "(FENCED_INSTANCE_ID); give each worker its own --instance") in first.text(), first.text()
    group.send()
    group.end(second)


def test_no_thread_is_the_librarys():
    """It names its own "rdk:main" and "rdk:broker1"; of a member of a group there would be some."""
    threads = {}
    for client in ("native", "librdkafka"):
        group = Group(2, timeout="6s")
        worker = group.start(client=client)
        group.send()
        names = [path.read_text() for path in pathlib.Path(f"/proc/{worker.process.pid}/task").glob("*/comm")]
        threads[client] = sum(name.startswith("rdk:") for name in names)
        group.end(worker)
    assert threads["native"] == 0 < threads["librdkafka"], threads


def share_with_librdkafka(*clients):
    """Whoever came first shares out; the shares are those of range."""
    group = Group(5, timeout="6s")
    workers = [group.start(client=client) for client in clients]
    lib.wait_until(lambda: sorted(claims(worker)[-1] for worker in workers) == [2, 3], 30, "shares")
    group.send()
    workers[0].stop(limit_s=15)
    group.send()
    group.end(workers[1])


def test_native_shares_out_to_librdkafka():
    share_with_librdkafka("native", "librdkafka")


def test_librdkafka_shares_out_to_native():
    share_with_librdkafka("librdkafka", "native")


def counts(worker):
    """Of records that a worker that has ended read and committed, as it says itself."""
    said = re.findall(r"read ([\d,]+) records?, .*committed ([\d,]+) records? in", worker.text())
    return [int(n.replace(",", "")) for n in said[-1]]


def test_many_come_and_go():
    """Each comes, takes half of the partitions over, and is stopped: two rebalances, and an orderly stop that
    ends within its limit. Whatever was read is committed by whoever read it, so none is read twice; nothing is
    there twice, and nothing is missing."""
    group = Group(4)
    stays = group.start()
    read = committed = 0
    for _ in range(500 if lib.is_long() else 4):
        comes = group.start()
        with broker.Producer() as producer:
            for partition in range(group.n_partitions):
                producer.send(group.topic, f"T,{group.sent}", partition=partition)
                group.sent += 1
            producer.flush()
        comes.stop(limit_s=15)
        assert stays.is_running(), stays.text()[-2000:]
        done = counts(comes)
        assert done[0] == done[1], comes.text()
        read += done[0]
        committed += done[1]
    group.send()
    group.end(stays)
    done = counts(stays)
    assert [read + done[0], committed + done[1]] == [group.sent, group.sent], (read, committed, done, group.sent)


class JavaMember:
    """Kafka's own consumer in a group, by the strategy range; reads all that the group has not."""

    def __init__(self, topic):
        self.log = lib.tmp_dir() / "log"
        properties = ["partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor",
                      "session.timeout.ms=6000", "heartbeat.interval.ms=1000"]
        command = [lib.STACK, "java", "kafka", "org.apache.kafka.tools.consumer.ConsoleConsumer",
                   "--bootstrap-server", lib.brokers(), "--topic", topic, "--group", topic, "--from-beginning"]
        for text in properties:
            command += ["--consumer-property", text]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)

    def text(self):
        return self.log.read_text()

    def partitions(self, name):
        """From which it has read records of that name."""
        return {int(p) for p in re.findall(rf"J,{name}-(\d)", self.text())}

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def send_from_all(group, name):
    for p in range(group.n_partitions):
        broker.produce(group.topic, [f"J,{name}-{p}"], partition=p)


def share_with_java(java_leads):
    """Whoever is there first shares out; then each has the records of two partitions, and in the end we have
    all, since no progress of ours is with the group."""
    group = Group(4, timeout="6s")
    everything = set(range(4))
    java = JavaMember(group.topic)
    try:
        if java_leads:
            send_from_all(group, "first")
            lib.wait_until(lambda: java.partitions("first") == everything, 120, "the Java member")
        worker = group.start()
        lib.wait_until(lambda: claims(worker)[-1] == 2, 120, "its share")
        send_from_all(group, "second")
        ours = lib.wait_until(lambda: {int(row[-1]) for row in group.rows() if "second" in row}, 60, "a record")
        assert len(ours) <= 2, ours
        lib.wait_until(lambda: len(java.partitions("second")) == 2, 60, "its records")
        lib.wait_until(lambda: len([row for row in group.rows() if "second" in row]) == 2, 60, "our records")
        ours = {int(row[-1]) for row in group.rows() if "second" in row}
        assert ours | java.partitions("second") == everything, (ours, java.text())
        assert ours in ({0, 1}, {2, 3}), ours
    finally:
        java.end()
    lib.wait_until(lambda: claims(worker)[-1] == 4, 60, "all of them")
    lib.wait_until(lambda: len([row for row in group.rows() if "second" in row]) == 4, 60, "what it had")
    group.end(worker)


def test_native_shares_out_to_java():
    share_with_java(java_leads=False)


@lib.only_long
def test_java_shares_out_to_native():
    share_with_java(java_leads=True)
