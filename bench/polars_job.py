#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole job as a script of Polars: polars_job.py BROKERS TOPIC RECORDS HDFS TABLES RESULT

Reads RECORDS records of TOPIC by confluent-kafka, half a million at a time, joins them with the tables that lie as CSV below
TABLES on HDFS, and writes each lot as a CSV file into RESULT, by WebHDFS; offsets are committed behind each file. That is
what a careful person writes in an hour: it is not exactly once, and a bad record ends it. One thread. Prints the rows."""
import getpass
import io
import os
import sys
import urllib.parse
import urllib.request

os.environ["POLARS_MAX_THREADS"] = "1"
import confluent_kafka  # noqa: E402
import polars as pl  # noqa: E402
from rivals import REST, STREAM, TRIP  # noqa: E402

BATCH = 500_000
LIMIT_S = 60
USER = getpass.getuser()
brokers, topic, n_records, hdfs, tables, result = sys.argv[1:]
BASE = f"http://{urllib.parse.urlsplit(hdfs).netloc}/webhdfs/v1"


class KeepMethod(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, *args):
        return None


opener = urllib.request.build_opener(KeepMethod)


def get(path):
    with urllib.request.urlopen(f"{BASE}{path}?op=OPEN&user.name={USER}", timeout=LIMIT_S) as answer:
        return answer.read()


def put(path, data):
    """WebHDFS says where, then takes the bytes."""
    request = urllib.request.Request(f"{BASE}{path}?op=CREATE&user.name={USER}", method="PUT")
    try:
        opener.open(request, timeout=LIMIT_S)
        sys.exit("polars_job: the name node did not say where to write")
    except urllib.error.HTTPError as error:
        where = error.headers["Location"]
    urllib.request.urlopen(urllib.request.Request(where, data=data, method="PUT"), timeout=LIMIT_S).close()


def table(name):
    return pl.read_csv(get(f"{tables}/{name}/{name}.csv"), infer_schema=False)


def enriched_trip():
    return (table("trips").join(table("calendar_dates"), on="service_id", how="left")
            .join(table("frequencies"), on="trip_id", how="left"))


def main():
    trips = enriched_trip()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"polars-{os.getpid()}",
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    left, n_rows, n_files = int(n_records), 0, 0
    while left > 0:
        lines = [b",".join(name.encode() for name in STREAM)]
        while len(lines) <= BATCH and len(lines) <= left:
            messages = consumer.consume(min(10_000, left - len(lines) + 1), timeout=LIMIT_S)
            if not messages:
                sys.exit(f"polars_job: no records within {LIMIT_S} s, {left} are missing")
            for message in messages:
                if message.error():
                    sys.exit(f"polars_job: {message.error()}")
                lines.append(message.value())
        left -= len(lines) - 1
        records = pl.read_csv(b"\n".join(lines), infer_schema=False, schema_overrides={"stop_sequence": pl.Int32})
        rows, out = records.join(trips, on="trip_id").select(STREAM + TRIP + REST), io.BytesIO()
        rows.write_csv(out)
        put(f"{result}/part-{n_files:05}.csv", out.getbuffer())
        consumer.commit(asynchronous=False)
        n_rows, n_files = n_rows + rows.height, n_files + 1
    consumer.close()
    print(n_rows)


main()
