# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""What people look at, without a server: the demo, the plan as a tree and as JSON, the join's
figures against the sqlite3 shell, rows fitted to a terminal's width."""
import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import lib
import oracle
import results

SCRIPT = """
CREATE TABLE trips (%(trips)s) WITH (connector = 'filesystem', path = '${ROOT}/trips', format = 'csv');
CREATE TABLE calendar_dates (%(calendar_dates)s)
  WITH (connector = 'filesystem', path = '${ROOT}/calendar_dates', format = 'csv');
CREATE TABLE frequencies (%(frequencies)s)
  WITH (connector = 'filesystem', path = '${ROOT}/frequencies', format = 'csv', optional = true);
CREATE VIEW enriched_trip AS %(enriched_trip)s;
CREATE TABLE stop_times (%(stop_times)s)
  WITH (connector = 'file', path = '${FEED}/stop_times.txt');
CREATE TABLE enriched_stop_time ()
  WITH (connector = 'filesystem', path = '${ROOT}/out', format = 'csv');
INSERT INTO enriched_stop_time %(enriched_stop_time)s;
"""


class Job:
    """A feed staged in a directory of its own."""

    def __init__(self, feed):
        self.feed, self.root = lib.feed_dir(feed), lib.tmp_dir()
        self.script = self.root / "p.sql"
        self.script.write_text(SCRIPT % {
            **oracle.TABLES, "enriched_trip": oracle.ENRICHED_TRIP,
            "enriched_stop_time": oracle.ENRICHED_STOP_TIME})
        self.env = {"ROOT": str(self.root), "FEED": str(self.feed)}
        self.run("extract", self.feed, self.script)

    def run(self, *args, **more):
        return lib.run(*args, env=self.env, **more)


def test_explain_draws_who_reads_whom():
    job = Job("madrid-metro")
    lines = job.run("explain", job.script).out.splitlines()
    root, feed = str(job.root), str(job.feed)
    assert [line.split() for line in lines[:6]] == [
        ["enriched_stop_time", "result", "csv", f"{root}/out"],
        ["├─", "stop_times", "stream", "csv", f"{feed}/stop_times.txt"],
        ["└─", "enriched_trip", "view"],
        ["├─", "trips", "table", "csv", "128", "rows", f"{root}/trips"],
        ["├─", "calendar_dates", "table", "csv", "56", "rows", f"{root}/calendar_dates"],
        ["└─", "frequencies", "table", "csv", "866", "rows", f"{root}/frequencies"]], lines[:6]
    assert "  executor  native: one hash join" in lines, lines
    assert "  tables    native" in lines, lines


def test_explain_says_who_computes_what_stands_over_tables():
    job = Job("madrid-metro")
    grouped = "SELECT trip_id, count(*) AS n FROM frequencies GROUP BY trip_id"
    days = "SELECT t.trip_id, f.n FROM trips t JOIN (%s) f ON f.trip_id = t.trip_id" % grouped
    tables = job.script.read_text().split("CREATE VIEW enriched_trip")[0]
    why = "The query has an aggregate."
    for view, said, by in (
            (grouped, f"sqlite: {why}", {"by": "sqlite", "why": why}),
            ("SELECT trip_id, service_id AS n FROM trips", "native", {"by": "native", "why": None}),
            (days.replace(f"({grouped})", "grouped"), f"native and sqlite: {why}",
             {"by": "native and sqlite", "why": why})):
        script = job.root / "who.sql"
        script.write_text(tables + f"""
            CREATE VIEW grouped AS {grouped};
            CREATE TABLE stop_times ({oracle.TABLES["stop_times"]})
              WITH (connector = 'file', path = '{job.feed}/stop_times.txt');
            CREATE MATERIALIZED VIEW kept WITH (path = '{job.root}/kept', format = 'csv') AS {view};
            CREATE TABLE o () WITH (connector = 'filesystem', path = '{job.root}/o', format = 'csv');
            INSERT INTO o SELECT s.trip_id, v.n FROM stop_times s JOIN ({view}) v ON v.trip_id = s.trip_id;""")
        lines = job.run("explain", script).out.splitlines()
        assert f"  tables    {said}" in lines and f"  view      kept: {said}" in lines, lines
        got = job.run("explain", script, "--json", "--no-tables").json()
        assert got["insert"]["builds"] == [by], got["insert"]
        assert [v["build"] for v in got["views"] if v["name"] == "kept"] == [by], got["views"]


