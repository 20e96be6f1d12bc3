# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""tramline diff: what a script would change, against logs of real runs, logs of older programs and
forged ones; what a run says of a changed script when it begins."""
import json
import re
import shutil
import subprocess

import file_job
import lib

SETTINGS = {"commit.rows": "20", "batch.records": "10"}
SELECT = "SELECT v.id, v.place, v.n, w.name FROM visits v LEFT JOIN names w ON w.id = v.id;"


def made(n=30, **settings):
    job = file_job.FileJob(n, {**SETTINGS, **{k.replace("_", "."): v for k, v in settings.items()}})
    job.run_once()
    return job


def change(job, *pairs):
    text = job.script.read_text()
    for before, after in pairs:
        assert before in text, (before, text)
        text = text.replace(before, after)
    job.script.write_text(text)


def diff(job, code, *args):
    return lib.run("diff", job.script, *args, code=code)


def diff_json(job, code):
    return json.loads(diff(job, code, "--json").out)


def effects(told):
    return {effect["code"]: effect["text"] for effect in told["next_start"]}


def entry(job, number):
    return json.loads(file_job.entries(job.result)[number].read_text())


def test_before_the_first_run():
    job = file_job.FileJob(5, {})
    told = diff_json(job, 1)
    assert (told["entry"], told["is_same"], told["is_refused"]) == (None, False, False), told
    assert effects(told) == {"begins": "begins: there is no log, so nothing ran yet"}
    assert diff(job, 1).out == (f"there is no log below file://{job.result}\n\nat the next start\n"
                                "  begins: there is no log, so nothing ran yet\n")
    assert not job.result.exists()


def test_the_same_script():
    job = made()
    claim = entry(job, 1)
    told = diff_json(job, 0)
    assert told["is_same"] and told["is_known"] and not told["is_refused"], told
    assert (told["entry"], told["worker"], told["time_ms"]) == (1, claim["worker"], claim["time_ms"]), told
    assert told["columns"] == told["options"] == [] and told["query"]["is_same"], told
    assert told["query"]["was"] == told["query"]["is"] == claim["script"]["query"], told
    assert effects(told) == {"same": "goes on as before"}, told
    text = diff(job, 0).out
    assert re.fullmatch(rf"the same script as in entry 1 \(20\S+Z, {claim['worker']}\) of file://{job.result}\n\n"
                        r"at the next start\n  goes on as before\n", text), text


def test_what_changes_no_meaning_is_no_difference():
    job = made(commit_interval="60s")
    change(job, (SELECT, "select v.id,  v.place, /* all of it */ v.n, W.name\n  from visits V\n"
                 "left join names w on w . id = V.id"),
           ("SET commit.interval = '60s'", "SET commit.interval = '1min'; SET on_gap = 'fail'"),
           ("format = 'csv');", "format = 'csv', optional = false);"))
    assert diff_json(job, 0)["is_same"]
    # Other words, the same meaning: by the hash that history shows.
    change(job, ("left join", "LEFT OUTER JOIN"))
    told = diff_json(job, 0)
    assert told["query"]["is_same"] and told["query"]["was"] != told["query"]["is"], told


def test_columns_query_and_options():
    job = made()
    change(job, (SELECT, "SELECT v.id, v.n, COALESCE(v.place, '-') AS place, 1 AS one, w.name AS wname "
                 "FROM visits v LEFT JOIN names w ON w.id = v.id;"),
           ("SET commit.rows = '20'", "SET commit.rows = '30'"), ("SET batch.records = '10';", ""))
    told = diff_json(job, 1)
    assert told["columns"] == [
        {"change": "moved", "column": "n", "was": "INT", "is": "INT"},
        {"change": "nullability", "column": "place", "was": "TEXT", "is": "TEXT NOT NULL"},
        {"change": "added", "column": "one", "was": None, "is": "INT NOT NULL"},
        {"change": "added", "column": "wname", "was": None, "is": "TEXT"},
        {"change": "gone", "column": "name", "was": "TEXT", "is": None}], told["columns"]
    options = [(o["table"], o["option"], o["was"], o["is"], o["was_given"], o["is_given"]) for o in told["options"]]
    assert options == [(None, "commit.rows", "20", "30", True, True),
                       (None, "batch.records", "10", "100000", True, False)], options
    text = diff(job, 1).out
    assert """
