# SPDX-License-Identifier: Apache-2.0
# test: takes 90
# test: waits
# test: needs kafka
# test: limit 900
"""Which topic a log was read from: by Kafka's id of it, and by the epochs of its leaders. A topic that is made
anew with the very same records, offsets and times; a log that a leader without its end has taken over; logs
of other clients, which know neither."""
import json
import subprocess

import broker
import kafka_cluster
import lib

JOB = """SET commit.interval = '100ms';
SET batch.interval = '20ms';
SET membership = 'none';
SET spool = '{root}/spool';
CREATE TABLE s (name TEXT NOT NULL)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv', client = '{client}');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
BEGAN_MS = 1_790_000_000_000
KEEP = {"retention.ms": -1}  # records of those times


class Work:
    def __init__(self, brokers=None, topic=None):
        self.brokers, self.root = brokers or lib.brokers(), lib.tmp_dir()
        self.topic = topic or broker.create_topic(config=KEEP, brokers=brokers)

    def script(self, client="native"):
        path = self.root / f"{client}.sql"
        path.write_text(JOB.format(root=self.root, brokers=self.brokers, topic=self.topic, client=client))
        return path

    def send(self, name, n):
        """At times that are the same each time."""
        with broker.Producer(brokers=self.brokers) as producer:
            for i in range(n):
                producer.send(self.topic, f"{name}{i}", partition=0, timestamp_ms=BEGAN_MS + i)
            producer.flush()

    def run_once(self, client="native", code=0):
        return lib.run("run", self.script(client), "--once", code=code)

    def start(self):
        return lib.Started("run", self.script())

    def rows(self):
        return sorted(row for path in self.root.glob("r/part-*.csv") for row in path.read_text().splitlines()[1:])

    def commits(self):
        """The entries with records, as they lie there."""
        entries = [json.loads(path.read_text()) for path in sorted(self.root.glob("r/_tramline/log/*/*.json"))]
        return [entry for entry in entries if entry["kind"] == "commit"]

    def wait_rows(self, n):
        lib.wait_until(lambda: len(self.rows()) == n, 60, f"{n} rows")

    def made_anew(self):
        broker.delete_topic(self.topic)

        def is_made():
            try:
                broker.create_topic(self.topic, config=KEEP)
            except Exception as reason:
                print(reason, flush=True)
                return False
            return True
        lib.wait_until(is_made, what="the topic made anew")


def id_by_kafka(topic, brokers):
    """As Kafka's own tool tells it."""
    out = topics(brokers, "--describe", "--topic", topic)
    return out.split("TopicId: ")[1].split()[0]