def test_explain_counts_what_the_join_gives():
    job = Job("madrid-metro")
    got = job.run("explain", job.script, "--json").json()
    per_key = "SELECT count(*) AS n FROM enriched_trip GROUP BY trip_id"
    (expected,) = oracle.iter_expected(
        job.feed, f"SELECT count(*), sum(n), max(n) FROM ({per_key})")
    assert [got["joins"][0][k] for k in ("keys", "rows", "rows_at_worst")] == list(map(int, expected))
    keys, rows, _ = map(int, expected)
    assert abs(got["joins"][0]["rows_expected"] - rows / keys) < 0.001, got["joins"][0]
    worst = got["joins"][0]["worst_key"].strip("'")
    (n,) = oracle.iter_expected(
        job.feed, f"SELECT count(*) FROM enriched_trip WHERE trip_id = '{worst}'")
    assert n[0] == expected[2], (n, expected)
    (view,) = got["views"]
    assert view["reads"] == ["trips", "calendar_dates", "frequencies"], view
    assert got["insert"]["reads"] == ["stop_times", "enriched_trip"], got["insert"]
    assert {t["name"]: t.get("rows") for t in got["tables"]} == {
        "trips": 128, "calendar_dates": 56, "frequencies": 866, "stop_times": None,
        "enriched_stop_time": None}


def test_explain_estimates_what_a_record_costs():
    """By docs/performance.md, "What a part of a query costs": 36 ns, 50 a look-up, 6 a copied row, 40 a step's, 80 an encoded one."""
    job = Job("madrid-metro")
    head = job.script.read_text().split("INSERT INTO")[0]
    per_key = "(SELECT count(*) AS n FROM enriched_trip GROUP BY trip_id)"
    (fan_out,) = [float(row[0]) for row in oracle.iter_expected(job.feed, f"SELECT avg(n) FROM {per_key}")]

    def explain(query, *words):
        job.script.write_text(f"{head} INSERT INTO enriched_stop_time {query};")
        return job.run("explain", job.script, *words)

    plain = "SELECT s.trip_id, e.service_id FROM stop_times s JOIN enriched_trip e USING (trip_id)"
    got = explain(plain, "--json").json()["cost"]
    assert abs(got["rows"] - fan_out) < 0.001 and abs(got["ns"] - (36 + 50 + 6 * fan_out)) < 0.1, got
    lines = explain(plain).out.splitlines()
    assert f"  cost      about {50 + 6 * fan_out:.0f} ns a record, {fan_out:.2g} rows" in lines, lines
    assert f"  in all    about {86 + 6 * fan_out:.0f} ns a record on one core, {fan_out:.2g} rows" in lines, lines
    both = plain.replace("e.service_id", "e.service_id || s.trip_id AS x")
    got = explain(both, "--json").json()["cost"]
    assert abs(got["ns"] - (36 + 50 + (40 + 80) * fan_out)) < 0.1, got
    assert [(part["rows"], len(got["branches"])) for part in got["branches"][0]["steps"]] == [(got["rows"], 1)], got
    asked = ("SELECT s.trip_id, (SELECT t.service_id FROM trips t WHERE t.trip_id >= s.trip_id ORDER BY 1 LIMIT 1) AS x "
             "FROM stop_times s")
    twice = explain(f"{asked} UNION ALL {asked}", "--json").json()["cost"]
    assert twice["rows"] == 2 and abs(twice["ns"] - (36 + 2 * (3600 + 80))) < 0.1, twice
    assert "  in all    about 7.4 us a record on one core, 2 rows" in explain(f"{asked} UNION ALL {asked}").out.splitlines()
    head = "SET executor = 'sqlite';" + head
    assert "  in all    about 5 us a record and 4 us a row on one core" in explain(plain).out.splitlines()
    assert "cost" not in explain(plain, "--json").json()


