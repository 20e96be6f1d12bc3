# SPDX-License-Identifier: Apache-2.0
# test: takes 70
# test: waits
# test: needs kafka hdfs
"""Units made by `tramline work` in other processes, which are killed all the time, and committed by
`tramline coordinate`: the result is what a plain run makes, and the sqlite3 shell."""
import collections
import json
import re
import signal
import subprocess

import broker
import feeds
import lib
import results
import status
import unit_driver

FILE_SCRIPT = """
SET spool = '{dir}/spool';
SET on_error.share = '100%';
SET commit.interval = '300ms';
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = 'file://{dir}/staged/trips', format = 'csv');
CREATE TABLE visits (trip_id TEXT NOT NULL, n INT) WITH ({stream});
CREATE TABLE result () WITH (connector = 'filesystem', path = 'file://{dir}/result', format = 'csv');
INSERT INTO result SELECT v.trip_id, v.n, t.route_id FROM visits v JOIN trips t ON t.trip_id = v.trip_id;
"""


def small_job(stream):
    """A directory with a script p.sql over two trips."""
    directory = lib.tmp_dir()
    (directory / "staged/trips").mkdir(parents=True)
    (directory / "staged/trips/trips.csv").write_text("trip_id,route_id\nT1,a\nT2,b\n")
    (directory / "p.sql").write_text(FILE_SCRIPT.format(dir=directory, stream=stream.format(dir=directory)))
    return directory


def check(directory, expected):
    results.same_rows(results.rows_of_result(directory / "result"), expected)
    report = lib.run("verify", "--deep", "--json", directory / "p.sql").json()
    assert report["errors"] == 0, report
    left = [p for p in results.open_dir(directory / "result").walk("_tramline/tmp")]
    assert left == [], left


def test_a_feed_by_workers_that_are_killed():
    work = feeds.prepared("stm-2014-extract")
    driver = unit_driver.Driver(work.script, work.sets, ["--records", "500", "--orders", "6"])
    assert driver.run(kill_every_s=0.8, coordinator_kills=[3, 9]) == 0
    assert driver.n_killed > 3 and len(driver.commits) > 9
    report = work.verify()
    assert report["errors"] == 0, report
    units = results.digest(results.iter_result(work.result))
    assert units == feeds.expected("stm-2014-extract")
    plain = feeds.prepared("stm-2014-extract")
    plain.run_once()
    assert units == results.digest(results.iter_result(plain.result))
    feeds.second_opinion(work)
    before = len(results.log_entries(work.result))
    work.run_once()  # a plain run goes on where they stopped: there is nothing left
    assert results.digest(results.iter_result(work.result)) == units
    assert not [e for n, e in results.log_entries(work.result).items() if n >= before and e["files"]]


def test_what_a_trigger_has_made_is_one_entry():
    """A driver with slots, whose workers are killed."""
    work = feeds.prepared("stm-2014-extract")
    driver = unit_driver.Driver(work.script, work.sets, ["--records", "700", "--slots", "3", "--orders", "6"])
    assert driver.run(kill_every_s=2.5) == 0
    entries = {told["entry"] for told in driver.commits}
    assert len(entries) < len(driver.commits), driver.commits
    assert work.verify()["errors"] == 0
    assert results.digest(results.iter_result(work.result)) == feeds.expected("stm-2014-extract")


def test_a_local_file():
    directory = small_job("connector = 'file', path = '{dir}/visits.csv', format = 'csv'")
    rows = [f"T{i % 3 + 1},{i}" for i in range(30000)]
    (directory / "visits.csv").write_text("trip_id,n\n" + "\n".join([*rows[:7], "", "T1,no number", *rows[7:]]))
    driver = unit_driver.Driver(directory / "p.sql", options=["--records", "300"], n_workers=2)
    assert driver.run(kill_every_s=0.4, coordinator_kills=[4]) == 0
    assert len(driver.commits) > 8
    check(directory, collections.Counter((f"T{i % 3 + 1}", str(i), "ab"[i % 3]) for i in range(30000) if i % 3 < 2))
    letters = results.dead_letters(directory / "result")
    assert len(letters) == 1 and "no number" in letters[0]["reason"], letters


