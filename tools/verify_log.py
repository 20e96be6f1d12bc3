#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second opinion on a result: verify_log.py DIRECTORY | hdfs://namenode:port/path.

Reads the commit log and lists the files, sharing no code with the program: the chain of entries,
offsets without gaps or overlaps, sums, each file in place with its size, checksum and rows (CSV),
no file too many. Prints counts and findings; exits 1 when there was a finding.
"""
import csv
import hashlib
import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC32C = crc32c_table()
BLOCK_BYTES = 128 << 20


def block_md5(block):
    """MD5 of the big-endian CRC32C of every 512 bytes."""
    md5 = hashlib.md5()
    for at in range(0, len(block), 512):
        crc = 0xFFFFFFFF
        for byte in block[at:at + 512]:
            crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
        md5.update((crc ^ 0xFFFFFFFF).to_bytes(4, "big"))
    return md5.digest()


def hdfs_checksum(data, block_bytes=BLOCK_BYTES):
    """What HDFS says of such a file (DFSClient.getFileChecksum): the MD5 of its blocks' digests,
    with zeros behind them to a power of two from 32 on."""
    blocks = b"".join(block_md5(data[at:at + block_bytes])
                      for at in range(0, len(data), block_bytes))
    padded = 32
    while padded < len(blocks):
        padded *= 2
    return hashlib.md5(blocks.ljust(padded, b"\0")).hexdigest()


class Local:
    def __init__(self, root):
        self.root = root

    def list(self, path):
        """Names with their sizes; -1 for a directory."""
        where = os.path.join(self.root, path)
        entries = os.scandir(where) if os.path.isdir(where) else []
        return {e.name: -1 if e.is_dir() else e.stat().st_size for e in entries}

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def checksum(self, path):
        return hdfs_checksum(self.read(path))


class WebHdfs:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.root = f"http://{parts.netloc.split(',')[0]}/webhdfs/v1{parts.path}"
        self.user = os.environ.get("HADOOP_USER_NAME") or os.environ.get("USER", "root")

    def call(self, path, op):
        url = f"{self.root}/{urllib.parse.quote(path)}?op={op}&user.name={self.user}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()

    def list(self, path):
        try:
            found = json.loads(self.call(path, "LISTSTATUS"))["FileStatuses"]["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return {}
        return {f["pathSuffix"]: -1 if f["type"] == "DIRECTORY" else f["length"] for f in found}

    def read(self, path):
        return self.call(path, "OPEN")

    def checksum(self, path):
        return json.loads(self.call(path, "GETFILECHECKSUM"))["FileChecksum"]["bytes"][24:56]


def read_entries(storage, findings):
    """All entries in order; each must follow on the one before."""
    paths = {}
    for bucket in storage.list("_tramline/log"):
        names = storage.list(f"_tramline/log/{bucket}")
        paths.update({int(n[:-5]): f"_tramline/log/{bucket}/{n}" for n in names
                      if re.fullmatch(r"[0-9]{20}\.json", n)
                      and bucket == f"{int(n[:-5]) // 1000:06}"})
    before = None
    for number in range(min(paths, default=0), max(paths, default=-1) + 1):
        if number not in paths:
            findings.append(f"entry {number} is not there")
            continue
        text = storage.read(paths[number])
        try:
            entry = json.loads(text)
        except ValueError:
            findings.append(f"entry {number} is not JSON")
            continue
        checksum = entry["checksum"].encode()
        if hashlib.sha256(text.replace(checksum, b"0" * 64, 1)).hexdigest() != entry["checksum"]:
            findings.append(f"entry {number}: its checksum is not that of its bytes")
        if entry["number"] != number or (before and entry["prev"] != before["checksum"]):
            findings.append(f"entry {number} does not follow on entry {number - 1}")
        before = entry
        yield entry


def check_offsets(entry, ends, owners, findings):
    for part in entry["partitions"]:
        at, number = f"entry {entry['number']}: partition {part['partition']}", part["partition"]
        if part["data"] + part["skipped"] != part["next"] - part["first"]:
            findings.append(f"{at}: data and skipped do not add up")
        known = [part[name] for name in ("control", "aborted", "hole") if name in part]
        if known and (len(known) != 3 or sum(known) != part["skipped"] - part["gap"]):
            findings.append(f"{at}: what was skipped does not add up")
        if ends.setdefault(number, part["first"]) != part["first"]:
            findings.append(f"{at}: begins at {part['first']}, not at {ends[number]}")
        if entry["kind"] == "commit" and owners.get(number, entry["writer"]) != entry["writer"]:
            findings.append(f"{at}: was claimed by another writer")
        ends[number] = part["next"]
        if entry["kind"] != "job":
            owners[number] = entry["writer"]


def check_topic_ids(entry, known, findings):
    """All that tell one tell the same; leaders' epochs never fall."""
    number, name = entry["number"], entry.get("topic_id")
    if name is not None and known.setdefault("id", name) != name:
        findings.append(f"entry {number}: of another topic, {name}, not {known['id']}")
    for part in entry["partitions"]:
        epoch = part.get("epoch", -1)
        if 0 <= epoch < known.get(part["partition"], 0):
            findings.append(f"entry {number}: partition {part['partition']}: its epoch falls")
        if epoch >= 0:
            known[part["partition"]] = epoch


