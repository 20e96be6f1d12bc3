# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: builds release tests/test_executor_queries
"""Whole queries made by chance give the rows that PostgreSQL gives, in its types.

What docs/sql.md states as different does not occur in them. TEST_SEED makes others."""
import collections
import functools
import json
import os
import pathlib
import re
import subprocess

import lib
import postgres
import sql_queries

N_QUERIES, N_EXPRESSIONS, N_STREAM_QUERIES = 900, 600, 1000
SEED = int(os.environ.get("TEST_SEED", 1))
if lib.is_long():
    N_QUERIES, N_EXPRESSIONS, N_STREAM_QUERIES = 6000, 3000, 20000
TOOL_LIMIT_S = 300
WAYS = ("view", "table", "insert")
# Of a LIKE pattern that ends in its escape, and of a query that takes longer than its limit.
ELSEWHERE = ("22025", "57014")
OWN = ("instr", "gtfs_seconds", "gtfs_time", "now")


def tool():
    path = pathlib.Path(os.environ.get("TRAMLINE_TOOLS", lib.ROOT / "build/release/tests"))
    if not (path / "sql_tool").exists():
        raise AssertionError(f"no {path}/sql_tool; ./dev build makes it")
    return path / "sql_tool"


def declared(table, options):
    columns = ", ".join(" ".join(column) for column in sql_queries.COLUMNS[table])
    return f"CREATE TABLE {table} ({columns}){options};\n"


def ours(jobs):
    """What Tramline's SQL makes of each job."""
    tables = "".join(
        declared(t, " WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'csv')"
                 if t == "st" else " WITH (connector = 'filesystem', path = '/x', format = 'csv')")
        for t in sql_queries.COLUMNS)
    lines = [{"tables": tables, "rows": sql_queries.ROWS}, *jobs]
    done = subprocess.run([tool()], input="".join(json.dumps(line) + "\n" for line in lines),
                          capture_output=True, text=True, timeout=TOOL_LIMIT_S)
    assert done.returncode == 0, f"sql_tool: exit code {done.returncode}: {done.stderr[-2000:]}"
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(jobs), f"{len(answers)} answers to {len(jobs)} queries"
    return answers


@functools.cache
def server():
    """PostgreSQL with the tables."""
    started = postgres.Server()
    for table, rows in sql_queries.ROWS.items():
        started.query(declared(table, ""))
        for row in rows:
            values = ", ".join("NULL" if v is None else sql_queries.literal(str(v)) for v in row)
            started.query(f"INSERT INTO {table} VALUES ({values})")
    return started


def same_type(our_type, their_type):
    """NUMERIC: PostgreSQL's sum of BIGINT, which is BIGINT here (docs/sql.md)."""
    return our_type == their_type or (our_type, their_type) == ("BIGINT", "NUMERIC")


def value_of(text, kind):
    """PostgreSQL's text as the tool gives the value."""
    if text is None or kind == "TEXT":
        return text
    if kind == "BOOLEAN":
        return text == "t"
    return float(text) if kind == "REAL" else int(text)


def row_text(row):
    return json.dumps([round(v, 9) + 0.0 if isinstance(v, float) else v for v in row])


def compare(job, answer, columns, rows):
    """What differs, as text; empty when nothing does."""
    kinds = [kind for _, kind, _ in answer["columns"]]
    if [n for n, _, _ in answer["columns"]] != [n for n, _ in columns]:
        return "names differ"
    if not all(same_type(x, y) for x, (_, y) in zip(kinds, columns)):
        return f"types are {kinds}, PostgreSQL's {[t for _, t in columns]}"
    theirs = [[value_of(v, kind) for v, kind in zip(row, kinds)] for row in rows]
    for i, (name, kind, nullable) in enumerate(answer["columns"]):
        if not nullable and any(row[i] is None for row in theirs):
            return f"{name} {kind} is NOT NULL, but PostgreSQL gives a NULL"
    left, right = ([row_text(row) for row in given] for given in (answer["rows"], theirs))
    if not job.get("ordered"):
        left, right = sorted(left), sorted(right)
    return "" if left == right else f"rows are\n{left}\nPostgreSQL's\n{right}"


def theirs(pg, job):
    if not job.get("views"):
        return pg.query(job["query"])
    pg.query("BEGIN")
    try:
        for name, query in job["views"]:
            pg.query(f"CREATE VIEW {name} AS {query}")
        return pg.query(job["query"])
    finally:
        pg.query("ROLLBACK")


def said(job):
    views = "".join(f"CREATE VIEW {name} AS {query};\n" for name, query in job.get("views", ()))
    return f"{views}{job['as']} {job['query']}"


def check(jobs, pg):
    """Runs the jobs on both; returns counts of how they went and what differs."""
    counts, wrong = collections.Counter(), []
    for job, answer in zip(jobs, ours(jobs)):
        if "refused" in answer:
            counts["refused"] += 1
            counts["refused: " + answer["refused"].split("error: ")[1].splitlines()[0][:60]] += 1
            continue
        try:
            columns, rows = theirs(pg, job)
        except postgres.Failed as error:
            if "failed" not in answer:
                wrong.append(f"{said(job)}\nPostgreSQL: {error}\n{answer}")
            counts["both failed"] += 1
            continue
        if "failed" in answer:
            wrong.append(f"{said(job)}\nfailed: {answer['failed']}, not in PostgreSQL")
            continue
        counts["compared"] += 1
        counts["rows"] += len(rows)
        difference = compare(job, answer, columns, rows)
        if difference:
            wrong.append(f"{said(job)}\n{difference}")
    print(dict(counts.most_common(30)))
    return counts, wrong


