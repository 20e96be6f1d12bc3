# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""`tramline test`: the page that teaches it, rows of both executors, its JSON and XML, its limits."""
import json
import os
import re
import shutil
import socket
import time
import xml.etree.ElementTree

import lib

PAGE = lib.ROOT / "docs/testing-pipelines.md"
STM = "examples/stm/pipeline.sql"

SCRIPT = """
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT, factor INT, share REAL, is_late BOOLEAN)
  WITH (connector = 'filesystem', path = '${ROOT}/trips', format = 'csv');
CREATE TABLE stop_times (trip_id TEXT NOT NULL, stop_id TEXT, stop_sequence INT)
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 't', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '${ROOT}/result', format = 'csv');
"""
NATIVE = ("INSERT INTO result SELECT s.*, t.route_id, t.factor / s.stop_sequence AS part, t.share, t.is_late, now() AS seen "
          "FROM stop_times s LEFT JOIN trips t ON t.trip_id = s.trip_id;")
SQLITE = ("INSERT INTO result SELECT s.trip_id, (SELECT t.route_id FROM trips t WHERE t.trip_id = s.trip_id "
          "ORDER BY t.route_id LIMIT 1) AS route_id FROM stop_times s;")


def place(**files):
    directory = lib.tmp_dir()
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def run(directory, *args, code=0):
    return lib.run("test", *args, cwd=directory, code=code,
                   env={"HOME": str(directory), "NO_COLOR": "1"})


def run_text(text, query=NATIVE, code=0, script=SCRIPT, **files):
    directory = place(p_DOT_sql=script + query, w_DOT_test=text, **files)
    return run(directory, "p.sql", "w.test", code=code)


# The page.

def page_files():
    """The files that the page shows, by name."""
    return dict(re.findall(r"^`([^`\n]+\.test)`:\n\n```\n(.*?)```$", PAGE.read_text(), flags=re.M | re.S))


def page_runs():
    """(command, what it prints) of the page's terminals."""
    found = re.findall(r"^    \$ (.*)\n((?:    .*\n)*)", PAGE.read_text(), flags=re.M)
    return [(command, re.sub(r"^    ", "", said, flags=re.M)) for command, said in found]


def page_place():
    directory = lib.tmp_dir()
    shutil.copytree(lib.ROOT / "examples", directory / "examples")
    for name, text in page_files().items():
        if not name.startswith("examples/"):
            (directory / name).write_text(text)
    return directory


def test_page_shows_the_files_that_are_there():
    shown = {n: t for n, t in page_files().items() if n.startswith("examples/")}
    assert len(shown) == 2, shown.keys()
    for name, text in shown.items():
        assert (lib.ROOT / name).read_text() == text, name


def test_page_prints_what_the_commands_print():
    directory = page_place()
    runs = [r for r in page_runs() if "--record" not in r[0]]  # tests/e2e/test_record.py runs that
    assert len(runs) == 2, runs
    for command, said in runs:
        done = run(directory, *command.split()[2:], code=None)
        assert done.out + done.err == said, f"{command}:\n{done.out}{done.err}instead of:\n{said}"


def test_page_names_tests_that_run_for_the_other_script():
    command, = re.findall(r"`tramline test (examples/stm/pipeline_avro.sql [^`]*)`", PAGE.read_text())
    assert run(page_place(), *command.split()).out.endswith("3 tests: 3 ok\n")


# Rows.

GIVEN = """now = 2026-03-01T12:00:00+01:00
[trips]
trip_id, route_id, factor, share, is_late
T1,      51,       10,     1.50,  t
T2,      "",       ,       -.5,   false
"""
STREAM = """[stop_times]
trip_id, stop_id,  stop_sequence
T1,      " A ",    3
T2,      "a,""b""\nc", 1
T3,      ,         2
T1,      X,        0
"""
EXPECT = """[expect]
trip_id, stop_id,  stop_sequence, route_id, part, share, is_late, seen
T1,      " A ",    3,             51,       3,    1.5,   true,    2026-03-01T11:00:00.000Z
T2,      "a,""b""\nc", 1,         "",       ,     -0.5,  f,       2026-03-01T11:00:00.000Z
T3,      ,         2,             ,         ,     ,      ,        2026-03-01T11:00:00.000Z
[reject]
record, reason
4,      the query fails: division by zero
"""


