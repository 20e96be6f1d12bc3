#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rivals_avro.py FOLDER AVSC: the datums and files that bench_avro left in FOLDER, by fastavro, in
CPU time. One JSON object a line, as rival_libavro gives them. Needs fastavro, cramjam and backports.zstd
(bench/run takes those of the tests)."""
import io
import itertools
import json
import struct
import sys
import time

import fastavro

ROUNDS = 2
N_MAX = 100_000  # records of a round: it is slow
N_FIELDS = 5
BLOCK_BYTES = 256 << 10


def datums_of(folder):
    data = open(f"{folder}/stop_times.datums", "rb").read()
    at, datums = 0, []
    while at < len(data) and len(datums) < N_MAX:
        (n,) = struct.unpack_from("=I", data, at)
        datums.append(data[at + 4:at + 4 + n])
        at += 4 + n
    return datums


def measure(name, n, run):
    best = min(timed(run) for _ in range(ROUNDS))
    print(json.dumps({"bench": "avro", "name": f"fastavro: {name}", "value": n / best / 1e6,
                      "unit": "M records/s"}), flush=True)


def timed(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def main():
    folder, avsc = sys.argv[1:]
    schema = fastavro.parse_schema(json.load(open(avsc)))
    datums = datums_of(folder)

    def decode():
        for datum in datums:
            fastavro.schemaless_reader(io.BytesIO(datum), schema, None)

    measure("datums", len(datums), decode)
    rows = [fastavro.schemaless_reader(io.BytesIO(datum), schema, None) for datum in datums]
    for codec in ["null", "snappy", "zstandard", "deflate"]:
        def write():
            with open(f"{folder}/fastavro-{codec}.avro", "wb") as file:
                fastavro.writer(file, schema, rows, codec=codec, sync_interval=BLOCK_BYTES)

        def read():
            with open(f"{folder}/stop_times-{codec}.avro", "rb") as file:
                first = itertools.islice(fastavro.reader(file), N_MAX)
                n = sum(len(row) == N_FIELDS for row in first)
            assert n == len(rows), n

        measure(f"{codec}: write", len(rows), write)
        measure(f"{codec}: read", len(rows), read)


main()
