#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Texts of a record that a query compares, trims and puts together, by both executors: what it costs is
bounded by their bytes, and what goes past that is a dead letter."""
import base64

import lib
import results

SCRIPT = """
SET spool = '{0}/spool';
SET executor = '{executor}';
SET on_error.share = '100%';
SET batch.record_timeout = '5min';
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '{0}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, a TEXT, b TEXT)
  WITH (connector = 'file', path = '{0}/visits.csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', format = 'csv');
INSERT INTO result SELECT v.id, {expression} AS x, w.name FROM visits v LEFT JOIN names w ON w.id = v.id;
"""
EXECUTORS = ("native", "sqlite")


def run(executor, expression, records, names=("z,Z",)):
    """({id: value of x}, {id: reason})."""
    directory = lib.tmp_dir()
    script = directory / "p.sql"
    script.write_text(SCRIPT.format(directory, executor=executor, expression=expression))
    (directory / "names").mkdir()
    (directory / "names/names.csv").write_text("\n".join(["id,name", *names, ""]))
    (directory / "visits.csv").write_text("".join(f"{','.join(r)}\n" for r in records))
    lib.run("run", script, "--once", limit_s=170)
    rows = {row[0]: row[1] for row in results.rows_of_result(directory / "result").elements()}
    letters = {base64.b64decode(x["value"]).decode().partition(",")[0]: x["reason"]
               for x in results.dead_letters(directory / "result")}
    return rows, letters


def test_a_pattern_of_a_record_is_bounded():
    """10^11 comparisons, twenty times."""
    bad = [(f"bad{i}", "a" * 400000, "%" + "a" * 200000 + "b") for i in range(20)]
    for executor in EXECUTORS:
        rows, letters = run(executor, "CAST(v.a LIKE v.b AS TEXT)",
                            [("yes", "abc", "%b_"), ("no", "abc", "b%"), *bad, ("long", "a" * 400000, "%b%")])
        assert rows == {"yes": "true", "no": "false", "long": "false"}, rows.keys()
        assert set(letters) == {r[0] for r in bad}, letters
        for reason in letters.values():
            assert reason.endswith("LIKE: more than 10000000 comparisons"), reason


def test_characters_of_a_record_are_trimmed_in_linear_time():
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 20000))) * 5
    for executor in EXECUTORS:
        rows, letters = run(executor, "trim(v.a, v.b)",
                            [("few", "\u00e9x\u00e9", "\u00e9"), ("many", "\u00e9" * 100000 + "y", many + "\u00e9")])
        assert rows == {"few": "x", "many": "y"} and letters == {}, (rows.keys(), letters)


def test_a_place_in_a_text_is_found_in_linear_time():
    for executor in EXECUTORS:
        rows, letters = run(executor, "position(v.b IN v.a)",
                            [("good", "abc", "c"), ("bad", "a" * 800000, "a" * 400000 + "b")])
        assert rows == {"good": "3", "bad": "0"} and letters == {}, (rows, letters)


def test_texts_of_a_block_are_bounded_in_sum():
    """Each of 12 records of 61 kB makes a text of 60 MB; a block has up to 64."""
    grown = [(f"r{i}", "a" * 1000, "x" * 60000) for i in range(12)]
    for executor in EXECUTORS:
        rows, letters = run(executor, "CAST(length(replace(v.a, 'a', v.b)) AS TEXT)", [*grown, ("small", "a", "bc")])
        assert rows == {"small": "2", **{r[0]: "60000000" for r in grown}}, (len(rows), letters)


def test_texts_of_rows_over_both_sides_are_bounded_in_sum():
    """The same where an expression is over record and table: records of one row each, and one of 12 rows."""
    grown = [(f"r{i}", "a" * 1000, "x" * 60000) for i in range(12)]
    names = [f"{r[0]},y" for r in grown] + ["many,y"] * 12 + ["small,y"]
    records = [*grown, ("many", *grown[0][1:]), ("small", "a", "bc")]
    for executor in EXECUTORS:
        rows, letters = run(executor, "CAST(length(replace(v.a, 'a', v.b || w.name)) AS TEXT)", records, names)
        assert rows == {"small": "3", "many": "60001000", **{r[0]: "60001000" for r in grown}}, (len(rows), letters)


def test_answers_of_sqlite_are_bounded_in_sum():
    """40 answers of 10 MB each, and what they are made into."""
    grown = [(f"r{i:02}", "a" * 1000, f"{i:02}" + "x" * 10000) for i in range(40)]
    answer = "(SELECT replace(v.a, 'a', v.b || n.name) FROM names n WHERE n.id >= 'a' ORDER BY n.name LIMIT 1)"
    for executor in EXECUTORS:
        rows, letters = run(executor, f"CAST(length({answer}) AS TEXT)", [*grown, ("small", "a", "bc")])
        assert rows == {"small": "3", **{r[0]: "10003000" for r in grown}}, (len(rows), letters)


def test_a_text_that_grows_too_large_is_a_dead_letter():
    chain = " || ".join(["replace(v.a, 'a', v.b)"] * 6)
    for executor in EXECUTORS:
        rows, letters = run(executor, f"length({chain})", [("good", "a", "bc"), ("bad", "a" * 1000, "x" * 60000)])
        assert rows == {"good": "12"} and set(letters) == {"bad"}, (rows, letters)
        if executor == "native":
            assert letters["bad"].endswith("its expressions make more than 268435456 bytes of text"), letters
