# SPDX-License-Identifier: Apache-2.0
"""What fastavro makes of datums and files; the same lines as AvroOracle.java. Runs in a venv of
its own, which has fastavro."""
import io
import json
import sys

import fastavro
import fastavro.read

# Logical types are left as the numbers they stand on, but for "logical": there they are shown as
# Python writes them.
LOGICAL_READERS = dict(fastavro.read.LOGICAL_READERS)
fastavro.read.LOGICAL_READERS.clear()


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return {"hex": value.hex()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def read(writer, reader, data):
    stream = io.BytesIO(data)
    value = fastavro.schemaless_reader(stream, writer, reader)
    if stream.read(1):
        raise ValueError("bytes left")
    return plain(value)


def resolve(job):
    answers = []
    for datum in job["data"]:
        try:
            # Parsed again: fastavro keeps notes in the schemas.
            answers.append(read(fastavro.parse_schema(json.loads(json.dumps(job["writer"]))),
                                fastavro.parse_schema(json.loads(json.dumps(job["reader"]))),
                                bytes.fromhex(datum)))
        except Exception as error:
            answers.append({"error": f"{type(error).__name__}: {error}"})
    return answers


def rewrite(job):
    """The value of each datum, and the datum as fastavro writes that value."""
    answers = []
    for datum in job["data"]:
        schema = fastavro.parse_schema(json.loads(json.dumps(job["rewrite"])))
        value = fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(datum)), schema, None)
        written = io.BytesIO()
        fastavro.schemaless_writer(written, schema, value)
        answers.append({"value": plain(value), "written": written.getvalue().hex()})
    return answers


def read_logical(job):
    schema = fastavro.parse_schema(job["logical"])
    fastavro.read.LOGICAL_READERS.update(LOGICAL_READERS)
    rows = [fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(datum)), schema)
            for datum in job["data"]]
    fastavro.read.LOGICAL_READERS.clear()
    return [{key: repr(value) for key, value in row.items()} for row in rows]


def read_file(path):
    with open(path, "rb") as stream:
        reader = fastavro.reader(stream)
        return {"meta": reader.metadata, "rows": [plain(row) for row in reader]}


def encode(job):
    schema, data = fastavro.parse_schema(job["encode"]), []
    for value in job["values"]:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, schema, value)
        data.append(stream.getvalue().hex())
    return data


def write_file(job):
    for row in job["rows"]:
        row.update({name: row[name].encode("latin-1") for name in job.get("latin1", [])})
    with open(job["write"], "wb") as stream:
        fastavro.writer(stream, fastavro.parse_schema(job["schema"]), job["rows"],
                        codec=job["codec"], sync_interval=job.get("sync_interval", 16000))
    return {}


for line in sys.stdin:
    job = json.loads(line)
    if "file" in job:
        answer = read_file(job["file"])
    elif "rewrite" in job:
        answer = rewrite(job)
    elif "write" in job:
        answer = write_file(job)
    elif "logical" in job:
        answer = read_logical(job)
    elif "encode" in job:
        answer = encode(job)
    else:
        answer = resolve(job)
    print(json.dumps(answer), flush=True)