def test_values_of_each_type_are_compared():
    done = run_text(GIVEN + STREAM + EXPECT)
    assert done.out == "ok     w\n1 test: 1 ok\n", done.out


def test_each_value_that_differs_is_a_difference():
    """Each expected value in turn, changed: the test fails, and the row says where."""
    rows = EXPECT.index("T1,")
    for old, new in (("T1,      \" A \"", "T1,      \"A \""), ("51,       3", "52,       3"), ("3,    1.5", "4,    1.5"),
                     ("1.5,   true", "1.25,  true"), ("true,", "false,"), ('1,         ""', "1,         "),
                     ("T3,      ,         2", 'T3,      "",        2'), ("11:00", "12:00"),
                     ("4,      the", "3,      the"), ("division by zero", "division by nought"),
                     ("c\", 1", "d\", 1")):
        changed = EXPECT[:rows] + EXPECT[rows:].replace(old, new, 1)
        assert changed != EXPECT, old
        done = run_text(GIVEN + STREAM + changed, code=1)
        assert re.search(r"0 missing|1 missing, 1 unexpected", done.out), done.out
        assert done.out.count("\n    - ") == 1 and done.out.count("\n    + ") == 1, done.out


def test_a_query_that_asks_sqlite_is_tested():
    done = run_text(GIVEN + STREAM + "[expect]\ntrip_id, route_id\nT1, 51\nT1, 51\nT2, \"\"\nT3,\n", SQLITE)
    assert done.out.endswith("1 test: 1 ok\n"), done.out


def test_order_matters_if_asked_for():
    rows = "[expect]\ntrip_id\nT3\nT2\nT1\n[reject]\nreason\n*\n"
    run_text(GIVEN + STREAM + rows)
    assert "2 missing, 2 unexpected" in run_text("order = kept\n" + GIVEN + STREAM + rows, code=1).out


def test_rows_twice_are_not_rows_once():
    once = "[expect]\ntrip_id\nT1\n"
    done = run_text("[stop_times]\ntrip_id, stop_sequence\nT1, 1\nT1, 1\n" + once, code=1)
    assert "1 row as expected, 0 missing, 1 unexpected" in done.out, done.out


def test_rejects_that_are_not_expected_are_a_difference():
    done = run_text(GIVEN + STREAM + EXPECT[:EXPECT.index("[reject]")], code=1)
    assert "reject, w.test:1: 0 rejected as expected, 0 missing, 1 unexpected" in done.out, done.out
    assert "division by zero" in done.out, done.out


def test_a_reason_may_have_stars():
    head = "[stop_times]\ntrip_id, stop_sequence\nT1, x7\n[reject]\nreason\n"
    for pattern in ("*", "column *", "*INT", "*'x7'*", "column*'x7' is*an INT", "**", "column stop_sequence: 'x7' is not an INT"):
        run_text(head + pattern + "\n")
    for pattern in ("column", "*'x8'*", "INT*", "*INT*column*", "*is an INT"):
        run_text(head + pattern + "\n", code=1)


def test_environment_and_set_give_variables():
    query = "INSERT INTO result SELECT s.trip_id FROM stop_times s WHERE s.stop_id = '${STOP}';"
    text = "[stop_times]\ntrip_id, stop_id\nT1, A\nT2, B\n[expect]\ntrip_id\nT2\n"
    directory = place(p_DOT_sql=SCRIPT + query, w_DOT_test=text, v_DOT_test="set STOP = B\n" + text)
    run(directory, "p.sql", "w.test", "--set", "STOP=B")
    run(directory, "p.sql", "v.test", "--set", "STOP=A")
    run(directory, "p.sql", "w.test", "--set", "STOP=A", code=1)
    lib.run("test", "p.sql", "w.test", cwd=directory, env={"STOP": "B"})


