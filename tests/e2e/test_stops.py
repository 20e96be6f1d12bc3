# SPDX-License-Identifier: Apache-2.0
# test: takes 110
# test: waits
# test: needs kafka hdfs
# test: limit 2400
"""SIGTERM and SIGINT at any moment: what was read is committed, the end comes in time and without a
busy core, nothing is read again, the last line is true."""
import collections
import json
import random
import re
import resource
import signal
import threading
import time

import broker
import job
import lib
import results
import status

TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"
IDLE_LIMIT_S = 2
SLOW_LIMIT_S = 10
BUSY_S = 3  # of CPU time; a core that is busy until a deadline takes more
N_RECORDS = 19
N_ROUNDS = 200 if lib.is_long() else 12


def new_job(place, settings=None, **kwargs):
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text(TRIPS)
    (directory / "calendar_dates.txt").write_text(DATES)
    work = job.Job(place, {"batch.interval": "50ms", "commit.interval": "1h", **(settings or {})},
                   **kwargs)
    work.init()
    work.extract(directory)
    return work


def send(work, first, n):
    broker.produce(work.topic, [f"T1,x,1,s{i},1" for i in range(first, first + n)])


def rows(work):
    return sum(1 for _ in results.iter_result(work.result))


def numbers(text):
    """The last line of numbers that a run --json has printed."""
    lines = [line for line in text.splitlines() if line.startswith('{"elapsed_ms"')]
    assert lines, text
    return json.loads(lines[-1])


def run_once(work):
    return numbers(work.tramline("run", "--once", "--json").out)


def stop(worker, limit_s, number=signal.SIGTERM):
    """Its last numbers; it has read nothing that it has not committed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    worker.signal(number)
    worker.wait(20)
    took_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    print(f"ended after {took_s:.1f} s, CPU {cpu_s:.1f} s in all", flush=True)
    assert took_s < limit_s, f"{took_s:.1f} s\n{worker.text()}"
    assert cpu_s < BUSY_S, f"{cpu_s:.1f} s of CPU time\n{worker.text()}"
    return numbers(worker.text())


def assert_all_is_committed(told, n):
    assert told["read"] == told["committed_records"] == n, told


def assert_nothing_is_left(work, n):
    """Another run reads nothing, and the result has each record once."""
    assert run_once(work)["read"] == 0
    found = collections.Counter(row[3] for row in results.iter_result(work.result))
    assert len(found) == n and set(found.values()) <= {1}, found.most_common(5)
    assert work.verify()["errors"] == 0


def stops_after_reading(place, executor, after_a_commit, number):
    work = new_job(place, {"executor": executor, **status.LISTEN})
    n_before = 5 if after_a_commit else 0
    if after_a_commit:
        send(work, 0, n_before)
        work.run_once()
    worker = work.start("--json")
    send(work, n_before, N_RECORDS)
    status.wait_read(worker, N_RECORDS)
    told = stop(worker, IDLE_LIMIT_S, number)
    assert_all_is_committed(told, N_RECORDS)
    assert rows(work) == n_before + N_RECORDS
    assert_nothing_is_left(work, n_before + N_RECORDS)


def test_what_was_read_is_committed_in_files():
    place = f"file://{lib.tmp_dir()}"
    stops_after_reading(place, "native", False, signal.SIGTERM)
    stops_after_reading(place, "sqlite", True, signal.SIGINT)
    stops_after_reading(place, "native", True, signal.SIGTERM)


def test_what_was_read_is_committed_on_hdfs():
    place = lib.hdfs_url(f"/e2e/{lib.fresh_name()}")
    stops_after_reading(place, "native", True, signal.SIGINT)
    stops_after_reading(place, "sqlite", False, signal.SIGTERM)


def test_slow_hdfs_has_time_for_the_last_commit():
    with lib.proxied_hdfs() as (name, data, url):
        work = new_job(f"{url}/e2e/{lib.fresh_name()}", status.LISTEN)
        send(work, 0, 1)
        work.run_once()
        worker = work.start("--json")
        send(work, 1, N_RECORDS)
        status.wait_read(worker, N_RECORDS)
        name.do("delay 60")
        data.do("delay 60")
        told = stop(worker, SLOW_LIMIT_S)
        name.do("pass")
        data.do("pass")
        assert_all_is_committed(told, N_RECORDS)
        assert_nothing_is_left(work, 1 + N_RECORDS)


def stopped_without_brokers(**job_of):
    """(What a worker tells at its end that has read and has no broker any more, what it said.) Then the brokers are back."""
    with lib.proxied_kafka() as proxy:
        work = new_job(f"file://{lib.tmp_dir()}", status.LISTEN, brokers=proxy.address, **job_of)
        send(work, 0, 1)
        work.run_once()
        worker = work.start("--json")
        send(work, 1, N_RECORDS)
        status.wait_read(worker, N_RECORDS)
        proxy.do("refuse")
        proxy.do("reset")
        time.sleep(1)
        told = stop(worker, SLOW_LIMIT_S)
        proxy.do("pass")
        work.run_once()
        assert_nothing_is_left(work, 1 + N_RECORDS)
        return told, worker.text()


def test_without_brokers_it_says_what_is_read_again():
    """By a client that does not know the topic's id: it reads a record again before each commit."""
    told, said = stopped_without_brokers(
        replace=[("connector = 'kafka'", "connector = 'kafka', client = 'librdkafka'")])
    assert told["committed_records"] == 0, told
    assert "lag_records" not in told, told  # what was dropped is behind, too
    assert re.search(r"warn .*; what was read last could not be committed before the end; it "
                     "will be read again", said), said


