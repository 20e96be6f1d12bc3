# SPDX-License-Identifier: Apache-2.0
"""Reads a result in Avro by fastavro: read_avro.py hdfs://namenode:port/path. Prints the schema's
name, the first rows, and how many there are."""
import io
import json
import sys
import urllib.request

import fastavro


def webhdfs(url, operation):
    place = url.replace("hdfs://", "http://", 1).split("/", 3)
    with urllib.request.urlopen(f"http://{place[2]}/webhdfs/v1/{place[3]}?op={operation}") as answer:
        return answer.read()


result = sys.argv[1].rstrip("/")
listed = json.loads(webhdfs(result, "LISTSTATUS"))["FileStatuses"]["FileStatus"]
n_rows = 0
for name in sorted(status["pathSuffix"] for status in listed):
    if not name.endswith(".avro"):
        continue
    reader = fastavro.reader(io.BytesIO(webhdfs(f"{result}/{name}", "OPEN")))
    for row in reader:
        if n_rows < 3:
            print(row)
        n_rows += 1
print(f"{n_rows} rows of {reader.writer_schema['name']}")