def check_letters(entry, letters, taken, oldest, findings):
    number, replay = entry["number"], entry.get("replay", {"letters": [], "records": 0})
    named = [(r["entry"], line) for r in replay["letters"] for line in range(r["first"], r["first"] + r["count"])]
    if len(named) != replay["records"]:
        findings.append(f"entry {number}: its letters do not add up")
    for letter in named:
        if letter in taken or (letter[0] >= oldest and letter[1] >= letters.get(letter[0], 0)):
            findings.append(f"entry {number}: letter {letter[0]}:{letter[1]} is not there, or taken before")
        taken.add(letter)
    letters[number] = sum(f["rows"] for f in entry["files"] if f["kind"] == "dead")


def is_visible(name):
    return name[0] not in "._"


def list_files(storage):
    """All that Hive and Spark would read, and the dead letters."""
    found = {n: s for n, s in storage.list("").items() if is_visible(n)}
    for day in [n for n in found if n.startswith("day=") and found[n] < 0]:
        del found[day]
        found.update({f"{day}/{n}": s for n, s in storage.list(day).items() if is_visible(n)})
    dead = storage.list("_tramline/dead")
    found.update({f"_tramline/dead/{n}": s for n, s in dead.items()})
    return found


def csv_rows(text):
    return sum(1 for _ in csv.reader(io.StringIO(text.decode(), newline="")))


def check_files(storage, named, oldest, findings):
    found = list_files(storage)
    for name, (number, size, rows, checksum) in named.items():
        if found.get(name) != size:
            findings.append(f"entry {number}: {name} has size {found.get(name)}, not {size}")
        elif storage.checksum(name) != checksum:
            findings.append(f"entry {number}: {name} has another checksum")
        elif name.endswith(".csv") and csv_rows(storage.read(name)) - rows not in (0, 1):
            findings.append(f"entry {number}: {name} has not {rows} rows")  # 1: a header
    for name in found.keys() - named.keys():
        number = re.search(r"(\d{20})-\d+\.", name)
        if not number or int(number[1]) >= oldest:
            findings.append(f"{name} is named by no entry")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n")[0])
    where = sys.argv[1]
    is_hdfs = where.startswith("hdfs://")
    storage = WebHdfs(where) if is_hdfs else Local(where.removeprefix("file://"))
    findings, named, ends, owners, known = [], {}, {}, {}, {}
    letters, taken = {}, set()  # how many an entry has; (entry, line) that replays took
    removable = 0
    counts = dict.fromkeys(("entries", "records", "rows", "rejected", "gap"), 0)
    oldest = None
    for entry in read_entries(storage, findings):
        oldest = entry["number"] if oldest is None else oldest
        if "snapshot" in entry:
            removable = max(removable, min([entry["number"], *entry["snapshot"]["pending"]]))
        check_offsets(entry, ends, owners, findings)
        check_topic_ids(entry, known, findings)
        named.update({f["name"]: (entry["number"], f["bytes"], f["rows"], f["checksum"])
                      for f in entry["files"]})
        if sum(f["rows"] for f in entry["files"] if f["kind"] == "data") != entry["rows"]:
            findings.append(f"entry {entry['number']}: rows of its files do not add up")
        if (sum(f["rows"] for f in entry["files"] if f["kind"] == "dead") !=
                sum(part["rejected"] for part in entry["partitions"]) + entry.get("replay", {}).get("rejected", 0)):
            findings.append(f"entry {entry['number']}: its dead letters do not add up")
        check_letters(entry, letters, taken, oldest, findings)
        counts["entries"] += 1
        counts["rows"] += entry["rows"]
        for part in entry["partitions"]:
            counts["records"] += part["data"]
            counts["rejected"] += part["rejected"]
            counts["gap"] += part["gap"]
    if oldest is None:
        findings.append("there is no log")
    elif oldest and (oldest - 1) // 1000 >= removable // 1000:
        findings.append(f"the entries before {oldest} are gone, and no snapshot covers them")
    check_files(storage, named, oldest or 0, findings)
    print("\n".join(findings + [", ".join(f"{n} {what}" for what, n in counts.items()) +
                                f", {len(named)} files, {len(findings)} findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