def test_without_brokers_it_commits_what_was_read():
    """The records were asked for by the topic's id: nothing is left to ask a broker for."""
    told, said = stopped_without_brokers()
    assert told["committed_records"] == N_RECORDS, told
    assert "will be read again" not in said, said


# Before the first record: whatever is waited for.


def ends_before_it_begins(work, fault, proxy):
    fault()
    worker = work.start()
    lib.wait_until(lambda: proxy.stats()["struck"], 20, "a fault that struck")
    time.sleep(0.5)
    worker.signal(signal.SIGTERM)
    began = time.monotonic()
    worker.wait(20)
    took_s = time.monotonic() - began
    assert took_s < 5, f"{took_s:.1f} s\n{worker.text()}"
    assert worker.text().splitlines()[-1].endswith("info  stopped before the job began")


def test_a_start_that_waits_is_ended():
    with lib.proxied_hdfs() as (name, _, url):
        work = new_job(f"{url}/e2e/{lib.fresh_name()}")
        for command in ("blackhole", "refuse"):
            ends_before_it_begins(work, lambda: name.do(command), name)  # noqa: B023
            name.do("pass")
    with lib.proxied_kafka() as proxy:
        work = new_job(f"file://{lib.tmp_dir()}", brokers=proxy.address)
        for command in ("blackhole", "refuse"):
            ends_before_it_begins(work, lambda: proxy.do(command), proxy)  # noqa: B023
            proxy.do("pass")


# A worker that fails does not wait for what others wait for.


LOOKS = """
SET spool = '${SPOOL}';
SET on_error = 'fail';
SET commit.interval = '200ms';
SET tables.check_interval = '1s';
CREATE TABLE stop_times (trip_id TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = '${TOPIC}', format = 'csv',
        group = '${TOPIC}');
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '${TABLES}/trips', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '${RESULT}', format = 'csv');
INSERT INTO result SELECT s.*, t.route_id FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id;
"""


def test_a_failing_worker_does_not_wait_for_a_look_at_the_tables():
    with lib.proxied_hdfs() as (name, _, url):
        place = lib.tmp_dir()
        topic = broker.create_topic()
        (place / "p.sql").write_text(LOOKS)
        (place / "feed").mkdir()
        (place / "feed/trips.txt").write_text(TRIPS)
        values = {"SPOOL": place / "spool", "BROKERS": lib.brokers(), "TOPIC": topic,
                  "TABLES": f"{url}/e2e/{lib.fresh_name()}", "RESULT": place / "result"}
        sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        lib.run("extract", place / "feed", place / "p.sql", *sets)
        broker.produce(topic, ["T1,1"])
        worker = lib.Started("run", place / "p.sql", *sets)
        lib.wait_until(lambda: (place / "result").exists()
                       and results.data_files(f"file://{place}/result"), 30, "a commit")
        name.do("blackhole")
        time.sleep(3)  # a look is under way
        broker.produce(topic, ["T1,none"])
        began = time.monotonic()
        worker.wait(30, code=3)
        took_s = time.monotonic() - began
        assert took_s < 6, f"{took_s:.1f} s\n{worker.text()}"


# At random moments, alone and beside a second worker, while records keep coming.


class Records(threading.Thread):
    """Publishes all the time, until told to end."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.n, self.is_over = work, 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.05):
            send(self.work, self.n, 10)
            self.n += 10

    def end(self):
        self.is_over.set()
        self.join()


def test_random_moments():
    chance = random.Random(16)
    work = new_job(lib.hdfs_url(f"/e2e/{lib.fresh_name()}"), {"commit.interval": "700ms"})
    records = Records(work)
    records.start()
    n_read = n_committed = 0
    for number in range(N_ROUNDS):
        workers = [work.start("--json") for _ in range(1 + number % 2)]
        time.sleep(chance.uniform(0.1, 7.0))
        for worker in workers:
            worker.signal(chance.choice([signal.SIGTERM, signal.SIGINT]))
            time.sleep(chance.uniform(0, 1.0))
        for worker in workers:
            worker.wait(SLOW_LIMIT_S)
            if "stopped before the job began" not in worker.text():
                told = numbers(worker.text())
                n_read += told["read"]
                n_committed += told["committed_records"]
                assert told["read"] == told["committed_records"], worker.text()
    records.end()
    left = run_once(work)
    print(f"{N_ROUNDS} rounds, {records.n} records, {n_read} of them before the last run")
    assert n_read == n_committed and n_read + left["read"] == records.n, (n_read, left, records.n)
    assert_nothing_is_left(work, records.n)