def fail_on(wrong):
    for text in sorted(wrong, key=len)[:8]:
        print(text, "\n", flush=True)
    assert not wrong, f"{len(wrong)} differ"


@functools.cache
def queries():
    jobs = []
    for i in range(N_QUERIES):
        way = WAYS[i % len(WAYS)]
        made = sql_queries.Queries(SEED * 1000003 + i)
        query = made.query(stream=way == "insert")
        jobs.append({"query": query, "as": way, "ordered": made.ordered, "views": made.views})
    return jobs


@functools.cache
def expressions():
    jobs = []
    for i in range(N_EXPRESSIONS):
        text = sql_queries.Queries(SEED * 1000003 + i).expression()
        row = 1 + i % len(sql_queries.ROWS["a"])
        jobs.append({"query": f"SELECT {text} AS x FROM a WHERE id = {row}", "as": WAYS[i % 2]})
    return jobs


def test_queries_give_the_rows_of_postgresql():
    counts, wrong = check(queries(), server())
    fail_on(wrong)
    assert counts["compared"] > 0.95 * N_QUERIES
    assert sum(job["ordered"] for job in queries()) > 0.03 * N_QUERIES
    assert sum(bool(job["views"]) for job in queries()) > 0.1 * N_QUERIES


def test_expressions_give_the_values_of_postgresql():
    counts, wrong = check(expressions(), server())
    fail_on(wrong)
    assert counts["compared"] > 0.7 * N_EXPRESSIONS
    assert counts["both failed"] > 0.03 * N_EXPRESSIONS


def test_queries_by_hand():
    text = (pathlib.Path(__file__).parent / "sql_by_hand.sql").read_text()
    text = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    written = [" ".join(query.split()) for query in text.split(";") if query.strip()]
    jobs = [{"query": query, "as": way} for query in written for way in ("view", "table")]
    counts, wrong = check(jobs, server())
    fail_on(wrong)
    assert counts["refused"] == 0
    assert counts["compared"] + counts["both failed"] == len(jobs) > 140


def of_the_stream():
    """Queries over a stream, as tests/unit/test_executor_queries.c makes them, with the rows that
    the native executor gives."""
    path = lib.tmp_dir() / "queries"
    env = {**os.environ, "QUERIES_DUMP": str(path), "QUERIES": str(N_STREAM_QUERIES),
           "TEST_CASE": "native_gives_what_sqlite_gives"}
    done = subprocess.run([tool().parent / "test_executor_queries"], env=env, capture_output=True,
                          text=True, timeout=TOOL_LIMIT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def as_postgresql(text):
    return re.sub(r"\bREAL\b", "DOUBLE PRECISION", text)


def loading(made):
    """SQL that makes the tables."""
    for table, content in made["tables"].items():
        yield as_postgresql(f"CREATE TEMP TABLE {table} ({content['columns']}) ON COMMIT DROP")
        rows = ", ".join("(" + ", ".join(sql_value(v) for v in row) + ")" for row in content["rows"])
        if rows:
            yield f"INSERT INTO {table} VALUES {rows}"


def sql_value(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


def stream_rows(pg, made):
    """PostgreSQL's rows, sorted; None where it fails."""
    try:
        pg.query("BEGIN; " + "; ".join(loading(made)))
        _, rows = pg.query(as_postgresql(made["query"]))
        return sorted(row_text([value_of(v, kind) for v, kind in zip(row, made["types"])])
                      for row in rows)
    finally:
        pg.query("ROLLBACK")


def test_the_native_executor_gives_the_rows_of_postgresql():
    pg, counts, wrong = server(), collections.Counter(), []
    pg.query("CREATE OR REPLACE FUNCTION instr(TEXT, TEXT) RETURNS INT AS "
             "'SELECT strpos($1, $2)' LANGUAGE SQL IMMUTABLE STRICT")
    for made in of_the_stream():
        said = f"seed {made['seed']}: {made['query']}"
        try:
            theirs_are = stream_rows(pg, made)
        except postgres.Failed as error:
            if error.code in ELSEWHERE:
                counts[error.code] += 1
            elif made["rejects"] == 0:
                wrong.append(f"{said}\nPostgreSQL: {error} ({error.code})")
            counts["both failed"] += made["rejects"] > 0
            continue
        if made["rejects"] > 0:
            wrong.append(f"{said}\n{made['rejects']} records rejected, not by PostgreSQL")
            continue
        ours_are = sorted(row_text([float(v) if kind == "REAL" and v is not None else v
                                    for v, kind in zip(row, made["types"])])
                          for row in made["rows"])
        counts["compared"] += 1
        counts["with rows"] += bool(ours_are)
        if ours_are != theirs_are:
            wrong.append(f"{said}\nrows are {len(ours_are)}\n{ours_are[:5]}\n"
                         f"PostgreSQL's {len(theirs_are)}\n{theirs_are[:5]}")
    print(dict(counts))
    fail_on(wrong)
    assert counts["compared"] > 0.75 * N_STREAM_QUERIES
    assert counts["with rows"] > 0.4 * N_STREAM_QUERIES
    assert counts["both failed"] > 0.05 * N_STREAM_QUERIES
    assert sum(counts[code] for code in ELSEWHERE) < 0.01 * N_STREAM_QUERIES


def test_every_function_is_among_them():
    """Each of docs/sql.md but those that PostgreSQL has not, or has for NUMERIC only."""
    listed = re.findall(r"^\| `(\w+)\(", (lib.ROOT / "docs/sql.md").read_text(), re.MULTILINE)
    text = "\n".join(job["query"] for job in queries() + expressions())
    assert len(listed) > 30
    missing = [name for name in listed if f"{name}(" not in text and name not in OWN]
    assert not missing, missing
