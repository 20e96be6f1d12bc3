# SPDX-License-Identifier: Apache-2.0
# test: needs kafka registry
"""The stream in Avro: versions of a schema that change from record to record, nested columns, the
reader's schema from a file, and what cannot be read. Feeds in Avro: test_feeds.py."""
import base64
import json
import signal

import avro_job
import avro_oracles
import lib
import results
import status
from avro_job import AvroJob, record
from registry_proxy import RegistryProxy

TEXT_OR_NULL = ["null", "string"]

# Three versions: a field added with a default, one removed, the order changed, int promoted to
# long, record and field renamed.
V1 = record("stop_time", trip_id="string", arrival_time=TEXT_OR_NULL, stop_sequence="int",
            pickup_type="int")
V2 = record("stop_time", stop_sequence="long", trip_id="string", arrival_time=TEXT_OR_NULL,
            headsign="string")
V3 = record("stopTime", headsign="string", trip="string", stop_sequence="int",
            arrival_time="string")
READER = record("stop_time", trip_id={"type": "string", "aliases": ["trip"]},
                arrival_time={"type": TEXT_OR_NULL, "default": None}, stop_sequence="long",
                headsign={"type": "string", "default": "none"})
READER["aliases"] = ["stopTime"]
COLUMNS = ("trip_id TEXT NOT NULL, arrival_time TEXT, stop_sequence BIGINT NOT NULL,"
           " headsign TEXT NOT NULL")


def values(version, numbers):
    """What the records of these numbers hold, as far as the version has fields for it."""
    made = [{"trip_id": f"t{n % 7}", "trip": f"t{n % 7}", "pickup_type": n,
             "arrival_time": None if n % 5 == 0 and version is not V3 else f"{n}:00",
             "stop_sequence": n, "headsign": f"to {n}"} for n in numbers]
    names = [field["name"] for field in version["fields"]]
    return [{name: value[name] for name in names} for value in made]


def as_fastavro_reads(version, data):
    job = {"writer": version, "reader": READER, "data": [datum.hex() for datum in data]}
    (rows,) = avro_oracles.fastavro([job])
    columns = [field["name"] for field in READER["fields"]]
    return [tuple(None if row[c] is None else str(row[c]) for c in columns) for row in rows]


class Flip:
    """Records 0, 1, 2, ... of versions in turn, and what is to become of them."""

    def __init__(self, work):
        self.work, self.ids, self.expected, self.n = work, {}, [], 0

    def register(self, version):
        self.ids[id(version)] = avro_job.register(self.work.subject, version)

    def send(self, versions, n):
        lists = {}
        for i, version in enumerate(versions):
            numbers = range(self.n + i, self.n + n, len(versions))
            data = avro_job.encode(version, values(version, numbers))
            self.expected += as_fastavro_reads(version, data)
            framed = [avro_job.frame(self.ids[id(version)], datum) for datum in data]
            lists.update(zip(numbers, framed))
        self.work.send([lists[number] for number in sorted(lists)])
        self.n += n


def test_versions_flip_from_record_to_record():
    reader = lib.tmp_dir() / "reader.avsc"
    reader.write_text(json.dumps(READER))
    with RegistryProxy() as proxy:
        work = AvroJob(COLUMNS, proxy.url, schema=reader, settings={
            "batch.records": 100, "commit.rows": 1000, "commit.interval": "1h", **status.LISTEN})
        flip = Flip(work)
        flip.register(V1)
        flip.register(V2)
        flip.send([V1, V2], 1600)
        running = work.start("--json")
        lib.wait_until(lambda: len(results.data_files(work.result)) == 1, 30, "a file")
        flip.register(V3)  # a new id while the job runs
        flip.send([V1, V2, V3], 1500)
        lib.wait_until(lambda: len(results.data_files(work.result)) == 3, 30, "three files")
        status.wait_read(running, flip.n)
        running.signal(signal.SIGTERM)
        running.wait()
        asked = [request for request in proxy.requests if "/schemas/ids/" in request]
        told = json.loads([line for line in running.text().splitlines()
                           if line.startswith("{")][-1])
        assert told["read"] == told["committed_records"] == flip.n, told
    sizes = [len(list(results.read_csv(results.open_dir(work.result).read(path)))) - 1
             for path in results.data_files(work.result)]
    # A file is closed by the micro-batch that fills it; what is left by the stop.
    assert sum(sizes) == flip.n, sizes
    assert sum(1000 <= size < 1100 for size in sizes) == 3 and len(sizes) <= 4, sizes
    assert work.rows() == sorted(flip.expected, key=repr)
    assert sorted(asked) == sorted(f"GET /schemas/ids/{n}" for n in flip.ids.values()), asked
    assert work.verify()["errors"] == 0 and work.dead() == []