def send_transactions(producer, topic, n):
    """Of one to four records each, by turns into two partitions; the rows of those that are not aborted, as the last two are
    and a third of the others."""
    good = []
    for i in range(n):
        rows = [("T1", str(100 * i + j), "a") for j in range(i % 4 + 1)]
        producer.begin()
        for trip, number, _ in rows:
            producer.send(topic, f"{trip},{number}", partition=i % 2)
        if i % 3 == 1 or i >= n - 2:
            producer.abort()
        else:
            producer.commit()
            good += rows
    return good


def test_ranges_that_end_where_no_record_is():
    """Aborted transactions, markers and an aborted tail; an open one is not read."""
    topic = broker.create_topic(partitions=2)
    directory = small_job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv', "
                          f"group = '{topic}-readers'")
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer:
        good = send_transactions(producer, topic, 12)
    driver = unit_driver.Driver(directory / "p.sql", options=["--records", "3", "--orders", "20"])
    assert driver.run(limit_s=60) == 0
    check(directory, collections.Counter(good))
    ends = ends_of(directory)
    assert ends == {p: broker.watermarks(topic, p)[1] for p in range(2)}, ends
    assert told_to_group(f"{topic}-readers") == ends  # for those who look at lag there


def stream_of(topic):
    return f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'"


def compacted_topic():
    """Partition 2 has no record, the others have lost some."""
    topic = broker.create_topic(partitions=3, config=broker.COMPACTED)
    broker.produce_in_segments(topic, [[(f"T{i % 2 + 1},{100 * turn + i}", f"{i}", i % 2) for i in range(10)]
                                       for turn in range(6)])
    return topic


def check_what_is_left(directory, topic):
    """All of it is in the result, once, and of the empty partition nothing."""
    rows = results.rows_of_result(directory / "result")
    # The broker may have gone on compacting: what is left now was there when the job read.
    left = collections.Counter(tuple(value.decode().split(",")) for *_, value in broker.consume(topic))
    assert not left - collections.Counter((row[0], row[1]) for row in rows), (left, rows)
    assert max(collections.Counter(rows).values()) == 1
    assert lib.run("verify", "--deep", "--json", directory / "p.sql").json()["errors"] == 0
    assert set(ends_of(directory)) == {0, 1, 2} and ends_of(directory)[2] == 0


def test_compacted_topics_and_empty_partitions():
    """Orders end where records are gone; partition 2 has none at all."""
    topic = compacted_topic()
    directory = small_job(stream_of(topic))
    driver = unit_driver.Driver(directory / "p.sql", options=["--records", "3", "--orders", "20"])
    assert driver.run(limit_s=60) == 0
    check_what_is_left(directory, topic)


def ends_of(directory):
    ends = {}
    for entry in results.log_entries(directory / "result").values():
        for span in entry["partitions"]:
            ends[span["partition"]] = span["next"]
    return ends


def test_partitions_that_are_added():
    """While the coordinator runs; it claims all again."""
    topic = broker.create_topic(partitions=1)
    directory = small_job(stream_of(topic))
    broker.produce(topic, ["T1,0"], partition=0)
    lines = unit_driver.queue.Queue()
    process = unit_driver.Process(lines, "coordinate", directory / "p.sql", "--records", "1")
    worker = unit_driver.Process(lines, "work", directory / "p.sql")

    def pass_on_until(n):
        """That many commits."""
        while n:
            source, line = lines.get(timeout=60)
            if source is worker:
                process.send(line)
            elif json.loads(line)["kind"] == "order":
                worker.send(line)
            n -= source is process and json.loads(line)["kind"] == "commit"

    pass_on_until(1)
    broker.add_partitions(topic, 3)
    for p in (0, 1, 2):
        lib.wait_until(lambda p=p: produced(topic, p), what="the new partition")
    pass_on_until(3)
    assert process.end() == 0 and worker.end() == 0
    assert b"has other partitions that answer: all are claimed again" in process.err, process.err
    check(directory, collections.Counter([("T1", "0", "a"), *((f"T{p % 2 + 1}", str(p + 1), "ab"[p % 2])
                                                              for p in range(3))]))


