# SPDX-License-Identifier: Apache-2.0
# test: builds release tests/sql_tool tests/test_executor_queries
# test: limit 900
"""Queries and expressions made by chance, as far as they are portable, give on a real Spark the rows
that this program gives. Spark is PyPI's; with --long also an older one."""
import json
import os
import subprocess

import lib
import spark_expressions
from test_spark_sql import OLD_SPARK, SEED, STREAM, TOOL_LIMIT_S, asked, session, tool

N_QUERIES, N_BATCHES = 30, 3  # a seventh of the queries is portable
if lib.is_long():
    N_QUERIES, N_BATCHES = 3000, 150
EXPRESSIONS = 20  # of a batch
N_ROWS = 60
NOW = "1970-01-01T00:00:00.000Z"  # of a batch that has no other
TYPES = {"TEXT": "STRING", "REAL": "DOUBLE"}
TABLE = " WITH (connector = 'filesystem', path = '/{}', format = 'csv');\n"


def ddl(columns):
    """"i INT NOT NULL, r REAL" as Spark has it."""
    declared = [column.removesuffix(" NOT NULL").split(" ") for column in columns.split(", ")]
    return ", ".join(f"{name} {TYPES.get(kind, kind)}" for name, kind in declared)


def queries():
    """As tests/unit/test_executor_queries.c makes them, with the rows that the native executor gives."""
    path = lib.tmp_dir() / "queries"
    env = {**os.environ, "QUERIES_DUMP": str(path), "QUERIES": str(N_QUERIES),
           "TEST_CASE": "native_gives_what_sqlite_gives"}
    done = subprocess.run([tool("test_executor_queries")], env=env, capture_output=True, text=True, timeout=TOOL_LIMIT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def typed(row, columns):
    kinds = [column.split(" ")[1] for column in columns.split(", ")]
    return [float(v) if kind == "REAL" and v is not None else v for v, kind in zip(row, kinds)]


def views_of(made):
    for name, table in made["tables"].items():
        rows = [typed(row, table["columns"]) for row in table["rows"]]
        columns = ddl(table["columns"])
        if name == "st":
            columns, rows = columns + ", `^.row` BIGINT", [[*row, i] for i, row in enumerate(rows)]
        yield [name, columns, rows]


def printed(made):
    tables = "".join(f"CREATE TABLE {name} ({table['columns']})" +
                     (STREAM.format("") if name == "st" else TABLE.format(name))
                     for name, table in made["tables"].items())
    return {"query": made["query"], "as": "spark", "tables": tables}


def check_queries(session_):
    made = queries()
    said = asked("sql_tool", [{"tables": ""}, *map(printed, made)])
    n_rows, wrong, n = 0, [], 0
    for one, answer in zip(made, said, strict=True):
        if "spark" not in answer or answer["views"]:
            continue
        n += 1
        rows = session_.ask({"views": list(views_of(one)), "query": answer["spark"], "args": {"now": NOW}})
        if not isinstance(rows, list):
            wrong.append(f"seed {one['seed']}: {one['query']}\n{answer['spark']}\n{rows['failed']}")
            continue
        assert one["rejects"] == 0, one["query"]
        theirs, ours = sorted(repr(row[:-1]) for row in rows), sorted(repr(row) for row in one["rows"])
        n_rows += len(ours)
        if ours != theirs:
            wrong.append(f"seed {one['seed']}: {one['query']}\n{answer['spark']}\n"
                         f"rows are {len(ours)}\n{ours[:5]}\nSpark's {len(theirs)}\n{theirs[:5]}")
    print(n, "queries", n_rows, "rows", len(made) - n, "refused", session_.version)
    assert not wrong, f"{len(wrong)} of {n} differ\n" + "\n\n".join(wrong[:10])
    assert n >= N_QUERIES / 12 and n_rows > N_QUERIES / 3


# Where each expression is computed once, finding what is equal takes longer than all else.
PLAIN = {"spark.sql.subexpressionElimination.enabled": "false"}


def test_portable_queries_give_the_rows_of_the_native_executor():
    check_queries(session(**PLAIN))


@lib.only_long
def test_portable_queries_give_the_rows_of_the_native_executor_by_an_older_spark():
    check_queries(session(OLD_SPARK, **PLAIN))


# Expressions.

def batch_of(seed):
    """Lines for sql_tool; its answers are the rows, and Spark SQL."""
    made = spark_expressions.Expressions(seed)
    texts = [made.one() for _ in range(EXPRESSIONS)]
    tables = f"CREATE TABLE st ({spark_expressions.COLUMNS})" + STREAM.format("")
    rows = made.rows(N_ROWS)
    query = "SELECT " + ", ".join(f"{text} AS x{i}" for i, text in enumerate(texts)) + " FROM st"
    lines = [{"tables": tables, "rows": {"st": rows}}, *({"query": query, "as": way} for way in ("insert", "spark"))]
    return texts, rows, lines


def check_expressions(session_):
    wrong, columns = [], ddl(spark_expressions.COLUMNS) + ", `^.row` BIGINT"
    for seed in range(SEED, SEED + N_BATCHES):
        texts, rows, lines = batch_of(seed)
        ours, printed_ = asked("sql_tool", lines)
        numbered = [[*typed(row, spark_expressions.COLUMNS), i] for i, row in enumerate(rows)]
        said = session_.ask({"views": [["st", columns, numbered]], "args": {"now": NOW},
                             "query": printed_["spark"]})
        assert isinstance(said, list), f"seed {seed}: {said['failed']}"
        said.sort(key=lambda row: row[-1])
        assert len(said) == len(ours["rows"]) == N_ROWS
        for i, text in enumerate(texts):
            at = [k for k in range(N_ROWS) if repr(said[k][i]) != repr(ours["rows"][k][i])]
            if at:
                wrong.append(f"seed {seed}: {text}\n{rows[at[0]]} gives {ours['rows'][at[0]][i]!r}, by Spark {said[at[0]][i]!r}")
    print(N_BATCHES * EXPRESSIONS, "expressions", session_.version)
    assert not wrong, f"{len(wrong)} differ\n" + "\n\n".join(wrong[:20])


def test_portable_expressions_give_the_same_values():
    check_expressions(session(**PLAIN))


@lib.only_long
def test_portable_expressions_give_the_same_values_by_an_older_spark():
    check_expressions(session(OLD_SPARK, **PLAIN))
