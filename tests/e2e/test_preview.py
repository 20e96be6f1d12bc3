# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka hdfs registry
"""`tramline preview` and `cat` of a stream: rows and records as they are, and nothing is left: no group, no file."""
import json
import re
import time

import avro_job
import broker
import lib
import webhdfs

TABLES = """
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '{place}/trips', format = 'csv');
CREATE TABLE visits (trip_id TEXT NOT NULL, n INT)
  WITH ({stream});
CREATE TABLE result () WITH (connector = 'filesystem', path = '{place}/result', format = 'csv');
{insert}
"""
INSERT = "INSERT INTO result SELECT v.*, t.route_id FROM visits v JOIN trips t ON t.trip_id = v.trip_id;"
FILE = "connector = 'file', path = 'visits.csv', format = 'csv'"
RECORDS = ["T1,1", "T9,2", "T2,x", "T2,4"]


def job(stream, place="data", insert=INSERT):
    directory = lib.tmp_dir()
    (directory / "p.sql").write_text(TABLES.format(stream=stream, place=place, insert=insert))
    (directory / "feed").mkdir()
    (directory / "feed/trips.txt").write_text("trip_id,route_id\nT1,51\nT2,52\nT2,53\n")
    lib.run("extract", "feed", "p.sql", cwd=directory)
    return directory


def file_job(rows=RECORDS, **more):
    directory = job(FILE, **more)
    (directory / "visits.csv").write_text("trip_id,n\n" + "".join(row + "\n" for row in rows))
    return directory


def kafka_job(records=RECORDS, partitions=1, **more):
    topic = broker.create_topic(partitions=partitions)
    if records:
        broker.produce(topic, records)
    stream = f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv', group = '{topic}'"
    return topic, job(stream, **more)


def run(directory, *args, code=0):
    return lib.run(*args, cwd=directory, code=code)


def said(done):
    """The log without its times."""
    return re.sub(r"^\S+Z ", "", done.err, flags=re.M)


SUM = ("warn  partition 0 offset {bad} is rejected: column n: 'x' is not an INT\n"
       "info  read 4 records: 2 matched, 1 rejected; 3 rows; nothing was committed\n")


def test_rows_are_those_of_a_run():
    directory = file_job()
    done = run(directory, "preview", "p.sql", "--csv")
    assert done.out == "trip_id,n,route_id\nT1,1,51\nT2,4,52\nT2,4,53\n", done.out
    assert not (directory / "data/result").exists()
    run(directory, "run", "--once", "p.sql")
    assert run(directory, "cat", "p.sql", "result", "--csv").out == done.out


def test_sqlite_and_json_and_limits():
    directory = file_job(insert="SET executor = 'sqlite';" + INSERT)
    done = run(directory, "preview", "p.sql", "--json", "--limit", "2")
    assert [json.loads(line) for line in done.out.splitlines()] == [
        {"trip_id": "T1", "n": 1, "route_id": "51"}, {"trip_id": "T2", "n": 4, "route_id": "52"}]
    many = file_job([f"T1,{i}" for i in range(5000)])
    assert len(run(many, "preview", "p.sql", "--csv").out.splitlines()) == 21
    assert len(run(many, "preview", "p.sql", "--csv", "--limit", "4990").out.splitlines()) == 4991


def test_nothing_is_said_of_records_beyond_the_last_row():
    for executor in ("native", "sqlite"):
        bad_and_good = [f"T1,{'x' if i % 3 == 0 else i}" for i in range(300)]
        directory = file_job(bad_and_good, insert=f"SET executor = '{executor}';" + INSERT)
        for limit, read, bad in ((1, 3, 1), (2, 4, 1), (3, 6, 2)):  # the header is a record, too
            done = run(directory, "preview", "p.sql", "--limit", str(limit))
            assert said(done).count("is rejected") == bad, (limit, said(done))
            assert f"read {read} records: {limit} matched, {bad} rejected; " in said(done), (limit, said(done))