def topics(brokers, *args):
    return subprocess.run(
        ["java", "-cp", f"{kafka_cluster.JARS}/*", *kafka_cluster.JVM, "org.apache.kafka.tools.TopicCommand",
         "--bootstrap-server", brokers, *args], check=True, text=True, timeout=kafka_cluster.LIMIT_S,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def names(*groups):
    return sorted(f"{name}{i}" for name, n in groups for i in range(n))


def test_entries_tell_the_topics_id_and_the_leaders_epoch():
    work = Work()
    work.send("a", 20)
    work.run_once()
    topic_id = id_by_kafka(work.topic, work.brokers)
    commits = work.commits()
    assert {entry["topic_id"] for entry in commits} == {topic_id}, commits
    assert {part["epoch"] for entry in commits for part in entry["partitions"]} == {0}, commits
    report = lib.run("verify", work.script(), "--json").json()
    assert report["topic_id"] == topic_id and report["errors"] == 0, report
    assert [part["epoch"] for part in report["partitions"]] == [0], report
    told = [json.loads(line) for line in lib.run("history", work.script(), "--json").out.splitlines()]
    assert {line["topic_id"] for line in told} == {topic_id}, told


def test_the_same_records_under_another_id_are_not_read():
    """No record tells the topics apart: offsets, times, keys and values are the same."""
    work = Work()
    work.send("a", 20)
    work.run_once()
    first = id_by_kafka(work.topic, work.brokers)
    work.made_anew()
    work.send("a", 30)
    done = work.run_once(code=3)
    second = id_by_kafka(work.topic, work.brokers)
    assert f"was recreated: its id is {second}, and the log has read one with the id {first}" in done.err, done.err
    assert "init --reset" in done.err, done.err
    assert work.rows() == names(("a", 20))


def test_nor_by_a_worker_that_stands_at_the_end():
    work = Work()
    work.send("a", 20)
    worker = work.start()
    work.wait_rows(20)
    work.made_anew()
    work.send("a", 40)
    worker.wait(150, code=3)
    assert "recreated" in worker.text(), worker.text()
    assert work.rows() == names(("a", 20))


def test_clients_take_turns_in_one_log():
    """What librdkafka has read has no id; ours goes on in such a log, and that one in ours."""
    work = Work()
    sent = []
    for name, client in zip("abcd", ("librdkafka", "native", "librdkafka", "native")):
        work.send(name, 10)
        sent.append((name, 10))
        work.run_once(client)
        assert work.rows() == names(*sent)
    topic_id = id_by_kafka(work.topic, work.brokers)
    known = [entry.get("topic_id") for entry in work.commits()]
    assert [one for at, one in enumerate(known) if at == 0 or one != known[at - 1]] == [None, topic_id] * 2, known
    assert lib.run("verify", work.script(), "--deep", "--json").json()["errors"] == 0
    work.made_anew()
    for name, n in sent:
        work.send(name, n + 5)
    assert "was recreated: its id" in work.run_once(code=3).err


def unclean(cluster, work):
    """A leader takes over that has only the first ten records, and others behind them."""
    brokers = cluster.brokers
    topics(work.brokers, "--create", "--topic", work.topic, "--replica-assignment", "2:3",
           "--config", "unclean.leader.election.enable=true", "--config", "min.insync.replicas=1")
    lib.wait_until(lambda: broker.leaders(work.topic, work.brokers) == [2], 60, "a leader")
    work.send("both", 10)
    brokers[2].kill()
    work.send("one", 10)
    # Its leader lets nobody read them before it knows that the other broker is gone.
    lib.wait_until(lambda: broker.watermarks(work.topic, 0, work.brokers)[1] == 20, 60, "the records")
    yield
    brokers[1].kill()
    brokers[2].start()
    brokers[2].wait_started()
    lib.wait_until(lambda: broker.leaders(work.topic, work.brokers) == [3], 60, "the other leader")
    work.send("other", 15)
    yield
    brokers[1].start()
    brokers[1].wait_started()


def test_a_log_that_was_cut_back_is_told():
    """By an unclean election, while nobody runs, and under a worker that stands at the end."""
    cluster = kafka_cluster.Cluster(3)
    stopped = Work(cluster.addresses(), lib.fresh_name("stopped"))
    steps = unclean(cluster, stopped)
    next(steps)
    stopped.run_once()
    assert stopped.rows() == names(("both", 10), ("one", 10))
    next(steps)
    done = stopped.run_once(code=3)
    assert (f"topic '{stopped.topic}' partition 0: the log has read it up to offset 20, but from offset 10 on its "
            "leader has something else: it was cut back (an unclean election of a leader)") in done.err, done.err
    assert "give the result another path" in done.err, done.err
    assert stopped.rows() == names(("both", 10), ("one", 10))
    next(steps, None)
    running = Work(cluster.addresses(), lib.fresh_name("running"))
    steps = unclean(cluster, running)
    next(steps)
    worker = running.start()
    running.wait_rows(20)
    next(steps)
    worker.wait(120, code=3)
    assert "partition 0, offset 20: the log was cut back to offset 10" in worker.text(), worker.text()
    assert running.rows() == names(("both", 10), ("one", 10))