def test_explain_says_what_sqlite_answers():
    job = Job("madrid-metro")
    job.script.write_text(job.script.read_text().split("INSERT INTO")[0] + """
        INSERT INTO enriched_stop_time
          SELECT s.trip_id, (SELECT t.service_id FROM trips t WHERE t.trip_id >= s.trip_id ORDER BY t.trip_id LIMIT 1)
            AS service_id
          FROM stop_times s WHERE EXISTS (SELECT 1 FROM frequencies f WHERE f.trip_id = s.trip_id);""")
    why = "A subquery uses columns from outside, or may fail, and is more than a SELECT with a WHERE."
    lines = job.run("explain", job.script).out.splitlines()
    assert "  executor  native: hash joins and steps, but for subqueries that sqlite answers" in lines, lines
    assert f"  step      1, row by row: sqlite answers: {why}" in lines, lines
    got = job.run("explain", job.script, "--json").json()
    assert got["insert"]["builds"] == [{"by": "native", "why": None}, {"by": "sqlite", "why": why}], got["insert"]
    assert len(got["joins"]) == 1, got["joins"]


def test_explain_shows_each_step_and_branch():
    job = Job("madrid-metro")
    script = job.script.read_text().split("INSERT INTO")[0] + """
        INSERT INTO enriched_stop_time
          SELECT s.trip_id, t.service_id FROM stop_times s JOIN trips t USING (trip_id)
          WHERE EXISTS (SELECT 1 FROM frequencies f WHERE f.trip_id = s.trip_id)
            AND t.service_id < s.trip_id
          UNION ALL
          SELECT s.stop_id, (SELECT t.service_id FROM trips t WHERE t.trip_id = s.trip_id)
          FROM stop_times s
          WHERE EXISTS (SELECT 1 FROM frequencies f WHERE f.trip_id = s.trip_id);"""
    job.script.write_text(script)
    lines = job.run("explain", job.script).out.splitlines()
    shown = [line.strip() for line in lines if line.split()[:1] in (["branch"], ["step"])
             or "same as" in line]
    assert shown == [
        "branch    1 of 2",
        "step      0, row by row: a row for each match",
        "step      1, row by row: whether there is a match",
        "branch    2 of 2",
        "step      0, row by row: whether there is a match",
        "join      the same as one above",
        "step      1, row by row: the only match",
        "join      the same as one above"], lines
    got = job.run("explain", job.script, "--json").json()
    assert [join["shared"] for join in got["joins"]] == [False, False, True, True], got["joins"]
    assert [join["rows"] for join in got["joins"]] == [128, 866, 866, 128], got["joins"]
    assert [[step["kind"] for step in branch["steps"]] for branch in got["branches"]] == [
        ["inner", "exists"], ["exists", "single"]], got["branches"]


def test_explain_without_tables_says_so():
    job = Job("madrid-metro")
    empty = {"ROOT": str(lib.tmp_dir()), "FEED": str(job.feed)}
    done = lib.run("explain", job.script, env=empty)
    assert "rows" not in done.out and "└─ enriched_trip" in done.out, done.out
    assert "the tables are not at hand, so what the join gives is not known: table trips: " \
           "there is no file in" in done.err, done.err
    assert "joins" not in job.run("explain", job.script, "--json", "--no-tables").json()