def test_many_rejects_are_counted():
    done = run(file_job([f"T1,x{i}" for i in range(100)]), "preview", "p.sql")
    assert said(done).count("is rejected") == 20
    assert "info  read 101 records: 0 matched, 100 rejected; 0 rows; nothing was committed\n" in said(done), said(done)


def groups():
    return broker.java_tool("consumer.group.ConsumerGroupCommand", "--list").split()


def files(place):
    return sorted(str(path) for path in webhdfs.WebHdfs(place).walk())


def test_a_preview_of_a_topic_leaves_nothing():
    """No group on the broker, no file on HDFS; a run then has both."""
    place = lib.hdfs_url()
    topic, directory = kafka_job(place=place)
    before = files(place)
    done = run(directory, "preview", "p.sql", "--csv")
    assert done.out == "trip_id,n,route_id\nT1,1,51\nT2,4,52\nT2,4,53\n", done.out
    assert said(done).endswith(SUM.format(bad=2)), said(done)
    assert len(run(directory, "cat", "p.sql", "visits", "--csv").out.splitlines()) == 5
    assert files(place) == before and topic not in groups()
    run(directory, "run", "--once", "p.sql")
    assert files(place) != before and topic in groups()


def test_from_anywhere():
    topic, directory = kafka_job(records=None, partitions=2)
    broker.produce(topic, [f"T1,{i}" for i in range(5)], partition=0)
    broker.produce(topic, [f"T1,{i}" for i in range(10, 15)], partition=1)

    def shown(place):
        rows = run(directory, "preview", "p.sql", "--csv", "--from", place).out.splitlines()[1:]
        return sorted(int(row.split(",")[1]) for row in rows)

    assert shown("earliest") == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert shown("3") == [3, 4, 13, 14]
    assert shown("1:4") == [14]
    assert shown("0:99") == [] and shown("99") == []
    assert shown("1970-01-02T00:00:00Z") == shown("earliest")
    assert shown("2100-01-01T00:00:00Z") == []
    for place in ("99", "2100-01-01T00:00:00Z"):
        done = run(directory, "cat", "p.sql", "visits", "--from", place)
        assert said(done) == f"warn  there is no record from there on in any partition of '{topic}'\n", done.err
    done = run(directory, "cat", "p.sql", "visits", "--from", "1:999999")
    assert said(done) == f"warn  there is no record from there on: partition 1 of '{topic}' ends at offset 5\n", done.err
    done = run(directory, "preview", "p.sql", "--from", "2:0", code=2)
    assert done.err.endswith(f"tramline preview: --from: there is no partition 2; '{topic}' has 2, from 0 on\n"), done.err
    for wrong in ("later", "-1", "1:", ":1", "1:x", "99999999999:1", "2026-13-01"):
        done = run(directory, "preview", "p.sql", f"--from={wrong}", code=2)
        assert done.err == (f"tramline preview: --from takes earliest, latest, an offset (120), that of one partition "
                            f"(2:120) or a time such as 2026-11-22T05:00:00Z, not '{wrong}'\n"), done.err


