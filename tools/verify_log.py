#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second opinion on a result: verify_log.py URL, a directory or hdfs://host:port/path.

Reads the commit log (docs/commit-log.md) and the files, sharing no code with the program: the chain
of checksums, offsets without hole or overlap, the sums of each entry, every file there with its
size and rows (CSV), and no data file that no entry names. Prints counts; exits 1 on a finding.
"""
import csv
import hashlib
import io
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
import results  # noqa: E402  (reads directories, nothing else of it is used)

URL = sys.argv[1]
PLACE = results.open_dir(URL)
PATHS = set(PLACE.walk())
findings, progress, named = [], {}, set()
totals = dict.fromkeys(("entries", "claims", "commits", "records", "rejected", "rows", "files"), 0)


def check(good, text):
    if not good:
        findings.append(text)


def check_span(number, kind, span):
    first, following, where = span["first"], span["next"], f"entry {number} partition {span['partition']}"
    check(span["data"] + span["skipped"] == following - first, f"{where}: data + skipped is not next - first")
    known = progress.get(span["partition"])
    if known is not None:
        check(first == known, f"{where}: begins at {first}, but the log stood at {known}")
    check(kind != "claim" or first == following, f"{where}: a claim that moves")
    progress[span["partition"]] = following


def check_file(number, file):
    totals["files"] += 1
    named.add(file["name"])
    if file["name"] not in PATHS:
        return findings.append(f"entry {number}: {file['name']} is missing")
    data = PLACE.read(file["name"])
    check(len(data) == file["bytes"], f"{file['name']}: {len(data)} bytes, {file['bytes']} in the log")
    if file["name"].endswith(".csv"):
        n_rows = sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) - 1
        check(n_rows == file["rows"], f"{file['name']}: {n_rows} rows, {file['rows']} in the log")


names = sorted(p for p in PATHS if re.fullmatch(r"_tramline/log/\d{6}/\d{20}\.json", p))
prev = None
for number, path in enumerate(names, int(names[0][-25:-5]) if names else 0):
    text = PLACE.read(path)
    entry = json.loads(text)
    check(entry["number"] == number and path.endswith(f"{number:020}.json"), f"{path}: not entry {number}")
    zeroed = text.replace(entry["checksum"].encode(), b"0" * 64, 1)
    check(hashlib.sha256(zeroed).hexdigest() == entry["checksum"], f"entry {number}: its checksum is wrong")
    check(prev is None or entry["prev"] == prev, f"entry {number}: does not follow entry {number - 1}")
    prev = entry["checksum"]
    for span in entry.get("partitions", []):
        check_span(number, entry["kind"], span)
        totals["records"] += span["data"]
        totals["rejected"] += span["rejected"]
    for file in entry.get("files", []):
        check_file(number, file)
    data_rows = sum(f["rows"] for f in entry.get("files", []) if f["kind"] == "data")
    check(data_rows == entry.get("rows", 0), f"entry {number}: {entry.get('rows')} rows, its files have {data_rows}")
    totals["rows"] += data_rows
    totals["entries"] += 1
    totals["claims"] += entry["kind"] == "claim"
    totals["commits"] += entry["kind"] == "commit"
for path in sorted(PATHS - named):
    check(not re.match(r"(day=[^/]*/)?part-|_tramline/dead/", path), f"{path}: no entry names it")
check(names, f"{URL}: there is no commit log")
print(*(f"{name} {n}" for name, n in totals.items()), sep="\n")
print(*findings[:50], sep="\n")
sys.exit(1 if findings else 0)