AVRO = """
CREATE TABLE trips (trip_id TEXT NOT NULL, raw BYTES)
  WITH (connector = 'filesystem', path = '${ROOT}/trips', format = 'avro');
CREATE TABLE stop_times (trip_id TEXT NOT NULL, day TEXT)
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 't', format = 'avro', registry = '${REGISTRY}');
CREATE TABLE result () WITH (connector = 'filesystem', path = '${ROOT}/result', format = 'avro', schema = 'result.avsc');
INSERT INTO result SELECT s.trip_id, s.day, t.raw FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id;
"""
AVRO_SCHEMA = json.dumps({"type": "record", "name": "result", "fields": [
    {"name": "trip_id", "type": "string"}, {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
    {"name": "raw", "type": ["null", "bytes"]}]})


def test_what_an_avro_result_refuses_is_rejected():
    text = ("[trips]\ntrip_id, raw\nT1, \\x00fF\n[stop_times]\ntrip_id, day\nT1, 2026-02-28\nT1, 2026-02-30\n"
            "[expect]\ntrip_id, day, raw\nT1, 2026-02-28, \\x00ff\n"
            "[reject]\nday, reason\n2026-02-30, *'2026-02-30'*\n")
    done = run_text(text, "", script=AVRO, result_DOT_avsc=AVRO_SCHEMA)
    assert done.out.endswith("1 test: 1 ok\n"), done.out


def test_what_avro_records_cannot_be_is_told():
    for text, said in (("[stop_times raw]\nT1,2026-02-28\n[expect]\n",
                        "w.test:1:1: records of stop_times are Avro; give their columns, without 'raw'"),
                       ("[trips]\ntrip_id, raw\nT1, 00ff\n[expect]\n", "w.test:3:5: column raw: BYTES are written \\x0aff"),
                       ("[stop_times]\ntrip_id\n\n ,\n[expect]\n",
                        "w.test:4:2: more values than the 1 column; one with a comma stands in quotes")):
        done = run_text(text, "", script=AVRO, code=2, result_DOT_avsc=AVRO_SCHEMA)
        assert said in done.out, done.out


# Machines.

def test_json_says_what_differs():
    directory = place(p_DOT_sql=SCRIPT + NATIVE, tests__a__ok_DOT_test=GIVEN + STREAM + EXPECT,
                      tests__b_DOT_test=GIVEN + STREAM + EXPECT.replace("51,       3", "52,       3"),
                      tests__c_DOT_test="[expect]\nnone\n1\n")
    report = json.loads(run(directory, "p.sql", "--json", code=2).out)
    assert {k: v for k, v in report.items() if k != "tests"} == {
        "version": 1, "script": "p.sql", "ok": 1, "failed": 1, "wrong": 1}
    good, failed, wrong = report["tests"]
    assert (good["name"], good["path"], good["outcome"], good["differences"]) == ("a/ok", "tests/a/ok.test", "ok", [])
    assert 0 < good["ms"] < 60000
    assert wrong["error"] == "tests/c.test:2:1: there is no column 'none'"
    difference, = failed["differences"]
    assert (difference["of"], difference["file"], difference["line"]) == ("expect", "tests/b.test", 13)
    assert (difference["same"], difference["missing"], difference["unexpected"]) == (2, 1, 1)
    assert [(row["sign"], row["line"], row["row"]["route_id"]) for row in difference["rows"]] == [
        ("missing", 15, "52"), ("unexpected", 8, "51")]


def test_junit_is_xml():
    directory = place(p_DOT_sql=SCRIPT + NATIVE, tests__ok_DOT_test=GIVEN + STREAM + EXPECT,
                      tests__b_DOT_test=GIVEN + STREAM + EXPECT.replace("51,       3", '"<&>]]>",      3'),
                      tests__c_DOT_test="[expect]\n\"<none>\"\n1\n")
    run(directory, "p.sql", "--junit", "out.xml", code=2)
    suite = xml.etree.ElementTree.parse(directory / "out.xml").getroot()
    assert suite.tag == "testsuite" and suite.attrib.items() >= {
        "name": "p.sql", "tests": "3", "failures": "1", "errors": "1"}.items()
    cases = {case.get("name"): case for case in suite}
    assert list(cases["ok"]) == [] and float(cases["ok"].get("time")) > 0
    failure = cases["b"].find("failure")
    assert failure.get("message") == "rows differ" and "<&>]]>" in failure.text
    assert cases["c"].find("error").get("message") == "tests/c.test:2:1: there is no column '<none>'"


# Limits.

def lines(n, text="T%d\n"):
    return "".join(text % i for i in range(n))


def test_limits_are_told():
    trips, expect = "[trips]\ntrip_id\n", "[expect]\n"
    for text, said in (
            (trips + lines(10001), "w.test:10003:1: more than 10000 rows; a test is small"),
            ("[stop_times raw]\n" + lines(10001), "w.test:10002:1: more than 10000 rows; a test is small"),
            ("[trips]\n" + ",".join(f"c{i}" for i in range(2001)), "more than 1999 columns"),
            (expect + lines(201, "[t%d]\n"), "w.test:201:1: more than 200 blocks"),
            (lines(1001, "set V%d = 1\n"), "w.test:1001:1: more than 1000 variables"),
            (trips + "T\ud83d"[:1] + "\n" + "[expect]\nfrobnicate\n", "there is no column 'frobnicate'")):
        done = run_text(text, code=2)
        assert said in done.out, done.out
    directory = place(p_DOT_sql=SCRIPT + NATIVE)
    (directory / "w.test").write_bytes(b"[trips]\ntrip_id\nT\xff\n")
    assert "w.test:3:2: a byte that is not UTF-8; iconv converts the file" in run(directory, "p.sql", "w.test", code=2).out
    (directory / "w.test").write_text("#" * (4 << 20))
    assert "w.test has more than 4194303 bytes" in run(directory, "p.sql", "w.test", code=2).out


def test_too_many_rows_and_tests_are_told():
    trips = "[trips]\ntrip_id = T1, route_id\n" + lines(2000)
    stream = "[stop_times]\ntrip_id = T1, stop_id\n" + lines(60)
    assert "more than 100000 rows come of this test" in run_text(trips + stream + "[expect]\n", code=2).out
    directory = place(p_DOT_sql=SCRIPT + NATIVE)
    (directory / "many").mkdir()
    for i in range(1001):
        (directory / f"many/{i}.test").write_text("[expect]\n")
    assert run(directory, "p.sql", "many", code=2).err == "tramline test: more than 1000 tests; name some of them\n"
    (directory / "folder").mkdir()
    for i in range(201):
        (directory / f"folder/{i}.txt").write_text("")
    (directory / "folder/expect.csv").write_text("")
    assert "folder: more than 200 files; a test is small" in run(directory, "p.sql", "folder", code=2).out
    (directory / "wide").mkdir()
    for i in range(10001):
        (directory / f"wide/{i}.txt").touch()
    assert "wide: more than 10000 entries; name another folder" in run(directory, "p.sql", "wide", code=2).err


def test_folders_that_cannot_be_read_are_told():
    if os.geteuid() == 0:
        return  # reads all of them
    directory = place(p_DOT_sql=SCRIPT + NATIVE, tests__a_DOT_test="[expect]\n")
    (directory / "tests").chmod(0)
    assert "tests: cannot be read as a folder" in run(directory, "p.sql", code=2).err


def test_many_rows_that_differ_are_told_quickly():
    stream = "[stop_times]\ntrip_id, stop_id\n" + lines(10000, "T%d, A\n")
    begin = time.monotonic()
    done = run_text(stream + "[expect]\ntrip_id, stop_id\n" + lines(10000, "T%d, B\n"), code=1)
    assert "0 rows as expected, 10000 missing, 10000 unexpected" in done.out
    assert "    and 19980 more\n" in done.out
    assert time.monotonic() - begin < (60 if lib.is_checked() else 20)


def test_of_many_columns_those_that_differ_are_shown():
    names = [f"c{i}" for i in range(100)]
    query = f"INSERT INTO result SELECT s.trip_id, {', '.join(f's.stop_sequence AS {name}' for name in names)} FROM stop_times s;"
    head = "[stop_times]\ntrip_id, stop_sequence\nT1, 1\n[expect]\n" + ",".join(names) + "\n"
    done = run_text(head + ",".join("2" if i in (70, 99) else "1" for i in range(100)) + "\n", query, code=1)
    assert "    (32 of 100 columns)\n" in done.out, done.out
    assert done.out.count("  <- c70, c99\n") == 1 and "  c70  c99\n" in done.out, done.out


def test_a_test_takes_milliseconds():
    directory = page_place()
    run(directory, STM)
    begin = time.monotonic()
    for _ in range(5):
        run(directory, STM)
    assert (time.monotonic() - begin) / 5 < (5 if lib.is_checked() else 1)


def test_nobody_is_asked():
    """Neither a server nor a directory that the script names is touched."""
    directory = page_place()
    before = sorted(directory.rglob("*"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = "127.0.0.1:%d" % server.getsockname()[1]
        lib.run("test", STM, cwd=directory,
                env={"HOME": str(directory), "HDFS": f"hdfs://{address}", "BROKERS": address})
        try:
            raise AssertionError(server.accept())
        except BlockingIOError:
            pass
    assert sorted(directory.rglob("*")) == before
