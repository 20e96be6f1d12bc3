# SPDX-License-Identifier: Apache-2.0
# test: takes 110
# test: waits
# test: needs kafka hdfs
# test: limit 240
"""Units in parts (docs/units.md): `tramline coordinate`, and `tramline work --part tables`, `read` and `write` with
an engine between that is parts_engine.py's. Real Kafka and HDFS."""
import collections
import json
import os
import pathlib
import subprocess

import broker
import feeds
import job
import lib
import results
from parts_engine import Coordinator, Engine, coordinate
from test_units import check, check_what_is_left, compacted_topic, ends_of, produced, send_transactions, small_job, stream_of


def test_an_engine_between_gives_the_feed_as_a_run():
    work = feeds.prepared("stm-2014-extract")
    orders = coordinate(Engine(work.script, work.sets), "--records", 3000)
    assert len(orders) >= 4, orders
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS["stm-2014-extract"][1]), report
    assert results.digest(results.iter_result(work.result)) == feeds.expected("stm-2014-extract")
    feeds.second_opinion(work)


def test_letters_aborted_records_and_times_are_a_runs():
    """What is bad has the letters of a plain run over the same topic; aborted records are none."""
    work = feeds.prepared("stm-2014-extract", settings={"on_error.share": "100%"})
    with broker.Producer(transactional_id=lib.fresh_name("parts")) as producer:
        producer.begin()
        producer.send(work.topic, b"no record of a transaction that was aborted", partition=0)
        producer.flush()
        producer.abort()
        producer.begin()
        producer.send(work.topic, b"t\xff,08:00:00,08:00:00,s,1", partition=0, key=b"\xfe\t",
                      headers=[("h", b"\x00\n")])
        producer.send(work.topic, b"a,b\x00c", partition=1)
        producer.send(work.topic, "é,08:00:00,08:00:00,s,one".encode(), partition=2)
        producer.commit()
    other = job.Job(feeds.hdfs(), settings={"on_error.share": "100%"})
    other.script.write_text(other.script.read_text().replace(other.topic, work.topic))
    other.tramline("init")
    other.extract(lib.feed_dir("stm-2014-extract"))
    other.run_once()
    coordinate(Engine(work.script, work.sets), "--records", 3000)
    assert work.verify()["errors"] == 0
    ours, plain = (sorted(results.dead_letters(w.result), key=lambda letter: letter["partition"])
                   for w in (work, other))
    assert len(ours) == 3 and ours == plain, (ours, plain)
    assert results.digest(results.iter_result(work.result)) == results.digest(results.iter_result(other.result))
    names = ("records", "rows", "ignored", "rejected", "skipped", "control", "aborted", "hole", "gap")
    counts = [[w.verify()[name] for name in names] for w in (work, other)]
    assert counts[0] == counts[1] and counts[0][4] >= 5, counts


def test_relations_of_any_name():
    """SQLite, which has their rows, takes names that differ in case for one."""
    directory = small_job("connector = 'file', path = '{dir}/s.csv', format = 'csv', header = 'false'")
    text = (directory / "p.sql").read_text()
    text = text[:text.index("INSERT")].replace("CREATE TABLE trips (", 'CREATE TABLE "Trips" (').replace("route_id TEXT", '"Route" TEXT')
    (directory / "staged/trips/trips.csv").write_text("trip_id,Route\nT1,a\nT2,b\n")
    for view, column in (("^.rows", "^.row"), ("A\"b", "a\"B"), ("sqlite_x", "É x")):
        view, column = (name.replace('"', '""') for name in (view, column))
        (directory / "p.sql").write_text(
            f'{text}CREATE VIEW "{view}" AS SELECT *, 1 AS "{column}" FROM "Trips";\n'
            f'INSERT INTO result SELECT v.trip_id, t."{column}", u."Route" FROM visits v JOIN "{view}" t ON t.trip_id = v.trip_id '
            'JOIN "Trips" u ON u.trip_id = v.trip_id;\n')
        done = lib.run("work", directory / "p.sql", "--part", "tables", "--out", lib.tmp_dir())
        relations = json.loads(done.out)["relations"]
        rows = {r["name"]: sorted(pathlib.Path(r["file"]).read_text().splitlines()) for r in relations}
        assert rows == {view.replace('""', '"'): ['{"c0":"T1","c1":"a","c2":1}', '{"c0":"T2","c1":"b","c2":1}'],
                        "Trips": ['{"c0":"T1","c1":"a"}', '{"c0":"T2","c1":"b"}']}, rows


def by_parts(directory, *words):
    return coordinate(Engine(directory / "p.sql", n_columns=2), *words)


