# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""What `run` refuses at its start, `check --live` says in the same words, and nothing else: a list of
faults of a job on local files, each tried by both. check leaves everything as it was."""
import json
import os
import pathlib
import re
import shutil

import lib
from file_job import FileJob

SWAP = "_extract.json"  # of an extract at work
VIEW = """CREATE MATERIALIZED VIEW kept WITH (path = '{0}/kept', format = '{1}') AS
  SELECT id, {2} AS x FROM names;
CREATE TABLE result"""


class Case:
    """A job that runs, and what makes it wrong."""

    def __init__(self, settings=None, n=20):
        self.job = FileJob(n, settings or {})
        self.root = self.job.directory

    def script(self, old, new):
        text = self.job.script.read_text()
        assert old in text, (old, text)
        self.job.script.write_text(text.replace(old, new, 1))

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def ran(self):
        """As after a run, which was well."""
        self.job.run_once()
        return self

    def log(self, number):
        return self.job.result / f"_tramline/log/000000/{number:020}.json"


def tree(root):
    return {p: p.read_bytes() if p.is_file() else None for p in pathlib.Path(root).rglob("*")}


# Faults: each makes a case wrong.


def no_stream(case):
    (case.root / "visits.csv").unlink()


def no_table(case):
    shutil.rmtree(case.root / "names")


def two_files(case):
    case.file("names/other.csv", "id,name\n")


def bad_row(case):
    case.script("id TEXT NOT NULL, name TEXT)", "id TEXT NOT NULL, name INT)")
    case.script("w.name", "CAST(w.name AS TEXT) AS name")


def bad_row_far_below(case):
    case.file("names/names.csv", "id,name\n" + "".join(f"x{i},y\n" for i in range(300_000)) + '"a\n')


def null_where_there_is_none(case):
    case.file("names/names.csv", "id,name\na,b\n,c\n")


def no_such_column(case):
    case.file("names/names.csv", "ident,name\na,b\n")


def header_twice(case):
    case.file("names/names.csv", "id,id\na,b\n")


def view_that_fails(case):
    case.script("CREATE TABLE result", VIEW.format(case.root, "csv", "1 / (length(name) - 5)"))


def view_without_a_form(case):
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "id", "type": "string"},
        {"name": "x", "type": ["null", {"type": "string", "logicalType": "uuid"}]}]}
    case.file("kept.avsc", json.dumps(schema))
    case.script("CREATE TABLE result",
                VIEW.format(case.root, f"avro', schema = '{case.root}/kept.avsc", "name"))


def join_that_fails(case):
    case.script("JOIN names w", "JOIN (SELECT id, name, 1 / (length(name) - 5) AS q FROM names) w")
    case.script("w.name FROM", "w.name, w.q FROM")


def dimension_too_large(case):
    case.file("names/names.csv", "id,name\n" + "".join(f"{i},{'y' * 60}\n" for i in range(60_000)))
    case.script("SET spool", "SET dimension.memory = '1MB';\nSET spool")


def feed_damaged(case):
    case.file("_feed.json", "{")


def spool_is_a_file(case):
    case.file("file", "")
    case.script("/spool'", "/file/spool'")


def spool_job_is_a_file(case):
    case.script("SET spool", "SET job.name = 'j';\nSET spool")
    case.file("spool/j", "")


def lock_is_a_directory(case):
    case.script("SET spool", "SET job.name = 'j';\nSET spool")
    (case.root / "spool/j/slot-0.lock").mkdir(parents=True)


def result_is_a_file(case):
    case.file("result", "")


def result_unreachable(case):
    case.script(f"path = '{case.root}/result'", "path = 'hdfs://127.0.0.1:1/result'")
    case.script("SET spool", "SET storage.retry = '0s';\nSET spool")


def table_unreachable(case):
    case.script(f"path = '{case.root}/names'", "path = 'hdfs://127.0.0.1:1/names'")
    case.script("SET spool", "SET storage.retry = '0s';\nSET spool")


# Of a result that is there.


def entry_gone(case):
    case.ran().log(1).unlink()


def entry_damaged(case):
    path = case.ran().log(1)
    path.write_text(path.read_text().replace('"rows"', '"rowz"'))


def entry_cut(case):
    path = case.ran().log(2)
    path.write_bytes(path.read_bytes()[:40])


def another_stream(case):
    case.ran()
    shutil.copy(case.root / "visits.csv", case.root / "other.csv")
    case.script("/visits.csv'", "/other.csv'")


def another_group(case):
    case.ran()
    log = case.log(0)
    assert log.exists()
    text = case.job.script.read_text()
    case.job.script.write_text(text.replace(f"path = '{case.root}/result'",
                                            f"path = '{case.root}/moved'"))
    shutil.move(case.job.result, case.root / "moved")


def column_gone(case):
    case.ran().script("v.n, w.name", "w.name")


def column_of_another_type(case):
    case.ran().script("v.n, w.name", "CAST(v.n AS TEXT) AS n, w.name")


def column_added_not_null(case):
    case.ran().script("w.name FROM", "w.name, v.id AS again FROM")


def another_format(case):
    case.ran().script("/result', format = 'csv'", "/result', format = 'avro'")


def extract_cut_off(case):
    case.file(SWAP, "{}")
    os.utime(case.root / SWAP, (1, 1))


def stream_cut(case):
    path = case.ran().root / "visits.csv"
    path.write_bytes(path.read_bytes()[:30])


def stream_changed(case):
    path = case.ran().root / "visits.csv"
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"place", b"PLACE")]))


FAULTS = [no_stream, no_table, two_files, bad_row, bad_row_far_below, null_where_there_is_none,
          no_such_column, header_twice, view_that_fails, view_without_a_form, join_that_fails,
          dimension_too_large, feed_damaged, spool_is_a_file, spool_job_is_a_file, lock_is_a_directory,
          result_is_a_file, result_unreachable,
          table_unreachable, entry_gone, entry_damaged, entry_cut, another_stream, another_group,
          column_gone, column_of_another_type, column_added_not_null, another_format, extract_cut_off,
          stream_cut, stream_changed]


# What run takes.


def nothing(_):
    pass


def no_result_yet(case):
    assert not case.job.result.exists()


def result_there(case):
    case.ran()


def column_added(case):
    case.ran().script("w.name FROM", "w.name, w.name AS again FROM")


def any_change_allowed(case):
    column_gone(case)
    case.script("SET spool", "SET schema_change = 'allow';\nSET spool")


def table_may_be_missing(case):
    no_table(case)
    case.script("/names', format", "/names', optional = true, format")


def rows_may_be_left_out(case):
    bad_row(case)
    case.script("/names', format", "/names', on_error = 'skip', format")


def view_kept(case):
    case.script("CREATE TABLE result", VIEW.format(case.root, "csv", "length(name)"))


def stream_longer(case):
    path = case.ran().root / "visits.csv"
    path.write_bytes(path.read_bytes() + b"a,late,1\n")


def spool_to_be_made(case):
    case.script("/spool'", "/a/b/c/spool'")


GOOD = [nothing, no_result_yet, result_there, column_added, any_change_allowed, table_may_be_missing,
        rows_may_be_left_out, view_kept, stream_longer, spool_to_be_made]


def plain(text):
    return re.sub(r"; (tried for|gave up after) \d+ s( \(SET storage.retry\))?", "", text)


def both(change):
    """(what is wrong about the pair, what was said)."""
    case = Case({"commit.interval": "50ms", "commit.rows": "5"})
    change(case)
    env = {"HOME": str(case.root), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    before = tree(case.root)
    check = lib.run("check", "--live", case.job.script, code=None, env=env)
    if tree(case.root) != before:
        return f"check changed {set(tree(case.root)) ^ set(before)}", check.out
    run = lib.run("run", "--once", case.job.script, code=None, env=env)
    said = plain(check.out + check.err)
    if run.code == 0:
        return ("run is well" if check.code != 0 or "BAD" in said else None), said
    words = plain(run.err.splitlines()[-1].removeprefix("tramline run: "))
    bad = [line for line in said.splitlines() if line.startswith("BAD ")]
    if check.code != 1 or not any(line.endswith(words) for line in bad):
        return f"run says: {words}", said
    return None, said


def test_what_run_refuses_is_said():
    wrong = []
    for fault in FAULTS:
        problem, said = both(fault)
        if problem is None and "BAD" not in said:
            problem = "run takes it"
        if problem:
            wrong.append(f"{fault.__name__}: {problem}\n{said}")
    assert not wrong, "\n".join(wrong)


def test_what_run_takes_is_ready():
    wrong = []
    for change in GOOD:
        problem, said = both(change)
        if problem is None and "BAD" in said:
            problem = "neither takes it"
        if problem:
            wrong.append(f"{change.__name__}: {problem}\n{said}")
    assert not wrong, "\n".join(wrong)


def test_what_was_found_is_shown():
    case = Case()
    lib.run("run", "--once", case.job.script)
    said = lib.run("check", "--live", case.job.script).out.splitlines()[1:]
    assert said == ["ok    table      names: 3 rows", "ok    stream     visits",
                    "ok    result     result: entry 3 of its log comes next"], said


def test_all_that_is_wrong_is_said_at_once():
    case = Case()
    case.script("CREATE TABLE visits", f"""CREATE TABLE other (id TEXT NOT NULL)
  WITH (connector = 'filesystem', path = '{case.root}/other', format = 'csv');
CREATE TABLE visits""")
    bad_row(case)
    no_stream(case)
    result_is_a_file(case)
    spool_is_a_file(case)
    said = lib.run("check", "--live", case.job.script, code=1)
    bad = [line.split()[1:3] for line in said.out.splitlines() if line.startswith("BAD ")]
    assert bad == [["table", "names:"], ["table", "other:"], ["stream", "visits:"],
                   ["result", "result:"], ["spool", bad[-1][1]]], said.out
    assert said.err.endswith("tramline check: not ready: 5 things of those that the script names\n")


def test_native_that_cannot_be_is_said_without_a_look():
    case = Case({"executor": "native"})
    case.script("JOIN names w ON w.id = v.id",
                "JOIN (names w CROSS JOIN names x) ON w.id = v.id AND x.id = v.id")
    said = [lib.run(*command, case.job.script, code=2).err for command in (
        ("check",), ("check", "--live"), ("run", "--once"))]
    words = ("SET executor = 'native' cannot run this query: Tables are joined without an equality, or"
             " by what may fail, in an outer join. Leave it 'auto'.\n")
    assert said == [f"tramline {c}: {words}" for c in ("check", "check", "run")], said