columns of the result
column  change       was   is
n       moved        INT   INT
place   nullability  TEXT  TEXT NOT NULL
one     added              INT NOT NULL
wname   added              TEXT
name    gone         TEXT  \n
query
  INSERT INTO result
  SELECT v.id,
-   v.place,
    v.n,
-   w.name
+   coalesce(v.place, '-') AS place,
+   1 AS one,
+   w.name AS wname
  FROM visits v
  LEFT JOIN names w ON w.id = v.id;

options
of   option         was  is
SET  commit.rows    20   30
SET  batch.records  10   100000 (default)
""" in text, text


def test_what_run_would_refuse():
    """The reason is the one that the run then gives; with schema_change it is taken."""
    job = made()
    change(job, ("v.n, w.name", "CAST(v.n AS TEXT) AS n, w.name"))
    told = diff_json(job, 1)
    assert told["is_refused"] and list(effects(told)) == ["refused"], told
    refused = job.run_once(code=2)
    assert effects(told)["refused"] in refused.err, refused.err
    assert f"\n  refused: {effects(told)['refused']}\n" in diff(job, 1).out
    change(job, ("SET commit.rows", "SET schema_change = 'allow'; SET commit.rows"))
    told = diff_json(job, 1)
    assert not told["is_refused"] and effects(told) == {
        "columns": "new files have the new columns; those that are there stay as they are",
        "query": "records that are not committed go through the new query; rows that are there stay as they are"}, told
    assert "the script is not that of entry 1: the query is another" not in job.run_once().err
    assert diff_json(job, 0)["is_same"]


def test_a_run_says_what_changed_when_it_begins():
    job = made()
    assert "the script is not" not in job.run_once().err
    number = diff_json(job, 0)["entry"]
    change(job, ("w.name FROM", "w.name, v.n + 1 AS more FROM"), ("commit.rows = '20'", "commit.rows = '25'"))
    again = job.run_once().err
    assert (f" info  the script is not that of entry {number}: column 'more' is new (INT); the query is another "
            "(1 line gone, 2 new); SET commit.rows was '20', is '25'\n") in again, again
    assert "the script is not" not in job.run_once().err


def test_new_tables_and_another_format_are_told():
    job = made()
    (job.directory / "names/names.csv").write_text("id,name\na,Other\n")
    told = diff_json(job, 0)
    assert re.fullmatch(r"reads another version of the tables: [0-9a-f]{12}, not [0-9a-f]{12}",
                        effects(told)["tables"]), told
    shutil.rmtree(job.directory / "names")
    (job.directory / "names").write_text("no directory")
    assert effects(diff_json(job, 0))["tables"] == (
        f"not known which tables it reads: {job.directory}/names: cannot list: Not a directory; "
        "a directory is needed there")
    (job.directory / "names").unlink()
    (job.directory / "names").mkdir()
    (job.directory / "names/names.csv").write_text("id,name\na,Other\n")
    change(job, ("/result', format = 'csv'", "/result', format = 'avro'"))
    assert "has files in format csv (header = true), the script says avro" in effects(diff_json(job, 1))["refused"]
    change(job, ("SET commit.rows", "SET schema_change = 'allow'; SET commit.rows"))
    assert effects(diff_json(job, 1))["format"] == "new files are in another format than those that are there"


def test_the_scripts_hash_is_that_of_history():
    job = made()
    hashes = [json.loads(line)["script"] for line in lib.run("history", job.script, "--json", "--all").out.splitlines()]
    change(job, ("v.place", "v.place || '!' AS place"))
    assert not diff_json(job, 1)["query"]["is_same"]
    job.run_once()
    after = [json.loads(line)["script"] for line in lib.run("history", job.script, "--json", "--all").out.splitlines()]
    assert len(set(hashes)) == 1 and after[1:] == hashes and after[0] != hashes[0], (hashes, after)


def test_beyond_snapshots_and_removed_entries():
    """The claim is entry 1 and gone; snapshots have carried its script on."""
    job = made(200, log_snapshot="2", commit_rows="5", batch_records="5")
    entries = file_job.entries(job.result)
    assert len(entries) > 12, entries
    entries[1].rename(job.directory / "kept")
    told = diff_json(job, 0)
    assert (told["entry"], told["worker"], told["time_ms"], told["is_known"]) == (1, None, None, True), told
    change(job, ("v.n, w.name", "v.n + 1 AS n, w.name"))
    assert "-   v.n,\n+   v.n + 1 AS n,\n" in diff(job, 1).out


def without_scripts(job):
    for number in range(len(file_job.entries(job.result))):
        def forget(e):
            e.pop("script", None)
            e.get("snapshot", {}).pop("script", None)
        file_job.forge(job.result, number, forget)


def test_logs_of_older_programs():
    job = made(200, log_snapshot="4", commit_rows="5", batch_records="5")
    without_scripts(job)
    job.verify()
    told = diff_json(job, 0)
    assert told["is_same"] and not told["is_known"] and told["query"]["was"] is None, told
    assert told["options"] == [], told
    unknown = "\nnot known: the options of then, and the words of the query; an older program made that entry\n"
    assert unknown in diff(job, 0).out
    change(job, ("v.n, w.name", "v.n, w.name, 1 AS one"))
    text = diff(job, 1).out
    assert unknown in text and "\nquery\n  it is another\n" in text and "one     added" in text, text
    change(job, ("w.name, 1 AS one", "w.name, CASE WHEN v.n > 0 THEN v.n END AS one"))
    said = job.run_once().err
    assert "column 'one' is new (INT); the query is another; whether options changed is not known" in said, said
    assert diff_json(job, 0)["is_known"]


def test_texts_of_a_stranger_reach_no_terminal():
    job = made()
    evil = "\x1b]0;x\x07\x1b[2J\u202eevil\r\x00"

    def forge(e):
        e["script"]["query"] = f"INSERT {evil}\n{evil}"
        e["script"]["set"] = {f"commit.{evil[:-1]}": evil.replace("\x00", "")}
        e["script"]["with"] = {evil[:-1]: {"path": evil.replace("\x00", ""), "x": None}}
        e["script"]["query"] = e["script"]["query"].replace("\x00", "")
        e["worker"], e["plan"] = evil[:-1], "x"
    file_job.forge(job.result, 1, forge)
    for args in ((), ("--json",)):
        told = diff(job, 1, *args)
        bad = [c for c in told.out + told.err if c != "\n" and (ord(c) < 32 or c in "\x7f\u202e")]
        assert not bad, (bad, told.out)
    assert "- INSERT \\x1b]0;x\\x07\\x1b[2J\\u202eevil\\r\n" in diff(job, 1).out, diff(job, 1).out
    said = job.run_once().err
    assert "\x1b" not in said and "\u202e" not in said and "the script is not that of entry 1" in said, said


def test_forged_scripts_are_refused_by_name():
    for edit, text in (
            (lambda s: s.pop("query"), "field 'query' is not a text"),
            (lambda s: s.update(set=[]), "field 'set' is not an object"),
            (lambda s: s.update({"with": {"t": 7}}), "field 't' is not an object"),
            (lambda s: s.update(set={"a": 7}), "field 'a' is not a text")):
        job = made(5)
        file_job.forge(job.result, 1, lambda e, edit=edit: edit(e["script"]))
        assert text in diff(job, 3).err, diff(job, 3).err


def test_what_cannot_be_compared():
    job = made()
    path = file_job.entries(job.result)[1]
    path.write_bytes(path.read_bytes().replace(b'"rows":0', b'"rows":1', 1))
    assert "its checksum is not that of its bytes" in diff(job, 3).err
    change(job, (f"path = '{job.result}'", "path = 'hdfs://127.0.0.1:1/x'"))
    assert diff(job, 2, "--set", "X=1").out == ""
    error = json.loads(diff(job, 2, "--json").err.splitlines()[-1])
    assert error["exit_code"] == 2 and error["command"] == "diff", error
    change(job, ("INSERT INTO", "INSERT INT"))
    assert diff(job, 2).out == ""
    job.script.write_text(job.script.read_text().split("INSERT")[0].replace("CREATE TABLE result", "-- "))
    assert "the script has no INSERT" in diff(job, 2).err


def test_a_stream_that_is_away_is_told():
    job = made()
    (job.directory / "visits.csv").unlink()
    told = diff_json(job, 0)
    assert effects(told)["topic"] == (
        f"not known whether its topic is the one that was read: {job.directory}/visits.csv: cannot be opened: "
        "No such file or directory"), told


def test_a_full_disk_is_no_difference():
    job = made()
    command = [lib.program(), "diff", job.script]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("tramline diff: cannot write to standard output"), done