def on_terminal(job, columns, *args):
    """What the program prints on a terminal so many columns wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen([lib.program(), *map(str, args)], stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=subprocess.PIPE, env={**os.environ, **job.env})
    os.close(slave)
    out = b""
    try:
        while piece := os.read(master, 65536):
            out += piece
    except OSError:
        pass  # the other side is closed
    assert process.wait(30) == 0, process.stderr.read()
    return out.decode().replace("\r\n", "\n").splitlines()


def test_cat_fits_a_terminal():
    job = Job("madrid-metro")
    wide = on_terminal(job, 400, "cat", job.script, "trips", "--limit", 3)
    narrow = on_terminal(job, 60, "cat", job.script, "trips", "--limit", 3)
    assert len(wide) == 4 and wide[0].split() == [
        "route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id",
        "wheelchair_accessible", "note_fr", "note_en"], wide
    assert len(narrow) == 5 and all(len(line) <= 60 for line in narrow), narrow
    names = narrow[0].split()
    assert names[0] == "route_id" and names[-1] == "note_en" and "…" in names, narrow
    assert narrow[-1] == f"({len(names) - 1} of 9 columns; --json or --csv shows all)", narrow


def test_cat_cuts_a_cell_of_any_length():
    job = Job("madrid-metro")
    table = job.root / "trips/trips.csv"
    lines = table.read_text().splitlines()
    cells = lines[1].split(",")
    cells[0] = "é" * 300_000
    table.write_text("\n".join([lines[0], ",".join(cells)]) + "\n")
    shown = on_terminal(job, 60, "cat", job.script, "trips")
    assert shown[1].startswith("é" * 39 + "…  "), shown
    assert len(shown[1]) <= 60, shown


def test_progress_fits_a_terminal():
    job = Job("madrid-metro")
    for columns in (20, 60, 100):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        subprocess.run([lib.program(), "extract", job.feed, job.script], env={**os.environ, **job.env},
                       stdout=subprocess.PIPE, stderr=slave, timeout=60, check=True)
        os.close(slave)
        drawn = os.read(master, 65536).decode().split("\r\x1b[K")
        os.close(master)
        # Lines of the log stand before and after what is drawn, never in it.
        drawn = [line for line in drawn if " warn  " not in line]
        assert len(drawn) > 2 and all(len(line) < columns for line in drawn), drawn
        assert drawn[0].startswith("trips.txt"[:columns - 1]), drawn


def test_a_signal_ends_cat_at_once():
    job = Job("madrid-metro")
    table = job.root / "trips/trips.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *lines[1:101] * 1000]) + "\n")
    process = subprocess.Popen([lib.program(), "cat", job.script, "trips"],
                               stdout=subprocess.PIPE, env={**os.environ, **job.env})
    assert process.stdout.read(1)  # it writes, and nobody reads on
    process.terminate()
    try:
        assert process.wait(20) == -signal.SIGTERM, process.returncode
    finally:
        process.kill()


def test_cat_gives_the_same_rows_in_each_style():
    job = Job("exo-train")
    as_csv = job.run("cat", job.script, "trips").out
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    lines = job.run("cat", job.script, "trips", "--json").out.splitlines()
    as_json = [json.loads(line) for line in lines]
    assert len(rows) == 300, len(rows)
    texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in as_json]
    assert texts == rows


def test_demo_does_the_whole_job():
    root = lib.tmp_dir() / "demo"
    done = lib.run("demo", "--dir", root)
    expected = oracle.expected_rows(root / "feed")
    results.same_rows(results.rows_of_result(f"file://{root}/enriched_stop_time"), expected)
    n_rows = f"{sum(expected.values()):,}"
    assert f"they became {n_rows} rows" in done.out, done.out[-300:]
    shown = re.findall(r"^\$ (.*)$", done.out, re.M)
    assert [line.split()[1] for line in shown if line.startswith("tramline")] == [
        "check", "init", "extract", "explain", "produce", "run", "verify", "cat"], shown
    # What it shows can be typed again.
    exports = shown[0].replace(f"cd {root}; export ", "").replace("$PWD", str(root))
    env = dict(word.split("=", 1) for word in exports.split())
    again = lib.run("verify", "pipeline.sql", "--deep", env=env, cwd=root)
    assert "no gap, no duplicate" in again.out
