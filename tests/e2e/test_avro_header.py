# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka registry
"""Records that name their schema in a header, as Confluent's serializers do from 8 on: by id and by
GUID, on a real broker and registry. The registry of the tests has no GUIDs; the proxy before it
answers as Confluent's does."""
import base64
import json
import struct
import uuid
from random import Random

import avro_job
import broker
import lib
from avro_job import AvroJob, record
from registry_proxy import RegistryProxy

HEADER = "__value_schema_id"
SCHEMA = record("r", id="string", n="int")
OTHER = record("other", n="int", id="string")  # the other way round
GUID = uuid.UUID("123e4567-e89b-12d3-a456-426614174000")
ALL = {"on_error.share": "100%"}


def by_id(number):
    return b"\0" + struct.pack(">i", number)


def by_guid(guid=GUID):
    return b"\1" + guid.bytes


def datum(schema, **value):
    (made,) = avro_job.encode(schema, [value])
    return made


def send(work, *records):
    """(value, headers) each."""
    with broker.Producer() as producer:
        for value, headers in records:
            producer.send(work.topic, value, partition=0, headers=headers)
        producer.flush()


def reasons(work):
    return [one["reason"] for one in sorted(work.dead(), key=lambda one: one["offset"])]


def checked(work, n_rejected=0):
    report = work.verify()
    assert (report["errors"], report["rejected"]) == (0, n_rejected), report


def test_a_record_is_read_by_the_id_in_its_header():
    work = AvroJob("id TEXT, n INT")
    number = avro_job.register(work.subject, SCHEMA)
    other = avro_job.register(lib.fresh_name("other"), OTHER)
    framed = avro_job.frame(number, datum(SCHEMA, id="framed", n=1))
    send(work, (framed, ()),
         (datum(SCHEMA, id="header", n=2), [(HEADER, by_id(number))]),
         (datum(OTHER, id="other", n=3), [(HEADER, by_id(other))]),
         (datum(SCHEMA, id="traced", n=4), [("traceparent", "00-1"), (HEADER, by_id(number)), ("x", "")]),
         # The last of several counts, and a key's header is not the value's.
         (datum(SCHEMA, id="twice", n=5), [(HEADER, by_id(other)), (HEADER, by_id(number))]),
         (avro_job.frame(number, datum(SCHEMA, id="key", n=6)), [("__key_schema_id", by_id(other))]),
         (datum(SCHEMA, id="both", n=7), [(HEADER, by_id(number)), ("__key_schema_id", by_id(other))]),
         (None, [(HEADER, by_id(number))]))
    work.run_once()
    assert work.rows() == sorted([("framed", "1"), ("header", "2"), ("other", "3"), ("traced", "4"),
                                  ("twice", "5"), ("key", "6"), ("both", "7")], key=repr), work.rows()
    checked(work)


def test_what_a_value_begins_with_is_no_id_beside_a_header():
    """A bare datum whose first five bytes are a zero and an id of the registry."""
    work = AvroJob("id TEXT NOT NULL, n INT", register="never", settings=ALL)
    number = avro_job.register(work.subject, SCHEMA)
    hidden = record("hidden", a=["null", "string"], b="int", c="int", d="int", e="long", f="string",
                    g="int")
    of_hidden = avro_job.register(lib.fresh_name("hidden"), hidden)
    value = avro_job.frame(number, datum(SCHEMA, id="x", n=1))
    send(work, (value, [(HEADER, by_guid(uuid.UUID(int=0)))]), (value, [(HEADER, by_id(of_hidden))]),
         (value, [(HEADER, b"")]))
    work.run_once()
    assert work.rows() == [], work.rows()
    got = reasons(work)
    assert len(got) == 3 and all(one.startswith(f"header {HEADER}: ") for one in got), got
    checked(work, 3)


def test_a_registry_without_guids_is_named():
    work = AvroJob("id TEXT, n INT", settings=ALL)
    number = avro_job.register(work.subject, SCHEMA)
    bare = datum(SCHEMA, id="a", n=1)
    nil = uuid.UUID(int=0)
    send(work, (bare, [(HEADER, by_guid())]), (bare, [(HEADER, by_id(number))]),
         (bare, [(HEADER, by_guid(nil))]), (bare, [(HEADER, by_guid())]))
    work.run_once()
    assert work.rows() == [("a", "1")]
    words = ("the registry does not find schemas by GUID (it has no /schemas/guids; Confluent's has, "
             "from 8.0 on); let producers write ids")
    assert reasons(work) == [f"header {HEADER}: schema GUID {guid}: {words}"
                             for guid in (GUID, nil, GUID)], reasons(work)
    checked(work, 3)


def guid_answer(schema):
    return json.dumps({"schemaType": "AVRO", "schema": json.dumps(schema), "guid": str(GUID)}).encode()