def test_latest_waits_for_new_records():
    topic, directory = kafka_job(["T1,1"])
    process = lib.subprocess.Popen([lib.program(), "preview", "p.sql", "--from", "latest", "--limit", "2", "--csv"],
                                   cwd=directory, stdout=lib.subprocess.PIPE, stderr=lib.subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        while "waiting for new records; a signal ends it" not in line:
            assert line, "ended"
            line = process.stderr.readline()
        time.sleep(2)  # where the topic ends is asked for now
        broker.produce(topic, ["T2,7"])
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "trip_id,n,route_id\nT2,7,52\nT2,7,53\n", out


def test_cat_shows_records_as_they_are():
    topic, directory = kafka_job()
    rows = [json.loads(line) for line in run(directory, "cat", "p.sql", "visits", "--json").out.splitlines()]
    assert [(row["_partition"], row["_offset"], row["trip_id"], row["n"], row["_error"]) for row in rows] == [
        (0, 0, "T1", 1, None), (0, 1, "T9", 2, None), (0, 2, None, None, "column n: 'x' is not an INT"), (0, 3, "T2", 4, None)]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["_time"]) for row in rows), rows
    limited = run(directory, "cat", "p.sql", "visits", "--csv", "--limit", "2", "--from", "0:1").out.splitlines()
    assert limited[0] == "_partition,_offset,_time,_key,trip_id,n,_error"
    assert [line.split(",")[1] for line in limited[1:]] == ["1", "2"]
    assert run(directory, "cat", "p.sql", "visits", "--csv", "--limit", "0").out.count("\n") == 1


def test_cat_shows_what_a_job_passes_and_keys():
    topic, directory = kafka_job(None)
    broker.produce(topic, ["trip_id,n", "T1,1"], key=lambda value: "é" + value[:2])
    rows = [json.loads(line) for line in run(directory, "cat", "p.sql", "visits", "--json").out.splitlines()]
    assert [(row["_key"], row["_error"]) for row in rows] == [("étr", "passed: the header line, or no value"), ("éT1", None)]


def test_a_file_is_a_stream_too():
    directory = file_job()
    rows = [json.loads(line) for line in run(directory, "cat", "p.sql", "visits", "--json").out.splitlines()]
    assert [(row["_offset"], row["_time"], row["trip_id"]) for row in rows][1:] == [
        (10, None, "T1"), (15, None, "T9"), (20, None, None), (25, None, "T2")], rows


def test_avro_records_are_decoded_by_the_registry():
    topic = broker.create_topic()
    schema = {"type": "record", "name": "v", "fields": [{"name": "trip_id", "type": "string"}, {"name": "n", "type": "int"}]}
    number = avro_job.register(f"{topic}-value", schema)
    broker.produce(topic, [avro_job.frame(number, b"\x04T1\x0e"), b"T1,1", avro_job.frame(number, b"\x04T9\x02")])
    directory = job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'avro', "
                    f"registry = '{lib.registry_url()}'")
    done = run(directory, "preview", "p.sql", "--csv")
    assert done.out == "trip_id,n,route_id\nT1,7,51\n", done.out
    rows = [json.loads(line) for line in run(directory, "cat", "p.sql", "visits", "--json").out.splitlines()]
    assert [(row["trip_id"], row["n"], row["_error"] is None) for row in rows] == [
        ("T1", 7, True), (None, None, False), ("T9", 1, True)], rows


def test_a_registry_that_is_away_is_told():
    topic = broker.create_topic()
    broker.produce(topic, [avro_job.frame(1, b"\x04T1\x0e")])
    directory = job(f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'avro', "
                    "registry = 'http://127.0.0.1:1'")
    done = run(directory, "preview", "p.sql", code=1)
    assert "tramline preview: waited for 15 s for a record: " in done.err and "127.0.0.1:1" in done.err, done.err


def test_from_is_for_the_stream_alone():
    done = run(file_job(), "cat", "p.sql", "trips", "--from", "0", code=2)
    assert done.err == "tramline cat: --from is for the stream; trips is read whole\n", done.err


def test_a_place_behind_the_end_of_a_file_is_told():
    directory = file_job()
    size = (directory / "visits.csv").stat().st_size
    done = run(directory, "cat", "p.sql", "visits", "--json", "--from", "0:999999")
    assert done.out == "" and said(done).endswith(f" ends at offset {size}\n"), done.err


def test_brokers_that_are_away_are_told():
    directory = job("connector = 'kafka', brokers = '127.0.0.1:1', topic = 't', format = 'csv'")
    done = run(directory, "preview", "p.sql", code=1)
    assert "127.0.0.1:1" in done.err, done.err
