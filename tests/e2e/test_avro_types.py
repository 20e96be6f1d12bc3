# SPDX-License-Identifier: Apache-2.0
# test: needs kafka registry
"""The table of types of docs/avro.md: each value is produced from its text, read by fastavro and by
Java's Avro, and streamed into its text again. BYTES, numbers under logical types, and values that
have no text."""
import json
import re

import avro_job
import avro_oracles
import avro_results
import broker
import lib
from avro_job import AvroJob, record


def table():
    """Lines of the docs' table: Avro type, column type, text, what Python shows."""
    text = (lib.ROOT / "docs/avro.md").read_text().partition("| Avro type |")[2]
    found = re.findall(r"^\| `([^`]+)` \| (\w+) \| `([^`]+)` \| `([^`]+)` \|$", text, re.M)
    assert len(found) == 18, found
    return [(json.loads(kind), column, text, shown) for kind, column, text, shown in found]


def types_job(lines):
    schema = record("types", **{f"f{i}": line[0] for i, line in enumerate(lines)})
    columns = ", ".join(f"f{i} {line[1]} NOT NULL" for i, line in enumerate(lines))
    place = lib.tmp_dir()
    (place / "types.avsc").write_text(json.dumps(schema))
    file = place / "rows.csv"
    names = ",".join(f"f{i}" for i in range(len(lines)))
    file.write_text(f"{names}\n" + ",".join(line[2] for line in lines) + "\n")
    return AvroJob(columns, stream="types", schema=place / "types.avsc"), schema, file


def as_java_shows(line, text):
    """Java's classes write the same text; where Avro for Java has none for a type, its bytes."""
    kind, column, _, _ = line
    if column in ("BOOLEAN", "INT", "BIGINT", "REAL"):
        return json.loads(text)
    if isinstance(kind, dict) and kind.get("logicalType") == "duration":
        return {"hex": "0100000002000000bc0b0000"}
    return text


def test_the_table_of_types():
    lines = table()
    work, schema, file = types_job(lines)
    work.tramline("init")
    work.tramline("produce", before=[file])
    ((_, _, _, value),) = broker.consume(work.topic)
    job = {"logical": schema, "data": [value[5:].hex()]}
    ((python,),) = avro_oracles.fastavro([job])
    ((java,),) = avro_oracles.java([job])
    work.run_once()
    assert work.rows() == [tuple(text for _, _, text, _ in lines)]
    for i, line in enumerate(lines):
        assert python[f"f{i}"] == line[3], (line, python[f"f{i}"])
        assert java[f"f{i}"] == as_java_shows(line, line[2]), (line, java[f"f{i}"])


def test_columns_from_the_schema_have_those_types():
    lines = table()
    work, schema, _ = types_job(lines)
    text = work.script.read_text()
    work.script.write_text(re.sub(r"TABLE types \(.*?\) WITH", "TABLE types () WITH", text))
    said = work.tramline("explain").out
    for i, line in enumerate(lines):
        assert re.search(rf"^  f{i} +{line[1]} NOT NULL$", said, re.M), said


def one_field(kind, data, column, **options):
    """What a column of that type makes of datums."""
    work = AvroJob(f"a {column}", settings={"on_error.share": "100%"}, **options)
    number = avro_job.register(work.subject, record("r", a=kind))
    work.send([avro_job.frame(number, datum) for datum in data])
    work.run_once()
    return work, number


def encoded(kind, *values):
    return avro_job.encode(record("r", a=kind), [{"a": value} for value in values])


def test_bytes_go_through_to_avro():
    fixed = {"type": "fixed", "name": "f", "size": 3}
    for kind, datum in (("bytes", b"\6\0\xff "), (fixed, b"\0\xff ")):
        work, _ = one_field(kind, [datum], "BYTES", sink="avro")
        assert list(avro_results.iter_result(work.result)) == [(str(b"\0\xff "),)]


DAYS = {"type": "int", "logicalType": "date"}


def test_a_number_column_takes_the_number():
    work, _ = one_field(DAYS, encoded(DAYS, 20414), "INT")
    assert work.rows() == [("20414",)]


def test_what_has_no_text_is_a_dead_letter():
    work, number = one_field(DAYS, encoded(DAYS, 0, 2932896, 2932897, -719163), "TEXT")
    assert work.rows() == [("1970-01-01",), ("9999-12-31",)]
    reasons = [letter["reason"] for letter in work.dead()]
    assert reasons == [f"schema id {number}: field 'a': the date has no text (byte 0)"] * 2, reasons
    work, number = one_field("double", encoded("double", 0.5, float("nan"), float("inf")), "REAL")
    assert work.rows() == [("0.5",)]
    reasons = [letter["reason"] for letter in work.dead()]
    assert reasons == [f"schema id {number}: field 'a': a REAL must be finite (byte 0)"] * 2, reasons