def test_a_record_is_read_by_the_guid_in_its_header():
    with RegistryProxy() as proxy:
        work = AvroJob("id TEXT, n INT", proxy.url)
        number = avro_job.register(work.subject, SCHEMA)
        proxy.answer(200, guid_answer(OTHER), "/schemas/guids/")
        records = [(datum(OTHER, id=f"guid {i}", n=i), [(HEADER, by_guid())]) for i in range(50)]
        records[10:10] = [(avro_job.frame(number, datum(SCHEMA, id="framed", n=1)), ())]
        send(work, *records)
        work.run_once()
        assert work.rows() == sorted([("framed", "1"), *((f"guid {i}", str(i)) for i in range(50))],
                                     key=repr), work.rows()
        assert proxy.count(f"GET /schemas/guids/{GUID}") == 1, proxy.requests
        checked(work)
        proxy.answer(404, b'{"error_code":40403,"message":"Schema not found"}', "/schemas/guids/")
        unknown = uuid.UUID(int=7)
        work.script.write_text(work.script.read_text().replace(
            "SET ", "SET on_error.share = '100%';\nSET ", 1).replace(
                "format = 'avro'", "format = 'avro', \"registry.unknown\" = '0s'"))
        send(work, (datum(SCHEMA, id="never", n=1), [(HEADER, by_guid(unknown))]))
        work.run_once()
        assert reasons(work) == [f"header {HEADER}: schema GUID {unknown}: registry: GET {proxy.url}"
                                 f"/schemas/guids/{unknown}: HTTP 404: Schema not found"], reasons(work)


def test_headers_are_seen_wherever_records_lie():
    """Records of all kinds by chance, short ones too, in batches of each codec: the two schemas give
    the same bytes another meaning, so a header that is missed is a wrong row."""
    random = Random(8)
    left = record("one", a="int", b="int")
    right = record("two", b="int", a="int")
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        work = AvroJob("a INT NOT NULL, b INT NOT NULL")
        ids = [avro_job.register(lib.fresh_name(codec), schema) for schema in (left, right)]
        bytes_of = {n: datum(left, a=n, b=n + 1) for n in range(64)}
        expected = []
        with broker.Producer(**{"compression.codec": codec, "linger.ms": 50}) as producer:
            for _ in range(3000):
                n, which = random.randrange(64), random.randrange(2)
                headers = [("trace", "x" * random.randrange(12)) for _ in range(random.choice((0, 0, 1, 2)))]
                if random.randrange(2):
                    value = bytes_of[n]
                    headers.insert(random.randrange(len(headers) + 1), (HEADER, by_id(ids[which])))
                else:
                    value = avro_job.frame(ids[which], bytes_of[n])
                key = random.choice((None, "", "k", "key" * 9))
                producer.send(work.topic, value, key=key, partition=0, headers=headers)
                expected.append((str(n), str(n + 1)) if which == 0 else (str(n + 1), str(n)))
            producer.flush()
        work.run_once()
        assert work.rows() == sorted(expected, key=repr), codec
        checked(work)


def test_headers_that_are_neither_are_told():
    work = AvroJob("id TEXT, n INT", settings=ALL)
    number = avro_job.register(work.subject, SCHEMA)
    framed = avro_job.frame(number, datum(SCHEMA, id="a", n=1))
    headers = {b"": "0 bytes", b"\0": "1 byte that begins with 0x00",
               struct.pack(">i", number): "4 bytes that begin with 0x00",
               b"\1" + bytes(15): "16 bytes that begin with 0x01",
               b"\3" + bytes(16): "17 bytes that begin with 0x03",
               str(number).encode(): f"{len(str(number))} byte{'s' * (number > 9)} that begin"
                                     f"{'s' * (number < 10)} with 0x{ord(str(number)[0]):02X}"}
    send(work, *((framed, [(HEADER, content)]) for content in headers))
    work.run_once()
    assert work.rows() == []
    assert reasons(work) == [
        f"header {HEADER}: {what}: neither a zero byte and an id above 0 in 4 bytes, nor a byte of 1 "
        "and a GUID in 16" for what in headers.values()], reasons(work)
    (letter,) = work.dead()[:1]
    assert base64.b64decode(letter["value"]) == framed
    checked(work, len(headers))


def test_check_reads_the_last_record_by_its_header():
    work = AvroJob("id TEXT, n INT", register="never")
    work.prepare()
    number = avro_job.register(work.subject, SCHEMA)
    send(work, (datum(SCHEMA, id="a", n=1), [(HEADER, by_id(number))]))
    said = work.tramline("check", "--live")
    assert f"partition 0, offset 0: schema id {number}, in its header\n" in said.out, said.out
    send(work, (datum(SCHEMA, id="a", n=1), [(HEADER, by_guid())]))
    said = work.tramline("check", "--live", code=1)
    assert f"BAD   record     stop_times: partition 0, offset 1: header {HEADER}: schema GUID {GUID}: " \
        in said.out, said.out
