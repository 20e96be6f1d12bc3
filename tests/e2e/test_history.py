# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""tramline history against the entries as Python reads them: which, in which order, what of each;
a log whose beginning is gone, one that is damaged, one with texts by a stranger."""
import calendar
import json
import re
import time

import file_job
import lib
import terminal

COMMITS = {"commit.rows": "20", "batch.records": "10"}
TEXTS = "\x1b]0;x\x07\x1b[2J\u202eevil\n\tx"


def made():
    work = file_job.FileJob(100, COMMITS)
    work.run_once()
    return work


def expected(path):
    """A line, by the format's page."""
    entry = json.loads(path.read_text())
    spans = entry["partitions"]
    total = {name: sum(span[name] for span in spans) for name in ("data", "ignored", "rejected")}
    wanted = total["data"] - total["ignored"] - total["rejected"]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry["time_ms"] // 1000))
    return {
        "entry": entry["number"], "kind": entry["kind"],
        "time": f"{stamp}.{entry['time_ms'] % 1000:03}Z", "worker": entry["worker"],
        "records": total["data"], "rows": entry["rows"],
        "match": entry["matched"] * 1000 // wanted / 10 if wanted else None,
        "rejects": total["rejected"], "files": len(entry["files"]),
        "seconds": (entry["time_ms"] - entry["first_batch_ms"]) / 1000 if entry["first_batch_ms"] else None,
        "topic_id": entry.get("topic_id"), "tables": entry["dimension"], "script": entry["plan"]}


def lines(work, *args):
    return [json.loads(line) for line in lib.run("history", work.script, "--json", *args).out.splitlines()]


def test_each_commit_is_told_the_newest_first():
    work = made()
    every = [expected(path) for path in file_job.entries(work.result)][::-1]
    commits = [line for line in every if line["kind"] == "commit"]
    assert len(commits) > 3 and len(every) == len(commits) + 2, every
    assert sum(line["records"] for line in commits) == 100 and commits[0]["match"] is not None
    assert lines(work) == commits
    assert lines(work, "--all") == every
    assert lines(work, "--limit", "3") == commits[:3]
    assert lines(work, "--since", "1h") == commits
    assert lines(work, "--since", "1h", "--limit", "1") == commits[:1]
    assert lines(work, "--since", "2100-01-01T00:00:00Z") == []
    header, *rows = lib.run("history", work.script).out.splitlines()
    assert header == ",".join(commits[0]) and len(rows) == len(commits), header
    assert rows[0].split(",")[:3] == [str(commits[0]["entry"]), "commit", commits[0]["time"]], rows[0]


def test_since_looks_past_a_clock_that_is_behind():
    """The worker of entry 3 is half an hour behind; those before it are not older than asked."""
    work = made()
    entry = json.loads(file_job.entries(work.result)[2].read_text())
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry["time_ms"] // 1000))
    file_job.forge(work.result, 3, lambda e: e.update(time_ms=e["time_ms"] - 1_800_000))
    told = [line["entry"] for line in lines(work, "--since", since)]
    assert told == [line["entry"] for line in lines(work) if line["entry"] != 3], told
    assert calendar.timegm(time.strptime(since, "%Y-%m-%dT%H:%M:%SZ")) * 1000 <= entry["time_ms"]


def test_match_is_never_rounded_up_to_all():
    work = made()

    def edit(entry):
        entry["partitions"][0].update(data=100_000, first=entry["partitions"][0]["first"],
                                      rejected=0, ignored=0)
        entry["matched"] = 99_999
    file_job.forge(work.result, 4, edit)
    assert [line["match"] for line in lines(work) if line["entry"] == 4] == [99.9]


def test_a_beginning_that_is_gone_is_told():
    """Bucket 0 was removed; in bucket 1 are three claims."""
    work = made()
    folder = work.result / "_tramline/log"
    claim = json.loads(file_job.entries(work.result)[1].read_text())
    for path in file_job.entries(work.result):
        path.unlink()
    (folder / "000001").mkdir()
    for number in (1000, 1001, 1002):
        claim["number"] = number
        (folder / f"000001/{number:020}.json").write_text(file_job.sealed(claim))
    done = lib.run("history", work.script, "--all", "--json")
    assert [json.loads(line)["entry"] for line in done.out.splitlines()] == [1002, 1001, 1000], done.out
    assert ("the log begins at entry 1000: those before it were removed, or are missing; tramline verify "
            "tells which") in done.err, done.err
    assert lib.run("history", work.script, "--all", "--limit", "2").err == ""


def test_a_damaged_entry_is_refused_behind_those_that_are_good():
    work = made()
    path = file_job.entries(work.result)[4]
    path.write_bytes(path.read_bytes().replace(b'"matched":', b'"matched":1', 1))
    done = lib.run("history", work.script, "--json", code=3)
    assert [json.loads(line)["entry"] for line in done.out.splitlines()][-1] == 5
    assert (f"_tramline/log/000000/{4:020}.json: its checksum is not that of its bytes; nothing of it was "
            "followed") in done.err, done.err


def test_texts_of_a_stranger_are_shown_as_text():
    work = made()
    file_job.forge(work.result, 3, lambda e: e.update(worker=TEXTS, dimension=TEXTS, plan=TEXTS))
    told = [line for line in lines(work) if line["entry"] == 3]
    assert [(line["worker"], line["tables"], line["script"]) for line in told] == [(TEXTS,) * 3], told
    for how in ([], ["--table"], ["--json"], ["--csv"]):
        text = terminal.shown(["history", str(work.script), *how], work.directory, width=300)
        text = text.replace("\t", "") if how == ["--csv"] else text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), (how, text)
        assert "evil" in text, (how, text)


def test_a_table_shortens_hashes_and_fits_the_terminal():
    work = made()
    first = lines(work)[0]
    text = terminal.shown(["history", str(work.script)], work.directory, width=200).splitlines()
    assert text[0].split() == list(first), text[0]
    assert text[1].split()[-2:] == [first["tables"][:12], first["script"][:12]], text[1]
    narrow = terminal.shown(["history", str(work.script)], work.directory, width=60).splitlines()
    assert max(map(len, narrow[:-1])) <= 60 and "of 13 columns" in narrow[-1], narrow
