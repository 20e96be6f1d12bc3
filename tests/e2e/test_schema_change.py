# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""A result whose columns or format changed on the way: each file is read by what its own entry of the
log says of it, by `verify --deep` and by `cat`; and what readers of the directory would stumble over
is refused unless the script allows it."""
import csv
import hashlib
import io
import json
import pathlib
import re

import avro_results
import lib
import results

SCRIPT = """
SET spool = '{0}/spool';
{1}
CREATE TABLE s (trip_id TEXT, n INT) WITH (connector = 'file', path = '{0}/in.csv', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', {2});
INSERT INTO result {3};
"""
CSV, AVRO = "format = 'csv'", "format = 'avro'"
BARE = "format = 'csv', header = 'false'"
PLAIN = "SELECT trip_id, n FROM s"
# What changes, and the rows that `cat` shows then by the columns of the second query.
REFUSED = {
    "a constant": (CSV, PLAIN, CSV, "SELECT trip_id, n, 1 AS version FROM s",
                   [["T1", "1", ""], ["T2", "2", "1"]]),
    "another constant": (AVRO, PLAIN, AVRO, "SELECT trip_id, n, 'x' AS version FROM s",
                         [["T1", "1", ""], ["T2", "2", "x"]]),
    "a rename": (CSV, PLAIN, CSV, "SELECT trip_id, n AS number FROM s", [["T1", ""], ["T2", "2"]]),
    "a rename in Avro": (AVRO, PLAIN, AVRO, "SELECT trip_id AS t, n FROM s", [["", "1"], ["T2", "2"]]),
    "a type": (CSV, PLAIN, CSV, "SELECT trip_id, CAST(n AS TEXT) || '!' AS n FROM s",
               [["T1", "1"], ["T2", "2!"]]),
    "a type back": (CSV, "SELECT trip_id, 'x' || CAST(n AS TEXT) AS n FROM s", CSV, PLAIN,
                    [["T1", "x1"], ["T2", "2"]]),
    "a type in Avro": (AVRO, PLAIN, AVRO, "SELECT trip_id, CAST(n AS TEXT) AS n FROM s",
                       [["T1", "1"], ["T2", "2"]]),
    "not NULL": (CSV, PLAIN, CSV, "SELECT COALESCE(trip_id, '') AS trip_id, n FROM s",
                 [["T1", "1"], ["T2", "2"]]),
    "NULL": (CSV, "SELECT COALESCE(trip_id, '') AS trip_id, n FROM s", CSV,
             "SELECT NULLIF(trip_id, 'T2') AS trip_id, n FROM s", [["T1", "1"], ["", "2"]]),
    "a column less": (CSV, PLAIN, CSV, "SELECT n FROM s", [["1"], ["2"]]),
    "a column less in Avro": (AVRO, PLAIN, AVRO, "SELECT trip_id FROM s", [["T1"], ["T2"]]),
    "the order": (CSV, PLAIN, CSV, "SELECT n, trip_id FROM s", [["1", "T1"], ["2", "T2"]]),
    "the order without a header": (BARE, PLAIN, BARE, "SELECT n, trip_id FROM s",
                                   [["1", "T1"], ["2", "T2"]]),
    "a column without a header": (BARE, PLAIN, BARE, "SELECT 7 AS x, trip_id, n FROM s",
                                  [["", "T1", "1"], ["7", "T2", "2"]]),
    "hard names": (CSV, 'SELECT trip_id AS "stop, name", n AS "a INT NOT" FROM s', CSV,
                   'SELECT n AS "a INT NOT", trip_id AS "NOT NULL" FROM s', [["1", ""], ["2", "T2"]]),
    "the header": (CSV, PLAIN, BARE, PLAIN, [["T1", "1"], ["T2", "2"]]),
    "no header": (BARE, PLAIN, CSV, PLAIN, [["T1", "1"], ["T2", "2"]]),
    "CSV to Avro": (CSV, PLAIN, AVRO, PLAIN, [["T1", "1"], ["T2", "2"]]),
    "Avro to CSV": (AVRO, PLAIN, CSV, PLAIN, [["T1", "1"], ["T2", "2"]]),
    "Avro to CSV without a header": (AVRO, PLAIN, BARE, "SELECT n FROM s", [["1"], ["2"]]),
}
TAKEN = {
    "nothing": (CSV, PLAIN, CSV, PLAIN, [["T1", "1"], ["T2", "2"]]),
    "a column that may be NULL": (CSV, PLAIN, CSV, "SELECT trip_id, n, NULLIF(n, 2) AS m FROM s",
                                  [["T1", "1", ""], ["T2", "2", ""]]),
    "the same header": (CSV, PLAIN, "format = 'csv', header = 'on'", PLAIN, [["T1", "1"], ["T2", "2"]]),
    "the codec": (AVRO + ", codec = 'null'", PLAIN, AVRO + ", codec = 'zstandard'", PLAIN,
                  [["T1", "1"], ["T2", "2"]]),
}


class Work:
    def __init__(self):
        self.directory = lib.tmp_dir()
        self.result = self.directory / "result"
        (self.directory / "in.csv").write_text("trip_id,n\n")

    def script(self, form, query, settings=""):
        path = self.directory / "p.sql"
        path.write_text(SCRIPT.format(self.directory, settings, form, query))
        return path

    def add(self, line):
        with open(self.directory / "in.csv", "a") as file:
            file.write(line + "\n")

    def is_proved(self, script):
        report = lib.run("verify", "--deep", "--json", script).json()
        assert (report["errors"], report["findings"]) == (0, []), report


def shown(script):
    return list(csv.reader(io.StringIO(lib.run("cat", "--csv", script, "result").out)))[1:]


def run_first(form, query):
    work = Work()
    script = work.script(form, query)
    work.add("T1,1")
    lib.run("run", "--once", script)
    work.is_proved(script)
    work.add("T2,2")
    return work


def check(name, change, is_refused):
    print(f"-- {name}", flush=True)
    form, query, form_then, query_then, rows = change
    work = run_first(form, query)
    script = work.script(form_then, query_then)
    work.is_proved(script)  # by the edited script
    assert shown(script) == rows[:1]
    done = lib.run("run", "--once", script, code=2 if is_refused else 0)
    if is_refused:
        assert "SET schema_change = 'allow'" in done.err, done.err
        work.is_proved(script)
        script = work.script(form_then, query_then, "SET schema_change = 'allow';")
        lib.run("run", "--once", script)
    work.is_proved(script)
    assert shown(script) == rows, shown(script)
    work.is_proved(work.script(form, query))  # by the first script again


def test_what_is_refused_and_then_allowed():
    for name, change in REFUSED.items():
        check(name, change, is_refused=True)


def test_what_is_taken():
    for name, change in TAKEN.items():
        check(name, change, is_refused=False)


def test_the_refusal_names_both_formats():
    work = run_first(CSV, PLAIN)
    for form, said in ((AVRO, "avro"), (BARE, "csv (header = false)")):
        done = lib.run("run", "--once", work.script(form, PLAIN), code=2)
        assert (f"file://{work.result} has files in format csv (header = true), the script says {said}: "
                "most readers take a directory in one format only, so give the result another path, "
                "or SET schema_change = 'allow'") in done.err, done.err


def test_columns_that_are_not_shown_are_told():
    work = run_first(CSV, "SELECT trip_id, n, n + 1 AS more FROM s")
    done = lib.run("cat", work.script(CSV, "SELECT n FROM s"), "result")
    assert done.out == "n\n1\n", done.out
    assert ("has columns that the query does not give any more; they are not shown: 'trip_id', 'more'"
            ) in done.err, done.err


def test_what_others_read_of_both_formats():
    """The second opinion, and fastavro for the part in Avro."""
    work = run_first(CSV, PLAIN)
    lib.run("run", "--once", work.script(AVRO, PLAIN, "SET schema_change = 'allow';"))
    work.add("T3,3")
    lib.run("run", "--once", work.script(CSV, PLAIN, "SET schema_change = 'allow';"))
    assert list(avro_results.iter_result(work.result)) == [("T2", "2")]
    assert sorted(results.iter_result(work.result)) == [("T1", "1"), ("T3", "3")]
    formats = [entry["files_format"] for entry in results.log_entries(work.result).values()
               if entry["kind"] == "commit"]
    header = {"name": "csv", "options": {"header": "true"}}
    assert formats == [header, {"name": "avro", "options": {}}, header], formats


def rewrite(work, change):
    """Changes all entries of the log, and makes their checksums and chain right."""
    before = ""
    for path in sorted(pathlib.Path(work.result).glob("_tramline/log/*/*.json")):
        entry = json.loads(path.read_text())
        change(entry)
        entry["prev"], entry["checksum"] = before, "0" * 64
        text = json.dumps(entry, separators=(",", ":")).encode()
        before = hashlib.sha256(text).hexdigest()
        path.write_bytes(text.replace(b"0" * 64, before.encode(), 1))


def test_entries_that_do_not_tell_their_format():
    """As an older program wrote them: by the file's name, else as the script says."""
    for form, form_then in ((CSV, AVRO), (AVRO, CSV), (BARE, BARE)):
        work = run_first(form, PLAIN)
        rewrite(work, lambda entry: entry.pop("files_format"))
        script = work.script(form_then, PLAIN)
        work.is_proved(script)
        assert shown(script) == [["T1", "1"]]
        lib.run("run", "--once", script)
        work.is_proved(script)


def test_a_format_of_a_newer_program_is_named():
    work = run_first(CSV, PLAIN)
    rewrite(work, lambda entry: entry["files_format"].update(name="orc"))
    done = lib.run("verify", "--deep", work.script(CSV, PLAIN), code=3)
    assert re.search(r"ERROR: entry 2: part-\d{20}-0.csv: part-\d{20}-0.csv: this version of the program "
                     "does not know format 'orc'", done.out), done.out
