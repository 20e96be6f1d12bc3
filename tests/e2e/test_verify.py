# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Each way to damage a result: verify says what it is and ends with 3; so does the second opinion."""
import hashlib
import json
import shutil

import file_job
import lib

COMMITS = {"commit.rows": "40", "batch.records": "20"}
LOG = "_tramline/log/000000/{:020}.json"


def changed(path, edit):
    path.write_bytes(edit(path.read_bytes()))


def forge(path, edit):
    """An entry by somebody who knows how to make its checksum."""
    entry = json.loads(path.read_text())
    edit(entry)
    entry["checksum"] = "0" * 64
    text = json.dumps(entry)
    path.write_text(text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest(), 1))


def move_start(by):
    def edit(entry):
        part = entry["partitions"][0]
        part["first"] += by
        part["skipped"] -= by
    return edit


def test_each_damage_has_its_message():
    work = file_job.FileJob(200, COMMITS)
    work.run_once()
    work.check()
    good = work.directory / "good"
    work.result.rename(good)
    last = max(int(p.stem) for p in (good / "_tramline/log/000000").iterdir())
    parts = sorted(p.name for p in good.glob("part-*"))
    dead = sorted(p.name for p in (good / "_tramline/dead").iterdir())[0]
    part, of_last = parts[0], f"part-{last:020}-0.csv"
    assert last >= 4 and of_last in parts, (last, parts)
    flip = lambda data: data.replace(b"place 1", b"place 2", 1)
    damages = {
        "a removed file": (lambda r: (r / part).unlink(),
                           f"entry 2: {part} is missing, and with it "),
        "a changed byte": (lambda r: changed(r / part, flip),
                           f"entry 2: {part} was changed: its checksum is not the log's"),
        "a shorter file": (lambda r: changed(r / part, lambda data: data[:-9]),
                           f"entry 2: {part} has "),
        "a file twice": (lambda r: shutil.copy(r / part, r / "part-00000000000000000002-7.csv"),
                         "part-00000000000000000002-7.csv is not named by any entry of the log"),
        "a copy of another name": (lambda r: shutil.copy(r / part, r / "copy.csv"),
                                   "copy.csv is not named by any entry of the log"),
        "a removed entry": (lambda r: (r / LOG.format(2)).unlink(), "entry 2 is not there"),
        "the last entry removed": (lambda r: (r / LOG.format(last)).unlink(),
                                   f"{of_last} is not named by any entry of the log"),
        "an edited entry": (lambda r: changed(r / LOG.format(2), lambda data: data.replace(
            b'"matched":', b'"matched":1', 1)), "its checksum is not that of its bytes"),
        "an entry recreated": (lambda r: forge(r / LOG.format(2), lambda e: e.update(matched=1)),
                               "entry 3 does not follow on the entry before it"),
        "a removed dead letter file": (lambda r: (r / "_tramline/dead" / dead).unlink(),
                                       f"_tramline/dead/{dead} is missing"),
        "a changed dead letter": (lambda r: changed(r / "_tramline/dead" / dead,
                                                    lambda data: data.replace(b"e", b"f", 1)),
                                  f"_tramline/dead/{dead} was changed"),
        "a gap": (lambda r: forge(r / LOG.format(last), move_start(2)), ": a gap"),
        "an overlap": (lambda r: forge(r / LOG.format(last), move_start(-2)), ": duplicates"),
    }
    for name, (damage, message) in damages.items():
        shutil.copytree(good, work.result)
        damage(work.result)
        done = work.verify(code=3)
        assert message in done.out, (name, done.out)
        code, text = work.second_opinion()
        assert code == 1, (name, text)
        print(f"{name}: {text.splitlines()[0]}", flush=True)
        shutil.rmtree(work.result)
    shutil.copytree(good, work.result)
    (work.result / "old").mkdir()
    assert ("old is a directory that is not of this result: who reads it too reads more than the "
            "log says") in work.verify().out
    (work.result / "old").rmdir()
    (work.result / "_SUCCESS").touch()  # names that Hive and Spark do not see are nobody's
    (work.result / ".part.crc").touch()
    work.check()


def test_files_of_both_shapes_are_read():
    """A nullable column is appended to the query: older files have no such column."""
    for fmt in ("csv", "avro"):
        work = file_job.FileJob(20, {})
        script = work.script.read_text().replace("/result', format = 'csv'",
                                                 f"/result', format = '{fmt}'")
        work.script.write_text(script)
        work.run_once()
        with open(work.directory / "visits.csv", "a") as visits:
            visits.write("a,more,77\n")
        work.script.write_text(script.replace("w.name FROM", "w.name, v.n + 1 AS m FROM"))
        work.run_once()
        work.verify()
        shown = lib.run("cat", work.script, "result", "--json").out.splitlines()
        rows = [json.loads(line) for line in shown]
        assert len(rows) == work.rows.total() + 1, shown
        assert rows[-1] == {"id": "a", "place": "more", "n": 77, "name": "Angrignon", "m": 78}, rows[-1]
        assert all(row["m"] is None for row in rows[:-1]), rows
        work.script.write_text(script)  # fewer columns again: refused
        done = work.run_once(code=2)
        assert "only columns that may be NULL can be added at the end" in done.err, done.err
