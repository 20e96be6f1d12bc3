# SPDX-License-Identifier: Apache-2.0
"""Rows of an Avro file on stdin as texts, in the marks of oracle.py, read by fastavro."""
import io
import sys

import fastavro

NULL, FIELD_END, RECORD_END = "\x02", "\x1f", "\x1e"


def text(value):
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False)
for row in fastavro.reader(io.BytesIO(sys.stdin.buffer.read())):
    out.write(FIELD_END.join(map(text, row.values())) + RECORD_END)
out.close()