def test_nested_fields_are_columns():
    place = record("place", name="string", lat=["null", "double"])
    schema = record("visit", trip_id="string", stop=["null", place])
    work = AvroJob('trip_id TEXT NOT NULL, "stop.name" TEXT, "stop.lat" REAL')
    number = avro_job.register(work.subject, schema)
    work.send(avro_job.records(number, schema, [
        {"trip_id": "a", "stop": {"name": "Fête", "lat": 45.5}},
        {"trip_id": "b", "stop": {"name": "x", "lat": None}},
        {"trip_id": "c", "stop": None}]))
    said = work.tramline("init").out
    assert ("schema     none         can only be read: column 'stop.name' cannot be an Avro field: "
            "letters, digits and _ only; name it otherwise with AS") in said, said
    work.run_once()
    assert work.rows() == [("a", "Fête", "45.5"), ("b", "x", None), ("c", None, None)]
    assert results.columns_of_result(work.result) == ["trip_id", "stop.name", "stop.lat"]
    said = work.tramline("produce", before=[lib.ROOT / "README.md"], code=None)
    assert said.code != 0, said.out


# What can never be read, and what depends on the datum.

MODE = {"type": "enum", "name": "Mode", "symbols": ["BUS", "METRO", "TRAM"]}
WIDE = record("r", id="string", stop=record("s", mode=MODE, level=["int", "string"]))
NARROW_MODE = {"type": "enum", "name": "Mode", "symbols": ["BUS", "METRO"]}
NARROW = record("r", id="string", stop=record("s", mode=NARROW_MODE, level="int"))
OTHER = record("r", id="string", stop=record("s", mode="string", level="int"))
NESTED = 'id TEXT NOT NULL, "stop.mode" TEXT, "stop.level" INT'


def reasons(letters):
    return [letter["reason"] for letter in sorted(letters, key=lambda one: one["offset"])]


def test_reasons_have_the_path_of_the_field():
    reader = lib.tmp_dir() / "reader.avsc"
    reader.write_text(json.dumps(NARROW))
    work = AvroJob(NESTED, schema=reader, settings={"on_error.share": "100%"})
    wide, other = (avro_job.register(work.subject, schema) for schema in (WIDE, OTHER))
    sent = avro_job.records(wide, WIDE, [
        {"id": "good", "stop": {"mode": "METRO", "level": 3}},
        {"id": "symbol", "stop": {"mode": "TRAM", "level": 3}},
        {"id": "branch", "stop": {"mode": "BUS", "level": "three"}}])
    sent += avro_job.records(other, OTHER, [{"id": "never", "stop": {"mode": "BUS", "level": 1}}])
    work.send(sent)
    work.run_once()
    assert work.rows() == [("good", "METRO", "3")]
    assert reasons(work.dead()) == [
        f"schema id {wide}: field 'stop.mode': enum 'Mode' of the reader has neither symbol 'TRAM'"
        " nor a default (byte 7)",
        f"schema id {wide}: field 'stop.level': the writer's string cannot be read as int",
        f"schema id {other}: field 'stop.mode': the writer's string cannot be read as enum 'Mode'"]
    assert [base64.b64decode(one["value"]) for one in work.dead()] == sent[1:]
    report = work.verify()
    assert (report["errors"], report["rows"], report["rejected"]) == (0, 1, 3), report


SIMPLE = record("r", id="string", n="int")


def test_what_is_not_framed_so_is_a_dead_letter():
    work = AvroJob("id TEXT, n INT", settings={"on_error.share": "100%"})
    number = avro_job.register(work.subject, SIMPLE)
    (datum,) = avro_job.encode(SIMPLE, [{"id": "a", "n": 7}])
    good = avro_job.frame(number, datum)
    bad = {
        datum: "first byte is 0x02: not Confluent Avro, which begins with a zero byte",
        b'{"id":"a"}': "first byte is 0x7B '{': looks like JSON, not Confluent Avro",
        b"a,7": "first byte is 0x61 'a': looks like text, not Confluent Avro",
        b"Obj\x01xxxx": "first byte is 0x4F 'O': looks like an Avro container file, not Confluent"
                        " Avro",
        b"": "the value is empty: Confluent Avro begins with a zero byte",
        b"\0\0\0": "3 bytes: too short for Confluent Avro, whose magic byte and schema id take 5",
        b"\0\xff\xff\xff\xff" + datum: "the schema id is negative: not Confluent Avro",
        good[:-1]: f"schema id {number}: field 'n': cut off in a number (byte 2)",
        good + b"\0\0": f"schema id {number}: 2 bytes left behind the last field",
        b"\0" + number.to_bytes(8, "big") + datum:
            "the schema id is 0, which no registry gives: looks like Apicurio's framing with an id"
            " of 8 bytes, not Confluent Avro",
    }
    work.send([good, *bad, None, good])
    work.run_once()
    assert work.rows() == [("a", "7"), ("a", "7")]
    letters = sorted(work.dead(), key=lambda one: one["offset"])
    assert reasons(letters) == list(bad.values()), reasons(letters)
    assert [base64.b64decode(one["value"]) for one in letters] == list(bad)
    report = work.verify()
    assert (report["errors"], report["rejected"], report["ignored"]) == (0, len(bad), 1), report


def test_avro_read_as_csv_is_no_row_of_nulls():
    work = AvroJob("id TEXT, n INT", format="csv", settings={"on_error.share": "100%"})
    sent = avro_job.records(3, SIMPLE, [{"id": f"trip {n}", "n": n} for n in range(5)])
    work.send(sent)
    work.run_once()
    assert work.rows() == [] and len(work.dead()) == 5
    for reason in reasons(work.dead()):
        assert reason == ("1 field for 2 columns: n is the first without one; it begins as Avro"
                          " with a schema id does: is the stream format = 'avro'?"), reason