def produced(topic, p):
    try:
        broker.produce(topic, [f"T{p % 2 + 1},{p + 1}"], partition=p)
        return True
    except OSError:
        return False


def test_records_that_age_out():
    """Before they are ordered, and when they are: as a run does, by on_gap."""
    topic = broker.create_topic(partitions=1)
    directory = small_job(stream_of(topic))
    script = (directory / "p.sql").read_text()
    (directory / "p.sql").write_text(f"SET on_gap = 'record';\n{script}")
    broker.produce(topic, [f"T1,{i}" for i in range(10)], partition=0)
    assert unit_driver.Driver(directory / "p.sql").run(limit_s=60) == 0
    broker.produce(topic, [f"T1,{i}" for i in range(10, 40)], partition=0)
    broker.delete_records(topic, 0, 15)
    process = unit_driver.Process(lines := unit_driver.queue.Queue(), "coordinate", directory / "p.sql", "--once")
    order = lines.get(timeout=30)[1]
    broker.delete_records(topic, 0, 20)
    _, (answer,), _ = answers_of(directory, order)
    process.send(json.dumps(answer).encode() + b"\n")
    assert process.process.wait(30) == 0, process.err
    report = lib.run("verify", "--deep", "--json", directory / "p.sql", code=None).json()
    assert report["errors"] == 0, report
    results.same_rows(results.rows_of_result(directory / "result"), collections.Counter(
        ("T1", str(i), "a") for i in range(40) if not 10 <= i < 20))
    gaps = [span["gap"] for entry in results.log_entries(directory / "result").values()
            for span in entry["partitions"] if span.get("gap")]
    assert sum(gaps) == 10, gaps
    (directory / "p.sql").write_text(script)
    broker.produce(topic, ["T1,40", "T1,41"], partition=0)
    broker.delete_records(topic, 0, 41)
    driver = unit_driver.Driver(directory / "p.sql")
    assert driver.run(limit_s=60) == 3 and b"on_gap" in driver.coordinator.err, driver.coordinator.err


def told_to_group(group):
    """By Kafka's own tool: {partition: offset}."""
    out = broker.java_tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", group)
    rows = [line.split() for line in out.splitlines() if line.startswith(group)]
    return {int(words[2]): int(words[3]) for words in rows if words[3] != "-"}


