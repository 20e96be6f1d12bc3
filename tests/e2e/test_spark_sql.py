# SPDX-License-Identifier: Apache-2.0
# test: builds release tests/sql_tool tests/decode_tool
# test: limit 900
"""What is printed as Spark SQL means on a real Spark what it means to this program: records decoded by
its decoder. Spark is PyPI's; with --long also an older one."""
import functools
import json
import os
import pathlib
import subprocess

import lib
import local_spark
import spark
import spark_cases

SEED = int(os.environ.get("TEST_SEED", 1))
N_BY_CHANCE = 10000 if lib.is_long() else 1000
TOOL_LIMIT_S = 300
OLD_SPARK = "3.5.7"
STREAM = " WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'csv'{});\n"
SINK = "CREATE TABLE result () WITH (connector = 'filesystem', path = '/out', format = 'csv');\n"


def tool(name):
    path = pathlib.Path(os.environ.get("TRAMLINE_TOOLS", lib.ROOT / "build/release/tests")) / name
    if not path.exists():
        raise AssertionError(f"no {path}; ./dev build makes it")
    return path


def asked(name, lines):
    done = subprocess.run([tool(name)], input="".join(json.dumps(line) + "\n" for line in lines),
                          capture_output=True, text=True, timeout=TOOL_LIMIT_S)
    assert done.returncode == 0, f"{name}: exit code {done.returncode}: {done.stderr[-2000:]}"
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@functools.cache
def session(version=None, **settings):
    if version is not None:
        settings = {"spark.sql.ansi.enabled": "false", **settings}
    return local_spark.Spark(spark.home(version), **settings)


# Decoding.

def stream_of(table):
    return f"CREATE TABLE st ({spark_cases.TABLES[table]})" + STREAM.format(spark_cases.OPTIONS.get(table, ""))


def by_the_program(table, records):
    hexes = [None if r is None else r.hex() for r in records]
    job = {"script": stream_of(table) + SINK + "INSERT INTO result SELECT * FROM st", "records": hexes}
    for said in asked("decode_tool", [job]):
        yield ("row", said["row"]) if "row" in said else ("bad" if "bad" in said else "ignored", None)


def decode_of(table):
    job = {"query": "SELECT 1 AS x FROM st", "as": "spark", "tables": stream_of(table)}
    said = asked("sql_tool", [{"tables": ""}, job])[0]
    assert "decode" in said, said
    return said["decode"]


def by_spark(session_, table, records):
    rows = [[i, None if r is None else r.hex()] for i, r in enumerate(records)]
    said = session_.ask({"views": [["^.records", "`^.row` BIGINT, value BINARY", rows]],
                         "query": f"SELECT * FROM ({decode_of(table)}) ORDER BY `^.row`"})
    assert isinstance(said, list), said["failed"]
    return [(kind, row if kind == "row" else None) for _, kind, *row in said]


def check_decoding(session_):
    for table in spark_cases.TABLES:
        records = spark_cases.records(table, N_BY_CHANCE, SEED)
        ours, theirs = list(by_the_program(table, records)), by_spark(session_, table, records)
        wrong = [f"{table}: {(r or b'')[:60]!r}: {o}, by Spark {t}"
                 for r, o, t in zip(records, ours, theirs, strict=True) if repr(o) != repr(t)]
        kinds = {kind: sum(o[0] == kind for o in ours) for kind in ("row", "bad", "ignored")}
        print(table, len(records), "records", kinds, session_.version)
        assert not wrong, f"{len(wrong)} of {len(records)} differ\n" + "\n".join(wrong[:20])
        assert min(kinds.values()) > 0


def test_records_are_decoded_as_by_the_program():
    assert len(spark_cases.THREE) >= 86
    check_decoding(session())


@lib.only_long
def test_records_are_decoded_as_by_the_program_compiled():
    check_decoding(session(**{"spark.sql.codegen.factoryMode": "FALLBACK", "spark.sql.codegen.wholeStage": "true"}))


@lib.only_long
def test_records_are_decoded_as_by_the_program_by_an_older_spark():
    check_decoding(session(OLD_SPARK))