def test_ranges_that_end_where_no_record_is():
    """Aborted transactions, an aborted tail, and behind it one that is open: read up to there, and no further."""
    topic = broker.create_topic(partitions=2)
    directory = small_job(stream_of(topic))
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer, \
            broker.Producer(transactional_id=lib.fresh_name("open")) as other:
        good = send_transactions(producer, topic, 8)
        stable = {p: broker.watermarks(topic, p)[1] for p in range(2)}
        other.begin()
        other.send(topic, "T1,900", partition=0)
        other.send(topic, "T2,901", partition=1)
        other.flush()
        by_parts(directory, "--records", 3)
        check(directory, collections.Counter(good))
        assert ends_of(directory) == stable
        other.commit()
    by_parts(directory, "--records", 3)
    check(directory, collections.Counter([*good, ("T1", "900", "a"), ("T2", "901", "b")]))


def test_compacted_topics_and_empty_partitions():
    """Orders begin and end where records are gone; partition 2 has none at all."""
    topic = compacted_topic()
    directory = small_job(stream_of(topic))
    by_parts(directory, "--records", 3)
    check_what_is_left(directory, topic)


def test_partitions_that_are_added():
    topic = broker.create_topic(partitions=1)
    directory = small_job(stream_of(topic))
    broker.produce(topic, ["T1,0"], partition=0)
    coordinator = Coordinator(Engine(directory / "p.sql", n_columns=2), "--records", 1)
    try:
        coordinator.until("commit")
        broker.add_partitions(topic, 3)
        for p in range(3):
            lib.wait_until(lambda p=p: produced(topic, p), what="the new partition")
        coordinator.until("commit", 3)
    finally:
        assert coordinator.end() == 0, coordinator.log.read_text()
    check(directory, collections.Counter([("T1", "0", "a"), *((f"T{p % 2 + 1}", str(p + 1), "ab"[p % 2])
                                                              for p in range(3))]))


def test_records_that_age_out():
    """Before they are ordered, and when they are: as a run does, by on_gap."""
    topic = broker.create_topic(partitions=1)
    directory = small_job(stream_of(topic))
    script = (directory / "p.sql").read_text()
    (directory / "p.sql").write_text(f"SET on_gap = 'record';\n{script}")
    engine = Engine(directory / "p.sql", n_columns=2)
    broker.produce(topic, [f"T1,{i}" for i in range(10)], partition=0)
    coordinate(engine)
    broker.produce(topic, [f"T1,{i}" for i in range(10, 40)], partition=0)
    broker.delete_records(topic, 0, 15)
    late = engine.answer

    def answer(order):
        broker.delete_records(topic, 0, 20)
        return late(order)

    engine.answer = answer
    coordinate(engine)
    check(directory, collections.Counter(("T1", str(i), "a") for i in range(40) if not 10 <= i < 20))
    gaps = [span["gap"] for entry in results.log_entries(directory / "result").values()
            for span in entry["partitions"] if span.get("gap")]
    assert sum(gaps) == 10, gaps
    (directory / "p.sql").write_text(script)
    broker.produce(topic, ["T1,40", "T1,41"], partition=0)
    broker.delete_records(topic, 0, 41)
    coordinator = Coordinator(Engine(directory / "p.sql", n_columns=2), "--once")
    coordinator.until("end")
    assert coordinator.end() == 3 and "on_gap" in coordinator.log.read_text(), coordinator.log.read_text()


def test_tokens_of_the_environment():
    """The process keeps none there; what is none is refused."""
    directory = small_job(stream_of(broker.create_topic()))
    words = ["work", directory / "p.sql", "--token-env"]
    for env, text in (({}, "--token-env: there is no TRAMLINE_TOKENS in the environment"),
                      ({"TRAMLINE_TOKENS": "a secret"}, "--token-env: the tokens: these are no delegation tokens")):
        done = lib.run(*words, code=2, env=env)
        assert text in done.err and "secret" not in done.err, done.err
    line = json.dumps({"v": 1, "tokens": [{"storage": "hdfs://elsewhere", "token": "c2VjcmV0"}]})
    process = subprocess.Popen([lib.program(), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "TRAMLINE_TOKENS": line})
    try:
        process.stdin.write("no order\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["kind"] == "error"
        assert b"c2VjcmV0" not in pathlib.Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.stdin.close()
        process.wait(60)


def test_a_local_file_without_a_header():
    """Orders begin and end within lines; letters are a run's."""
    plain, ours = (small_job("connector = 'file', path = '{dir}/visits.csv', format = 'csv', header = 'false'")
                   for _ in range(2))
    lines = [f"T{i % 3 + 1},{i}" for i in range(300)]
    for directory in (plain, ours):
        (directory / "visits.csv").write_text("\n".join(["T1,7", *lines[:7], "", "T1,no number", *lines[7:]]))
    lib.run("run", "--once", plain / "p.sql")
    assert len(by_parts(ours, "--records", 10)) >= 4
    expected = [("T1", "7", "a"), *((f"T{i % 3 + 1}", str(i), "ab"[i % 3]) for i in range(300) if i % 3 < 2)]
    check(ours, collections.Counter(expected))
    check(plain, collections.Counter(expected))
    reasons = [[letter["reason"] for letter in results.dead_letters(d / "result")] for d in (ours, plain)]
    assert len(reasons[0]) == 1 and reasons[0] == reasons[1], reasons
