# SPDX-License-Identifier: Apache-2.0
"""Reads what the program wrote, by other means than its own: result files, log, dead letters.

A row is a tuple of texts; NULL is None. Results in Avro: avro_results.py.
"""
import collections
import hashlib
import json
import pathlib
import re
import urllib.parse

import webhdfs

_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,]*)')


def read_csv(data, keep_blank=False):
    """Records of RFC 4180 text: lists of str, None for an empty field without quotes. Blank lines
    are not records unless keep_blank (a result of one column writes NULL as one)."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    waiting = ""
    for line in lines:
        if waiting:
            line = waiting + "\n" + line
        if '"' not in line:
            line = line.removesuffix("\r")
            if line or keep_blank:
                yield [field or None for field in line.split(",")]
            continue
        waiting = line if line.count('"') % 2 else ""
        if not waiting:
            yield _fields(line.removesuffix("\r"))
    if waiting:
        raise ValueError("the text ends inside quotes")


def _fields(line):
    fields, at = [], 0
    while True:
        match = _FIELD.match(line, at)
        quoted, plain = match.groups()
        fields.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        at = match.end()
        if at == len(line):
            return fields
        if line[at] != ",":
            raise ValueError(f"text after a closing quote: {line!r}")
        at += 1


class LocalDir:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def walk(self, path=""):
        top = self.path / path
        return sorted(str(p.relative_to(self.path)) for p in top.rglob("*") if p.is_file())

    def read(self, path):
        return (self.path / path).read_bytes()

    def exists(self, path):
        return (self.path / path).exists()


def open_dir(url):
    """Something with walk, read and exists, for file:///, a bare path or hdfs://."""
    if str(url).startswith("hdfs://"):
        return webhdfs.WebHdfs(str(url))
    return LocalDir(urllib.parse.urlsplit(str(url)).path)


def data_files(url, suffix=".csv"):
    """Committed files as Hive and Spark see them: nothing under a name with _ or . in front."""
    visible = (p for p in open_dir(url).walk() if not re.search(r"(^|/)[_.]", p))
    return [p for p in visible if re.search(r"(^|/)part-[^/]*$", p) and p.endswith(suffix)]


def iter_result(url, header=True):
    """Rows of all part-*.csv of a result directory, file after file."""
    place, columns = open_dir(url), None
    for path in data_files(url):
        records = read_csv(place.read(path), keep_blank=True)
        if header:
            first = next(records, None)
            columns = columns or first
            if first != columns:
                raise AssertionError(f"{path}: its header is {first}, others have {columns}")
        for record in records:
            yield tuple(record)


def rows_of_result(url, header=True):
    """The result as a multiset of rows."""
    return collections.Counter(iter_result(url, header))


def columns_of_result(url):
    for path in data_files(url):
        return next(read_csv(open_dir(url).read(path)))
    return []


def digest(rows):
    """(count, sum) of rows, whatever their order: to compare what is too large for a multiset."""
    count, total = 0, 0
    for row in rows:
        key = "\x1f".join("\x02" if field is None else field for field in row)
        hashed = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        total = (total + int.from_bytes(hashed, "big")) % 2**64
        count += 1
    return count, total


def log_entries(url):
    """All entries of the commit log, by number: {N: entry}."""
    place = open_dir(url)
    names = (re.fullmatch(r"_tramline/log/\d+/(\d{20})\.json", p) for p in place.walk("_tramline"))
    return {int(m.group(1)): json.loads(place.read(m.group())) for m in names if m}


def dead_letters(url):
    """All dead letters, as the JSON objects they are."""
    place = open_dir(url)
    paths = [p for p in place.walk("_tramline") if p.startswith("_tramline/dead/")]
    return [json.loads(line) for p in paths for line in place.read(p).splitlines()]


def same_rows(got, expected, n_shown=5):
    """Fails with some of the rows that are missing or too many."""
    if got == expected:
        return
    missing, surplus = expected - got, got - expected
    shown = [f"missing {n}x {row}" for row, n in missing.most_common(n_shown)]
    shown += [f"too many {n}x {row}" for row, n in surplus.most_common(n_shown)]
    raise AssertionError(f"{missing.total()} rows missing, {surplus.total()} too many\n"
                         + "\n".join(shown))
