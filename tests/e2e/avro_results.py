# SPDX-License-Identifier: Apache-2.0
"""Reads a result in Avro by fastavro, as results.py reads one in CSV."""
import subprocess

import avro_oracles
import oracle
import results

LIMIT_S = 300


def iter_file(data):
    command = [avro_oracles.fastavro_python(), avro_oracles.HERE / "fastavro_rows.py"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode()[-2000:])
    for record in done.stdout.decode().split(oracle.RECORD_END)[:-1]:
        fields = record.split(oracle.FIELD_END)
        yield tuple(None if field == oracle.NULL else field for field in fields)


def iter_result(url):
    """Rows of all part-*.avro of a result directory, file after file."""
    place = results.open_dir(url)
    for path in results.data_files(url, ".avro"):
        yield from iter_file(place.read(path))
