# SPDX-License-Identifier: Apache-2.0
# test: takes 140
# test: needs kafka hdfs
# test: limit 1200
# test: not-asan the nodes get the bundle of the release build
"""`tramline spark --engine sql` on a real cluster: Spark's SQL decodes and enriches, and what comes of it is
what the sqlite3 shell makes of the feed, in the same log as that of any other engine."""
import collections
import csv

import broker
import feeds
import job
import lib
import results
import spark
import test_spark
import test_units
from test_spark import check, nothing_is_left, placed
from test_units import small_job, stream_of

DONE = "tramline spark: all that was in the stream is committed"
LIMIT_S = 480  # Spark plans and compiles the query anew in each application


def by_sql(work, *words, options=()):
    """Several orders of one partition in a trigger."""
    return placed(work, "--engine", "sql", "--records", 10000, *words, options=options)


def check_feed(name):
    work = feeds.prepared(name)
    submitted = by_sql(work, "--once")
    submitted.wait(LIMIT_S)
    assert submitted.lines()[-1] == DONE, submitted.text()
    check(work, name)
    nothing_is_left()


# Fields of a record behind its trip, as CSV; and as they are in the result, None: the record is a dead letter.
ODD = [
    ('"a\nb","\n",odd,1', ("a\nb", "\n", "odd", "1")),
    ('"a\r\n\n","x\n",odd,-2', ("a\r\n\n", "x\n", "odd", "-2")),
    ('\1,\1\1x,odd,3', ("\1", "\1\1x", "odd", "3")),
    (',"",odd,', (None, "", "odd", None)),
    ('"""",é😀,odd,5', ('"', "é😀", "odd", "5")),
    ('+\t0\t0,{},odd,6', ("+\t0\t0", "{}", "odd", "6")),
    ("25:00:00,25:00:00,odd,seven", None),
    ('a\0b,25:00:00,odd,8', None),
]


def test_stm_by_sql_among_odd_records():
    """Texts that are easily cut or changed on their way, and what is no row by the trip of one that is."""
    name = "stm-2014-extract"
    work = feeds.prepared(name)
    with open(lib.feed_dir(name) / "stop_times.txt", encoding="utf-8-sig") as file:
        trip = next(csv.DictReader(file))["trip_id"]
    broker.produce(work.topic, [f"{trip},{fields}".encode() for fields, _ in ODD])
    submitted = by_sql(work, "--once")
    submitted.wait(LIMIT_S)
    assert submitted.lines()[-1] == DONE, submitted.text()
    assert work.verify()["errors"] == 0
    rows = list(results.iter_result(work.result))
    assert results.digest(row for row in rows if row[3] != "odd") == feeds.expected(name)
    odd = collections.Counter(row[1:5] for row in rows if row[3] == "odd")
    assert set(odd) == {fields for _, fields in ODD if fields} and len(set(odd.values())) == 1, odd
    reasons = sorted(letter["reason"] for letter in results.dead_letters(work.result))
    assert reasons == ["column arrival_time: 'a\\x00b' holds a NUL byte", "column stop_sequence: 'seven' is not an INT"], reasons
    nothing_is_left()


def test_madrid_by_sql():
    check_feed("madrid-metro")


def faults(wound):
    test_spark.faults(wound, by_sql, LIMIT_S)


@lib.only_long
def test_executors_are_killed_of_sql():
    faults(test_spark.wound_executor)


@lib.only_long
def test_drivers_are_killed_of_sql():
    faults(test_spark.wound_driver)


@lib.only_long
def test_worker_daemons_are_killed_of_sql():
    faults(test_spark.wound_daemon)


@lib.only_long
def test_executors_stand_still_of_sql():
    faults(test_spark.freeze_executor)


@lib.only_long
def test_laptop_and_all_engines_by_turns():
    test_spark.turns((job.Job.start, placed, test_spark.by_units, by_sql), LIMIT_S)


@lib.only_long
def test_topics_with_holes():
    """Aborted transactions and one that is open, an empty partition, partitions that are added, records that age
    out, all before and between two submits."""
    topic = broker.create_topic(partitions=3)
    directory = small_job(stream_of(topic))
    (directory / "p.sql").write_text("SET on_gap = 'record';\n" + (directory / "p.sql").read_text())
    good = []
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer, \
            broker.Producer(transactional_id=lib.fresh_name("open"), transaction_timeout_ms=600000) as other:
        for i in range(12):
            producer.begin()
            producer.send(topic, f"T{i % 2 + 1},{i}", partition=i % 2)
            if i % 3 == 1 or i >= 10:
                producer.abort()
            else:
                producer.commit()
                good.append((f"T{i % 2 + 1}", str(i), "ab"[i % 2]))
        other.begin()
        other.send(topic, "T1,900", partition=0)
        other.flush()
        once(directory)
        test_units.check(directory, collections.Counter(good))
        other.commit()
    broker.produce(topic, [f"T1,{i}" for i in range(100, 110)], partition=1)
    broker.delete_records(topic, 1, broker.watermarks(topic, 1)[1] - 4)
    broker.add_partitions(topic, 5)
    for p in (0, 4):
        lib.wait_until(lambda p=p: test_units.produced(topic, p), what="the new partition")
    once(directory)
    good += [("T1", "900", "a"), *(("T1", str(i), "a") for i in range(106, 110)), ("T1", "1", "a"), ("T1", "5", "a")]
    test_units.check(directory, collections.Counter(good))
    assert test_units.ends_of(directory)[2] == 0 and set(test_units.ends_of(directory)) == set(range(5))


def once(directory):
    words = [directory / "p.sql", "--workers", 2, "--once", "--engine", "sql", "--records", 5]
    submitted = spark.Submitted(test_spark.cluster(), words, spark.PATIENT)
    submitted.wait(LIMIT_S)
    assert submitted.lines()[-1] == DONE, submitted.text()
