# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 240
"""Units in parts (docs/units.md): `tramline coordinate`, and `tramline work --part tables`, `read` and `write` with
an engine between that is this test: it decodes by Python's csv and joins by a dict. Real Kafka and HDFS."""
import base64
import collections
import csv
import json
import subprocess

import broker
import feeds
import job
import lib
import results

LIMIT_S = 60


class Engine:
    """Answers orders."""

    def __init__(self, work):
        self.work = work
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
        command = [lib.program(), "work", self.work.script, "--part", name, *map(str, words), *self.work.sets]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def enriched(self, line):
        """Of a record's line: what the writer is to get."""
        fields = line.split("\t")
        value = base64.b64decode(fields[4])
        try:
            (row,) = csv.reader([value.decode()])
            is_row = len(row) == 5 and row[0] != "" and (row[4] == "" or row[4].isdigit())
        except (UnicodeDecodeError, ValueError, csv.Error):
            is_row = False
        yield ("r\t" if is_row else "b\t") + line
        if not is_row:
            return
        ours = {f"c{i}": text for i, text in enumerate(row) if text != ""}
        if "c4" in ours:
            ours["c4"] = int(ours["c4"])
        for match in self.rows[row[0]]:
            theirs = [match.get(f"c{i}") for i, name in enumerate(self.names) if name != "trip_id"]
            made = {**ours, **{f"c{5 + i}": value for i, value in enumerate(theirs) if value is not None}}
            yield f"+\t{fields[1]}\t{fields[2]}\t{json.dumps(made, ensure_ascii=False)}"

    def answer(self, order):
        version = ["--dimension", self.tables["dimension"]]
        *records, read = self.part("read", order + "\n", *version)
        lines = [order, *(line for record in records for line in self.enriched(record)), read]
        (answer,) = self.part("write", "\n".join(lines) + "\n", *version, "--now", 1700000000000)
        return answer


def coordinate(work, engine):
    """Until all that was in the stream is committed; the orders."""
    process = subprocess.Popen([lib.program(), "coordinate", work.script, "--once", "--records", "3000", *work.sets],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    orders = []
    try:
        for line in process.stdout:
            told = json.loads(line)
            if told["kind"] == "order":
                orders.append(told)
                process.stdin.write(engine.answer(line.rstrip("\n")) + "\n")
                process.stdin.flush()
            if told["kind"] == "end":
                break
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait()
    return orders


def prepared(name, settings=None):
    work = job.Job(feeds.hdfs(), settings=settings)
    work.init()
    work.extract(lib.feed_dir(name))
    work.produce(lib.feed_dir(name))
    return work


def test_an_engine_between_gives_the_feed_as_a_run():
    work = prepared("stm-2014-extract")
    orders = coordinate(work, Engine(work))
    assert len(orders) >= 4, orders
    report = work.verify()
    assert (report["errors"], report["rows"]) == (0, feeds.COUNTS["stm-2014-extract"][1]), report
    assert results.digest(results.iter_result(work.result)) == feeds.expected("stm-2014-extract")
    feeds.second_opinion(work)


def test_letters_aborted_records_and_times_are_a_runs():
    """What is bad has the letters of a plain run over the same topic; aborted records are none."""
    work = prepared("stm-2014-extract", settings={"on_error.share": "100%"})
    with broker.Producer(transactional_id=lib.fresh_name("parts")) as producer:
        producer.begin()
        producer.send(work.topic, b"no record of a transaction that was aborted", partition=0)
        producer.flush()
        producer.abort()
        producer.begin()
        producer.send(work.topic, b"t\xff,08:00:00,08:00:00,s,1", partition=0, key=b"\xfe\t",
                      headers=[("h", b"\x00\n")])
        producer.send(work.topic, b"a,b\x00c", partition=1)
        producer.send(work.topic, "é,08:00:00,08:00:00,s,one".encode(), partition=2)
        producer.commit()
    other = job.Job(feeds.hdfs(), settings={"on_error.share": "100%"})
    other.script.write_text(other.script.read_text().replace(other.topic, work.topic))
    other.tramline("init")
    other.extract(lib.feed_dir("stm-2014-extract"))
    other.run_once()
    coordinate(work, Engine(work))
    assert work.verify()["errors"] == 0
    ours, plain = (sorted(results.dead_letters(w.result), key=lambda letter: letter["partition"])
                   for w in (work, other))
    assert len(ours) == 3 and ours == plain, (ours, plain)
    assert results.digest(results.iter_result(work.result)) == results.digest(results.iter_result(other.result))
    names = ("records", "rows", "ignored", "rejected", "skipped", "control", "aborted", "hole", "gap")
    counts = [[w.verify()[name] for name in names] for w in (work, other)]
    assert counts[0] == counts[1] and counts[0][4] >= 5, counts