def order_of(directory):
    """The first order of a coordinator, which is killed."""
    process = subprocess.Popen([lib.program(), "coordinate", directory / "p.sql", "--once"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    line = process.stdout.readline()
    process.kill()
    process.communicate()
    return json.loads(line)


def answers_of(directory, lines, limit_s=60):
    done = subprocess.run([lib.program(), "work", directory / "p.sql"], input=lines, capture_output=True,
                          timeout=limit_s)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def file_job():
    directory = small_job("connector = 'file', path = '{dir}/visits.csv', format = 'csv'")
    (directory / "visits.csv").write_text("trip_id,n\nT1,1\nT2,2\n")
    return directory


def test_bad_lines_are_answered():
    directory = file_job()
    order = order_of(directory)
    short = {key: value for key, value in order.items() if key != "writer"}
    lines = [b"what?", json.dumps({**order, "v": 2}).encode(), json.dumps(short).encode(),
             json.dumps({**order, "plan": "0" * 64}).encode(), json.dumps({**order, "topic": "other"}).encode(),
             json.dumps(order).encode()]
    code, answers, _ = answers_of(directory, b"\n".join(lines))
    texts = [answer.get("text", "") for answer in answers]
    number = order["order"]
    plan, cluster, path = order["plan"], order["cluster"], order["topic"]
    assert code == 0
    assert texts[0].startswith("this line is no order: it is not JSON: "), texts
    assert texts[1:] == [
        "this line is no order: field 'v' is not 1, the version of these lines; have the same tramline on both sides",
        "this line is no order: field 'writer' is not a text",
        f"the order is of another script (plan {'0' * 64}, this one's is {plan}); give tramline work and tramline "
        "coordinate the same script and variables",
        f"the order is of topic 'other' of cluster '{cluster}', but this script reads '{path}' of '{cluster}'", ""]
    assert [a.get("order") for a in answers] == [None, None, number, number, number, number], answers
    assert [a["kind"] for a in answers] == ["error"] * 5 + ["unit"], answers
    assert all(a["status"] == "final" and a["code"].startswith("TL") for a in answers[:5]), answers
    code, answers, err = answers_of(directory, b"x" * (2 << 20))
    assert code == 3 and answers == [] and "standard input: a line is longer than 1048576 bytes" in err, err
    too_long = json.dumps({**order, "more": "x" * (1 << 20)}).encode()
    code, answers, _ = answers_of(directory, too_long + b"\n")
    assert code == 0 and "; one has at most 1048576" in answers[0]["text"], answers


def coordinate(directory, lines, code):
    done = subprocess.run([lib.program(), "coordinate", directory / "p.sql", "--once"], input=lines,
                          capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stderr.decode()


def test_answers_that_are_none_end_the_coordinator():
    directory = file_job()
    assert "a line that was to be an answer: it is not JSON: " in coordinate(directory, b"what?\n", 3)
    failed = {"v": 1, "kind": "error", "status": "final", "code": "", "text": "it went wrong"}
    err = coordinate(directory, json.dumps(failed).encode() + b"\n", 1)
    assert "a worker failed: it went wrong" in err, err
    wrong = {"v": 1, "kind": "done", "order": 1}
    err = coordinate(directory, json.dumps(wrong).encode() + b"\n", 3)
    assert "field 'kind' is not 'unit', 'error', 'lost', 'slots' or 'alive'" in err, err
    err = coordinate(directory, b"", 0)  # the driver has gone
    assert err.count("1 order was not committed; the offsets are read again") == 1, err
    check(directory, collections.Counter())


def test_a_unit_of_other_offsets_is_refused():
    directory = file_job()
    process = unit_driver.Process(lines := unit_driver.queue.Queue(), "coordinate", directory / "p.sql", "--once")
    order = json.loads(lines.get(timeout=30)[1])
    _, (answer,), _ = answers_of(directory, json.dumps({**order, "partitions": [
        {"partition": 0, "first": 10, "next": order["partitions"][0]["next"]}]}).encode())
    process.send(json.dumps(answer).encode() + b"\n")
    assert process.process.wait(30) == 3
    process.listener.join()
    assert (f"the unit for order {order['order']} is of another writer or other offsets than were ordered"
            in process.err.decode())


def test_another_writer_ends_the_coordinator():
    directory = file_job()
    lines = unit_driver.queue.Queue()
    process = unit_driver.Process(lines, "coordinate", directory / "p.sql")
    assert json.loads(lines.get(timeout=30)[1])["kind"] == "order"
    lib.run("run", "--once", directory / "p.sql")
    assert process.process.wait(30) == 1
    process.listener.join()
    assert ("has claimed partition 0, and the work for it is dropped here: a job has one coordinator, or workers, "
            "at a time; stop the other, then start again" in process.err.decode()), process.err
    check(directory, collections.Counter([("T1", "1", "a"), ("T2", "2", "b")]))


def test_a_driver_that_goes_is_heard_to_the_end():
    """Its last answers are committed, and the folder in tmp removed, whether or not anybody still reads."""
    topic = broker.create_topic(partitions=3)
    with broker.Producer() as producer:
        for i in range(3):
            producer.send(topic, f"T1,{i}", partition=i)
        producer.flush()
    for reads in (True, False):
        directory = small_job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'")
        process = subprocess.Popen([lib.program(), "coordinate", directory / "p.sql", "--once", "--records", "1"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        orders = b"".join(process.stdout.readline() for _ in range(3))
        _, answers, _ = answers_of(directory, orders)
        if not reads:
            process.stdout.close()
        process.stdin.write(b"".join(json.dumps(answer).encode() + b"\n" for answer in answers))
        process.stdin.close()
        told = [json.loads(line)["kind"] for line in process.stdout] if reads else []
        code, err = process.wait(30), process.stderr.read().decode()
        assert (told, code) == ((["commit"] * 3 + ["end"], 0) if reads else ([], 1)), (told, code, err)
        assert ("cannot write to standard output: Broken pipe" in err) != reads, err
        check(directory, collections.Counter(("T1", str(i), "a") for i in range(3)))


def test_a_signal_commits_what_was_answered():
    """Of a trigger with two orders one: it need not be made again."""
    topic = broker.create_topic(partitions=2)
    directory = small_job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'")
    with broker.Producer() as producer:
        for i in range(2):
            producer.send(topic, f"T1,{i}", partition=i)
        producer.flush()
    process = subprocess.Popen([lib.program(), "coordinate", directory / "p.sql", "--slots", "2", "--records", "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    orders = []
    while (told := json.loads(line := process.stdout.readline()))["kind"] != "trigger":
        orders += [line] if told["kind"] == "order" else []
    assert len(orders) == 2
    _, (answer,), _ = answers_of(directory, orders[1])
    process.stdin.write(json.dumps(answer).encode() + b"\n")
    process.stdin.flush()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and [json.loads(line)["kind"] for line in out.splitlines()] == ["commit"], err
    assert b"1 order was not committed; the offsets are read again" in err, err
    check(directory, collections.Counter([("T1", "1", "a")]))
    lib.run("run", "--once", directory / "p.sql")
    check(directory, collections.Counter([("T1", "0", "a"), ("T1", "1", "a")]))


def test_the_status_server_of_a_coordinator():
    """How far it is, and what became of the records, as the workers told."""
    directory = file_job()
    (directory / "visits.csv").write_text("trip_id,n\nT1,1\nT2,2\nT2,no number\nT9,3\n")
    script = (directory / "p.sql").read_text()
    (directory / "p.sql").write_text(f"SET status.listen = '127.0.0.1:0';\n{script}")
    lines = unit_driver.queue.Queue()
    process = unit_driver.Process(lines, "coordinate", directory / "p.sql")
    told = lines.get(timeout=30)[1]
    url = re.search(rb"status: (http://\S+/)", process.err)[1].decode()
    state = status.state(url)
    assert state["state"] == "reading" and state["verdict"] == "ok" and state["lag"]["records"] > 0, state
    (answer,) = unit_of(directory, told)
    process.send(answer)
    assert json.loads(lines.get(timeout=30)[1])["kind"] == "commit"
    state = lib.wait_until(lambda: (now := status.state(url))["lag"]["records"] == 0 and now, what="no lag")
    found = [state["records"][name] for name in ("matched", "rejected", "unmatched", "filtered")]
    assert found == [2, 1, 1, 0], state
    numbers = status.metrics(url)
    assert numbers["tramline_rows_total",] == 2 and numbers["tramline_commits_total", ("result", "done")] == 1
    assert process.end() == 0


def unit_of(directory, order):
    """Lines that a worker answers, as bytes; it has no status server of its own."""
    done = subprocess.run([lib.program(), "work", directory / "p.sql"], input=order, capture_output=True, timeout=60)
    assert b"status: " not in done.stderr, done.stderr
    return done.stdout.splitlines(keepends=True)


def test_tables_that_change_meanwhile():
    for policy, code, rows in (("warn", 0, [("T1", "1", "c"), ("T2", "2", "b")]), ("fail", 1, [])):
        directory = file_job()
        script = (directory / "p.sql").read_text()
        (directory / "p.sql").write_text(f"SET on_table_change = '{policy}';\n{script}")
        lines = unit_driver.queue.Queue()
        process = unit_driver.Process(lines, "coordinate", directory / "p.sql", "--once")
        order = lines.get(timeout=30)[1]
        (directory / "staged/trips/trips.csv").write_text("trip_id,route_id\nT1,c\nT2,b\n")
        (answer,) = unit_of(directory, order)
        process.send(answer)
        assert process.process.wait(30) == code, process.err
        process.listener.join()
        assert b"the staged tables have changed; " in process.err, process.err
        assert (b"the staged tables changed while the job ran; what was read is committed; run it again"
                in process.err) == (code == 1), process.err
        check(directory, collections.Counter(rows))
        lib.run("run", "--once", directory / "p.sql")
        check(directory, collections.Counter([("T1", "1", "c"), ("T2", "2", "b")]))


def test_a_driver_that_is_killed_within_a_line():
    """What it has answered before is committed; a line that is whole but for its LF is one."""
    topic = broker.create_topic(partitions=2)
    with broker.Producer() as producer:
        for i in range(2):
            producer.send(topic, f"T1,{i}", partition=i)
        producer.flush()
    for is_whole in (True, False):
        directory = small_job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'")
        process = subprocess.Popen([lib.program(), "coordinate", directory / "p.sql", "--once", "--records", "1"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        orders = b"".join(process.stdout.readline() for _ in range(2))
        first, second = (json.dumps(answer).encode() for answer in answers_of(directory, orders)[1])
        out, err = process.communicate(first + b"\n" + (second if is_whole else second[:-3]), timeout=30)
        told = [json.loads(line)["kind"] for line in out.splitlines()]
        assert (told, process.returncode) == (["commit", "commit", "end"] if is_whole else ["commit"], 0), (told, err)
        assert (b"the input ended within a line, which is left out" in err) != is_whole, err
        check(directory, collections.Counter(("T1", str(i), "a") for i in range(2 if is_whole else 1)))


def test_a_worker_whose_driver_is_gone_says_so():
    directory = file_job()
    order = order_of(directory)
    process = subprocess.Popen([lib.program(), "work", directory / "p.sql"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    _, err = process.communicate(json.dumps(order).encode(), timeout=60)
    assert process.returncode == 1 and b"cannot write to standard output: Broken pipe" in err, err


def test_an_order_that_is_lost_too_often_ends_it():
    directory = file_job()
    lines = unit_driver.queue.Queue()
    process = unit_driver.Process(lines, "coordinate", directory / "p.sql", "--once")
    n = 0
    while (told := lines.get(timeout=60)[1]) is not None:
        n += 1
        answer = {"v": 1, "kind": "error", "status": "retry", "code": "", "text": "no broker answers",
                  "order": json.loads(told)["order"]}
        process.send(json.dumps(answer).encode() + b"\n")
    assert process.process.returncode == 1 and n == 10, n
    assert "was given out 10 times without a unit: no broker answers" in process.err.decode()


def test_an_order_that_ends_nowhere_is_waited_for_so_long():
    directory = file_job()
    script = (directory / "p.sql").read_text()
    (directory / "p.sql").write_text(f"SET once.timeout = '1s';\n{script}")
    order = order_of(directory)
    order["partitions"][0]["next"] += 1000
    _, (answer,), _ = answers_of(directory, json.dumps(order).encode())
    assert answer["status"] == "retry"
    assert answer["text"].endswith("partition 0: nothing came for 1 s at offset 20, but the order ends at 1020"), answer


def test_a_signal_ends_both_without_an_answer():
    directory = file_job()
    order = order_of(directory)
    order["partitions"][0]["next"] += 1000
    lines = unit_driver.queue.Queue()
    work = unit_driver.Process(lines, "work", directory / "p.sql")
    coordinator = unit_driver.Process(lines, "coordinate", directory / "p.sql")
    assert json.loads(lines.get(timeout=30)[1])["kind"] == "order"
    work.send(json.dumps(order).encode() + b"\n")
    for process in (work, coordinator):
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(10) == 0
    assert [line for _, line in (lines.get(timeout=5), lines.get(timeout=5)) if line] == []
