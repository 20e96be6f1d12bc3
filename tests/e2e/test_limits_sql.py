# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""A query that takes too long, too many rows or too much memory for one record makes a dead letter of
it; a signal ends one; tables that are too large are told."""
import base64
import os
import re
import signal
import subprocess
import time

import lib
import results

SCRIPT = """
SET spool = '{0}/spool';
SET executor = '{executor}';
SET on_error.share = '100%';
{settings}
CREATE TABLE numbers (k TEXT NOT NULL, n INT NOT NULL, text TEXT)
  WITH (connector = 'filesystem', path = '{0}/numbers', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, k TEXT NOT NULL)
  WITH (connector = 'file', path = '{0}/visits.csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', format = 'csv');
INSERT INTO result {query};
"""
JOINED = ("SELECT v.id, a.n, b.text FROM visits v JOIN numbers a ON a.k = v.k JOIN numbers b ON b.k = v.k "
          "JOIN numbers c ON c.k = v.k")
# Whose subquery SQLite answers, for each record.
ASKED = ("SELECT v.id, 0 AS n, '' AS text FROM visits v WHERE (SELECT count(*) FROM numbers a JOIN numbers b ON b.k = a.k "
         "JOIN numbers c ON c.k = b.k WHERE a.k = v.k AND a.n + b.n + c.n > length(v.id) + 100000) = 0")


class Job:
    def __init__(self, visits, n_numbers=1000, where="", text="", executor="sqlite", query=JOINED, **settings):
        self.directory = lib.tmp_dir()
        self.script = self.directory / "p.sql"
        settings = "\n".join(f"SET {k.replace('__', '.')} = '{v}';" for k, v in settings.items())
        self.script.write_text(SCRIPT.format(self.directory, settings=settings, query=query + where,
                                             executor=executor))
        (self.directory / "numbers").mkdir()
        (self.directory / "numbers/numbers.csv").write_text(
            "k,n,text\ng,0,\n" + "".join(f"b,{i},{text}{i}\n" for i in range(n_numbers)))
        (self.directory / "visits.csv").write_text("".join(f"{name},{name[0]}\n" for name in visits))

    def run(self, **kwargs):
        return lib.run("run", self.script, "--once", **kwargs)

    def letters(self):
        return {base64.b64decode(x["value"]).decode(): x["reason"]
                for x in results.dead_letters(self.directory / "result")}

    def ids(self):
        return sorted(row[0] for row in results.rows_of_result(self.directory / "result").elements())


# The two bad ones read a milliard of rows each.
VISITS = [f"good{i}" for i in range(300)] + ["bad1"] + [f"go{i}" for i in range(300)] + ["bad2"]


def check_late(executor, query=JOINED + " WHERE a.n + b.n + c.n < 1", rows="1 row"):
    job = Job(VISITS, query=query, executor=executor, batch__record_timeout="500ms")
    began = time.monotonic()
    job.run()
    letters = job.letters()
    assert set(letters) == {"bad1,b", "bad2,b"}, letters
    for reason in letters.values():
        assert reason == f"the query takes longer than batch.record_timeout for this record, after {rows}", reason
    assert len(job.ids()) == 600
    assert time.monotonic() - began < 60
    lib.run("verify", job.script, "--deep")


def test_a_join_that_takes_too_long_is_a_dead_letter():
    check_late("sqlite")


def test_so_is_one_of_the_native_executor():
    check_late("native")


def test_so_is_a_subquery_that_sqlite_answers():
    check_late("native", ASKED, "0 rows")


def check_too_many(executor, where):
    job = Job(VISITS, where=where, text="x" * 300, executor=executor, batch__record_timeout="60s")
    job.run()
    letters = job.letters()
    assert set(letters) == {"bad1,b", "bad2,b"}, letters
    for reason in letters.values():
        assert reason.startswith("the record with k = b gives ") and \
            reason.endswith(" rows: more than fit the row buffer of 268435456 bytes"), reason
    assert len(job.ids()) == 600
    lib.run("verify", job.script, "--deep")


def test_a_join_of_too_many_rows_is_a_dead_letter():
    check_too_many("sqlite", "")
    check_too_many("native", "")


def test_so_is_one_with_a_condition_over_both_sides():
    check_too_many("native", " WHERE a.n + b.n + c.n >= 0")


def check_signal(executor, query=JOINED + " WHERE a.n + b.n + c.n < 1"):
    visits = [f"good{i}" for i in range(300)] + [f"bad{i}" for i in range(5)]
    job = Job(visits, query=query, executor=executor, batch__record_timeout="1h")
    process = subprocess.Popen([lib.program(), "run", job.script, "--once"], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=os.environ)
    time.sleep(4)
    assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.wait(30)
    assert time.monotonic() - began < 10
    assert process.returncode == 0, process.stderr.read()
    job.script.write_text(job.script.read_text().replace("'1h'", "'200ms'"))
    job.run()
    assert len(job.ids()) == 300 and len(job.letters()) == 5
    lib.run("verify", job.script, "--deep")


def test_a_signal_ends_a_query():
    check_signal("sqlite")


def test_a_signal_ends_one_of_the_native_executor():
    check_signal("native")


def test_a_signal_ends_a_subquery_that_sqlite_answers():
    check_signal("native", ASKED)


def test_tables_are_bounded_while_they_are_read():
    job = Job(["good"], n_numbers=100000, text="x" * 300, dimension__memory="8MB")
    said = job.run(code=None)
    assert said.code != 0
    assert re.search(r"table 'numbers': row \d+ or later: SQLite takes more than 8 MB of memory; raise SET "
                     r"dimension.memory, or stage fewer rows", said.err), said.err
