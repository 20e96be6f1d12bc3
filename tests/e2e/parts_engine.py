# SPDX-License-Identifier: Apache-2.0
"""An engine between the parts of `tramline work` (docs/units.md), and a driver of it: what Spark SQL is to them,
by Python's csv and a dict. The stream's first column is trip_id, by which it meets one relation; its last one is
an INT; the result has its columns, and the relation's others."""
import base64
import collections
import csv
import json
import subprocess

import lib

LIMIT_S = 60


def field(value):
    """Of a row, as the writer takes it; numbers are Python's, whose text is theirs."""
    if value is None:
        return "\1"
    text = str(value)
    return "\1" + text if text.startswith("\1") else text


class Engine:
    """Answers orders."""

    def __init__(self, script, sets=(), n_columns=5):
        self.script, self.sets, self.n = script, sets, n_columns
        folder = lib.tmp_dir()
        self.tables = json.loads(self.part("tables", "", "--out", folder)[0])
        assert self.part("tables", "", "--out", folder, "--dimension", self.tables["dimension"]) == [
            f'{{"v":1,"kind":"tables","dimension":"{self.tables["dimension"]}"}}']
        (relation,) = self.tables["relations"]
        self.names = [column["name"] for column in relation["columns"]]
        self.rows = collections.defaultdict(list)
        with open(relation["file"], encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                self.rows[row[f"c{self.names.index('trip_id')}"]].append(row)

    def part(self, name, text, *words):
        command = [lib.program(), "work", self.script, "--part", name, *map(str, words), *self.sets]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def enriched(self, line):
        """Of a record's line: what the writer is to get."""
        fields = line.split("\t")
        value, last = base64.b64decode(fields[5]), self.n - 1
        try:
            (row,) = csv.reader([value.decode()])
            is_row = len(row) == self.n and row[0] != "" and (row[last] == "" or row[last].isdigit())
        except (UnicodeDecodeError, ValueError, csv.Error):
            is_row = False
        yield ("r\t" if is_row else "b\t") + line
        if not is_row:
            return
        for match in self.rows[row[0]]:
            theirs = [match.get(f"c{i}") for i, name in enumerate(self.names) if name != "trip_id"]
            made = [text or None for text in row] + theirs
            yield "\0".join([f"+\t{fields[2]}\t{fields[3]}", *map(field, made), ""])

    def answer(self, order):
        version = ["--dimension", self.tables["dimension"]]
        *records, read = self.part("read", order + "\n", *version)
        lines = [order, *(line for record in records for line in self.enriched(record)), read]
        (answer,) = self.part("write", "\n".join(lines) + "\n", *version, "--now", 1700000000000)
        return answer


class Coordinator:
    """Its orders are answered by the engine."""

    def __init__(self, engine, *words):
        self.engine, self.orders = engine, []
        self.log = lib.tmp_dir() / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [lib.program(), "coordinate", engine.script, *map(str, words), *engine.sets],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def until(self, kind, n=1):
        """Goes on until so many lines of a kind have come, or to its end."""
        for line in self.process.stdout:
            told = json.loads(line)
            if told["kind"] == "order":
                self.orders.append(told)
                self.send(self.engine.answer(line.rstrip("\n")))
            n -= told["kind"] == kind
            if n == 0:
                return

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        """Exit code, once it has heard that its input ends."""
        try:
            self.process.stdin.close()
            return self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
            self.process.wait()


def coordinate(engine, *words):
    """Until all that was in the stream is committed; the orders."""
    coordinator = Coordinator(engine, "--once", *words)
    try:
        coordinator.until("end")
    finally:
        code = coordinator.end()
    assert code == 0, (code, coordinator.log.read_text())
    return coordinator.orders
